"""One member's answer. Its failures are values: siblings never notice, and the panel decides what to do about them.

What happens between its first call and its answer, where it may use the web, is `research.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litellm_fusion import params, prompts, waiting
from litellm_fusion.client import Draft
from litellm_fusion.desk import Hurry
from litellm_fusion.errors import CallFailed, LimitExceeded
from litellm_fusion.lineup import Seat
from litellm_fusion.research import means, research, told
from litellm_fusion.responses import from_cache
from litellm_fusion.room import calls_of, media
from litellm_fusion.run import Run
from litellm_fusion.sources import Notes, annotated
from litellm_fusion.thinking import loop_start, unthought
from litellm_fusion.types import Answer, Call, Completion, Status

_STATUS: dict[str, Status] = {"timeout": "timeout", "refused": "refused"}


async def ask(
    run: Run, seat: Seat, *, max_tokens: int | None, share: float, timeout_seconds: float | None, reserve: bool = False,
    hurry: Hurry | None = None, draft: Draft | None = None,
) -> Answer:  # fmt: skip
    """The seat's answer, whatever becomes of it. Only cancellation is raised. `hurry` begins when the others wait for it.

    With a `draft` the call is streamed inside, and what it had written stands there however it ends.
    """
    answer = await _ask(run, seat, max_tokens, share, timeout_seconds, reserve=reserve, hurry=hurry or Hurry(), draft=draft)
    run.recorder.outcomes[seat.number] = answer.status
    return answer


async def _ask(
    run: Run, seat: Seat, max_tokens: int | None, share: float, timeout_seconds: float | None, *, reserve: bool,
    hurry: Hurry, draft: Draft | None,
) -> Answer:  # fmt: skip
    notes = Notes(seat.number, lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    own = means(run, seat)
    call = call_for(run, seat, max_tokens=max_tokens, timeout_seconds=timeout_seconds, reserve=reserve)
    started = run.meter.elapsed()
    try:
        if own:
            completion = await research(run, seat, call, own, notes, share=share, hurry=hurry)
        elif draft is not None:
            completion = await run.client.draft(call, draft, share=share)
        else:
            completion = await run.client.complete(call, share=share)
    except CallFailed as error:
        status = _STATUS.get(error.kind, "error")
        seconds = run.meter.elapsed() - started
        return Answer(seat.number, seat.model, status, error=error.kind, seconds=seconds, sources=notes.sources)
    except LimitExceeded as error:
        return Answer(seat.number, seat.model, "over_limit", error=error.limit, sources=notes.sources)
    text, status = completion.text, completion.status
    if own.native:
        text = annotated(text, _annotations(completion), notes)
    if params.offered(run.request):
        text = prompts.with_proposals(text, completion.tool_calls)
    elif status == "ok" and not text.strip():
        status = "empty"  # it called a tool that nobody offered
    seconds = run.meter.elapsed() - started
    if status == "ok" and not own and not from_cache(completion.response):
        waiting.EXPERIENCE.note(seat.model, seconds)
    return Answer(
        seat.number, seat.model, status, text=text, seconds=seconds, usage=completion.usage, sources=notes.sources
    )  # fmt: skip


def _annotations(completion: Completion) -> tuple[Any, ...]:
    """What a model that searches by itself says of where its text comes from."""
    message = completion.response.choices[0].message
    return tuple(getattr(message, "annotations", None) or ())


def call_for(run: Run, seat: Seat, *, max_tokens: int | None, timeout_seconds: float | None, reserve: bool = False) -> Call:
    """What a seat is asked: the client's messages, first and unchanged, then what the operator adds."""
    client = run.request.params
    own, limit = params.for_member(seat.params, client, run.config.limits.max_completion_tokens)
    if max_tokens is not None:
        limit = max_tokens if limit is None else min(limit, max_tokens)
    own = params.without(own, params.unsupported(own, run.models.facts(seat.model)))
    vote = run.config.aggregate == "vote"
    web = told(run, means(run, seat))
    addition = prompts.member_addition(seat.instructions, params.offered(run.request), run.nonce, vote=vote, web=web)
    messages = unthought(run.request.messages)
    if loop_start(messages) < len(messages):
        own = params.without(own, ("thinking",))  # inside a loop it goes with the loop's own thinking only
    messages = messages if addition is None else (*messages, addition)
    own |= params.for_history(run.request)
    return Call(
        "member", seat.model, messages, {**own, "drop_params": True}, seat.number, reserve,
        timeout_seconds=timeout_seconds, max_completion_tokens=limit,
    )  # fmt: skip


def cannot_serve(run: Run, model: str, prompt_tokens: int, *, images: bool) -> str | None:
    """Why a model can't serve this request at all, or None: it is unknown, blind, can't read a history of tool calls, or
    its window is too small.
    """
    facts = run.models.facts(model)
    if facts is None:
        return "no_such_model"
    if images and facts.vision is False:
        return "no_images"
    if any(media(message) & facts.unreadable for message in run.request.messages):
        return "no_media"
    if facts.tools is False and any(calls_of(message) for message in run.request.messages):
        return "no_tools"
    if facts.window is not None and prompt_tokens > facts.window:
        return "context_window"
    return None
