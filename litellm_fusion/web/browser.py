"""One run's way to the web: pages by URL, each read once, and the searches that were made."""

from __future__ import annotations

from functools import partial

from litellm_fusion.config import Tools
from litellm_fusion.types import Found
from litellm_fusion.web.fetch import fetch
from litellm_fusion.web.pace import Pace
from litellm_fusion.web.places import Places
from litellm_fusion.web.reading import Page, read
from litellm_fusion.web.shared import Shared
from litellm_fusion.web.urls import page_key

_PACE = Pace()
"""One per worker: politeness does not end with a run."""


class Browser:
    """Reads pages for the members of one run. Close it at the run's end."""

    def __init__(self, tools: Tools, places: Places | None = None, pace: Pace = _PACE) -> None:
        self.tools = tools
        self.places = places or Places(tools)
        self._pace = pace
        self._pages: Shared[Page] = Shared(lambda page: len(page.text))
        self.searches: Shared[tuple[Found, ...]] = Shared(lambda found: sum(len(one.snippet) for one in found))

    async def read(self, url: str) -> tuple[Page, bool]:
        """A page, and whether the run had it already. Raises ToolFailed."""
        return await self._pages.get(page_key(url) or url, partial(self._read, url))

    async def aclose(self) -> None:
        """End every read, and close every connection."""
        await self._pages.aclose()
        await self.searches.aclose()
        await self.places.aclose()

    async def _read(self, url: str) -> Page:
        return await read(await fetch(url, self.places, self._pace))
