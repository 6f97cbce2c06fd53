"""How many runs are in flight in this worker, over all and per key. Whoever finds no place goes direct, waits or is
refused, as the operator says.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litellm_fusion.config import Settings
from litellm_fusion.errors import Overloaded


class Gate:
    """Counts runs. One per worker; asyncio only, so nothing here needs a lock."""

    def __init__(self) -> None:
        self._running = 0
        self._by_key: Counter[str] = Counter()
        self._freed: asyncio.Event | None = None

    def full(self, settings: Settings, key: str) -> bool:
        """Whether a run of this key would find no place now."""
        return self._running >= settings.max_runs or (bool(key) and self._by_key[key] >= settings.max_runs_per_key)

    @asynccontextmanager
    async def place(self, settings: Settings, key: str, wait_seconds: float | None) -> AsyncIterator[None]:
        """Hold a place while the run lasts. Raises Overloaded when there is none and waiting is not wanted or over."""
        if self.full(settings, key):
            if settings.when_full != "wait":
                raise Overloaded("every place for a fused run is taken; try again later")
            await self._wait(settings, key, wait_seconds)
        self._running += 1
        self._by_key[key] += 1
        try:
            yield
        finally:
            self._running -= 1
            self._by_key[key] -= 1
            if not self._by_key[key]:
                del self._by_key[key]
            if self._freed is not None:
                self._freed.set()

    async def _wait(self, settings: Settings, key: str, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self.full(settings, key):
                    self._freed = self._freed or asyncio.Event()
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise Overloaded("no place for a fused run came free in time") from None


GATE = Gate()
