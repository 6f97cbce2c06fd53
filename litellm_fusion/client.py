"""The one door to LiteLLM. Every inner call passes here: limit check, span, call, spend, error mapping.

The money rules that hold at this door:
1. Each inner call is a LiteLLM call on the caller's identity, so its cost lands on their key as its own spend row.
2. The caller's budget reservation is never passed on: it belongs to the outer request.
3. Metadata is a fresh dict per call; an inner response is read and never changed, its cost is computed from it later.
4. Only the synthesis call carries LiteLLM's internal origin (which exempts it from tokens per minute), because the
   outer row repeats its tokens.
5. A call is admitted by the request's Meter before it is made and settled after it, whatever its end.
6. A stream that ends early is billed for the part that came, as LiteLLM bills one that a client leaves.
7. A call on a key with a budget makes LiteLLM's own reservation and takes it along; LiteLLM settles it with the call's
   cost, and a call that brought none gives it back.
8. Time is kept here, not by LiteLLM's `timeout`: it builds a client, with connections of its own, for each new value.
9. A failure leaves as CallFailed with one typed word; the provider's text stays in LiteLLM's own log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import litellm
from litellm.search import search_provider_cost_per_query
from litellm.types.utils import is_litellm_owned_kwarg

from litellm_fusion import outcomes
from litellm_fusion.errors import CallFailed, LimitExceeded
from litellm_fusion.limits import Hold, Meter, Price
from litellm_fusion.models import Models
from litellm_fusion.responses import assembled, bill_cut, completion_of, cost_of, found_in, has_substance, text_in
from litellm_fusion.room import conversation_tokens
from litellm_fusion.trace import Recorder, Span
from litellm_fusion.types import Call, Completion, Found

SYNTHESIS_ORIGIN = "fusion_synthesis"
_ORIGIN_KEY = "internal_call_origin"


@dataclass(frozen=True, slots=True)
class Identity:
    """On whose account inner calls are made. `metadata` is identity only (no reservation); `extra` are LiteLLM's own
    keyword arguments that go with it: session, logging choices.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """What a call has written so far, for whoever must do without its end."""

    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text until now."""
        return "".join(self.parts)


class Purse(Protocol):
    """The caller's budgets in the proxy. `reserve` raises LiteLLM's BudgetExceededError; None reserves nothing."""

    async def reserve(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Reserve the worst case of one call; `body` is what it sends."""

    async def release(self, reservation: dict[str, Any] | None) -> None:
        """Give it back, unless it was settled. Never raises."""


class Client:
    """Makes the inner calls of one request. `purse` None: the caller has no budgets."""

    def __init__(
        self,
        router: Any,
        models: Models,
        meter: Meter,
        recorder: Recorder,
        identity: Identity,
        *,
        private: bool = False,
        purse: Purse | None = None,
    ) -> None:
        self._router = router
        self.models = models
        self._meter = meter
        self._recorder = recorder
        self._identity = identity
        self._private = private
        self._purse = purse

    async def complete(self, call: Call, *, share: float = 1.0) -> Completion:
        """Make one call and wait for its whole answer. `share` is the part of the money left that it may hold.

        Raises CallFailed, or LimitExceeded before anything was sent. Cancellation passes through; the span stays.
        """
        span, hold = self._open(call, share)
        cost: float | None = None
        arguments = self._arguments(call, hold, stream=False)
        reservation: dict[str, Any] | None = None
        try:
            reservation = await self._reserve(call, arguments)
            async with asyncio.timeout(call.timeout_seconds):
                response = await self._router.acompletion(**arguments)
            cost, reservation = cost_of(response), None
            return self._closed(span, response, cost)
        except asyncio.CancelledError as error:
            span.status, cost = "cancelled", 0.0
            if not _is_cancelled():
                raise self._failed(span, error) from error
            raise
        except Exception as error:
            cost = 0.0
            raise self._failed(span, error) from error
        finally:
            self._settle(span, hold, cost)
            await self._release(reservation)

    async def draft(self, call: Call, draft: Draft, *, share: float = 1.0) -> Completion:
        """As `complete`, but streamed inside: until it is done, `draft` has what came. Whoever waits ends it by cancelling;
        then the part that came is billed.
        """
        async with aclosing(self.stream(call, share=share)) as stream:  # type: ignore[type-var]
            async for item in stream:
                if isinstance(item, Completion):
                    return item
                draft.parts.append(text_in(item))
        raise CallFailed("bad_gateway")  # a stream ends with its completion

    async def stream(self, call: Call, *, share: float = 1.0) -> AsyncIterator[Any]:
        """Make one call and give its chunks as they come; the last item is the Completion of the whole.

        Raises as `complete` does. Closing the iterator closes the provider's stream.
        """
        span, hold = self._open(call, share)
        cost: float | None = None
        chunks: list[Any] = []
        response: Any = None
        arguments = self._arguments(call, hold, stream=True)
        reservation: dict[str, Any] | None = None
        try:
            reservation = await self._reserve(call, arguments)
            async with asyncio.timeout(call.timeout_seconds):
                response = await self._router.acompletion(**arguments)
            async for chunk in response:
                if span.first_token_seconds is None and has_substance(chunk):
                    span.first_token_seconds = self._meter.elapsed()
                chunks.append(chunk)
                yield chunk
            whole, cost = assembled(response, chunks, call)
            reservation = None
            completion = self._closed(span, whole, cost)
        except (asyncio.CancelledError, GeneratorExit) as error:
            span.status = "cancelled"
            cost, billed = await asyncio.shield(bill_cut(response, chunks, call))
            reservation = None if billed else reservation
            if isinstance(error, asyncio.CancelledError) and not _is_cancelled():
                raise self._failed(span, error) from error
            raise
        except Exception as error:
            failure = self._failed(span, error)  # first: while it is billed, this may be cancelled
            cost, billed = await asyncio.shield(bill_cut(response, chunks, call))
            reservation = None if billed else reservation
            raise failure from error
        finally:
            self._settle(span, hold, cost)
            if response is not None and hasattr(response, "aclose"):
                with suppress(Exception):
                    await response.aclose()
            await self._release(reservation)
        yield completion

    async def search(
        self, tool: str, query: str, *, member: int | None, count: int, domains: tuple[str, ...] = (),
        timeout_seconds: float | None = None,
    ) -> tuple[Found, ...]:  # fmt: skip
        """Search the web with one of the proxy's `search_tools`, on the caller's account. Raises as `complete` does."""
        span = Span("search", tool, member, start_seconds=self._meter.elapsed(), detail=query)
        self._recorder.spans.append(span)
        try:
            hold = self._meter.admit(_search_price(self._router, tool), 1, 1)
        except LimitExceeded as error:
            span.status, span.error = "over_limit", error.limit
            raise
        owned = {key: value for key, value in self._identity.extra.items() if key != "cache" and is_litellm_owned_kwarg(key)}
        cost: float | None = 0.0
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await self._router.asearch(
                    **owned,
                    search_tool_name=tool,
                    query=query,
                    max_results=count,
                    **({"search_domain_filter": list(domains[:20])} if domains else {}),
                    **({} if timeout_seconds is None else {"timeout": timeout_seconds}),
                    litellm_metadata={**self._metadata("search"), "model_group": tool},
                )
            cost = cost_of(response)
            return tuple(found_in(result) for result in response.results or ())
        except asyncio.CancelledError:
            span.status = "cancelled"
            raise
        except Exception as error:
            raise self._failed(span, error) from error
        finally:
            self._settle(span, hold, cost)

    def leave_out(self, call: Call, why: str) -> None:
        """Note a call that is not made at all, because it cannot serve this request."""
        span = self._span(call)
        span.status, span.error = "left_out", why

    def _open(self, call: Call, share: float) -> tuple[Span, Hold]:
        prompt_tokens = conversation_tokens(call.messages, call.params.get("tools") or ())
        price = self.models.price(call.model)
        span = self._span(call)
        if call.role == "direct":
            return span, Hold(0.0, None)  # what the caller would pay without fusion is not fusion's to limit
        try:
            hold = self._meter.admit(price, prompt_tokens, call.max_completion_tokens, share)
        except LimitExceeded as error:
            span.status, span.error = "over_limit", error.limit
            raise
        if price is None and self._meter.max_cost_usd is not None:
            self._recorder.once(call.role, "unknown_price", call.model)
        if hold.max_tokens is not None and hold.max_tokens < (call.max_completion_tokens or hold.max_tokens):
            self._recorder.step(call.role, "shortened", f"{call.model}: {hold.max_tokens} tokens under the cost ceiling")
        return span, hold

    def _span(self, call: Call) -> Span:
        span = Span(call.role, call.model, call.member, reserve=call.reserve, backup=call.backup)
        span.start_seconds = self._meter.elapsed()
        self._recorder.spans.append(span)
        return span

    def _arguments(self, call: Call, hold: Hold, *, stream: bool) -> dict[str, Any]:
        params = dict(call.params)
        if hold.max_tokens is not None:
            key = "max_completion_tokens" if "max_completion_tokens" in params else "max_tokens"
            params[key] = min(hold.max_tokens, params.get(key) or hold.max_tokens)
        if stream:
            params["stream_options"] = {"include_usage": True}
        metadata = self._metadata(call.role)
        if call.role == "synthesizer":
            metadata[_ORIGIN_KEY] = SYNTHESIS_ORIGIN
        messages = [dict(message) for message in call.messages]
        arguments: dict[str, Any] = {
            **{key: list(value) if isinstance(value, list) else value for key, value in self._identity.extra.items()},
            **params,
            "model": call.model,
            "messages": messages,
            "metadata": metadata,
            "proxy_server_request": {
                "body": {"model": call.model, "messages": messages, **params},
                "headers": dict(metadata.get("headers") or {}),
            },
            "stream": stream,
        }
        if call.member is not None and litellm.cache is not None:
            # Two seats of one model are two tries: a cached answer of the one is no answer of the other.
            arguments["cache"] = {**(self._identity.extra.get("cache") or {}), "namespace": f"fusion-seat-{call.member}"}
        if self._private or (stream and call.member is None):
            # Sensitive text stays with the models that may see it, and the client's stream never goes on in a second voice.
            arguments["disable_fallbacks"] = True
        return arguments

    async def _reserve(self, call: Call, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """Reserve the call's worst case on the caller's budgets; the call takes the reservation along."""
        if self._purse is None:
            return None
        try:
            reservation = await self._purse.reserve(arguments["proxy_server_request"]["body"])
        except litellm.BudgetExceededError as error:
            if call.role == "direct":
                raise  # LiteLLM's own refusal, as on the model itself
            raise LimitExceeded("budget_left_usd", error.current_cost, error.max_budget, "caller") from None
        if reservation is not None:
            arguments["metadata"]["user_api_key_budget_reservation"] = reservation
        return reservation

    async def _release(self, reservation: dict[str, Any] | None) -> None:
        if self._purse is not None and reservation is not None:
            await self._purse.release(reservation)

    def _metadata(self, role: str) -> dict[str, Any]:
        """A fresh copy of the caller's identity, with what this call is for."""
        metadata = dict(self._identity.metadata)
        metadata["spend_logs_metadata"] = {
            **(metadata.get("spend_logs_metadata") or {}),
            "fusion_model": self._recorder.model,
            "fusion_trace_id": self._recorder.id,
            "fusion_role": role,
        }
        return metadata

    def _closed(self, span: Span, response: Any, cost: float | None) -> Completion:
        completion = completion_of(response)
        span.status = completion.status
        span.served_by = getattr(response, "model", None)
        span.finish_reason = completion.finish_reason
        span.prompt_tokens, span.completion_tokens = completion.usage.prompt_tokens, completion.usage.completion_tokens
        span.cost_usd = cost
        span.tool_calls = len(completion.tool_calls)
        headers = (getattr(response, "_hidden_params", None) or {}).get("additional_headers") or {}
        span.retries = int(headers.get("x-litellm-attempted-retries") or 0)
        return completion

    def _failed(self, span: Span, error: BaseException) -> CallFailed | LimitExceeded:
        if isinstance(error, LimitExceeded):
            span.status, span.error = "over_limit", error.limit
            return error
        failure = outcomes.failure(error)
        span.status = {"timeout": "timeout", "refused": "refused"}.get(failure.kind, "error")  # type: ignore[assignment]
        span.error = failure.kind
        return failure

    def _settle(self, span: Span, hold: Hold, cost: float | None) -> None:
        span.seconds = self._meter.elapsed() - span.start_seconds
        if span.cost_usd is None:
            span.cost_usd = cost
        self._meter.settle(hold, cost)


def _is_cancelled() -> bool:
    """Whether somebody cancels this task. A CancelledError that nobody sent is a connection's: another request that waited
    for the same one has left.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _search_price(router: Any, tool: str) -> Price | None:
    """What one query of a search tool costs by LiteLLM's map, or None."""
    settings = getattr(router, "settings", None)  # where newer versions keep them
    tools = settings().search_tools if callable(settings) else getattr(router, "search_tools", None)
    own = (entry for entry in tools or () if entry.get("search_tool_name") == tool)
    provider = next(((entry.get("litellm_params") or {}).get("search_provider") for entry in own), None)
    with suppress(Exception):  # LiteLLM raises on what its map does not know
        return Price(float(search_provider_cost_per_query(f"{provider}/search", provider)[0]), 0.0)
    return None
