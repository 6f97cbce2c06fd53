"""The judge: usable answers under blind labels → Analysis, down its own ladder.

schema → lenient parse → one repair call → backups → None, which means: go on without an analysis.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import json_repair
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from litellm_fusion import prompts, types
from litellm_fusion.config import Judge
from litellm_fusion.errors import CallFailed, LimitExceeded
from litellm_fusion.limits import FLOOR_TOKENS
from litellm_fusion.models import Facts
from litellm_fusion.room import BYTES_PER_TOKEN, MEDIA, conversation_tokens, fitted, recent, text_of
from litellm_fusion.run import Run
from litellm_fusion.sources import listed
from litellm_fusion.types import Analysis, Answer, Call, Completion, Message, News

JUDGE_SHARE = 0.5
"""Of the time that is left when the panel is in; the rest is the synthesizer's."""
MAX_ITEMS = 40
MAX_SOURCES_CHARS = 40_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


def _label(value: object) -> object:
    return value.strip().removeprefix("Answer ").removeprefix("answer ").strip(" .:#") if isinstance(value, str) else value


Label = Annotated[str, BeforeValidator(_label)]
Text = Annotated[str, Field(max_length=4_000)]


class _Claim(_Part):
    claim: Text
    answers: tuple[Label, ...] = ()


class _Stance(_Part):
    answer: Label
    claim: Text
    evidence: Text = ""


class _Contradiction(_Part):
    topic: Text
    stances: tuple[_Stance, ...]


class _Point(_Part):
    point: Text
    answers: tuple[Label, ...] = ()


class _Insight(_Part):
    insight: Text
    answer: Label = ""


class Reading(_Part):
    """The judge's reply as it must be: all six keys are required, an empty list is fine."""

    consensus: tuple[_Claim, ...] = Field(max_length=MAX_ITEMS)
    contradictions: tuple[_Contradiction, ...] = Field(max_length=MAX_ITEMS)
    partial_coverage: tuple[_Point, ...] = Field(max_length=MAX_ITEMS)
    unique_insights: tuple[_Insight, ...] = Field(max_length=MAX_ITEMS)
    blind_spots: tuple[Text, ...] = Field(max_length=MAX_ITEMS)
    strongest: Label


async def compare(run: Run, answers: Sequence[Answer]) -> Analysis | None:
    """The analysis of labelled answers, or None when no judge gave a usable one (the ladder says why)."""
    judge = run.config.judge
    if not isinstance(judge, Judge) or not run.lineup.judges:
        return None
    await run.emit(News(f"comparing {len(answers)} answers"))
    for position, model in enumerate(run.lineup.judges):
        analysis = await _ask(run, model, answers, judge.criteria, backup=position > 0)
        if analysis is not None:
            return analysis
        if position + 1 < len(run.lineup.judges):
            run.recorder.step("judge", "backup", f"{run.lineup.judges[position + 1]} for {model}")
    run.recorder.step("judge", "without_analysis", "no judge gave a usable analysis")
    return None


async def _ask(run: Run, model: str, answers: Sequence[Answer], criteria: str, *, backup: bool) -> Analysis | None:
    call = call_for(run, model, answers, criteria, backup=backup)
    if call is None:
        run.recorder.step("judge", "no_room", f"{model}: the answers do not fit its window")
        return None
    labels = frozenset(answer.label for answer in answers)
    completion = await _complete(run, call)
    if completion is None:
        return None
    analysis, problem = read(completion.text, labels)
    if problem:
        step = "lenient" if analysis is not None else "repair"
        run.recorder.step("judge", step, f"{model}: {problem}")
    if analysis is not None:
        return analysis
    turns: tuple[Message, ...] = (
        *call.messages,
        {"role": "assistant", "content": completion.text[:8_000] or "(empty)"},
        {"role": "user", "content": prompts.JUDGE_REPAIR.format(problem=problem)},
    )
    repaired = await _complete(run, types.Call(
        "judge", model, turns, call.params, backup=backup,
        timeout_seconds=run.seconds_for(JUDGE_SHARE), max_completion_tokens=call.max_completion_tokens,
    ))  # fmt: skip
    if repaired is None:
        return None
    analysis, problem = read(repaired.text, labels)
    if analysis is None:
        run.recorder.step("judge", "unusable", f"{model}: {problem}")
    return analysis


async def _complete(run: Run, call: Call) -> Completion | None:
    try:
        return await run.client.complete(call, share=0.6)
    except CallFailed as error:
        run.recorder.step("judge", "failed", f"{call.model}: {error.kind}")
    except LimitExceeded as error:
        run.recorder.step("judge", "over_limit", f"{call.model}: {error.limit}")
    return None


def call_for(run: Run, model: str, answers: Sequence[Answer], criteria: str, *, backup: bool = False) -> Call | None:
    """What the judge is asked, cut to its window; None when it does not fit at all. No client parameter but the
    conversation reaches it.
    """
    facts = run.models.facts(model)
    limit = run.config.limits.max_completion_tokens
    chars = run.config.limits.max_answer_chars or 10**9
    conversation_chars = 10**9
    sources = listed(run.recorder.sources, answers, passages=True, chars=sources_chars(facts))
    if facts is not None and facts.window is not None:
        room = int((facts.window - FLOOR_TOKENS * 2) * BYTES_PER_TOKEN * 0.9) - len(prompts.JUDGE_SYSTEM) - len(sources)
        if room <= 0:
            return None
        conversation_chars = room // 2
        used = min(sum(len(text_of(message)) for message in run.request.messages), conversation_chars)
        chars = min(chars, room - used)
    texts = fitted(answers, chars)
    if texts is None:
        return None
    turns, left_out = recent(run.request.messages, conversation_chars)
    reads = frozenset(MEDIA) - facts.unreadable if facts is not None and facts.vision else frozenset()
    messages = prompts.judge_messages(
        turns, left_out, [(answer.label, text) for answer, text in zip(answers, texts, strict=True)],
        criteria, sources, run.nonce, reads=reads,
    )  # fmt: skip
    if facts is not None and facts.window is not None and conversation_tokens(messages) > facts.window:
        return None
    params: dict[str, Any] = {"temperature": 0, "drop_params": True}
    if facts is not None and facts.schema:
        params["response_format"] = {
            "type": "json_schema", "json_schema": {"name": "comparison", "schema": SCHEMA, "strict": True},
        }  # fmt: skip
    return Call(
        "judge", model, messages, params, backup=backup,
        timeout_seconds=run.seconds_for(JUDGE_SHARE), max_completion_tokens=limit,
    )  # fmt: skip


def sources_chars(facts: Facts | None) -> int:
    """How much of a window the list of sources may take: an eighth, and not more than a long page."""
    window = None if facts is None else facts.window
    return MAX_SOURCES_CHARS if window is None else min(int(window * BYTES_PER_TOKEN / 8), MAX_SOURCES_CHARS)


def read(text: str, labels: frozenset[str]) -> tuple[Analysis | None, str]:
    """The analysis in a judge's reply, and what was wrong with it: a strict reading first, then a lenient one that
    finds the object in prose or mends its syntax. Labels that no answer has are dropped.
    """
    try:
        return _analysis(Reading.model_validate_json(text), labels), ""
    except ValidationError as error:
        strict = _problem(error)
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        return None, "no JSON object in it"
    body = text[start : end + 1] if end > start else text[start:]
    try:
        try:
            mended = json.loads(body)
        except ValueError:
            mended = json_repair.loads(text[start:])
    except (RecursionError, ValueError):  # nested without end, or numbers of absurd length
        return None, strict
    try:
        return _analysis(Reading.model_validate(mended), labels), strict
    except ValidationError as error:
        return None, _problem(error)


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    if first["type"] == "missing":
        return f"missing key {where}"
    if first["type"] == "json_invalid":
        return "not valid JSON by itself"
    return f"{where or 'the reply'}: {first['type']}"


def _analysis(reading: Reading, labels: frozenset[str]) -> Analysis:
    def known(found: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label for label in found if label in labels))

    return Analysis(
        consensus=tuple(types.Claim(item.claim, known(item.answers)) for item in reading.consensus),
        contradictions=tuple(
            types.Contradiction(
                item.topic,
                tuple(types.Stance(one.answer, one.claim, one.evidence) for one in item.stances if one.answer in labels),
            )
            for item in reading.contradictions
        ),
        partial_coverage=tuple(types.Point(item.point, known(item.answers)) for item in reading.partial_coverage),
        unique_insights=tuple(
            types.Insight(item.insight, item.answer) for item in reading.unique_insights if item.answer in labels
        ),
        blind_spots=reading.blind_spots,
        strongest=reading.strongest if reading.strongest in labels else "",
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_STRING: dict[str, Any] = {"type": "string"}
SCHEMA = _object(
    {
        "consensus": _list(_object({"claim": _STRING, "answers": _list(_STRING)})),
        "contradictions": _list(
            _object({"topic": _STRING, "stances": _list(_object({"answer": _STRING, "claim": _STRING, "evidence": _STRING}))})
        ),
        "partial_coverage": _list(_object({"point": _STRING, "answers": _list(_STRING)})),
        "unique_insights": _list(_object({"insight": _STRING, "answer": _STRING})),
        "blind_spots": _list(_STRING),
        "strongest": _STRING,
    }
)
"""The reply's JSON schema in the strict form that providers ask for: every key required, no others."""
