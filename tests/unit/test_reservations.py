"""Reservations at the one door: made before a call, taken along by it, given back when it brought no cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import litellm
import pytest
from fakes import LONG, Say, Scripted, run_of, server_error, steps
from provider import ANALYSIS

from litellm_fusion.budgets import Account
from litellm_fusion.errors import CallFailed, LimitExceeded
from litellm_fusion.fusion import fuse
from litellm_fusion.types import Call

CALL = Call("member", "a", ({"role": "user", "content": "Hi"},), {"temperature": 0.5}, member=1, max_completion_tokens=100)
DIRECT = Call("direct", "a", CALL.messages)


class Till:
    """A purse with so many reservations to give."""

    def __init__(self, reservations: int = 99) -> None:
        self.left = reservations
        self.asked: list[Mapping[str, Any]] = []
        self.released: list[int] = []

    async def reserve(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        self.asked.append(body)
        if self.left == 0:
            raise litellm.BudgetExceededError(current_cost=1.0, max_budget=1.0)
        self.left -= 1
        return {"number": len(self.asked)}

    async def release(self, reservation: dict[str, Any] | None) -> None:
        if reservation is not None:
            self.released.append(reservation["number"])


def _router() -> Scripted:
    return Scripted("a", "b", "c")


def _run(router: Scripted, till: Till, **more: Any) -> Any:
    return run_of(router, {"panel": ["a", "b", "c"], "judge": "b"}, purse=till, **more)


async def test_a_call_takes_its_reservation_along_and_leaves_it_to_litellm() -> None:
    router, till = _router(), Till()
    await _run(router, till).client.complete(CALL)
    assert till.asked == [
        {"model": "a", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "max_tokens": 100}
    ]
    assert router.asked[0]["metadata"]["user_api_key_budget_reservation"] == {"number": 1}
    assert till.released == []


async def test_a_call_that_failed_gives_its_reservation_back() -> None:
    router, till = _router(), Till()
    router.says("a", server_error())
    with pytest.raises(CallFailed):
        await _run(router, till).client.complete(CALL)
    assert till.released == [1]


async def test_a_call_that_was_cancelled_gives_its_reservation_back() -> None:
    router, till = _router(), Till()
    router.says("a", Say(delay_seconds=5))
    task = asyncio.create_task(_run(router, till).client.complete(CALL))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert till.released == [1]


async def test_a_stream_that_cannot_be_billed_gives_its_reservation_back() -> None:
    router, till = _router(), Till()
    stream = _run(router, till).client.stream(CALL)
    await anext(stream)
    await stream.aclose()
    assert till.released == [1]


async def test_no_call_is_made_without_its_reservation() -> None:
    router, till = _router(), Till(0)
    run = _run(router, till)
    with pytest.raises(LimitExceeded, match="budget_left_usd"):
        await run.client.complete(CALL)
    assert router.asked == []
    assert (run.recorder.spans[0].status, run.recorder.spans[0].error) == ("over_limit", "budget_left_usd")
    assert run.recorder.cost_usd() == 0.0


async def test_the_direct_call_gets_litellms_own_refusal() -> None:
    router, till = _router(), Till(0)
    with pytest.raises(CallFailed, match="budget_exceeded") as caught:
        await _run(router, till).client.complete(DIRECT)
    assert caught.value.call_status == litellm.budget_exceeded_status_code


@pytest.mark.parametrize(
    ("reservations", "asked"), [(5, ["a", "b", "c", "b", "a"]), (4, ["a", "b", "c", "b"]), (3, ["a", "b", "c"])]
)
async def test_a_run_ends_with_what_its_reservations_allow(reservations: int, asked: list[str]) -> None:
    router, till = _router(), Till(reservations)
    router.says("b", LONG, json.dumps(ANALYSIS))
    run = _run(router, till)
    reply = await fuse(run)
    assert router.models_asked()[: len(asked)] == asked, steps(run)
    assert reply.text or reply.response
    assert (("synthesis", "over_limit") in steps(run)) is (reservations < 5)


async def test_an_account_without_budgets_reserves_nothing() -> None:
    assert await Account(auth=object(), asked={}).reserve({"model": "a", "messages": []}) is None
    assert await Account(auth=object(), asked={}).left() == float("inf")
