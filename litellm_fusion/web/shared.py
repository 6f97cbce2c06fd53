"""What one run reads once, whoever asks: whoever asks at the same time waits for the same read."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
MAX_ITEMS = 64
MAX_SIZE = 8_000_000
"""Of all that one run keeps, in the measure of `size`: characters."""


class Shared(Generic[T]):
    """A bounded cache of reads. Failures are kept too: a page that is not there is asked for once."""

    def __init__(self, size: Callable[[T], int]) -> None:
        self._size = size
        self._reads: OrderedDict[str, asyncio.Task[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._reads)

    async def get(self, key: str, make: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """What `make` gives for a key, and whether it was asked for before. Raises what it raised, for everybody.

        A read that one member began is finished for the others, whatever becomes of that member.
        """
        task = self._reads.get(key)
        known = task is not None
        if task is None:
            task = self._reads[key] = asyncio.create_task(_run(make))
        self._reads.move_to_end(key)
        try:
            return await asyncio.shield(task), known
        finally:
            self._bound()

    async def aclose(self) -> None:
        """End what still reads, and wait until it is gone."""
        tasks = list(self._reads.values())
        self._reads.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _bound(self) -> None:
        done = [key for key, task in self._reads.items() if task.done()]
        size = sum(self._measured(self._reads[key]) for key in done)
        while done and (len(self._reads) > MAX_ITEMS or size > MAX_SIZE):
            size -= self._measured(self._reads.pop(done.pop(0)))

    def _measured(self, task: asyncio.Task[T]) -> int:
        # The error is asked for here, so that one that nobody waited for is no surprise at the end.
        return 0 if task.cancelled() or task.exception() is not None else self._size(task.result())


async def _run(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
