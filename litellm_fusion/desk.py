"""One member's desk: makes the calls of a turn, all at once, and gives each a result that its model can read.

Rules that this file owns:
1. A call counts when it is asked for, whatever becomes of it; what is over `max_calls` is not made.
2. A URL is fetched only if this member was shown it: in the conversation, in a search result, on a page.
3. A call that was made before is not made again; after a few of those the research ends.
4. Whatever comes from the world is cleaned, fenced with the run's nonce, and gets its number outside of the fence.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from litellm_fusion import prompts
from litellm_fusion.config import Tools
from litellm_fusion.errors import CallFailed, LimitExceeded, ToolFailed
from litellm_fusion.lineup import Seat
from litellm_fusion.room import text_of
from litellm_fusion.run import Run
from litellm_fusion.sources import Notes
from litellm_fusion.toolcalls import SEARCH, ToolCall
from litellm_fusion.trace import Span
from litellm_fusion.types import Found, News
from litellm_fusion.web.browser import Browser
from litellm_fusion.web.clean import cleaned, one_line
from litellm_fusion.web.reading import Page
from litellm_fusion.web.urls import Known, canonical, host_of

RESULTS = 8
SNIPPET_CHARS = 1_200
SEARCH_SECONDS = 20.0
REPEATS = 2
"""Repeated calls that are answered with a reminder before the research ends."""
_MARKUP = re.compile(r"[\[\]()<>!*_`|\\{}#~]|://")


@dataclass(frozen=True, slots=True)
class Result:
    """What one call gave: the text for its model, and the same without what came from a page, for when room gets short."""

    call: ToolCall
    text: str
    short: str


class Hurry:
    """Begins when enough others have answered: no new turn with calls then, and calls under way get `spare_seconds`."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._spare_seconds = 0.0

    def begin(self, spare_seconds: float) -> None:
        """The others are in; what still runs has this long."""
        self._spare_seconds = spare_seconds
        self._event.set()

    @property
    def begun(self) -> bool:
        """Whether the others wait already."""
        return self._event.is_set()

    async def over(self) -> None:
        """Return when the hurry has begun and its spare time is gone."""
        await self._event.wait()
        await asyncio.sleep(self._spare_seconds)


class Desk:
    """Where one member's calls are made. `stopped` says that no more should be asked for."""

    def __init__(self, run: Run, seat: Seat, tools: Tools, browser: Browser, notes: Notes) -> None:
        self._run, self._seat, self._tools, self._browser = run, seat, tools, browser
        self._notes = notes
        self._known = Known(text_of(message) for message in run.request.messages)
        self._made: set[str] = set()
        self._repeats = 0
        self._broke = False
        self.calls_left = tools.max_calls

    @property
    def stopped(self) -> str:
        """Why the research ends here, or nothing."""
        if self._broke:
            return "money"
        if self._repeats >= REPEATS:
            return "repeated_calls"
        return "" if self.calls_left > 0 else "max_calls"

    async def work(self, calls: Sequence[ToolCall], hurry: Hurry, seconds: float | None) -> list[Result]:
        """The results of one turn's calls, in order. What is not there when time is up is given up."""
        answers: dict[int, Result] = {}
        tasks: dict[int, asyncio.Task[Page | tuple[Found, ...] | str]] = {}
        for place, call in enumerate(calls):
            refused = self._refused(call)
            if refused:
                answers[place] = Result(call, refused, refused)
            else:
                tasks[place] = asyncio.create_task(self._make(call))
        await _settled(list(tasks.values()), hurry, seconds)
        for place, task in tasks.items():
            gave = "There was no time left for this." if task.cancelled() else task.result()
            answers[place] = self._told(calls[place], gave)
        return [answers[place] for place in range(len(calls))]

    def _refused(self, call: ToolCall) -> str:
        """Why a call is not made at all, or nothing. Counts it."""
        left, self.calls_left = self.calls_left, self.calls_left - 1
        if left <= 0:
            return prompts.NO_CALLS_LEFT
        if call.problem:
            return call.problem
        if call.key in self._made:
            self._repeats += 1
            return prompts.SAME_CALL
        self._made.add(call.key)
        return ""

    async def _make(self, call: ToolCall) -> Page | tuple[Found, ...] | str:
        """What the call gave; a failure is a text."""
        if call.name == SEARCH:
            return await self._search(str(call.arguments["query"]))
        return await self._fetch(str(call.arguments["url"]))

    async def _search(self, query: str) -> tuple[Found, ...] | str:
        web = self._run.recorder.on_the_web()
        await self._run.emit(News(f"{self._seat.model} searches: {_plain(query)}"))
        domains = tuple(domain.removeprefix("*.") for domain in self._tools.allow_domains)

        async def ask() -> tuple[Found, ...]:
            web.searches += 1
            return await self._run.client.search(
                str(self._tools.web_search), query, member=self._seat.number, count=RESULTS, domains=domains,
                timeout_seconds=SEARCH_SECONDS,
            )  # fmt: skip

        try:
            found, _ = await self._browser.searches.get(query.casefold(), ask)
        except CallFailed as error:
            return prompts.SEARCH_FAILED.format(kind=error.kind)
        except LimitExceeded:
            self._broke = True
            return prompts.NO_MONEY
        return found

    async def _fetch(self, url: str) -> Page | str:
        web = self._run.recorder.on_the_web()
        span = Span("fetch", host_of(url) or "no host", self._seat.number, cost_usd=0.0, detail=one_line(url, 300))
        span.start_seconds = self._run.meter.elapsed()
        self._run.recorder.spans.append(span)
        try:
            if url not in self._known:
                raise ToolFailed("unknown_url", prompts.UNKNOWN_URL)
            await self._run.emit(News(f"{self._seat.model} reads {_plain(host_of(url))}"))
            page, shared = await self._browser.read(url)
        except ToolFailed as error:
            span.status, span.error = ("timeout" if error.kind == "timeout" else "error"), error.kind
            return error.message
        except asyncio.CancelledError:
            span.status = "cancelled"
            raise
        finally:
            span.seconds = self._run.meter.elapsed() - span.start_seconds
        if shared:
            span.served_by = "shared"
            web.pages_shared += 1
        else:
            web.pages_fetched += 1
        return page

    def _told(self, call: ToolCall, gave: Page | tuple[Found, ...] | str) -> Result:
        if isinstance(gave, str):
            return Result(call, gave, gave)
        return self._page(call, gave) if isinstance(gave, Page) else self._found(call, gave)

    def _found(self, call: ToolCall, found: Sequence[Found]) -> Result:
        texts: list[str] = []
        short: list[str] = []
        for one in found:
            url = canonical(one.url)
            if url is None or len(texts) == RESULTS or not self._browser.places.allows(httpx.URL(url)):
                continue
            # Cut first: some providers send whole pages, and cleaning is the event loop's own time.
            snippet, title = cleaned(one.snippet[: 2 * SNIPPET_CHARS])[:SNIPPET_CHARS], one_line(one.title[:1_000], 160)
            head = "\n".join(part for part in (title, url, one_line(one.date[:200], 40)) if part)
            n = self._notes.take(url, title, snippet, fetched=False)
            self._known.add(url)
            self._known.show(snippet)
            texts.append(prompts.shown_source(n, "result", f"{head}\n{snippet}", self._run.nonce))
            short.append(prompts.shown_source(n, "result", head, self._run.nonce))
        if not texts:
            return Result(call, prompts.NO_RESULTS, prompts.NO_RESULTS)
        return Result(call, "\n\n".join(texts), "\n\n".join(short))

    def _page(self, call: ToolCall, page: Page) -> Result:
        start = min(int(call.arguments.get("start", 0)), len(page.text))
        text = page.text[start : start + self._tools.max_page_chars]
        end = start + len(text)
        n = self._notes.take(str(call.arguments["url"]), page.title, text, fetched=True)
        parts = [page.title, page.url, "", text]
        if start == 0 and page.links:
            parts += ["", "Links on this page:", *(f"- {label}: {url}" for label, url in page.links)]
        shown = "\n".join(parts)
        self._known.add(page.url)
        self._known.show(shown)
        total = len(page.text)
        more = prompts.MORE if end < total else prompts.NO_MORE
        told = more.format(start=start, end=end, total=total)
        short = prompts.shown_source(n, "page", f"{page.title}\n{page.url}\n{prompts.TRIMMED}", self._run.nonce)
        return Result(call, f"{prompts.shown_source(n, 'page', shown, self._run.nonce)}\n{told}", short)


async def _settled(tasks: Sequence[asyncio.Task[Any]], hurry: Hurry, seconds: float | None) -> None:
    """Wait until all are done, the time is up or a hurry is over; then end what still runs, and wait until it is gone."""
    stop = asyncio.create_task(hurry.over())
    pending: set[asyncio.Task[Any]] = set(tasks)
    try:
        async with asyncio.timeout(seconds):
            while pending and not stop.done():
                _, still = await asyncio.wait({*pending, stop}, return_when=asyncio.FIRST_COMPLETED)
                pending &= still
    except TimeoutError:
        pass
    finally:
        for task in (*tasks, stop):
            task.cancel()
        await asyncio.gather(*tasks, stop, return_exceptions=True)


def _plain(text: str) -> str:
    """Words for a line of progress, which a chat UI may render: no markup, no links."""
    return one_line(_MARKUP.sub(" ", text), 80)
