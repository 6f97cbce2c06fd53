"""The ceilings of one request: money, time, calls. Checked before each dispatch, settled after it.

Rules that this file owns:
1. A call is admitted when its worst case (its whole prompt, and every token that it may write) fits into what is left:
   the least of `max_cost_usd` and the caller's budget, less what was spent and what calls under way may still spend.
2. A call that does not fit is shortened: it may write less, but not less than FLOOR_TOKENS. Then it is refused.
3. An unknown price is unknown, not 0: admitted with a note under a default ceiling, refused under a written one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from litellm_fusion.errors import LimitExceeded

FLOOR_TOKENS = 1024
"""The least that a call is allowed to write: shorter answers cost a prompt and say little."""
PANEL_SHARE = 0.6
"""The panel's share of the time and of the money; the rest is for the judge and the synthesizer."""
NO_BOUND = 10**9
"""Tokens that money does not bound."""
MAX_CALLS = 200
"""Inner calls of one request, whatever the config: 16 members with tools, a judge with repairs, backups."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per token."""

    prompt: float
    completion: float

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The cost of a call in US dollars."""
        return prompt_tokens * self.prompt + completion_tokens * self.completion


@dataclass(slots=True)
class Hold:
    """What one admitted call may cost at most, until it is settled. `max_tokens` is what it may write."""

    usd: float
    max_tokens: int | None


class Meter:
    """What one request may still spend. Not shared between requests."""

    def __init__(
        self,
        *,
        max_cost_usd: float | None,
        budget_left_usd: float | None,
        deadline_seconds: float | None,
        refuse_unknown_price: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_cost_usd = max_cost_usd
        self.budget_left_usd = budget_left_usd
        self.deadline_seconds = deadline_seconds
        self.refuse_unknown_price = refuse_unknown_price
        self._clock = clock
        self._started = clock()
        self._spent = 0.0
        self._held = 0.0
        self._calls = 0

    def elapsed(self) -> float:
        """Seconds since the request arrived."""
        return self._clock() - self._started

    def seconds_left(self) -> float | None:
        """Seconds until the deadline, not below 0; None without one."""
        return None if self.deadline_seconds is None else max(0.0, self.deadline_seconds - self.elapsed())

    def usd_left(self) -> float | None:
        """What may still be spent in US dollars; None without any ceiling."""
        ceilings = [limit for limit in (self.max_cost_usd, self.budget_left_usd) if limit is not None]
        return min(ceilings) - self._spent - self._held if ceilings else None

    def admit(self, price: Price | None, prompt_tokens: int, max_tokens: int | None, share: float = 1.0) -> Hold:
        """Hold the worst case of a call; raises LimitExceeded when even FLOOR_TOKENS do not fit into `share` of what
        is left. `max_tokens` None means that nobody said; the hold then names a bound as soon as money is bounded.
        """
        if self._calls >= MAX_CALLS:
            raise LimitExceeded("calls", self._calls + 1, MAX_CALLS)
        if self.seconds_left() == 0.0:
            raise LimitExceeded("deadline_seconds", self.elapsed(), self.deadline_seconds or 0.0)
        left = self.usd_left()
        if left is not None and price is None and self.refuse_unknown_price and self.max_cost_usd is not None:
            raise LimitExceeded("max_cost_usd", None, self.max_cost_usd)
        if left is None or price is None:
            self._calls += 1
            return Hold(0.0, max_tokens)
        tokens = affordable_tokens(price, prompt_tokens, left * share)
        wanted = tokens if max_tokens is None else max_tokens
        least = _least(max_tokens)
        if tokens < least or left <= 0:
            raise LimitExceeded(*self._binding(price.cost(prompt_tokens, least)))
        self._calls += 1
        granted = min(tokens, wanted)
        hold = Hold(price.cost(prompt_tokens, granted), None if price.completion == 0 else granted)
        if hold.max_tokens is None:
            hold.max_tokens = max_tokens
        self._held += hold.usd
        return hold

    def settle(self, hold: Hold, cost_usd: float | None) -> None:
        """Replace a hold by what the call really cost. An unknown cost counts as its worst case."""
        self._held -= hold.usd
        self._spent += hold.usd if cost_usd is None else cost_usd

    def _binding(self, needed: float) -> tuple[str, float, float, str]:
        if self.budget_left_usd is not None and (self.max_cost_usd is None or self.budget_left_usd < self.max_cost_usd):
            return "budget_left_usd", self._spent + self._held + needed, self.budget_left_usd, "caller"
        return "max_cost_usd", self._spent + self._held + needed, self.max_cost_usd or 0.0, "request"


def affordable_tokens(price: Price, prompt_tokens: int, usd: float) -> int:
    """How many tokens a call may write for `usd`, its prompt paid first. Free output is not bounded by money."""
    rest = usd - prompt_tokens * price.prompt
    if rest < 0:
        return 0
    return _tokens(rest, price.completion)


def fitting(
    prices: list[Price | None], prompt_tokens: int, max_tokens: int | None, usd: float | None
) -> tuple[tuple[int, ...], int | None]:
    """Which seats fit into `usd` (their positions, in order) and how much each may write.

    The dearest seat leaves first, until the rest can write FLOOR_TOKENS each. Unknown prices take no room.
    """
    kept = list(range(len(prices)))
    if usd is None:
        return tuple(kept), max_tokens
    while kept:
        known = [price for position in kept if (price := prices[position]) is not None]
        rest = usd - sum(price.prompt for price in known) * prompt_tokens
        rate = sum(price.completion for price in known)
        tokens = _tokens(rest, rate) if rest >= 0 else 0
        wanted = tokens if max_tokens is None else max_tokens
        if tokens >= _least(max_tokens):
            return tuple(kept), None if max_tokens is None and tokens >= NO_BOUND else min(tokens, wanted)
        dearest = max(kept, key=lambda position: _worst(prices[position], prompt_tokens))
        kept.remove(dearest)
    return (), max_tokens


def _tokens(usd: float, rate: float) -> int:
    return int(min(usd / rate, NO_BOUND)) if rate > 0 else NO_BOUND


def _least(max_tokens: int | None) -> int:
    """How many tokens a call must be able to pay for: the floor, or all it asks for where that is less."""
    return FLOOR_TOKENS if max_tokens is None else max(1, min(max_tokens, FLOOR_TOKENS))


def _worst(price: Price | None, prompt_tokens: int) -> float:
    return -1.0 if price is None else price.cost(prompt_tokens, FLOOR_TOKENS)
