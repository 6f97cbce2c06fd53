"""Everything that the stages of one fused request share. Stages read it; only the Recorder and the Meter change."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from litellm_fusion.client import Client
from litellm_fusion.config import FusionConfig, Tools
from litellm_fusion.errors import CallFailed
from litellm_fusion.limits import Meter
from litellm_fusion.lineup import Lineup
from litellm_fusion.models import Models
from litellm_fusion.trace import Recorder
from litellm_fusion.types import Event, Request
from litellm_fusion.web.browser import Browser

STALL_SECONDS = 120.0
"""Silence in the middle of a stream that ends it."""


async def _nobody(event: Event) -> None:
    """Where nobody waits for news."""


@dataclass(frozen=True, slots=True)
class Run:
    """One fused request. `emit` hands news and deltas to whoever streams; `nonce` fences texts, unguessable.

    `tools` are what members may use of the web, as far as this caller may; None is nothing.
    """

    request: Request
    config: FusionConfig
    lineup: Lineup
    meter: Meter
    recorder: Recorder
    client: Client
    models: Models
    private: bool = False
    tools: Tools | None = None
    browser: Browser | None = None
    emit: Callable[[Event], Awaitable[None]] = _nobody
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    def seconds_for(self, share: float, ceiling: float | None = None) -> float | None:
        """Wall-clock seconds that a stage may take: `share` of what is left, and at most `ceiling`."""
        left = self.meter.seconds_left()
        bounds = [bound for bound in (None if left is None else left * share, ceiling) if bound is not None]
        return max(min(bounds), 0.05) if bounds else None


async def punctual(run: Run, stream: AsyncIterator[Any], least: float = 0.0) -> AsyncIterator[Any]:
    """A stream's items; a stall, or the deadline once `least` seconds are over too, is a CallFailed."""
    ends = run.meter.elapsed() + least
    while True:
        left = run.meter.seconds_left()
        wait = STALL_SECONDS if left is None else min(max(left, ends - run.meter.elapsed()), STALL_SECONDS)
        try:
            async with asyncio.timeout(wait):
                item = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise CallFailed("deadline" if wait < STALL_SECONDS else "stalled") from None
        yield item
