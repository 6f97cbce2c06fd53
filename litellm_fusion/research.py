"""A member's tool loop: ask, make the calls that it asks for, ask again, until it answers or its means are at an end.

Calls, time and money are looked at before each turn. At the end of any of them the member is asked once more, to answer
from what it has; where its provider takes no such turn, what it found is told to it as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from litellm_fusion import prompts, toolcalls
from litellm_fusion.config import Tools
from litellm_fusion.desk import Desk, Hurry, Result
from litellm_fusion.errors import CallFailed
from litellm_fusion.limits import FLOOR_TOKENS, PANEL_SHARE
from litellm_fusion.lineup import Seat
from litellm_fusion.models import Facts
from litellm_fusion.room import conversation_tokens
from litellm_fusion.run import Run
from litellm_fusion.sources import Notes
from litellm_fusion.types import Call, Completion, Message

ANSWER_SHARE, ANSWER_MOST = 0.35, 60.0
"""Of a member's time, kept for its answer: a share, and at most so many seconds."""
UNKNOWN_WINDOW = 100_000
"""Tokens that a model of unknown window is trusted with."""
_REFUSED = ("bad_request", "unsupported_params", "not_found")
"""What providers say to a tool that they don't know."""


@dataclass(frozen=True, slots=True)
class Means:
    """The web tools of one seat: function tools by name, and whether its model searches by itself."""

    names: tuple[str, ...] = ()
    native: bool = False

    def __bool__(self) -> bool:
        return bool(self.names) or self.native


def means(run: Run, seat: Seat) -> Means:
    """What a seat may use: nothing in a private run, nor where its model can't call tools at all."""
    tools = run.tools
    if tools is None or run.browser is None or not seat.tools:
        return Means()
    facts = run.models.facts(seat.model)
    native = tools.web_search == toolcalls.NATIVE and facts is not None and facts.web_search
    return Means(() if facts is not None and facts.tools is False else toolcalls.names(tools), native)


def told(run: Run, own: Means) -> str:
    """What a seat is told about its tools."""
    if run.tools is None or not own:
        return ""
    web = prompts.WEB.format(tools=" and ".join(own.names), calls=run.tools.max_calls) if own.names else ""
    return "\n".join(part for part in (prompts.WEB_NATIVE if own.native else "", web) if part)


async def research(run: Run, seat: Seat, call: Call, own: Means, notes: Notes, *, share: float, hurry: Hurry) -> Completion:
    """The member's last turn, which holds its answer; `notes` holds its sources, also when this raises as `complete` does.

    `call` is the first turn without tools; its timeout is for the whole of it.
    """
    assert run.tools is not None  # noqa: S101 - `means` says so
    assert run.browser is not None  # noqa: S101
    work = _Work(run, seat, call, own, run.tools, share)
    if own.native:
        run.recorder.on_the_web()
    desk = Desk(run, seat, run.tools, run.browser, notes)
    last = ""
    while True:
        last = last or (work.over(desk, hurry) if work.results else "")
        try:
            completion = await work.ask(last=bool(last))
        except CallFailed as error:
            if error.kind == "timeout" and work.results and not last:
                last = "time"
                continue
            if error.kind in _REFUSED:
                run.recorder.step("panel", "without_tools", f"{seat.model}: {error.kind}")
                return await work.tell()
            raise
        calls = toolcalls.asked(completion, own.names)
        if not calls:
            return completion
        if last:
            return await work.tell()
        work.keep(completion, calls, await desk.work(calls, hurry, work.seconds()))
        if desk.stopped:
            last = desk.stopped
            run.recorder.step("panel", "research_ends", f"{seat.model}: {last}")


class _Work:
    """The turns of one member so far."""

    def __init__(self, run: Run, seat: Seat, call: Call, own: Means, tools: Tools, share: float) -> None:
        self._run, self._seat, self._call, self._own = run, seat, call, own
        self._tools = tools
        self._share = share
        self._definitions = toolcalls.definitions(own.names)
        self._ends = None if call.timeout_seconds is None else run.meter.elapsed() + call.timeout_seconds
        self._kept = min((call.timeout_seconds or 0.0) * ANSWER_SHARE, ANSWER_MOST)
        self._turns: list[Message | Result] = []
        self._facts: Facts = run.models.facts(seat.model) or Facts()

    @property
    def results(self) -> list[Result]:
        """What its calls gave."""
        return [turn for turn in self._turns if isinstance(turn, Result)]

    def keep(self, completion: Completion, calls: Sequence[toolcalls.ToolCall], results: Sequence[Result]) -> None:
        """Take a turn and its results into the conversation."""
        self._turns += [toolcalls.turn(completion, calls), *results]

    def seconds(self) -> float | None:
        """What is left before the answer's own time begins; None without an end."""
        return None if self._ends is None else max(self._ends - self._kept - self._run.meter.elapsed(), 0.05)

    def over(self, desk: Desk, hurry: Hurry) -> str:
        """Which means is at its end, or nothing."""
        if desk.stopped:
            return desk.stopped
        if hurry.begun or (self._ends is not None and self._run.meter.elapsed() >= self._ends - self._kept):
            return "time"
        return "" if self._money() else "money"

    async def ask(self, *, last: bool) -> Completion:
        """One turn with the tools at hand; in the last one they may not be called any more."""
        params = dict(self._call.params)
        if self._own.native:
            params["web_search_options"] = params.get("web_search_options") or {}
        if self._definitions:
            # Kept in the last turn too: providers refuse a history of calls without them, and prompt caches begin with them.
            # The client's own stay defined where the history has calls of them; none of those can be made here.
            names = {definition["function"]["name"] for definition in self._definitions}
            others = [tool for tool in params.get("tools") or () if tool.get("function", {}).get("name") not in names]
            params["tools"] = [*others, *self._definitions]
            params.pop("tool_choice", None)
            if last:
                params["tool_choice"] = "none"
        messages = self._messages(last=last)
        # The time kept for the answer is not this turn's as long as there is something to answer from.
        left = self._left() if last or not self.results else self.seconds()
        return await self._run.client.complete(
            replace(self._call, messages=messages, params=params, timeout_seconds=left), share=self._share
        )

    async def tell(self) -> Completion:
        """The last turn for a model that can't end its calls: no tools, and what it found as text. Its text is its answer."""
        found = "\n\n".join(result.text for result in self._fitted(self.results, self._call.messages))
        parts = [prompts.FINDINGS, found, prompts.LAST_TURN] if found else []
        more: tuple[Message, ...] = ({"role": "user", "content": "\n\n".join(parts)},) if parts else ()
        completion = await self._run.client.complete(
            replace(self._call, messages=(*self._call.messages, *more), timeout_seconds=self._left()), share=self._share
        )
        if toolcalls.asked(completion, self._own.names):
            raise CallFailed("empty")
        return completion

    def _left(self) -> float | None:
        return None if self._ends is None else max(self._ends - self._run.meter.elapsed(), 0.05)

    def _messages(self, *, last: bool) -> tuple[Message, ...]:
        plain = (*self._call.messages, *(turn for turn in self._turns if not isinstance(turn, Result)))
        fitted = iter(self._fitted(self.results, plain))
        turns = [toolcalls.result(turn.call, next(fitted).text) if isinstance(turn, Result) else turn for turn in self._turns]
        end: list[Message] = [{"role": "user", "content": prompts.LAST_TURN}] if last else []
        return (*self._call.messages, *turns, *end)

    def _fitted(self, results: Sequence[Result], others: Sequence[Message]) -> list[Result]:
        """The results, the oldest cut to their heads until everything fits under the model's window."""
        window = self._facts.window or UNKNOWN_WINDOW
        reply = min(self._call.max_completion_tokens or FLOOR_TOKENS, window // 3)
        room = window - reply - conversation_tokens(others, self._definitions) - 200
        sizes = [conversation_tokens([toolcalls.result(one.call, one.text)]) for one in results]
        fitted = list(results)
        for place, one in enumerate(results):
            if sum(sizes) <= room:
                break
            fitted[place] = replace(one, text=one.short)
            sizes[place] = conversation_tokens([toolcalls.result(one.call, one.short)])
        return fitted

    def _money(self) -> bool:
        """Whether another round of calls and the answer after it fit into this seat's part of what is left."""
        left, price = self._run.meter.usd_left(), self._facts.price
        if left is None or price is None:
            return True
        tokens = conversation_tokens(self._messages(last=False), self._definitions)
        page = self._tools.max_page_chars // 4
        need = price.cost(tokens, FLOOR_TOKENS) + price.cost(tokens + page, FLOOR_TOKENS)
        return need <= left * PANEL_SHARE / max(len(self._run.lineup.seats), 1)
