"""The ceilings of one request: money, time, calls."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.errors import LimitExceeded
from litellm_fusion.limits import FLOOR_TOKENS, MAX_CALLS, Hold, Meter, Price, affordable_tokens, fitting

CENT = Price(0.0, 1 / 1024)
"""A price at which FLOOR_TOKENS cost exactly one dollar, and the prompt nothing."""
FREE = Price(0.0, 0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _meter(clock: Clock | None = None, **limits: Any) -> Meter:
    given_limits = {"max_cost_usd": None, "budget_left_usd": None, "deadline_seconds": None, "refuse_unknown_price": False}
    return Meter(**{**given_limits, **limits}, clock=clock or Clock())


def test_without_ceilings_everything_is_admitted_as_asked() -> None:
    meter = _meter()
    assert (meter.usd_left(), meter.seconds_left()) == (None, None)
    assert meter.admit(CENT, 10**6, 10**6) == Hold(0.0, 10**6)
    assert meter.admit(CENT, 10**6, None) == Hold(0.0, None)


def test_a_call_is_held_at_its_worst_case() -> None:
    meter = _meter(max_cost_usd=4.0)
    hold = meter.admit(Price(0.25, 1 / 1024), 2, 2048)
    assert hold == Hold(2.5, 2048)
    assert meter.usd_left() == 1.5


@pytest.mark.parametrize(("cost", "left"), [(0.0, 4.0), (0.5, 3.5), (2.0, 2.0), (None, 2.0)])
def test_settling_replaces_the_hold_and_an_unknown_cost_is_its_worst_case(cost: float | None, left: float) -> None:
    meter = _meter(max_cost_usd=4.0)
    meter.settle(meter.admit(CENT, 0, 2048), cost)
    assert meter.usd_left() == left


@pytest.mark.parametrize(("usd", "granted"), [(3.0, 2048), (2.0, 2048), (1.5, 1536), (1.0, 1024)])
def test_a_call_that_does_not_fit_is_shortened_down_to_the_floor(usd: float, granted: int) -> None:
    assert _meter(max_cost_usd=usd).admit(CENT, 0, 2048).max_tokens == granted


@pytest.mark.parametrize("max_tokens", [2048, FLOOR_TOKENS, None])
def test_a_call_that_cannot_write_the_floor_is_refused(max_tokens: int | None) -> None:
    meter = _meter(max_cost_usd=1023 / 1024)
    with pytest.raises(LimitExceeded) as caught:
        meter.admit(CENT, 0, max_tokens)
    assert (caught.value.limit, caught.value.whose, caught.value.allowed) == ("max_cost_usd", "request", 1023 / 1024)
    assert caught.value.value == 1.0
    assert meter.usd_left() == 1023 / 1024


def test_a_call_that_asks_for_less_than_the_floor_needs_only_that() -> None:
    assert _meter(max_cost_usd=100 / 1024).admit(CENT, 0, 100).max_tokens == 100
    with pytest.raises(LimitExceeded):
        _meter(max_cost_usd=99 / 1024).admit(CENT, 0, 100)


@pytest.mark.parametrize("max_tokens", [2048, 1, None])
def test_a_prompt_that_costs_more_than_is_left_is_refused(max_tokens: int | None) -> None:
    for price in (Price(0.5, 1 / 1024), Price(0.5, 0.0)):
        with pytest.raises(LimitExceeded):
            _meter(max_cost_usd=1.0).admit(price, 3, max_tokens)


def test_a_call_without_a_bound_gets_one_when_money_is_bounded() -> None:
    assert _meter(max_cost_usd=2.0).admit(CENT, 0, None) == Hold(2.0, 2048)
    assert _meter(max_cost_usd=1.0).admit(CENT, 0, None) == Hold(1.0, 1024)


def test_free_output_is_not_bounded_by_money() -> None:
    assert _meter(max_cost_usd=1.0).admit(Price(0.25, 0.0), 2, None) == Hold(0.5, None)
    assert _meter(max_cost_usd=1.0).admit(FREE, 10**6, 5000) == Hold(0.0, 5000)


def test_a_share_of_what_is_left_bounds_one_call() -> None:
    meter = _meter(max_cost_usd=4.0)
    assert meter.admit(CENT, 0, 10**6, 0.5) == Hold(2.0, 2048)
    assert meter.admit(CENT, 0, 10**6, 0.5) == Hold(1.0, 1024)
    with pytest.raises(LimitExceeded):
        meter.admit(CENT, 0, 10**6, 0.5)
    assert meter.admit(CENT, 0, 10**6) == Hold(1.0, 1024)


@pytest.mark.parametrize(
    ("ceiling", "budget", "named", "whose"),
    [
        (0.5, None, "max_cost_usd", "request"),
        (0.5, 0.75, "max_cost_usd", "request"),
        (0.5, 0.5, "max_cost_usd", "request"),
        (0.75, 0.5, "budget_left_usd", "caller"),
        (None, 0.5, "budget_left_usd", "caller"),
    ],
)
def test_the_smaller_of_ceiling_and_budget_binds_and_is_named(
    ceiling: float | None, budget: float | None, named: str, whose: str
) -> None:
    meter = _meter(max_cost_usd=ceiling, budget_left_usd=budget)
    assert meter.usd_left() == 0.5
    with pytest.raises(LimitExceeded) as caught:
        meter.admit(CENT, 0, 2048)
    assert (caught.value.limit, caught.value.whose, caught.value.allowed) == (named, whose, 0.5)
    assert named in caught.value.message


def test_when_all_is_spent_not_even_a_short_call_is_admitted() -> None:
    meter = _meter(max_cost_usd=1.0)
    meter.settle(meter.admit(CENT, 0, 1024), 1.0)
    with pytest.raises(LimitExceeded):
        meter.admit(CENT, 0, 1)


def test_an_unknown_price_is_admitted_under_a_default_ceiling_and_takes_no_room() -> None:
    meter = _meter(max_cost_usd=1.0)
    assert meter.admit(None, 10**6, 5000) == Hold(0.0, 5000)
    assert meter.usd_left() == 1.0


def test_an_unknown_price_is_refused_under_a_written_ceiling() -> None:
    with pytest.raises(LimitExceeded) as caught:
        _meter(max_cost_usd=1.0, refuse_unknown_price=True).admit(None, 1, 1)
    assert (caught.value.limit, caught.value.value, caught.value.allowed) == ("max_cost_usd", None, 1.0)
    assert "an unknown amount" in caught.value.message


@pytest.mark.parametrize("budget", [None, 5.0])
def test_a_written_null_ceiling_refuses_no_unknown_price(budget: float | None) -> None:
    meter = _meter(max_cost_usd=None, budget_left_usd=budget, refuse_unknown_price=True)
    assert meter.admit(None, 1, 7) == Hold(0.0, 7)


def test_a_call_of_unknown_price_counts_once_its_cost_is_known() -> None:
    meter = _meter(max_cost_usd=1.0)
    meter.settle(meter.admit(None, 1, 7), 0.25)
    assert meter.usd_left() == 0.75


def test_time_runs_from_the_arrival_and_the_deadline_refuses() -> None:
    clock = Clock()
    meter = _meter(clock, deadline_seconds=10.0)
    clock.now += 9.5
    assert (meter.elapsed(), meter.seconds_left()) == (9.5, 0.5)
    assert meter.admit(None, 1, 7).max_tokens == 7
    clock.now += 0.5
    with pytest.raises(LimitExceeded) as caught:
        meter.admit(None, 1, 7)
    assert (caught.value.limit, caught.value.value, caught.value.allowed) == ("deadline_seconds", 10.0, 10.0)
    clock.now += 5
    assert meter.seconds_left() == 0.0


def test_calls_are_counted_whatever_they_cost() -> None:
    meter = _meter(max_cost_usd=1.0)
    for number in range(MAX_CALLS):
        meter.settle(meter.admit(None if number % 2 else FREE, 1, 7), 0.0)
    with pytest.raises(LimitExceeded) as caught:
        meter.admit(FREE, 1, 7)
    assert (caught.value.limit, caught.value.value, caught.value.allowed) == ("calls", MAX_CALLS + 1, MAX_CALLS)


def test_a_refused_call_is_not_counted() -> None:
    meter = _meter(max_cost_usd=0.5)
    for _ in range(MAX_CALLS + 1):
        with pytest.raises(LimitExceeded, match="max_cost_usd"):
            meter.admit(CENT, 0, 2048)
    assert meter.admit(FREE, 1, 7).usd == 0.0


_PRICES = st.builds(Price, st.floats(0, 1e-3), st.floats(0, 1e-3))
_STEPS = st.lists(
    st.tuples(
        st.booleans(),
        _PRICES,
        st.integers(0, 5000),
        st.none() | st.integers(1, 20_000),
        st.floats(0.01, 1),
        st.none() | st.floats(0, 1),
    ),
    max_size=40,
)


@given(steps=_STEPS, ceiling=st.none() | st.floats(0.001, 5), budget=st.none() | st.floats(0, 5))
def test_spent_and_held_never_exceed_the_ceilings(
    steps: list[tuple[bool, Price, int, int | None, float, float | None]], ceiling: float | None, budget: float | None
) -> None:
    meter = _meter(max_cost_usd=ceiling, budget_left_usd=budget)
    holds: list[Hold] = []
    for settles, price, prompt, max_tokens, share, paid in steps:
        if settles and holds:
            hold = holds.pop()
            meter.settle(hold, None if paid is None else hold.usd * paid)
        else:
            try:
                hold = meter.admit(price, prompt, max_tokens, share)
            except LimitExceeded:
                continue
            holds.append(hold)
            assert max_tokens is None or hold.max_tokens is not None
            assert max_tokens is None or (hold.max_tokens or 0) <= max_tokens
        left = meter.usd_left()
        assert (left is None) is (ceiling is None and budget is None)
        assert left is None or left >= -1e-9


@pytest.mark.parametrize(
    ("price", "prompt", "usd", "tokens"),
    [
        (CENT, 0, 1.0, 1024),
        (CENT, 0, 0.9999, 1023),
        (Price(0.25, 0.25), 2, 1.0, 2),
        (Price(0.25, 0.25), 4, 1.0, 0),
        (Price(0.25, 0.25), 5, 1.0, 0),
        (Price(0.25, 0.0), 4, 1.0, 10**9),
        (Price(0.25, 0.0), 5, 1.0, 0),
        (CENT, 0, -1.0, 0),
    ],
)
def test_what_money_can_write_after_the_prompt_is_paid(price: Price, prompt: int, usd: float, tokens: int) -> None:
    assert affordable_tokens(price, prompt, usd) == tokens


@given(price=_PRICES, prompt=st.integers(0, 10_000), usd=st.floats(0, 10))
def test_what_is_affordable_costs_no_more_than_the_money(price: Price, prompt: int, usd: float) -> None:
    tokens = affordable_tokens(price, prompt, usd)
    assert tokens >= 0
    assert tokens in (0, 10**9) or price.cost(prompt, tokens) <= usd + 1e-9


CHEAP, DEAR = Price(0.0, 1 / 1024), Price(0.0, 2 / 1024)


@pytest.mark.parametrize(
    ("prices", "max_tokens", "usd", "fits"),
    [
        ([DEAR, CHEAP, CHEAP], 1024, None, ((0, 1, 2), 1024)),
        ([DEAR, CHEAP, CHEAP], 1024, 4.0, ((0, 1, 2), 1024)),
        ([DEAR, CHEAP, CHEAP], 1024, 3.99, ((1, 2), 1024)),
        ([CHEAP, DEAR, CHEAP], 4096, 3.99, ((0, 2), 2042)),
        ([CHEAP, CHEAP], 4096, 2.0, ((0, 1), 1024)),
        ([CHEAP, CHEAP], 4096, 1.99, ((1,), 2037)),
        ([CHEAP], 4096, 0.99, ((), 4096)),
        ([CHEAP], 100, 100 / 1024, ((0,), 100)),
        ([CHEAP], 100, 99 / 1024, ((), 100)),
        ([CHEAP], None, 1.0, ((0,), 1024)),
        ([CHEAP], None, 0.99, ((), None)),
        ([None, DEAR, CHEAP], 1024, 1.0, ((0, 2), 1024)),
        ([None, None], 1024, 0.0, ((0, 1), 1024)),
        ([None, None], None, 1.0, ((0, 1), None)),
        ([FREE, DEAR], 1024, 0.5, ((0,), 1024)),
        ([], 1024, 1.0, ((), 1024)),
    ],
)
def test_the_dearest_seat_leaves_first_until_the_rest_can_write_the_floor(
    prices: list[Price | None], max_tokens: int | None, usd: float | None, fits: tuple[tuple[int, ...], int | None]
) -> None:
    assert fitting(prices, 0, max_tokens, usd) == fits


def test_a_long_prompt_makes_the_seat_with_dear_input_the_dearest() -> None:
    reads_dear, writes_dear = Price(0.01, 0.0001), Price(0.0, 0.001)
    assert fitting([reads_dear, writes_dear], 1000, 1024, 2.0)[0] == (1,)
    assert fitting([reads_dear, writes_dear], 10, 1024, 1.0)[0] == (0,)


@given(
    prices=st.lists(st.none() | _PRICES, max_size=8),
    prompt=st.integers(0, 5000),
    max_tokens=st.none() | st.integers(1, 20_000),
    usd=st.floats(0, 5),
)
def test_the_seats_that_fit_cost_no_more_than_the_money(
    prices: list[Price | None], prompt: int, max_tokens: int | None, usd: float
) -> None:
    kept, tokens = fitting(prices, prompt, max_tokens, usd)
    assert list(kept) == sorted(set(kept))
    known = [price for position in kept if (price := prices[position]) is not None]
    if tokens is None:
        assert all(price.completion == 0 for price in known) or not kept or sum(p.completion for p in known) * 1e9 <= usd + 1e-9
    else:
        assert max_tokens is None or tokens <= max_tokens
        assert not kept or sum(price.cost(prompt, tokens) for price in known) <= usd + 1e-9
