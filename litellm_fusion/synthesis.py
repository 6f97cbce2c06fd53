"""The synthesizer: answers and analysis → the client's answer, down its own ladder.

Nothing sent yet: backups → the judge's strongest answer verbatim → the longest usable one. Once content was sent a
failure, a stall or the deadline ends the stream with an error: never a second voice. Where the client demands a format,
each writer has one repair, and only an answer that keeps it may stand in verbatim. A stream is checked as far as it goes:
what can't become the format is never begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from litellm_fusion import contract, mending, outcomes, params, prompts
from litellm_fusion.errors import CallFailed, LimitExceeded, StreamBroken
from litellm_fusion.judge import sources_chars
from litellm_fusion.limits import FLOOR_TOKENS
from litellm_fusion.lineup import sole
from litellm_fusion.responses import has_substance
from litellm_fusion.room import BYTES_PER_TOKEN, conversation_tokens, fitted, readable
from litellm_fusion.run import Run, punctual
from litellm_fusion.sources import listed
from litellm_fusion.thinking import replayed
from litellm_fusion.trace import named
from litellm_fusion.types import Analysis, Answer, Call, Completion, Delta, News, Reply

NEAR_EMPTY_CHARS = 50
"""A synthesis shorter than this, while the panel wrote more, is a silent refusal (TrustedRouter's GLM finding)."""


async def synthesize(run: Run, answers: Sequence[Answer], analysis: Analysis | None) -> Reply | None:
    """The answer: the first synthesizer that writes a usable one, else the best of the panel's own. None when the client
    demands what none of these has: a format, or a tool call.
    """
    await run.emit(News("writing the answer"))
    least = near_empty(answers) if contract.wanted(run.request.params) is None else 0
    for position, model in enumerate(run.lineup.synthesizers):
        if position:
            run.recorder.step("synthesis", "backup", model)
        call = call_for(run, model, answers, analysis, backup=position > 0)
        if call is None:
            run.recorder.step("synthesis", "no_room", f"{model}: conversation and answers do not fit its window")
            continue
        try:
            reply = await (_streamed(run, call, least) if run.request.stream else _whole(run, call, least))
        except CallFailed as error:
            run.recorder.step("synthesis", "failed", f"{model}: {error.kind}")
        except LimitExceeded as error:
            run.recorder.step("synthesis", "over_limit", f"{model}: {error.limit}")
        else:
            if reply is not None:
                return reply
    if run.request.params.get("tool_choice") not in (None, "auto", "none"):
        return None
    form = contract.wanted(run.request.params)
    return verbatim(run, answers, analysis) if form is None else mending.in_format(run, answers, form)


def verbatim(run: Run, answers: Sequence[Answer], analysis: Analysis | None) -> Reply:
    """The strongest answer by the analysis, else the longest one, word for word."""
    run.recorder.route = "degraded"
    strongest = next((a for a in answers if analysis is not None and a.label == analysis.strongest), None)
    if strongest is not None:
        run.recorder.step("synthesis", "strongest_answer", f"{strongest.model}, verbatim")
        return as_it_is(strongest)
    longest = max(answers, key=lambda answer: len(answer.text))
    run.recorder.step("synthesis", "longest_answer", f"{longest.model}, verbatim")
    return as_it_is(longest)


def as_it_is(answer: Answer) -> Reply:
    """A member's answer as the reply."""
    finish = "length" if answer.status == "truncated" else "stop"
    return Reply(text=answer.text, finish_reason=finish, usage=answer.usage)


def call_for(run: Run, model: str, answers: Sequence[Answer], analysis: Analysis | None, *, backup: bool) -> Call | None:
    """What the synthesizer is asked: the client's messages first and unchanged, our material after them. None when it
    does not fit its window. The analysis is never cut; answers are, the longest first.
    """
    client, limit = params.for_synthesizer(run.request.params, run.config.limits.max_completion_tokens)
    facts = run.models.facts(model)
    if run.request.tools:
        client["tools"] = [dict(tool) for tool in run.request.tools]
    reader = run.models.reader(model, sole=sole(run.config, run.lineup, model))
    conversation = tuple(replayed(run.request.messages, reader))
    if facts is not None:
        conversation = readable(conversation, facts.unreadable)
    compared = None if analysis is None else named(analysis, {})
    instructions = run.config.synthesizer.instructions
    sources = listed(run.recorder.sources, answers, passages=False, chars=sources_chars(facts))

    def message(texts: Sequence[str]) -> Any:
        pairs = [(answer.label or str(n), text) for n, (answer, text) in enumerate(zip(answers, texts, strict=True), 1)]
        tools = bool(run.request.tools)
        return prompts.synthesis_message(pairs, compared, sources, instructions, run.nonce, tools=tools)

    chars = run.config.limits.max_answer_chars or 10**9
    if facts is not None and facts.window is not None:
        empty = (*conversation, message([""] * len(answers)))
        tokens = facts.window - conversation_tokens(empty, run.request.tools) - min(limit or FLOOR_TOKENS, FLOOR_TOKENS)
        chars = min(chars, int(tokens * BYTES_PER_TOKEN * 0.9))
    texts = fitted(answers, chars) if chars > 0 else None
    if texts is None:
        return None
    if backup:
        client = params.without(client, params.unsupported(client, facts)) | {"drop_params": True}
    return Call(
        "synthesizer", model, (*conversation, message(texts)), client, backup=backup,
        timeout_seconds=run.seconds_for(1.0), max_completion_tokens=limit,
    )  # fmt: skip


def near_empty(answers: Sequence[Answer]) -> int:
    """Below how many characters a synthesis counts as near-empty: short panel answers allow short replies."""
    shortest = min((len(answer.text.strip()) for answer in answers), default=0)
    return min(NEAR_EMPTY_CHARS, shortest // 2)


def _usable(completion: Completion, least: int) -> str | None:
    """Why a synthesis can't be used, or None. One that the client's own length cut off is as long as it may be."""
    if completion.status in ("empty", "refused"):
        return completion.status
    if not completion.tool_calls and completion.status != "truncated" and len(completion.text.strip()) < least:
        return "near_empty"
    return None


async def _whole(run: Run, call: Call, least: int) -> Reply | None:
    completion = await run.client.complete(call)
    why = _usable(completion, least)
    if why is not None:
        run.recorder.step("synthesis", why, call.model)
        return None
    return await mending.fitting(run, call, completion)


async def _streamed(run: Run, call: Call, least: int) -> Reply | None:
    """Hand the synthesizer's chunks on as they come, holding back only what it takes to see that it is an answer."""
    held: list[Any] = []
    text = ""
    sent = False
    completion: Completion | None = None
    form = contract.wanted(run.request.params)
    try:
        async with aclosing(run.client.stream(call)) as stream:  # type: ignore[type-var]
            async for item in punctual(run, stream):
                if isinstance(item, Completion):
                    completion = item
                    continue
                if not has_substance(item):
                    continue
                delta = item.choices[0].delta
                if sent or (not delta.content and not delta.tool_calls):
                    await run.emit(Delta(item, call.model))
                    continue
                text += delta.content or ""
                held.append(item)
                enough = len(text.strip()) >= least and not outcomes.refuses(text) and text.strip()
                if delta.tool_calls or (enough and contract.may_begin(form, text)):
                    sent = await _release(run, held, call.model)
    except CallFailed as error:
        if sent:
            run.recorder.step("synthesis", "broken", error.kind)
            raise StreamBroken(error.kind) from error
        raise
    if completion is None:
        raise CallFailed("empty")
    if not sent:
        why = _usable(completion, least)
        if why is not None:
            run.recorder.step("synthesis", why, call.model)
            return None
        reply = await mending.fitting(run, call, completion)
        if reply is None or reply.text != completion.text:
            return reply
        await _release(run, held, call.model)
    elif not completion.tool_calls and contract.problem(form, completion.text) is not None:
        run.recorder.step("synthesis", "misfit", f"{call.model}: not in the client's format, and sent already")
    return Reply(finish_reason=completion.finish_reason, usage=completion.usage, streamed=True)


async def _release(run: Run, held: list[Any], model: str) -> bool:
    for item in held:
        await run.emit(Delta(item, model))
    held.clear()
    return True
