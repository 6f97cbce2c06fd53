"""The provider's side: what LiteLLM calls for a fusion deployment → the run → what LiteLLM hands to the client."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import litellm

from litellm_fusion import outlet, params, planning, progress, serving
from litellm_fusion.asks import Ask
from litellm_fusion.context import Plan, inside, recall
from litellm_fusion.errors import (
    ConfigInvalid,
    FusionError,
    HistoryMissing,
    NestedFusion,
    Overloaded,
    RequestRefused,
    RunFailed,
    origin,
)
from litellm_fusion.identity import identity
from litellm_fusion.models import Models
from litellm_fusion.outgoing import Outgoing, outgoing
from litellm_fusion.registry import REGISTRY
from litellm_fusion.room import conversation_tokens
from litellm_fusion.run import Run
from litellm_fusion.trace import Recorder, summary, visible
from litellm_fusion.types import UNLIMITED, Caller, Delta, News, Reply, Request

log = logging.getLogger("litellm_fusion")
HEALTH_CHECK = "litellm-internal-health-check"


async def complete(model: str, messages: list[Any], given: Mapping[str, Any]) -> Any:
    """The plain answer as a ModelResponse. `given` are the other keyword arguments that LiteLLM passes to a provider."""
    if _is_health_check(given):
        return outlet.response(Reply(text="ok"), model, 0, None)
    plan: Plan | None = None
    try:
        plan, run = _begin(model, messages, given, stream=False)
        if plan.explained is not None:
            return outlet.response(_explanation(plan), run.request.model, 0, None)
        try:
            reply = await _in_a_run(plan, run)
            out = outgoing(plan.recorder, run.request)
            reply = reply if out is None else out.whole(reply)
        finally:
            _log_summary(plan, given)
        shown = visible(plan.recorder, plan.config.client_trace)
        return outlet.response(reply, run.request.model, _prompt_tokens(run), shown)
    except Exception as error:
        raise _out(error, model, plan) from None


async def stream(model: str, messages: list[Any], given: Mapping[str, Any]) -> AsyncIterator[Any]:
    """The answer as chunks. Whatever can refuse does so before the first; a later failure ends the stream."""
    plan: Plan | None = None
    try:
        if _is_health_check(given):
            speaker, reply = outlet.Speaker(model), Reply(text="ok")
            yield speaker.text(reply.text)
            yield speaker.end(reply, 0)
            return
        plan, run = _begin(model, messages, given, stream=True)
        speaker = outlet.Speaker(run.request.model)
        if plan.explained is not None:
            reply = _explanation(plan)
            yield speaker.text(reply.text)
            yield speaker.end(reply, 0)
            return
        _refuse_now(plan)
        plan.recorder.first_token_seconds = time.monotonic() - plan.recorder.started
        yield speaker.first(_estimate(run))
        _log_summary(plan, given)
        try:
            async with aclosing(_told(plan, run, speaker, given)) as told:  # type: ignore[type-var]
                async for chunk in told:
                    yield chunk
        finally:
            _log_summary(plan, given)
    except Exception as error:
        raise _out(error, model, plan) from None


def put_summary(plan: Plan, response: Any) -> None:
    """Put what the client may see of the trace on a Responses API object."""
    shown = visible(plan.recorder, plan.config.client_trace)
    if shown is not None and getattr(response, "object", None) == "response":
        response.provider_specific_fields = {"fusion": shown}


def _log_summary(plan: Plan, given: Mapping[str, Any]) -> None:
    """Leave the summary in the metadata that LiteLLM writes to the outer row of its spend log."""
    litellm_params = given.get("litellm_params") or {}
    for key in ("metadata", "litellm_metadata"):
        metadata = litellm_params.get(key)
        if isinstance(metadata, dict):
            kept = metadata.get("spend_logs_metadata") or {}
            metadata["spend_logs_metadata"] = {**kept, "fusion": summary(plan.recorder)}


async def _told(plan: Plan, run: Run, speaker: outlet.Speaker, given: Mapping[str, Any]) -> AsyncIterator[Any]:
    as_reasoning = _news_as_reasoning(plan, run)
    answering = False
    out: Outgoing | None = None
    async with aclosing(serving.events(lambda emit: serving.answer(plan, replace(run, emit=emit)))) as events:  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, News):
                _log_summary(plan, given)  # LiteLLM writes the row of a client that leaves before this run has ended
                if as_reasoning and not answering:
                    told = event.text or f"{run.meter.elapsed():.0f} s"
                    yield speaker.reasoning("".join(map(progress.line, told.split("\n"))))
                elif not event.text and plan.api == "chat":
                    yield speaker.keep_alive()  # the other APIs drop it; their bridges have pings of their own
            elif isinstance(event, Delta):
                if as_reasoning and not answering and plan.api != "chat":
                    yield speaker.keep_alive()  # closes our block, so that the synthesizer's reasoning gets its own
                out = out or outgoing(plan.recorder, run.request)
                answering = True
                chunk = speaker.inner(event.chunk, event.thinker) if event.text is None else speaker.text(event.text)
                for made in (chunk,) if out is None else out.chunk(chunk, speaker):
                    yield made
            else:
                for made in _last(event, plan, run, speaker, out):
                    yield made


def _last(reply: Reply, plan: Plan, run: Run, speaker: outlet.Speaker, out: Outgoing | None) -> Iterator[Any]:
    """The end of a stream: what is left of the text, its annotations and the summary, the usage."""
    out = out or outgoing(plan.recorder, run.request)
    if not reply.streamed:
        reply = reply if out is None else out.whole(reply)
        yield speaker.text(reply.text)
    elif out is not None:
        yield from out.end(speaker)
    shown = visible(plan.recorder, plan.config.client_trace)
    annotations = [] if out is None else out.annotations
    if shown is not None or annotations:
        yield speaker.last(shown, annotations)
    yield speaker.end(reply, _prompt_tokens(run))


def _refuse_now(plan: Plan) -> None:
    """What can refuse a stream does so before its first byte: an earlier failure of the same request, overload."""
    if plan.failure is not None:
        raise plan.failure
    settings = REGISTRY.settings()
    if plan.decision.use == "fuse" and settings.when_full == "refuse" and serving.full(plan):
        raise Overloaded("every place for a fused run is taken; try again later")


def _begin(model: str, messages: list[Any], given: Mapping[str, Any], *, stream: bool) -> tuple[Plan, Run]:
    if inside.get():
        raise NestedFusion("a fusion model can't take part in a fused run")
    litellm_params = given.get("litellm_params") or {}
    logging = given.get("logging_obj")
    plan = recall(logging)
    if logging is not None:
        # The outer row costs 0 by design: LiteLLM need not find out why, nor warn of it, at each fused answer.
        logging._record_zero_cost_diagnostic = _nothing
    request = _request(model, messages, given, plan, stream=stream)
    router = REGISTRY.find_router()
    if router is None:
        raise ConfigInvalid("no router: call litellm_fusion.register(router) first")
    if plan is None:
        plan = _plan_here(request, litellm_params, router)
        if plan.decision.use == "refuse":
            raise RequestRefused(plan.decision.message)
    users = sum(isinstance(message, Mapping) and message.get("role") == "user" for message in messages)
    if plan.resumes is not None and users <= plan.resumes:
        raise HistoryMissing
    timeout = given.get("timeout")
    seconds = float(timeout) if isinstance(timeout, int | float) and timeout > 0 else None
    run = serving.prepare(plan, request, router, identity(litellm_params, plan), seconds)
    if plan.decision.use == "fuse" and plan.explained is None:
        _refuse_unsupported(run, given)
    return plan, run


def _nothing(*_: object, **__: object) -> None:
    """Instead of a diagnosis."""


def _request(model: str, messages: list[Any], given: Mapping[str, Any], plan: Plan | None, *, stream: bool) -> Request:
    """The request as LiteLLM's guardrails and bridges left it."""
    optional = given.get("optional_params") or {}
    client = {key: optional[key] for key in params.CLIENT if optional.get(key) is not None and key != "tools"}
    return Request(
        model=plan.recorder.model if plan is not None else model,
        messages=tuple(messages),
        api="chat" if plan is None else plan.api,
        preset="general" if plan is None else plan.config.preset,
        tools=tuple(optional.get("tools") or ()),
        params=client,
        stream=stream,
        caller=Caller(budget_left_usd=UNLIMITED) if plan is None else plan.caller,
    )


def _plan_here(request: Request, litellm_params: Mapping[str, Any], router: Any) -> Plan:
    """The decision where the hook did not make one: called from the SDK, or the hook is not configured."""
    metadata = litellm_params.get("metadata") or {}
    info = litellm_params.get("model_info") or metadata.get("model_info") or {}
    entry = REGISTRY.by_id(info.get("id"))
    if entry is None:
        entry = next((entry for entry in REGISTRY.entries() if request.model in (entry.inner, entry.name)), None)
    if entry is None:
        raise ConfigInvalid(f"no fusion deployment is behind {request.model!r}")
    layers = REGISTRY.layers(entry)
    made = planning.plan(layers, request, Models(router), Ask(), REGISTRY.mode(layers))
    made.recorder.model = entry.name
    # Only the hook can ask LiteLLM whether a key may use a search tool; in an SDK nobody needs to.
    made.search_refused = metadata.get("user_api_key_auth") is not None
    planning.tell_shadow(made)
    return made


def _refuse_unsupported(run: Run, given: Mapping[str, Any]) -> None:
    """A parameter that no stage can honour is refused by name, as LiteLLM does, unless it was told to drop it."""
    litellm_params = given.get("litellm_params") or {}
    if litellm.drop_params or litellm_params.get("drop_params"):
        return
    contract, _ = params.for_synthesizer(run.request.params, None)
    lost = params.unsupported(contract, run.models.facts(run.lineup.synthesizers[0]) if run.lineup.synthesizers else None)
    shared = frozenset(params.SAMPLING) | frozenset(params.THINKING)
    named = tuple(key for key in lost if key not in shared)
    if named:
        raise litellm.UnsupportedParamsError(
            message=f"{run.lineup.synthesizers[0]}, which writes the answer, does not support: {', '.join(named)}. "
            "Leave it out, or set drop_params.",
            model=run.request.model,
            llm_provider="fusion",
        )


async def _in_a_run(plan: Plan, run: Run) -> Reply:
    """A plain run, in a context in which nothing it calls can fuse again."""
    return await asyncio.create_task(serving.answer(plan, run), context=serving.inner_context())


def _news_as_reasoning(plan: Plan, run: Run) -> bool:
    if plan.config.progress == "auto":
        return plan.api == "chat" and not run.request.tools
    return plan.config.progress == "reasoning"


def _explanation(plan: Plan) -> Reply:
    return Reply(text=json.dumps(plan.explained, ensure_ascii=False, indent=2, default=str))


def _estimate(run: Run) -> int:
    return conversation_tokens(run.request.messages, run.request.tools)


def _prompt_tokens(run: Run) -> int:
    """The tokens of the client's own conversation: what the leanest member was counted, else an estimate."""
    counted = [s.prompt_tokens for s in run.recorder.spans if s.role in ("member", "direct") and s.prompt_tokens]
    if run.tools is not None:
        counted.append(_estimate(run))  # what members are told about their tools is none of the client's
    return min(counted) if counted else _estimate(run)


def _is_health_check(given: Mapping[str, Any]) -> bool:
    litellm_params = given.get("litellm_params") or {}
    metadata = {**(litellm_params.get("metadata") or {}), **(litellm_params.get("litellm_metadata") or {})}
    return metadata.get("user_api_key_alias") == HEALTH_CHECK or HEALTH_CHECK in (metadata.get("tags") or ())


def _out(error: Exception, model: str, plan: Plan | None) -> Exception:
    """The outer net: every error leaves as LiteLLM's own of the fitting status, without a trace of where it came from."""
    if isinstance(error, litellm.UnsupportedParamsError):
        return error
    recorder: Recorder | None = None if plan is None else plan.recorder
    if not isinstance(error, FusionError):
        log.error("fusion.provider failed: %s", origin(error))
        return outlet.error(FusionError("fusion failed on an error of its own"), model, recorder)
    retry_after = error.cause.retry_after if isinstance(error, RunFailed) else None
    return outlet.error(error, model, recorder, retry_after)
