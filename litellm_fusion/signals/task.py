"""What kind of work a request asks for, and whether independent views would help: a lexical estimate.

This counts cue words in the user's own words and nothing else. It knows no meaning: a request without a cue is `other`,
a cue in an unusual sense misleads it, and its numbers are ordered, not calibrated. It stands in until a learned model
takes its place behind `estimate`. What the user says about the request itself ("task: research", "this is a simple
question") is taken out before anything is counted: a prompt must not steer its own routing.
"""

from __future__ import annotations

from dataclasses import dataclass

from litellm_fusion.signals import lexicon, marks, topics
from litellm_fusion.signals.conversation import Conversation, plain
from litellm_fusion.signals.housekeeping import is_housekeeping
from litellm_fusion.signals.phrasebook import Phrasebook, Phrases
from litellm_fusion.signals.structure import has_tools, is_followup, is_tool_turn
from litellm_fusion.signals.text import question_of


@dataclass(frozen=True, slots=True)
class Estimate:
    """The seven signals that go together. All None where there are no words to judge."""

    task: str | None = None
    task_confidence: float | None = None
    domain: str | None = None
    difficulty: float | None = None
    stakes: float | None = None
    deliberation: float | None = None
    verifiable: bool | None = None


# task → what independent views add, and how hard it usually is
_DELIBERATION = {
    "research": 0.8, "compare": 0.76, "critique": 0.74, "decide": 0.74, "explain": 0.4, "write": 0.25, "code": 0.25,
    "math": 0.25,
    "extract": 0.1, "translate": 0.05, "lookup": 0.1, "chat": 0.05, "agent": 0.15, "housekeeping": 0.0, "other": 0.3,
}  # fmt: skip
_DIFFICULTY = {
    "research": 0.6, "compare": 0.5, "critique": 0.5, "decide": 0.5, "explain": 0.35, "write": 0.3, "code": 0.4,
    "math": 0.4,
    "extract": 0.2, "translate": 0.15, "lookup": 0.1, "chat": 0.05, "agent": 0.35, "housekeeping": 0.05, "other": 0.25,
}  # fmt: skip
_CLOSED = frozenset({"extract", "translate", "lookup", "chat", "agent", "math", "housekeeping"})
"""Tasks with one right result: width, stakes and length do not make them a matter of opinion."""
_JUDGED = frozenset({"research", "compare", "critique", "decide"})

_JUDGED_CODE = {"code": 0.58, "critique": 0.58}
"""Reviews and designs of software: some judgement, but one model with the code at hand does most of it."""
_CLOSED_CEILING = 0.4

_PRIOR = 1.0
"""Weight of "no idea": one hint alone gives little confidence."""
_FIRST, _OPENING = 24, 70
"""Characters of the first imperative, and of the opening; what is wanted mostly stands there."""
_CHAT_WORDS, _SUM_WORDS = 12, 80
"""A longer text is no small talk; figures in a longer one are its subject, no sum to work out."""
_FOLLOWUP_SHARE = 0.5
_CODE_CHARS = 1200

_BOOK = Phrasebook()
_Table = tuple[tuple[float, Phrases], ...]


def _table(cues: lexicon.Cues) -> _Table:
    return tuple((weight, _BOOK.phrases(phrases)) for weight, phrases in cues)


_TASKS = {task: _table(cues) for task, cues in lexicon.TASKS.items()}
_DOMAINS = {domain: _table(cues) for domain, cues in topics.DOMAINS.items()}
_STAKES = _table(topics.STAKES)
_DESIGN, _OPEN, _HARD = map(_BOOK.phrases, (lexicon.DESIGN, lexicon.OPEN_ENDED, lexicon.HARD))
_PROOF = _BOOK.phrases("prove*; proof*; beweis*; demontr*; demuestr*; 证明; 証明")
_PERSONAL = _BOOK.phrases(topics.PERSONAL)


def estimate(conversation: Conversation) -> Estimate:
    """The lexical estimate of one request. Nothing but None without a user's words."""
    if is_housekeeping(conversation):
        return Estimate("housekeeping", 0.9, "other", 0.05, 0.0, 0.0, False)
    question = _question(conversation.words)
    if not question.text.strip():
        return Estimate()
    scores = _task_scores(question)
    if has_tools(conversation) or is_tool_turn(conversation):
        # With tools at hand, an order to do something is an agent's step and code is written by the loop.
        scores["agent"] += scores["code"] / 2 + (6.0 if is_tool_turn(conversation) else 0.0)
    else:
        scores["agent"] = 0.0
    if max(scores.values()) < 2 and is_followup(conversation):
        before = _task_scores(_question(conversation.earlier_words))
        scores = {task: score + _FOLLOWUP_SHARE * before[task] for task, score in scores.items()}
    domain = _domain(question, scores["code"])
    if "```" in conversation.last_user or marks.CODE.search(conversation.last_user, 0, _CODE_CHARS):
        scores["code"] += 1.5
        domain = "software" if domain == "other" else domain
    if domain == "software" and question.found & _DESIGN:
        scores["code"] += 1.5
    return _judged(question, scores, domain)


@dataclass(frozen=True, slots=True)
class _Question:
    """The user's words, the same `plain` and without courtesies, and the phrases found in them."""

    words: str
    text: str
    found: Phrases


def _question(own: str) -> _Question:
    words = marks.STEERING.sub(" ", question_of(own))
    text = plain(words)
    bare = marks.POLITE.sub("", text)
    text = bare if bare.strip() else text
    return _Question(words, text, _BOOK.found(text))


def _task_scores(question: _Question) -> dict[str, float]:
    """Task → weight of its cues, those in the opening and in the closing question counting more."""
    text = question.text
    first, opening = text[:_FIRST], text[:_OPENING]
    closing = text[-2 * _OPENING :] if len(text) > 6 * _OPENING else ""
    scores = {}
    for task, table in _TASKS.items():
        score = 0.0
        for weight, phrases in table:
            places = sorted(
                (2.5 if p in first else 1.5 if p in opening or p in closing else 1.0 for p in phrases & question.found),
                reverse=True,
            )
            # Many words of one kind say little more than two.
            score += weight * sum(places[:2]) + 0.1 * weight * len(places[2:6])
        scores[task] = score
    if text.count(" ") > _CHAT_WORDS:
        scores["chat"] *= 0.2
    if text.count(" ") <= _SUM_WORDS and marks.ARITHMETIC.search(question.words):
        scores["math"] += 2.5
    if marks.SUPERLATIVE.match(text):
        scores["lookup"] += 6.0
    return scores


def _judged(question: _Question, scores: dict[str, float], domain: str) -> Estimate:
    ranked = sorted(scores, key=lambda task: -scores[task])
    top, second = scores[ranked[0]], scores[ranked[1]]
    task = ranked[0] if top >= 1 else "other"
    stakes = _stakes(question, task)
    verifiable = _is_verifiable(question, task)
    # Squared, so that a clear leader leads clearly; the prior keeps one hint from settling it.
    shares = {name: score * score for name, score in scores.items()} | {"other": _PRIOR * _PRIOR / 4}
    total = sum(shares.values())
    views = dict(_DELIBERATION)
    if domain == "software" and question.found & _DESIGN:
        views |= _JUDGED_CODE
    deliberation = sum(share * views[name] for name, share in shares.items()) / total
    difficulty = sum(share * _DIFFICULTY[name] for name, share in shares.items()) / total
    width = min(3, len(question.found & _OPEN))
    if task in _JUDGED:
        deliberation += 0.05 * width + 0.1 * stakes
    elif task not in _CLOSED:
        # A long request in the user's own words sets conditions that views can differ on.
        deliberation += 0.04 * width + 0.1 * stakes + 0.15 * min(1.0, question.text.count(" ") / 150)
    if task in _CLOSED or verifiable:
        deliberation = min(deliberation, _CLOSED_CEILING)
    difficulty += 0.12 * min(3, len(question.found & _HARD)) + 0.1 * min(1.0, question.text.count(" ") / 150)
    difficulty += 0.03 * min(4, len(marks.LIST_ITEM.findall(question.words)))
    if task == "math":
        difficulty += 0.02 * min(8.0, scores["math"])
    confidence = top / (top + second + _PRIOR) if task != "other" else 0.2
    return Estimate(task, _unit(confidence), domain, _unit(difficulty), _unit(stakes), _unit(deliberation), verifiable)


def _domain(question: _Question, code: float) -> str:
    scores = {
        domain: sum(weight * len(phrases & question.found) for weight, phrases in table) for domain, table in _DOMAINS.items()
    }
    scores["software"] += min(code, 3.0) / 2
    best = max(scores, key=lambda domain: scores[domain])
    return best if scores[best] >= 2 else "other"


def _stakes(question: _Question, task: str) -> float:
    raw = min(0.65, sum(weight * min(2, len(phrases & question.found)) for weight, phrases in _STAKES))
    if raw and question.found & _PERSONAL:
        raw += 0.25
    return raw / 2 if task in ("write", "code", "translate", "extract", "chat", "math") else raw


def _is_verifiable(question: _Question, task: str) -> bool:
    offers_choices = "ABC" in "".join(marks.OPTION.findall(question.words))
    if offers_choices or marks.SHORT_ANSWER.search(question.words):
        return True
    return task == "lookup" or (task == "math" and not question.found & _PROOF)


def _unit(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 2)
