"""Majority over short answers: extract, normalise, count. No model is asked.

Voting on checkable answers gives most of what a debate gives (2508.17536), at the panel's price.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from litellm_fusion.types import Answer

_LINE = re.compile(
    r"^[\s>*_#-]*(?:the\s+)?(?:final\s+)?(?:answer|antwort|réponse|respuesta|答案|答え|result)\s*(?:is|:|：|=)\s*(.+?)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_BOXED = re.compile(r"\\boxed\{([^{}]{1,200})\}")
_NUMBER = re.compile(r"^[-+]?(?:\d+|\d{1,3}(?:[,_' ]\d{2,3})*[,_' ]\d{3})(?:\.\d+)? ?%?$")
_BARE_POINT = re.compile(r"(?<![\d.])\.(?=\d)")
_WRAPPING = " \t\n.,;:!?*_`\"'“”«»()[]{}$"
_CITED = re.compile(r"(?<=[^\s\[\]])\s*(?:\[\d{1,3}(?:\s?[,;]\s?\d{1,3})*\]\s*)+(?=[.*_`\s]*$)")
"""Citations behind an answer, which are none of it. A list that is the whole answer stays."""
_SHORT = 80


def short_answer(text: str) -> str | None:
    """The short answer that a text ends with, normalised for counting, or None when it has none."""
    boxed = _BOXED.findall(text)
    lines = _LINE.findall(text)
    found = lines[-1] if lines else boxed[-1] if boxed else text if len(text.strip()) <= _SHORT else None
    return None if found is None else normalised(found) or None


def normalised(answer: str) -> str:
    """Case, width, wrapping and number format folded: `**42.0**`, `42` and `$42$` are one answer."""
    answer = _CITED.sub("", answer)
    boxed = _BOXED.search(answer)
    folded = unicodedata.normalize("NFKC", boxed.group(1) if boxed else answer).casefold()
    folded = _BARE_POINT.sub("0.", folded).strip(_WRAPPING)
    folded = " ".join(folded.split())
    if _NUMBER.match(folded):
        percent = folded.endswith("%")
        digits = re.sub(r"[,_' %]", "", folded)
        value = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return value.lstrip("+") + ("%" if percent else "")
    return folded


def majority(answers: Sequence[Answer]) -> tuple[Answer, float] | None:
    """The first answer of the clear majority (more than half of all usable ones) and its share; None without one."""
    short = [(answer, short_answer(answer.text)) for answer in answers]
    counts = Counter(value for _, value in short if value is not None)
    if not counts:
        return None
    value, votes = counts.most_common(1)[0]
    if votes * 2 <= len(answers):
        return None
    return next(answer for answer, own in short if own == value), votes / len(answers)


def settled(answers: Sequence[Answer], seats: int) -> bool:
    """Whether the answers that are still out cannot change the majority any more."""
    counts = Counter(short_answer(answer.text) for answer in answers if answer.status == "ok")
    counts.pop(None, None)
    return bool(counts) and counts.most_common(1)[0][1] * 2 > seats
