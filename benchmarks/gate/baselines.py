"""What the model is measured against: LiteLLM's complexity-router heuristics, the prompt's length, a keyword rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from corpus import Example
from litellm.router_strategy.complexity_router import ComplexityRouter

Score = Callable[[Example], float]

_TIERS = {"SIMPLE": "a", "MEDIUM": "b", "COMPLEX": "c", "REASONING": "d"}
_ROUTER = ComplexityRouter("gate", None, {"tiers": _TIERS})  # type: ignore[arg-type] # scoring needs no router
_KEYWORDS = re.compile(
    r"\b(?:compar\w*|versus|vs|pros and cons|trade-?offs?|should (?:i|we)|research|analy[sz]e\w*|evaluat\w*|critique\w*|review"
    r"|weigh|strategy|recommend\w*|evidence|best way|worth it|which is better)\b"
    r"|vergleich\w*|sollt?e?n? (?:ich|wir)|bewert\w*|empfehl\w*|dois-je|devrais-je|devons-nous|compare[rz]|évalue\w*"
    r"|debería\w*|conviene|evalúa\w*|recomiend\w*|比较|对比|利弊|应该|值得|分析|評価|比較|べき|قارن|هل يجب|तुलना|चाहिए",
    re.I,
)


def complexity_router(example: Example) -> float:
    """The weighted score of LiteLLM's complexity router; its "reasoning override" stands above every score."""
    tier, score, _ = _ROUTER.classify(example.text)
    return score + 10 * (getattr(tier, "value", tier) == "REASONING")


def length(example: Example) -> float:
    """Characters of the last user turn."""
    return float(len(example.text))


def keywords(example: Example) -> float:
    """How many words of judgement stand in it."""
    return float(len(_KEYWORDS.findall(example.text)))


BASELINES: Mapping[str, Score] = {"complexity router": complexity_router, "length": length, "keywords": keywords}
