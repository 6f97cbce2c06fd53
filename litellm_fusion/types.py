"""The frozen values that travel between the stages. No behaviour, no imports from the rest of the package.

A stage takes the last stage's value and returns the next:
Request → Signals → Decision → Answer, Answer, ... → Analysis → the client's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Api = Literal["chat", "responses", "messages", "completions"]
Route = Literal["direct", "fused", "degraded"]
Status = Literal["ok", "error", "timeout", "empty", "refused", "truncated", "cancelled", "over_limit", "left_out"]
Role = Literal["member", "judge", "synthesizer", "direct", "classifier", "search", "fetch"]
Message = Mapping[str, Any]
"""One chat message in OpenAI's form: `role`, `content` (text or parts), `tool_calls`, `tool_call_id`."""

UNLIMITED = float("inf")
"""`budget_left_usd` of a caller without any budget. None would mean that it could not be read."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as LiteLLM authenticated them. None is unknown, except ids, where None is "has none"."""

    key_alias: str | None = None
    team_id: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    budget_left_usd: float | None = UNLIMITED


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked, whatever the API it used.

    `messages` are in OpenAI's chat form, untouched where the client used that form. `params` are the remaining
    parameters of the body under their chat names. `model` is the name that the client sent.
    """

    model: str
    messages: tuple[Message, ...]
    api: Api = "chat"
    preset: str = "general"
    tools: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    caller: Caller = field(default_factory=Caller)


@dataclass(frozen=True, slots=True)
class Signals:
    """Facts read from one request; None is unknown, never false. The names are the policy's vocabulary.

    `difficulty`, `stakes`, `deliberation` and `task_confidence` are 0..1. `tokens` is an estimate over the whole
    conversation. `budget_left_usd` is infinite for a caller without a budget.
    """

    task: str | None = None
    task_confidence: float | None = None
    domain: str | None = None
    difficulty: float | None = None
    stakes: float | None = None
    deliberation: float | None = None
    verifiable: bool | None = None
    tokens: int | None = None
    turns: int | None = None
    language: str | None = None
    has_tools: bool | None = None
    is_tool_turn: bool | None = None
    has_images: bool | None = None
    wants_json: bool | None = None
    is_followup: bool | None = None
    is_retry: bool | None = None
    dissatisfied: bool | None = None
    pii: tuple[str, ...] | None = None
    secrets: tuple[str, ...] | None = None
    asks_for_panel: bool | None = None
    forbids_panel: bool | None = None
    budget_left_usd: float | None = None
    tags: tuple[str, ...] | None = None
    key_alias: str | None = None
    team_id: str | None = None
    user_id: str | None = None
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule said of one request: `matched`, `not_matched` or `unknown` (it met an unread signal)."""

    rule: str
    outcome: Literal["matched", "not_matched", "unknown", "not_reached"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Which way a request goes, and why.

    `use` is `direct`, `fuse` or `refuse`; `model` the direct model where the rule names one; `overrides` the part of
    fusion_config that the rule changes; `message` the refusal. `outcomes` lists the rules in order.
    """

    use: Literal["direct", "fuse", "refuse"]
    rule: str
    reason: str
    model: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    outcomes: tuple[RuleOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One result of a web search, as its provider gave it."""

    url: str
    title: str
    snippet: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A page that a member found or read. `n` numbers it over the whole run; 0 until it is numbered. `at` is when, in
    UTC; `passages` is what the member was shown of it.
    """

    url: str
    title: str
    member: int
    fetched: bool
    at: str = ""
    passages: tuple[str, ...] = ()
    n: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call as its provider counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One member's outcome. `member` counts from 1 in panel order; `label` is the blind name the judge sees.

    Only `ok` answers are usable; `truncated` ones when nothing better came. `error` is a typed word.
    """

    member: int
    model: str
    status: Status
    text: str = ""
    label: str = ""
    error: str | None = None
    seconds: float = 0.0
    usage: Usage = Usage()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that several answers say; `answers` are labels."""

    claim: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stance:
    """Where one answer stands in a contradiction, and on what evidence."""

    answer: str
    claim: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A topic on which answers differ."""

    topic: str
    stances: tuple[Stance, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Something that only some answers cover."""

    point: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Insight:
    """Something that one answer alone brings."""

    insight: str
    answer: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The judge's comparison. Answers go by label; `strongest` is a label, or empty when the judge gave none."""

    consensus: tuple[Claim, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    partial_coverage: tuple[Point, ...] = ()
    unique_insights: tuple[Insight, ...] = ()
    blind_spots: tuple[str, ...] = ()
    strongest: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One inner call to be made: who is asked what, in which role. `timeout_seconds` is wall clock for the whole call.

    `max_completion_tokens` is what the call may write at most; the limits may lower it, never raise it.
    """

    role: Role
    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    member: int | None = None
    reserve: bool = False
    backup: bool = False
    timeout_seconds: float | None = None
    max_completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What one inner call gave. `status` is `ok`, `empty`, `refused` or `truncated`; failures are exceptions.

    `response` is LiteLLM's own object, to be read and never changed: its cost is computed from it later.
    """

    status: Status
    text: str
    finish_reason: str
    usage: Usage
    response: Any
    tool_calls: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """One line about how a run goes, for whoever waits. Empty text is a keep-alive."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """One chunk of a model's own stream, in LiteLLM's form, to be read and never changed. `thinker` is the model that
    wrote it behind our material: its signed thinking fits no conversation but that one. `text` stands for the chunk and
    those right before it, where they were nothing but text.
    """

    chunk: Any
    thinker: str = ""
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a run. `response` is the inner response where one was made whole; `text` an answer given verbatim.

    In a stream whose deltas were sent already both are empty. `usage` holds the tokens of the call that wrote it,
    `thinker` is as in Delta. `annotations` are OpenAI's, of `text`.
    """

    text: str = ""
    response: Any = None
    finish_reason: str = "stop"
    usage: Usage = Usage()
    streamed: bool = False
    thinker: str = ""
    annotations: tuple[Mapping[str, Any], ...] = ()


Event = News | Delta | Reply
