"""What LiteLLM's responses say: completions, chunks, search results, costs. Read, never changed.

A stream is assembled and costed here by LiteLLM's own functions, and one that ends early is billed for the part that came,
as LiteLLM bills one that a client leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import litellm

from litellm_fusion import outcomes
from litellm_fusion.types import Call, Completion, Found, Usage

_SUBSTANCE = ("reasoning_content", "thinking_blocks", "function_call", "audio", "images")


def completion_of(response: Any) -> Completion:
    """What a LiteLLM response says, without changing it."""
    choice = response.choices[0] if response.choices else None
    if choice is None:
        return Completion("empty", "", "stop", _usage(response), response)
    message = choice.message
    text = message.content if isinstance(message.content, str) else ""
    calls = tuple(message.tool_calls or ()) or tuple(filter(None, [getattr(message, "function_call", None)]))
    extra = getattr(message, "provider_specific_fields", None) or {}
    refusal = getattr(message, "refusal", None) or (extra.get("refusal") if isinstance(extra, Mapping) else None)
    finish = str(choice.finish_reason or "stop")
    status = outcomes.status_of(text, finish, len(calls), refusal)
    return Completion(status, text, finish, _usage(response), response, calls)


def text_in(chunk: Any) -> str:
    """The text that a stream's chunk adds to the answer."""
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


def has_substance(chunk: Any) -> bool:
    """Whether a stream's chunk brings text, reasoning (or its signature), audio, images or a call."""
    if not chunk.choices:
        return False
    delta = chunk.choices[0].delta
    return bool(delta.content or delta.tool_calls or any(getattr(delta, key, None) for key in _SUBSTANCE))


def found_in(result: Any) -> Found:
    """One result of a search; what the provider leaves out is empty."""
    said = (getattr(result, name, None) for name in ("url", "title", "snippet", "date"))
    return Found(*(value if isinstance(value, str) else "" for value in said))


def from_cache(response: Any) -> bool:
    """Whether LiteLLM's cache gave this response."""
    return (getattr(response, "_hidden_params", None) or {}).get("cache_hit") is True


def _usage(response: Any) -> Usage:
    usage = getattr(response, "usage", None)
    details = getattr(usage, "completion_tokens_details", None)
    return Usage(
        int(getattr(usage, "prompt_tokens", 0) or 0),
        int(getattr(usage, "completion_tokens", 0) or 0),
        int(getattr(details, "reasoning_tokens", 0) or 0),
    )


def cost_of(response: Any) -> float | None:
    """US dollars that LiteLLM counted for a whole response, or None."""
    cost = (getattr(response, "_hidden_params", None) or {}).get("response_cost")
    return float(cost) if cost is not None else None


def assembled(stream: Any, chunks: list[Any], call: Call) -> tuple[Any, float | None]:
    """The whole response of a stream, and the cost that LiteLLM itself will log for it, by its own calculator."""
    logging = getattr(stream, "logging_obj", None)
    whole = litellm.stream_chunk_builder(chunks, messages=list(call.messages), logging_obj=logging)
    if logging is None or whole is None:
        return whole, None
    cost: float | None = None
    with suppress(Exception):  # an unpriced model has no cost; anything else is no reason to fail a delivered answer
        cost = logging.response_cost_calculator(result=whole)
    return whole, cost


async def bill_cut(stream: Any, chunks: list[Any], call: Call) -> tuple[float | None, bool]:
    """Bill what a stream that ended early has cost so far, as LiteLLM does when a client leaves one: its success handlers
    log the part that came. Gives the cost in US dollars, and whether a row was logged.
    """
    if not chunks:
        return 0.0, False
    try:
        part, cost = assembled(stream, chunks, call)
        logging = stream.logging_obj
        if part is None or logging.model_call_details.get("has_dispatched_final_stream_success"):
            return cost, part is not None
        await logging.dispatch_success_handlers(
            part, cache_hit=False, start_time=None, end_time=None, prefer_async_handlers=True
        )
    except Exception:  # no way to bill it: the cost is unknown
        return None, False
    return cost, True
