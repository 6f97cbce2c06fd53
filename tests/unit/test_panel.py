"""The panel: independence, quorum and grace, reserves, and members that are left out."""

from __future__ import annotations

import asyncio
import time

import litellm
import pytest
from fakes import LONG, Say, Scripted, run_of, server_error, steps

from litellm_fusion.panel import ask_panel, labelled, usable
from litellm_fusion.types import Answer, Request

FAST = {"grace_seconds": 0}


def _models(*more: str) -> Scripted:
    return Scripted("a", "b", "c", *more)


async def test_all_members_are_asked_at_once() -> None:
    router = _models()
    for name in "abc":
        router.says(name, Say(delay_seconds=0.1))
    run = run_of(router, {"panel": ["a", "b", "c"], "limits": {"quorum": 3}})
    started = time.perf_counter()
    answers = await ask_panel(run)
    assert time.perf_counter() - started < 0.25
    assert [answer.status for answer in answers] == ["ok"] * 3


async def test_a_members_failure_leaves_siblings_running() -> None:
    router = _models()
    router.says("a", server_error())
    answers = await ask_panel(run_of(router, {"panel": ["a", "b", "c"], "limits": {"quorum": 3}}))
    assert [(answer.status, answer.error) for answer in answers] == [("error", "server_error"), ("ok", None), ("ok", None)]
    assert "secret-host" not in str(answers)


@pytest.mark.parametrize("seconds", [300, 60])
async def test_a_cancellation_that_nobody_sent_is_a_members_failure(seconds: int) -> None:
    router = _models()
    router.says("a", Say(error=asyncio.CancelledError()))
    run = run_of(router, {"panel": ["a", "b", "c"], "limits": {"quorum": 3, "panel_seconds": seconds}})
    answers = await ask_panel(run)
    assert [(answer.status, answer.error) for answer in answers] == [("error", "bad_gateway"), ("ok", None), ("ok", None)]


async def test_the_quorum_ends_the_waiting_after_the_grace() -> None:
    router = _models()
    router.says("c", Say(delay_seconds=5))
    run = run_of(router, {"panel": ["a", "b", "c"], "limits": {"grace_seconds": 0.05}})
    started = time.perf_counter()
    answers = await ask_panel(run)
    assert 0.05 <= time.perf_counter() - started < 1
    assert [answer.status for answer in answers] == ["ok", "ok", "cancelled"]
    assert router.running == 0
    assert ("panel", "stopped_waiting") in steps(run)
    assert run.recorder.spans[2].status == "cancelled"


async def test_a_straggler_within_its_grace_is_used() -> None:
    router = _models()
    router.says("c", Say(delay_seconds=0.05))
    answers = await ask_panel(run_of(router, {"panel": ["a", "b", "c"], "limits": {"grace_seconds": 0.5}}))
    assert [answer.status for answer in answers] == ["ok"] * 3


async def test_cancelling_the_panel_leaves_no_task() -> None:
    router = _models()
    for name in "abc":
        router.says(name, Say(delay_seconds=5))
    before = len(asyncio.all_tasks())
    task = asyncio.create_task(ask_panel(run_of(router, {"panel": ["a", "b", "c"]})))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert router.running == 0
    assert len(asyncio.all_tasks()) == before


async def test_reserves_fill_failed_seats_in_order() -> None:
    router = _models("r1", "r2")
    router.says("a", server_error())
    router.says("r1", server_error())
    run = run_of(router, {"panel": ["a", "b", "c"], "reserves": ["r1", "r2"], "limits": {"quorum": 3}})
    answers = usable(await ask_panel(run))
    assert sorted(answer.model for answer in answers) == ["b", "c", "r2"]
    assert [span.model for span in run.recorder.spans if span.reserve] == ["r1", "r2"]


async def test_an_unknown_model_is_left_out() -> None:
    run = run_of(_models(), {"panel": ["a", "b", "missing"]})
    answers = await ask_panel(run)
    assert sorted(answer.model for answer in answers) == ["a", "b"]
    left_out = [(span.model, span.error) for span in run.recorder.spans if span.status == "left_out"]
    assert left_out == [("missing", "no_such_model")]


@pytest.mark.parametrize(("chars", "left_out"), [(2_000, False), (6_000, True)])
async def test_a_member_whose_window_is_too_small_is_left_out(chars: int, left_out: bool) -> None:
    router = Scripted("a", "b", "small", info={"small": {"max_input_tokens": 1_000}})
    request = Request("fusion/test", ({"role": "user", "content": "x" * chars},))
    await ask_panel(run_of(router, {"panel": ["a", "b", "small"], "limits": FAST}, request=request))
    assert ("small" not in router.models_asked()) is left_out


async def test_the_dearest_member_leaves_first_when_money_is_short() -> None:
    router = Scripted("a", "b", "dear", info={"dear": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.01}})
    run = run_of(router, {"panel": ["dear", "a", "b"], "limits": {"max_cost_usd": 0.5}})
    answers = await ask_panel(run)
    assert [answer.model for answer in answers] == ["a", "b"]
    assert ("panel", "shrunk") in steps(run)


async def test_a_panel_shrunk_to_one_is_no_panel() -> None:
    prices = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.01}
    router = Scripted("a", "b", info={"a": prices, "b": prices})
    assert await ask_panel(run_of(router, {"panel": ["a", "b"], "limits": {"max_cost_usd": 20}})) == ()
    assert router.asked == []


async def test_the_callers_budget_bounds_the_panel_too() -> None:
    prices = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.01}
    router = Scripted("a", "b", info={"a": prices, "b": prices})
    assert await ask_panel(run_of(router, {"panel": ["a", "b"], "limits": {"max_cost_usd": None}}, budget_left_usd=1.0)) == ()


def test_truncated_answers_are_used_only_when_nothing_better_came() -> None:
    whole, half = Answer(1, "a", "ok", LONG), Answer(2, "b", "truncated", LONG)
    empty = Answer(3, "c", "truncated", " ")
    assert usable([half, whole]) == (whole,)
    assert usable([half, empty]) == (half,)


def test_labels_follow_the_shuffled_order() -> None:
    answers = [Answer(1, "a", "ok", "x"), Answer(2, "b", "ok", "y")]
    assert [(answer.label, answer.model) for answer in labelled(answers, [1, 0])] == [("A", "b"), ("B", "a")]


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Say(text=""), "empty"),
        (Say(text="I'm sorry, but I can't help with that."), "refused"),
        (Say(finish_reason="length"), "truncated"),
        (Say(error=litellm.Timeout("late", model="x", llm_provider="openai")), "timeout"),
        (Say(), "ok"),
    ],
)
async def test_every_outcome_has_its_status(reply: Say, status: str) -> None:
    router = _models()
    router.says("a", reply)
    run = run_of(router, {"panel": ["a", "b", "c"], "limits": {"quorum": 3, "grace_seconds": 0}})
    answers = await ask_panel(run)
    assert answers[0].status == status
    assert run.recorder.spans[0].status == status


async def test_a_settled_vote_stops_the_waiting() -> None:
    router = _models()
    router.says("a", "Answer: 4")
    router.says("b", "Answer: 4")
    router.says("c", Say(delay_seconds=5))
    started = time.perf_counter()
    await ask_panel(run_of(router, {"panel": ["a", "b", "c"], "aggregate": "vote", "limits": {"quorum": 3}}))
    assert time.perf_counter() - started < 1
