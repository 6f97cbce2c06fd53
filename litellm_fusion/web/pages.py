"""The pages of one run: read once, whoever asks, and whoever asks at the same time waits for the same read."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from litellm_fusion.web.reading import Page
from litellm_fusion.web.urls import page_key

MAX_PAGES = 64
MAX_CHARS = 8_000_000
"""Of all pages that one run keeps."""


class Pages:
    """A bounded cache in front of `read_one`. `fetched` counts real reads, `shared` those that it saved."""

    def __init__(self, read_one: Callable[[str], Awaitable[Page]]) -> None:
        self._read_one = read_one
        self._reads: OrderedDict[str, asyncio.Task[Page]] = OrderedDict()
        self.fetched = 0
        self.shared = 0

    async def read(self, url: str) -> tuple[Page, bool]:
        """The page, and whether it was there already. Raises ToolFailed, the same for everybody who asks for that URL.

        A read that one member began is finished for the others, whatever becomes of that member.
        """
        key = page_key(url) or url
        task = self._reads.get(key)
        shared = task is not None
        if task is None:
            task = asyncio.create_task(self._one(url))
            self._reads[key] = task
            self.fetched += 1
        else:
            self.shared += 1
        self._reads.move_to_end(key)
        try:
            return await asyncio.shield(task), shared
        finally:
            self._bound()

    async def aclose(self) -> None:
        """End what still reads, and wait until it is gone."""
        tasks = list(self._reads.values())
        self._reads.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, url: str) -> Page:
        return await self._read_one(url)

    def _bound(self) -> None:
        done = [key for key, task in self._reads.items() if task.done()]
        size = sum(_chars(self._reads[key]) for key in done)
        while done and (len(self._reads) > MAX_PAGES or size > MAX_CHARS):
            task = self._reads.pop(done.pop(0))
            size -= _chars(task)


def _chars(task: asyncio.Task[Page]) -> int:
    if not task.done() or task.cancelled():
        return 0
    error = task.exception()  # asked for here, so that a failure that nobody waited for is no surprise at the end
    return 0 if error is not None else len(task.result().text)
