"""How many runs are in flight in this worker, over all and per key. Whoever finds no place goes direct, waits or is
refused, as the operator says.

Waiting is fair between keys: a place that comes free goes to the key with the fewest runs in flight, and among equals to
whoever has waited longest. A key with a hundred requests in the queue delays another key's one by a single run.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from litellm_fusion.config import Settings
from litellm_fusion.errors import Overloaded


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody in the queue; `turn` is done once a place is theirs."""

    key: str
    turn: asyncio.Future[None]


class Gate:
    """Counts runs. One per worker; asyncio only, so nothing here needs a lock."""

    def __init__(self) -> None:
        self.running = 0
        self._by_key: Counter[str] = Counter()
        self._waiting: list[_Waiter] = []

    def full(self, settings: Settings, key: str) -> bool:
        """Whether a run of this key would find no place now."""
        return self.running >= settings.max_runs or self._full_for(settings, key)

    @asynccontextmanager
    async def place(self, settings: Settings, key: str, wait_seconds: float | None) -> AsyncIterator[None]:
        """Hold a place while the run lasts. Raises Overloaded when there is none and waiting is not wanted or over."""
        if not self.full(settings, key):
            self._take(key)
        elif settings.when_full == "wait":
            await self._wait(settings, key, wait_seconds)
        else:
            raise Overloaded("every place for a fused run is taken; try again later")
        try:
            yield
        finally:
            self._give(settings, key)

    def _full_for(self, settings: Settings, key: str) -> bool:
        return bool(key) and self._by_key[key] >= settings.max_runs_per_key

    def _take(self, key: str) -> None:
        self.running += 1
        self._by_key[key] += 1

    def _give(self, settings: Settings, key: str) -> None:
        self.running -= 1
        self._by_key[key] -= 1
        if not self._by_key[key]:
            del self._by_key[key]
        self._hand_on(settings)

    def _hand_on(self, settings: Settings) -> None:
        """Give free places to whoever is next; a place is theirs before they wake, so nobody can come in between."""
        while self.running < settings.max_runs:
            able = [waiter for waiter in self._waiting if not self._full_for(settings, waiter.key)]
            if not able:
                return
            chosen = min(able, key=lambda waiter: self._by_key[waiter.key])
            self._waiting.remove(chosen)
            self._take(chosen.key)
            chosen.turn.set_result(None)

    async def _wait(self, settings: Settings, key: str, seconds: float | None) -> None:
        waiter = _Waiter(key, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter.turn
        except BaseException as error:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif waiter.turn.done() and not waiter.turn.cancelled():
                self._give(settings, key)  # its turn came in the very moment in which it left
            if isinstance(error, TimeoutError):
                raise Overloaded("no place for a fused run came free in time") from None
            raise


GATE = Gate()
