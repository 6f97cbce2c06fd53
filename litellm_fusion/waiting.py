"""How long a panel waits for its members, and what each of them usually takes.

1. When `quorum` usable answers are in, the others get their grace.
2. While the quorum is missing, a member that takes twice what it usually does gets a reserve beside it (a hedged request:
   Dean and Barroso, The Tail at Scale, 2013). One that takes three times the usual is overdue: once everybody silent is,
   quorum or not, the panel goes on with what it has.
3. What is usual is what the model took lately in this process, stretched by how much longer than usual this run's first
   answer took: long questions are no reason to lose a slow thinker. Without enough experience nobody is overdue.
4. While nobody has answered, that stretch is unknown: the reserves are asked later, and nobody is overdue.
5. The panel's own time ends everything.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from litellm_fusion.config import AUTO

GRACE_SHARE, GRACE_LEAST, GRACE_MOST = 0.25, 2.0, 30.0
"""A straggler's automatic grace: a quarter of the time that the quorum took, between 2 and 30 seconds."""
HEDGE_SHARE, HEDGE_LEAST = 2.0, 1.0
"""A reserve is asked beside who takes this many times the usual, and at least so many seconds longer."""
BLIND_SHARE, BLIND_LEAST = 5.0, 10.0
"""The same while nobody has answered: this run may be slow for all."""
OVERDUE_SHARE, OVERDUE_LEAST = 3.0, 2.0
"""Overdue is who takes so much longer."""
LEAST_KNOWN, MOST_KNOWN, MOST_MODELS = 8, 32, 512
"""Calls that make an experience, calls and models that are remembered."""


class Experience:
    """What calls took lately, by model: a few seconds each, forgotten with the process."""

    def __init__(self) -> None:
        self._took: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, model: str, seconds: float) -> None:
        """One call that gave a whole answer."""
        self._took.setdefault(model, deque(maxlen=MOST_KNOWN)).append(seconds)
        self._took.move_to_end(model)
        while len(self._took) > MOST_MODELS:
            self._took.popitem(last=False)

    def usual(self, model: str) -> float | None:
        """Seconds that the model usually takes, or None with too little experience."""
        took = self._took.get(model, ())
        return median(took) if len(took) >= LEAST_KNOWN else None


EXPERIENCE = Experience()
"""This process's own."""


@dataclass(slots=True)
class Waiting:
    """One panel's waiting. Times are seconds of the run's clock; `grace_seconds` may be `auto`. `slowness` is by how much
    the first answer took longer than usual, never below 1, or None while that is unknown.
    """

    quorum: int
    ends: float | None
    grace_seconds: float | str
    experience: Experience = field(default_factory=Experience)
    slowness: float | None = None
    settled: float | None = None

    def answered(self, now: float, model: str, seconds: float, usable: int, like: str | None = None) -> bool:
        """Note a usable answer, the how-manieth it is, and what it took; whether it makes the quorum. A model without
        experience counts as `like`.
        """
        if usable == 1:
            usual = self._usual(model, like)
            self.slowness = None if not usual else max(seconds / usual, 1.0)
        if self.settled is None and usable >= self.quorum:
            self.settled = now
            return True
        return False

    @property
    def grace(self) -> float:
        """Seconds that the others get after the quorum."""
        if self.grace_seconds != AUTO:
            return float(self.grace_seconds)
        return min(max(GRACE_SHARE * (self.settled or 0.0), GRACE_LEAST), GRACE_MOST)

    def hedge_at(self, model: str, began: float, like: str | None = None) -> float | None:
        """When a reserve is asked beside a call of this model; None when nobody can know, or the quorum is in."""
        usual = self._usual(model, like)
        if usual is None or self.settled is not None:
            return None
        if self.slowness is None:
            return began + max(BLIND_SHARE * usual, usual + BLIND_LEAST)
        expected = usual * self.slowness
        return began + max(HEDGE_SHARE * expected, expected + HEDGE_LEAST)

    def overdue_at(self, model: str, began: float, like: str | None = None) -> float | None:
        """When a call of this model is no longer worth waiting for; None when nobody can know."""
        usual = self._usual(model, like)
        if usual is None or self.slowness is None:
            return None
        expected = usual * self.slowness
        return began + max(OVERDUE_SHARE * expected, expected + OVERDUE_LEAST)

    def _usual(self, model: str, like: str | None) -> float | None:
        known = self.experience.usual(model)
        return self.experience.usual(like) if known is None and like is not None else known

    @property
    def stops_at(self) -> float | None:
        """When the waiting ends, whoever is silent."""
        bounds = [
            bound for bound in (self.ends, None if self.settled is None else self.settled + self.grace) if bound is not None
        ]
        return min(bounds) if bounds else None

    def look_again(self, now: float, dues: Iterable[float | None]) -> float | None:
        """Seconds until something is to be done even if nobody answers; `dues` are those not yet acted upon."""
        bounds = [bound for bound in (self.stops_at, *dues) if bound is not None]
        return max(min(bounds) - now, 0.0) if bounds else None
