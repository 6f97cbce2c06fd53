"""The record that every request leaves behind: decision, spans, ladder, analysis, totals.

A Recorder is written to by the stages of one run; `record` freezes it into the names of the contract, `summary` is the
part that a client may see. Sinks (headers, message, LiteLLM's log, Prometheus; later OpenTelemetry, a store) are
functions of that record and stand in `sinks.py`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from litellm_fusion.conditions import HIDDEN
from litellm_fusion.types import UNLIMITED, Analysis, Answer, Decision, Role, Route, Signals, Source, Status

VERSION = "1"


@dataclass(slots=True)
class Span:
    """One inner call: role, times in seconds since the request arrived, tokens, cost. Unknown is None."""

    role: Role
    model: str
    member: int | None = None
    label: str | None = None
    served_by: str | None = None
    status: Status = "ok"
    start_seconds: float = 0.0
    seconds: float = 0.0
    first_token_seconds: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    finish_reason: str | None = None
    tool_calls: int = 0
    retries: int = 0
    error: str | None = None
    reserve: bool = False
    backup: bool = False
    left_out_params: tuple[str, ...] = ()
    detail: str | None = None
    """What was searched for, or the URL that was read: for the whole trace, never for the summary."""


_MARKS = frozenset({"reserve", "backup", "left_out_params", "detail"})


@dataclass(slots=True)
class Web:
    """What a run did with the web, in counts. `dropped_citations` pointed to nothing, `dropped_links` to no source."""

    searches: int = 0
    pages_fetched: int = 0
    pages_shared: int = 0
    citations: int = 0
    dropped_citations: int = 0
    dropped_links: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder that a run took."""

    stage: str
    step: str
    why: str = ""


@dataclass(slots=True)
class Recorder:
    """What one request did so far."""

    model: str
    preset: str
    id: str = field(default_factory=lambda: f"fus_{secrets.token_hex(16)}")
    seed: int = field(default_factory=lambda: secrets.randbelow(2**31))
    route: Route = "direct"
    rule: str = "none"
    reason: str = ""
    signals: Signals = field(default_factory=Signals)
    limits: Mapping[str, Any] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    ladder: list[Step] = field(default_factory=list)
    analysis: Analysis | None = None
    names: dict[str, str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    web: Web | None = None
    outcomes: dict[int, Status] = field(default_factory=dict)
    agreement: float | None = None
    direct_cost_usd: float | None = None
    ignored: tuple[str, ...] = ()
    first_token_seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    seconds: float | None = None

    def decided(self, decision: Decision, signals: Signals) -> None:
        """Keep what was decided, and on what signals."""
        self.rule, self.reason, self.signals = decision.rule, decision.reason, signals
        self.route = "fused" if decision.use == "fuse" else "direct"

    def step(self, stage: str, step: str, why: str = "") -> None:
        """Note a rung of the ladder."""
        self.ladder.append(Step(stage, step, why))

    def once(self, stage: str, step: str, why: str = "") -> None:
        """Note a rung that one request needs to name only once."""
        if Step(stage, step, why) not in self.ladder:
            self.step(stage, step, why)

    def label(self, answers: Sequence[Answer]) -> None:
        """Give the members' spans their blind labels, and remember whose label is whose: `opus#1`."""
        by_member = {answer.member: answer.label for answer in answers}
        self.names = {answer.label: f"{answer.model}#{answer.member}" for answer in answers}
        for span in self.spans:
            if span.role == "member" and span.status in ("ok", "truncated") and span.member in by_member:
                span.label = by_member[span.member]

    def on_the_web(self) -> Web:
        """The run's counts on the web, kept from the first time that anything is asked of it."""
        if self.web is None:
            self.web = Web()
        return self.web

    def cost_usd(self) -> float | None:
        """What the spans cost together; None as soon as one that reached a provider has an unknown cost."""
        asked = [span for span in self.spans if span.status not in ("left_out", "over_limit")]
        if any(span.cost_usd is None and span.status in ("ok", "truncated", "empty", "refused") for span in asked):
            return None
        return sum(span.cost_usd or 0.0 for span in asked)

    def totals(self) -> dict[str, Any]:
        """The sums over all spans."""
        asked = [span for span in self.spans if span.status not in ("left_out", "over_limit")]
        return {
            "calls": len(asked),
            "prompt_tokens": sum(span.prompt_tokens or 0 for span in asked),
            "completion_tokens": sum(span.completion_tokens or 0 for span in asked),
            "cost_usd": self.cost_usd(),
            "direct_cost_usd": self.direct_cost_usd,
            "seconds": _rounded(self.seconds if self.seconds is not None else time.monotonic() - self.started),
            "first_token_seconds": _rounded(self.first_token_seconds),
        }

    def members(self) -> tuple[int, int]:
        """How many seats gave a usable answer, of how many. A seat's last call tells, or its outcome where one was noted."""
        last = {span.member: span.status for span in self.spans if span.role == "member"}
        last |= {member: status for member, status in self.outcomes.items() if member in last}
        return sum(status in ("ok", "truncated") for status in last.values()), len(last)


def record(recorder: Recorder) -> dict[str, Any]:
    """The whole trace, as plain JSON values."""
    result = {
        "id": recorder.id,
        "version": VERSION,
        "model": recorder.model,
        "preset": recorder.preset,
        "seed": recorder.seed,
        "decision": {
            "route": recorder.route,
            "rule": recorder.rule,
            "reason": recorder.reason,
            "signals": signal_values(recorder.signals),
        },
        "limits": dict(recorder.limits),
        "spans": [_span(span) for span in recorder.spans],
        "ladder": [{"stage": step.stage, "step": step.step, "why": step.why} for step in recorder.ladder],
        "analysis": None if recorder.analysis is None else named(recorder.analysis, recorder.names),
        "sources": [
            {"n": source.n, "url": source.url, "title": source.title, "member": source.member, "fetched": source.fetched}
            for source in recorder.sources
        ],
        "agreement": _rounded(recorder.agreement),
        "totals": recorder.totals(),
    }
    if recorder.web is not None:
        result["web"] = asdict(recorder.web)
    if recorder.ignored:
        result["ignored"] = list(recorder.ignored)
    return result


def summary(recorder: Recorder) -> dict[str, Any]:
    """What a client may see: no prompts, answers, claims or page text, and no signal about who they are."""
    result = {
        "id": recorder.id,
        "version": VERSION,
        "model": recorder.model,
        "preset": recorder.preset,
        "route": recorder.route,
        "rule": recorder.rule,
        "reason": recorder.reason,
        "task": recorder.signals.task,
        "spans": [_span(span, detail=False) for span in recorder.spans],
        "ladder": [{"stage": step.stage, "step": step.step, "why": step.why} for step in recorder.ladder],
        "agreement": _rounded(recorder.agreement),
        "totals": recorder.totals(),
        "sources": len(recorder.sources),
    }
    if recorder.web is not None:
        result["web"] = asdict(recorder.web)
    return result


def visible(recorder: Recorder, level: str) -> dict[str, Any] | None:
    """What `client_trace` lets a client see: nothing, the summary, or everything but who they are."""
    if level == "off":
        return None
    if level == "summary":
        return summary(recorder)
    whole = record(recorder)
    signals = whole["decision"]["signals"]
    whole["decision"]["signals"] = {name: value for name, value in signals.items() if name not in HIDDEN}
    return whole


def named(analysis: Analysis, names: Mapping[str, str]) -> dict[str, Any]:
    """The analysis with members' names in place of the blind labels."""

    def who(labels: Sequence[str]) -> list[str]:
        return [names.get(label, label) for label in labels]

    return {
        "consensus": [{"claim": item.claim, "answers": who(item.answers)} for item in analysis.consensus],
        "contradictions": [
            {
                "topic": item.topic,
                "stances": [
                    {"answer": names.get(stance.answer, stance.answer), "claim": stance.claim, "evidence": stance.evidence}
                    for stance in item.stances
                ],
            }
            for item in analysis.contradictions
        ],
        "partial_coverage": [{"point": item.point, "answers": who(item.answers)} for item in analysis.partial_coverage],
        "unique_insights": [
            {"insight": item.insight, "answer": names.get(item.answer, item.answer)} for item in analysis.unique_insights
        ],
        "blind_spots": list(analysis.blind_spots),
        "strongest": names.get(analysis.strongest, analysis.strongest) or None,
    }


def signal_values(signals: Signals) -> dict[str, Any]:
    """The signals as JSON: unread ones and "no budget at all" are null."""
    values = {}
    for item in fields(signals):
        value = getattr(signals, item.name)
        value = list(value) if isinstance(value, tuple) else value
        values[item.name] = None if value == UNLIMITED else _rounded(value) if isinstance(value, float) else value
    return values


def _span(span: Span, *, detail: bool = True) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in fields(span):
        value = getattr(span, item.name)
        if item.name in _MARKS:
            if value and (detail or item.name != "detail"):
                result[item.name] = list(value) if isinstance(value, tuple) else value
            continue
        if item.name == "label" and span.role != "member":
            continue
        if item.name == "member" and span.role not in ("member", "search", "fetch"):
            continue
        result[item.name] = _rounded(value, 12 if item.name == "cost_usd" else 4) if isinstance(value, float) else value
    return result


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
