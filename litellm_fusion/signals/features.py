"""One conversation as hashed features: what the user asks weighs most, everything around it stands apart.

The fields, each a space of features of its own: `q` the user's own words of the last turn (for a turn that only leans
back, the words before it too, at half weight), `o` and `c` their first and last sentence, `s` the system prompt, `m` what
was pasted, quoted or fenced, `r` both ends of the raw turn where they differ, `a` the end of the last answer. Facts of
shape (length, numbers, code, tools, turns) are features with a value. Each field weighs the same whatever its length.
"""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from litellm_fusion.signals import hashing, steering
from litellm_fusion.signals.conversation import Conversation
from litellm_fusion.signals.structure import has_tools, is_followup, is_tool_turn, wants_json
from litellm_fusion.signals.text import is_retrieval_wrapper, question_of, text_of

READ_CHARS = 1600
"""Of the question; a longer one is read at its head and its tail."""
SIDE_CHARS = 400
"""Of system prompt, material, raw ends and last answer."""
WEIGHTS = {"q": 1.0, "l": 1.6, "o": 0.4, "c": 0.8, "s": 0.4, "r": 0.4, "a": 0.3, "fact": 0.1, "first": 0.5}
"""How much a field may say at most: its features share it."""

FIELDS = tuple(WEIGHTS)

_SENTENCE = re.compile(r"[.!?。！？…]+(?=\s|$|[^\s\d])|\n+|[;；]\s")
# Each alternative begins with a sign of its own, so that a text without these signs is passed over quickly.
_CODE = re.compile(
    r"==|!=|=>|->|::|#include|</\w|\(\)|[;{]\s*\n|\)\s*[{;]|def \w+\(|class \w+[:({]|import \w+\n|Traceback \(|"
    r"(?:SELECT|select) .{1,80}(?:FROM|from) |--\w+[= ]|\$ \w"
)
_SUM = re.compile(r"\d\s*(?:[+*^×÷/=<>≤≥]|\*\*)\s*-?\d|\d\s+-\s+\d|\d\s*%|\\(?:frac|int|sum|sqrt)|\d!|x\^?\d|=\s*-?\d")
_WORD = re.compile(r"\w")
_DIGIT = re.compile(r"\d")
_ITEM = re.compile(r"(?:^|\n)\s*(?:[-*•]|\d{1,2}[.)])\s")
_CHOICE = re.compile(r"(?:^|\s)\(?([A-Da-d])[).:]\s")
_LINK = re.compile(r"https?://|\.(?:py|js|ts|md|json|ya?ml|txt|csv|rs|go|java|c|cpp|html|css|sh|toml)\b|[\s~.]/\w+/")


@dataclass(frozen=True, slots=True)
class Features:
    """Features that are there, how strongly, and the place of each one's field in FIELDS."""

    ids: NDArray[np.int64]
    values: NDArray[np.float32]
    fields: NDArray[np.int64]


def of(conversation: Conversation) -> Features | None:
    """The features of one conversation; None where its last user turn has no words."""
    turn = _turn(conversation)
    asked = _ends(asked_in(conversation.words), READ_CHARS)
    found = hashing.tokens(asked)
    if not _WORD.search(asked):
        return None
    back = is_followup(conversation)
    fields = [("q", hashing.words(found, "q"), 1.0), ("l", hashing.letters(asked, "l"), 1.0)]
    if back:
        before = _ends(asked_in(conversation.earlier_words), SIDE_CHARS * 2)
        fields += [("q", hashing.words(hashing.tokens(before), "q"), 0.5), ("l", hashing.letters(before, "l"), 0.5)]
        fields.append(("a", hashing.words(hashing.tokens(_answer(conversation)[-SIDE_CHARS:]), "a"), 1.0))
    sentences = [part for part in _SENTENCE.split(asked) if part.strip()]
    fields.append(("o", hashing.words(hashing.tokens(sentences[0][:SIDE_CHARS]) if sentences else found, "o"), 1.0))
    fields.append(("c", hashing.words(hashing.tokens(sentences[-1][-SIDE_CHARS:]) if sentences else found, "c"), 1.0))
    fields.append(("first", _first(found), 1.0))
    fields.append(("s", hashing.words(hashing.tokens(conversation.system[:SIDE_CHARS]), "s"), 1.0))
    own = len(conversation.words)
    if len(turn) > own + 20:
        raw = f"{turn[:SIDE_CHARS]}\n{turn[-SIDE_CHARS:]}" if len(turn) > 2 * SIDE_CHARS else turn
        fields.append(("r", hashing.words(hashing.tokens(raw), "r"), 1.0))
    facts = {name: value for name, value in _facts(conversation, asked, len(found), back).items() if value}
    names = np.array([hashing.named(name) for name in facts], np.uint64)
    ids = np.concatenate([*(ids for _, ids, _ in fields), names]).astype(np.int64)
    shares = [np.full(len(ids), share, np.float32) for _, ids, share in fields]
    values = np.concatenate([*shares, np.array(list(facts.values()), np.float32)])
    lengths = [len(ids) for _, ids, _ in fields] + [len(facts)]
    places = [FIELDS.index(field) for field, _, _ in fields] + [FIELDS.index("fact")]
    return Features(ids, values, np.repeat(places, lengths))


def asked_in(words: str) -> str:
    """The question in the user's own words: the asking end of a long turn, without what it says of itself."""
    return steering.without(question_of(words))


def _ends(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars // 2]}\n…\n{text[-chars // 2 :]}"


def _first(found: list[str]) -> hashing.Ids:
    if found[0][0] >= hashing.UNSPACED:
        return hashing.words_once([found[0][:n] for n in (2, 3, 4)], "first")
    openings = [" ".join(found[:n]) for n in (1, 2, 3)]
    return hashing.words_once(openings, "first")


def _answer(conversation: Conversation) -> str:
    answers = [message for message in conversation.messages if message.get("role") == "assistant"]
    return text_of(answers[-1]) if answers else ""


def _turn(conversation: Conversation) -> str:
    """The last user turn as sent; of a UI's retrieval wrapper only the question, as if it had been asked without one."""
    turn = conversation.last_user
    return conversation.words if is_retrieval_wrapper(turn) else turn


def _facts(conversation: Conversation, asked: str, count: int, back: bool) -> dict[str, float]:
    turn = _turn(conversation)
    digits = len(_DIGIT.findall(asked))
    unspaced = 0 if asked.isascii() else sum(char >= hashing.UNSPACED for char in asked)
    size = len(asked) + 2 * unspaced
    facts = {
        "always": 1.0,
        "asks": float(asked.rstrip().endswith(("?", "？"))),
        "marks": float("?" in asked or "？" in asked),
        "sum": float(_SUM.search(asked) is not None),
        "code": float(_CODE.search(asked) is not None),
        "raw_code": float(_CODE.search(turn, 0, READ_CHARS) is not None),
        "fence": float("```" in turn),
        "link": float(_LINK.search(asked) is not None),
        "items": min(1.0, len(_ITEM.findall(asked)) / 4),
        "choices": float("abc" in "".join(_CHOICE.findall(turn[:READ_CHARS])).lower()),
        "digits": min(1.0, 4 * digits / max(1, size)),
        "quoted": float(len(turn) > len(conversation.words) + 20),
        "material": _scale(len(turn) - len(asked)),
        "tools": float(has_tools(conversation)),
        "tool_turn": float(is_tool_turn(conversation)),
        "json": float(wants_json(conversation)),
        "back": float(back),
        "system": float(bool(conversation.system)),
        "answered": float(conversation.has_answer),
        "colon": float(asked.rstrip().endswith((":", "："))),
    }
    facts |= _bins("size", math.log2(max(1, size)))
    facts |= _bins("words", math.log2(max(1, count)))
    facts |= _bins("turns", math.log2(max(1, len(conversation.user_turns))))
    return facts


def _bins(name: str, value: float) -> dict[str, float]:
    """A number as its two neighbouring marks, each as near as it is: no step where one bin ends."""
    low = math.floor(value)
    return {f"{name}{low}": 1.0 - (value - low), f"{name}{low + 1}": value - low}


def _scale(chars: int) -> float:
    return min(1.0, math.log2(max(1, chars)) / 16)
