"""Places for runs: per worker, per key, and what happens when there are none."""

from __future__ import annotations

import asyncio

import pytest

from litellm_fusion.config import Settings
from litellm_fusion.errors import Overloaded
from litellm_fusion.gate import Gate


@pytest.mark.parametrize("limit", ["max_runs", "max_runs_per_key"])
async def test_a_full_gate_refuses_and_opens_again(limit: str) -> None:
    gate, settings = Gate(), Settings.model_validate({limit: 1, "when_full": "refuse"})
    async with gate.place(settings, "key", 1):
        assert gate.full(settings, "key")
        with pytest.raises(Overloaded):
            async with gate.place(settings, "key", 1):
                pass
    assert not gate.full(settings, "key")


async def test_one_keys_limit_leaves_other_keys_alone() -> None:
    gate, settings = Gate(), Settings(max_runs_per_key=1)
    async with gate.place(settings, "one", 1):
        assert not gate.full(settings, "two")


async def test_a_failing_run_gives_its_place_back() -> None:
    gate, settings = Gate(), Settings(max_runs=1)
    with pytest.raises(RuntimeError, match="broke"):
        async with gate.place(settings, "key", 1):
            raise RuntimeError("broke")
    assert not gate.full(settings, "key")


async def test_waiting_gets_the_next_free_place() -> None:
    gate, settings = Gate(), Settings(max_runs=1, when_full="wait")
    order: list[str] = []

    async def run(name: str, seconds: float) -> None:
        async with gate.place(settings, name, 1):
            order.append(name)
            await asyncio.sleep(seconds)

    await asyncio.gather(run("first", 0.05), run("second", 0), run("third", 0))
    assert sorted(order) == ["first", "second", "third"]
    assert order[0] == "first"


async def test_waiting_ends_with_the_deadline() -> None:
    gate, settings = Gate(), Settings(max_runs=1, when_full="wait")
    async with gate.place(settings, "one", 1):
        with pytest.raises(Overloaded):
            async with gate.place(settings, "two", 0.03):
                pass


async def test_a_busy_key_does_not_keep_another_waiting() -> None:
    gate, settings = Gate(), Settings(max_runs=2, max_runs_per_key=2, when_full="wait")
    order: list[str] = []

    async def run(name: str) -> None:
        async with gate.place(settings, name, 5):
            order.append(name)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(run("busy") for _ in range(20)), run("rare"))
    assert order.index("rare") <= 3
    assert len(order) == 21
    assert gate.running == 0


async def test_the_longest_waiting_of_equals_comes_first() -> None:
    gate, settings = Gate(), Settings(max_runs=1, when_full="wait")
    order: list[str] = []

    async def run(name: str) -> None:
        async with gate.place(settings, name, 5):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(run(name) for name in "abcdef"))
    assert order == list("abcdef")


async def test_whoever_leaves_the_queue_takes_no_place_along() -> None:
    gate, settings = Gate(), Settings(max_runs=1, when_full="wait")

    async def run(seconds: float) -> None:
        async with gate.place(settings, "key", 5):
            await asyncio.sleep(seconds)

    first = asyncio.create_task(run(0.02))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(run(0)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await first
    waiting[1].cancel()  # in the moment in which its turn has come
    await asyncio.gather(*waiting, return_exceptions=True)
    assert gate.running == 0
    assert not gate.full(settings, "key")
