"""Waiting: the grace after a quorum, and members that take much longer than they usually do."""

from __future__ import annotations

import time

import pytest
from fakes import Say, Scripted, run_of, steps

from litellm_fusion import waiting
from litellm_fusion.config import AUTO
from litellm_fusion.panel import ask_panel, usable
from litellm_fusion.waiting import LEAST_KNOWN, MOST_KNOWN, MOST_MODELS, Experience, Waiting

THREE = {"panel": ["a", "b", "c"]}


def _known(**seconds: float) -> Experience:
    experience = Experience()
    for model, took in seconds.items():
        for _ in range(LEAST_KNOWN):
            experience.note(model, took)
    return experience


@pytest.fixture
def lately(monkeypatch: pytest.MonkeyPatch) -> Experience:
    """Models a, b and c, which usually take 50 ms."""
    experience = _known(a=0.05, b=0.05, c=0.05)
    monkeypatch.setattr(waiting, "EXPERIENCE", experience)
    monkeypatch.setattr(waiting, "HEDGE_LEAST", 0.1)
    monkeypatch.setattr(waiting, "OVERDUE_LEAST", 0.2)
    return experience


@pytest.mark.parametrize(("quorum_after", "grace"), [(1.0, 2.0), (20.0, 5.0), (500.0, 30.0)])
def test_the_automatic_grace_is_a_quarter_of_the_quorums_time_within_bounds(quorum_after: float, grace: float) -> None:
    patience = Waiting(1, None, AUTO)
    assert patience.answered(quorum_after, "a", quorum_after, 1)
    assert patience.grace == grace
    assert patience.stops_at == quorum_after + grace


def test_the_panels_time_ends_every_grace() -> None:
    patience = Waiting(1, 10.0, 5.0)
    assert patience.stops_at == 10.0
    patience.answered(8.0, "a", 8.0, 1)
    assert patience.stops_at == 10.0


def test_usual_is_the_median_of_what_came_lately() -> None:
    experience = _known(a=1.0)
    assert experience.usual("a") == 1.0
    for _ in range(MOST_KNOWN):
        experience.note("a", 7.0)
    assert experience.usual("a") == 7.0
    assert experience.usual("b") is None
    experience.note("b", 1.0)
    assert experience.usual("b") is None  # one call is no experience


def test_only_so_many_models_are_remembered() -> None:
    experience = _known(old=1.0)
    for n in range(MOST_MODELS):
        experience.note(f"model-{n}", 1.0)
    assert experience.usual("old") is None


def test_a_reserve_comes_at_twice_the_usual_and_nobody_is_waited_for_beyond_three_times() -> None:
    patience = Waiting(2, None, AUTO, _known(a=1.0, slow=10.0))
    patience.answered(1.0, "a", 1.0, 1)
    assert (patience.hedge_at("slow", 0.0), patience.overdue_at("slow", 0.0)) == (20.0, 30.0)
    assert (patience.hedge_at("a", 0.0), patience.overdue_at("a", 0.0)) == (2.0, 3.0)
    patience.answered(2.0, "a", 2.0, 2)
    assert (patience.hedge_at("slow", 0.0), patience.overdue_at("slow", 0.0)) == (None, 30.0)


def test_before_the_first_answer_reserves_come_later_and_nobody_is_overdue() -> None:
    patience = Waiting(2, None, AUTO, _known(slow=10.0))
    assert (patience.hedge_at("slow", 0.0), patience.overdue_at("slow", 0.0)) == (50.0, None)


def test_a_reserve_without_experience_counts_as_slow_as_whom_it_stands_beside() -> None:
    patience = Waiting(2, None, AUTO, _known(a=1.0, slow=10.0))
    patience.answered(20.0, "new", 20.0, 1, like="slow")
    assert patience.slowness == 2.0
    assert patience.overdue_at("new", 5.0) is None
    assert patience.overdue_at("new", 5.0, like="slow") == 65.0
    assert patience.overdue_at("a", 5.0, like="slow") == 11.0


def test_a_question_that_takes_everybody_longer_is_given_longer() -> None:
    patience = Waiting(2, None, AUTO, _known(a=1.0, slow=10.0))
    patience.answered(4.0, "a", 4.0, 1)
    assert (patience.hedge_at("slow", 0.0), patience.overdue_at("slow", 0.0)) == (80.0, 120.0)


def test_without_experience_nobody_is_overdue() -> None:
    patience = Waiting(2, None, AUTO, _known(a=1.0))
    patience.answered(1.0, "a", 1.0, 1)
    assert (patience.hedge_at("new", 0.0), patience.overdue_at("new", 0.0)) == (None, None)
    unknown = Waiting(2, None, AUTO, _known(slow=10.0))
    unknown.answered(1.0, "new", 1.0, 1)
    assert (unknown.hedge_at("slow", 0.0), unknown.overdue_at("slow", 0.0)) == (50.0, None)


async def test_a_reserve_is_asked_beside_an_overdue_member_and_the_first_answer_counts(lately: Experience) -> None:
    router = Scripted("a", "b", "c", "r")
    for name in "bc":
        router.says(name, Say(delay_seconds=5))
    run = run_of(router, {**THREE, "reserves": ["r"], "limits": {"quorum": 2, "grace_seconds": 0}})
    answers = await ask_panel(run)
    assert sorted(answer.model for answer in usable(answers)) == ["a", "r"]
    assert len({answer.member for answer in answers}) == 3
    assert ("panel", "reserve") in steps(run)
    assert router.running == 0


async def test_an_overdue_member_that_answers_before_its_reserve_keeps_its_seat(lately: Experience) -> None:
    router = Scripted("a", "b", "c", "r")
    for name in "bc":
        router.says(name, Say(delay_seconds=0.4))
    router.says("r", Say(delay_seconds=5))
    run = run_of(router, {**THREE, "reserves": ["r"], "limits": {"quorum": 3}})
    answers = await ask_panel(run)
    assert [(answer.member, answer.model, answer.status) for answer in answers] == [
        (1, "a", "ok"), (2, "b", "ok"), (3, "c", "ok"),
    ]  # fmt: skip
    assert router.running == 0


async def test_when_everybody_silent_is_overdue_the_panel_goes_on_with_what_it_has(lately: Experience) -> None:
    router = Scripted("a", "b", "c")
    for name in "bc":
        router.says(name, Say(delay_seconds=5))
    started = time.perf_counter()
    answers = await ask_panel(run_of(router, THREE))
    assert time.perf_counter() - started < 2
    assert [answer.status for answer in answers] == ["ok", "cancelled", "cancelled"]


async def test_members_that_fall_due_one_right_after_the_other_are_both_given_up(
    lately: Experience, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = Scripted("a", "b", "c")
    for name in "bc":
        router.says(name, Say(delay_seconds=5))
    run = run_of(router, THREE)
    elapsed = run.meter.elapsed

    def slow_clock() -> float:
        now = elapsed()
        time.sleep(0.005)  # so that the second falls due between two looks at the clock
        return now

    monkeypatch.setattr(run.meter, "elapsed", slow_clock)
    answers = await ask_panel(run)
    assert [answer.status for answer in answers] == ["ok", "cancelled", "cancelled"]
    assert run.meter.elapsed() < 2


async def test_an_overdue_member_gets_no_grace_after_the_quorum(lately: Experience) -> None:
    router = Scripted("a", "b", "c", "r")
    for name in "bc":
        router.says(name, Say(delay_seconds=5))
    run = run_of(router, {**THREE, "reserves": ["r"], "limits": {"quorum": 2, "grace_seconds": 4}})
    started = time.perf_counter()
    answers = await ask_panel(run)
    assert time.perf_counter() - started < 2
    assert sorted(answer.model for answer in usable(answers)) == ["a", "r"]


async def test_while_nobody_answers_the_reserve_is_asked_and_nobody_is_given_up(
    lately: Experience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "BLIND_LEAST", 0.3)
    router = Scripted("a", "b", "c", "r")
    router.says("a", Say(delay_seconds=0.8))
    for name in "bcr":
        router.says(name, Say(delay_seconds=5))
    run = run_of(router, {**THREE, "reserves": ["r"], "limits": {"quorum": 2}})
    answers = await ask_panel(run)
    assert ("panel", "reserve") in steps(run)
    assert [answer.model for answer in usable(answers)] == ["a"]
    assert run.meter.elapsed() < 4


async def test_a_member_that_is_not_overdue_is_waited_for(lately: Experience) -> None:
    for _ in range(MOST_KNOWN):
        lately.note("c", 2.0)
    router = Scripted("a", "b", "c")
    router.says("b", Say(delay_seconds=5))
    router.says("c", Say(delay_seconds=0.7))
    answers = await ask_panel(run_of(router, {**THREE, "limits": {"grace_seconds": 0}}))
    assert [answer.status for answer in answers] == ["ok", "cancelled", "ok"]


async def test_what_a_member_takes_is_remembered(lately: Experience) -> None:
    router = Scripted("new", "b", "c")
    for _ in range(LEAST_KNOWN):
        await ask_panel(run_of(router, {"panel": ["new", "b", "c"], "limits": {"quorum": 3}}))
    assert lately.usual("new") is not None
