"""A polite pace: how often one worker asks one host, over all of its runs."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from litellm_fusion.errors import ToolFailed

INTERVAL_SECONDS = 0.25
"""Between two requests to one host: what a hurried reader with a few tabs would do."""
PATIENCE_SECONDS = 10.0
_HOSTS = 4_096


class Pace:
    """Spaces requests per host. Not for several event loops."""

    def __init__(self, interval_seconds: float = INTERVAL_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval_seconds
        self._clock = clock
        self._next: OrderedDict[str, float] = OrderedDict()

    async def turn(self, host: str) -> None:
        """Wait for this request's turn at a host. Raises ToolFailed when that would take more than PATIENCE_SECONDS."""
        now = self._clock()
        starts = max(now, self._next.get(host, now))
        if starts - now > PATIENCE_SECONDS:
            raise ToolFailed("busy", "Too many requests to this site at the moment. Use what you have, or another page.")
        self._next[host] = starts + self._interval
        self._next.move_to_end(host)
        while len(self._next) > _HOSTS:
            self._next.popitem(last=False)
        if starts > now:
            await asyncio.sleep(starts - now)
