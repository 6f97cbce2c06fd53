"""Who gets which client parameter: the table of the contract, as code.

| parameter | member | judge | synthesizer |
| messages, images | all, first and unchanged | as text | all, first and unchanged |
| temperature, top_p, seed, penalties | member's, else client's | 0, none | client's |
| max_tokens | least of member's, limits | limits | client's, else limits |
| reasoning_effort, thinking | member's, else client's | none | client's |
| response_format, stop, n, ... | none | own schema only | client's |
| tools, tool_choice | shown as text | data | client's |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from litellm_fusion.models import Facts
from litellm_fusion.room import calls_of
from litellm_fusion.types import Message, Request

SAMPLING = ("temperature", "top_p", "top_k", "min_p", "seed", "presence_penalty", "frequency_penalty", "logit_bias")
THINKING = ("reasoning_effort", "thinking", "verbosity")
CONTRACT = (
    "response_format", "stop", "n", "logprobs", "top_logprobs", "prediction", "modalities", "audio",
    "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call",
    "web_search_options", "safety_identifier", "service_tier", "prompt_cache_key", "store",
)  # fmt: skip
LENGTH = ("max_completion_tokens", "max_tokens")
CLIENT = (*SAMPLING, *THINKING, *CONTRACT, *LENGTH, "user")
"""Every client parameter that some stage may get; the rest never leaves the outer request."""

_ALWAYS = frozenset(
    (*LENGTH, "user", "min_p", "top_k", "tools", "tool_choice", "functions", "function_call", "store",
     "safety_identifier", "prompt_cache_key", "service_tier", "thinking")
)  # fmt: skip
"""Parameters whose absence from LiteLLM's list of a model's parameters says nothing."""


_ANY_OBJECT = {"type": "object", "properties": {}}

Asked = tuple[dict[str, Any], int | None]
"""Parameters, and how many tokens may be written at most."""


def for_member(own: Mapping[str, Any], client: Mapping[str, Any], limit: int | None) -> Asked:
    """A member's parameters, and how much it may write at most."""
    params = {key: client[key] for key in (*SAMPLING, *THINKING) if client.get(key) is not None}
    params |= {key: value for key, value in own.items() if value is not None and key not in LENGTH}
    return params, _least(limit, *(own.get(key) for key in LENGTH))


def offered(request: Request) -> tuple[Mapping[str, Any], ...]:
    """Everything that the client lets the assistant call: tools, and functions in their legacy form."""
    functions = request.params.get("functions")
    legacy = functions if isinstance(functions, list | tuple) else ()
    return (*request.tools, *(function for function in legacy if isinstance(function, Mapping)))


def for_history(request: Request) -> dict[str, Any]:
    """What a member needs to read a history with tool calls in it: providers refuse one whose tools are not defined.
    Nobody may call them.
    """
    called = dict.fromkeys(name for message in request.messages for name in _called(message))
    if not called:
        return {}
    tools = [dict(tool) for tool in request.tools]
    made = [{"type": "function", "function": {"name": name, "parameters": dict(_ANY_OBJECT)}} for name in called]
    return {"tools": tools or made, "tool_choice": "none"}


def for_synthesizer(client: Mapping[str, Any], limit: int | None) -> Asked:
    """The synthesizer's parameters: the client's own, and the limit where the client set no length."""
    params = {key: client[key] for key in (*SAMPLING, *THINKING, *CONTRACT, *LENGTH) if client.get(key) is not None}
    asked = _least(*(client.get(key) for key in LENGTH))
    return params, limit if asked is None else asked


def unsupported(params: Mapping[str, Any], facts: Facts | None) -> tuple[str, ...]:
    """The parameters that a model is known not to take. Nothing is known of a model without facts."""
    if facts is None or facts.params is None:
        return ()
    known = facts.params
    return tuple(key for key in params if key in CLIENT and key not in known and key not in _ALWAYS)


def without(params: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """The parameters less some keys."""
    return {key: value for key, value in params.items() if key not in keys}


def _called(message: Message) -> Iterator[str]:
    for call in calls_of(message):
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping) and isinstance(function.get("name"), str):
            yield function["name"]


def _least(*values: object) -> int | None:
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool) and value > 0]
    return min(numbers) if numbers else None
