"""How much the answers agree, 0..1, computed from the answers and the analysis, never from a judge's own word.

Verbalised confidence is overconfident (2306.13063); agreement over independent answers is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from litellm_fusion.types import Analysis, Answer

_WORD = re.compile(r"\w{4,}|\d+|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


_READ_CHARS = 20_000
"""Of each answer: its vocabulary shows by then, and nobody else's stream waits for the rest to be counted."""


def agreement(answers: Sequence[Answer], analysis: Analysis | None) -> float | None:
    """The mean of two shares: how widely the analysed points are supported, and how much vocabulary the answers share.
    Without an analysis the second alone; None for fewer than two answers.
    """
    if len(answers) < 2:
        return None
    overlap = _overlap([answer.text for answer in answers])
    support = None if analysis is None else _support(analysis, len(answers))
    return overlap if support is None else (overlap + support) / 2


def _support(analysis: Analysis, n: int) -> float | None:
    shares = [len(item.answers) / n for item in analysis.consensus if item.answers]
    shares += [len(item.answers) / n for item in analysis.partial_coverage if item.answers]
    shares += [1 / n for _ in analysis.unique_insights]
    # Who contradicts each other supports nothing together.
    shares += [0.0 for item in analysis.contradictions if len({stance.answer for stance in item.stances}) > 1]
    return sum(shares) / len(shares) if shares else None


def _overlap(texts: Sequence[str]) -> float:
    words = [frozenset(_WORD.findall(text[:_READ_CHARS].casefold())) for text in texts]
    pairs = [len(one & two) / len(one | two) if one | two else 1.0 for one, two in combinations(words, 2)]
    return sum(pairs) / len(pairs)
