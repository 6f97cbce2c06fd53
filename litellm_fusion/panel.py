"""Asking the panel: all seats at once, a quorum, a grace for the others, reserves for whoever fails.

Rules that this file owns:
1. Seats that can't serve the request, and the dearest ones that the money doesn't cover, are left out before dispatch.
2. A failed seat is refilled from the reserves, in order, up to the panel's size.
3. A seat has one answer: where a reserve was asked beside it, the first one that comes. `waiting.py` says how long.
4. A truncated answer is usable only when nothing better came. So is what a late or broken member had written by then,
   where the panel has so little time that its calls are streamed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from litellm_fusion import member, outcomes, vote, waiting
from litellm_fusion.client import Draft
from litellm_fusion.desk import Hurry
from litellm_fusion.limits import PANEL_SHARE, fitting
from litellm_fusion.lineup import Seat
from litellm_fusion.research import means
from litellm_fusion.room import conversation_tokens, has_image
from litellm_fusion.run import Run
from litellm_fusion.types import Answer, News
from litellm_fusion.waiting import Waiting

SALVAGE_SECONDS = 120.0
"""A panel with less time than this streams its members' calls, to have what is there when the time is over. With more time
that is rarely needed, and LiteLLM takes about 0.4 ms of CPU for each chunk of a stream.
"""
SALVAGE_CHARS = 200
"""What a draft must hold to be worth reading."""


async def ask_panel(run: Run) -> tuple[Answer, ...]:
    """Every member's outcome, in panel order; `usable` picks the answers."""
    seats, max_tokens = _affordable(run, _able(run, run.lineup.seats))
    if not seats:
        return ()
    await run.emit(News(f"asking {len(seats)} model{'s' if len(seats) > 1 else ''}"))
    table = _Table(run, seats, max_tokens)
    try:
        await table.sit()
    finally:
        late = await table.leave()
    if late:
        run.recorder.step("panel", "stopped_waiting", f"{len(late)} of {len(seats)} members not in")
    missing = [Answer(seat.number, seat.model, "cancelled") for seat in late]
    every = sorted((*table.answers, *missing), key=lambda answer: answer.member)
    return tuple(_salvaged(run, every, table.drafts))


class _Table:
    """The seats of one run while they are asked."""

    def __init__(self, run: Run, seats: Sequence[Seat], max_tokens: int | None) -> None:
        timeout = run.seconds_for(PANEL_SHARE, run.config.limits.panel_seconds)
        now = run.meter.elapsed()
        self.answers: list[Answer] = []
        self.drafts: dict[tuple[int, str], Draft] = {}
        self._run, self._seats, self._max_tokens = run, seats, max_tokens
        self._drafting = timeout is not None and timeout <= SALVAGE_SECONDS
        self._reserves = list(run.lineup.reserves)
        ends = None if timeout is None else now + timeout
        self._waiting = Waiting(run.lineup.quorum, ends, run.config.limits.grace_seconds, waiting.EXPERIENCE)
        self._hurry = Hurry()
        self._tasks: dict[asyncio.Task[Answer], _Asked] = {}

    async def sit(self) -> None:
        """Ask everybody, and wait as long as it is worth it."""
        run, patience = self._run, self._waiting
        for seat in self._seats:
            self._ask(seat)
        while self._tasks:
            dues = [due for asked in self._tasks.values() for due in self._dues(asked)]
            wait = patience.look_again(run.meter.elapsed(), dues)
            done, _ = await asyncio.wait(self._tasks, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await self._take(self._tasks.pop(task), task)
            if run.config.aggregate == "vote" and vote.settled(self.answers, len(self._seats)):
                return
            now = run.meter.elapsed()
            if (patience.stops_at is not None and now >= patience.stops_at) or self._given_up(now):
                return

    async def leave(self) -> list[Seat]:
        """Cancel what still runs, and wait until it is gone; the seats that gave no answer."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        answered = {answer.member for answer in self.answers if answer.status == "ok"}
        silent = [asked.seat for asked in self._tasks.values() if asked.seat.number not in answered]
        late = {seat.number: seat for seat in reversed(silent)}
        return [late[number] for number in sorted(late)]

    def _ask(self, seat: Seat, *, reserve: bool = False, beside: str | None = None) -> None:
        ends, now = self._waiting.ends, self._run.meter.elapsed()
        draft = self.drafts.setdefault((seat.number, seat.model), Draft()) if self._drafting else None
        answer = member.ask(
            self._run, seat, max_tokens=self._max_tokens, share=1.0, reserve=reserve, hurry=self._hurry, draft=draft,
            timeout_seconds=None if ends is None else max(ends - now, 0.05),
        )  # fmt: skip
        self._tasks[asyncio.create_task(answer)] = _Asked(seat, now, bool(means(self._run, seat)), beside)

    async def _take(self, asked: _Asked, task: asyncio.Task[Answer]) -> None:
        """An outcome: whoever else is asked for the same seat may stop, or a reserve takes it."""
        if task.cancelled():
            return  # the seat's other model was faster
        answer = task.result()
        seat = asked.seat
        twins = [other for other, silent in self._tasks.items() if silent.seat.number == seat.number]
        self.answers.append(answer)
        await _tell(self._run, answer, f"{len(self.answers)}/{len(self._seats)}")
        if answer.status == "ok":
            usable_now = sum(one.status == "ok" for one in self.answers)
            now = self._run.meter.elapsed()
            if self._waiting.answered(now, answer.model, answer.seconds, usable_now, asked.beside):
                self._hurry.begin(self._waiting.grace / 2)  # who still searches answers soon, from what it has
            for twin in twins:
                twin.cancel()
        elif answer.status != "truncated" and not twins:
            replacement = _reserve(self._run, self._reserves, seat, "for")
            if replacement is not None:
                self._ask(replacement, reserve=True)

    def _dues(self, asked: _Asked) -> tuple[float | None, float | None]:
        """When something is to be done about a silent call, as far as it was not done: a reserve asked, the call given up.
        Research has no usual time.
        """
        if asked.research:
            return None, None
        about = (asked.seat.model, asked.began, asked.beside)
        overdue = self._waiting.overdue_at(*about)
        hedge = None if asked.hedged else self._waiting.hedge_at(*about)
        return hedge, None if asked.given_up == overdue else overdue

    def _given_up(self, now: float) -> bool:
        """Ask reserves beside the members that take long; whether nobody is left who is worth waiting for."""
        waited_for = False
        for asked in list(self._tasks.values()):
            hedge, overdue = self._dues(asked)
            if hedge is not None and now >= hedge:
                asked.hedged = True
                replacement = _reserve(self._run, self._reserves, asked.seat, "beside")
                if replacement is not None:
                    self._ask(replacement, reserve=True, beside=asked.seat.model)
                    waited_for = True
            if overdue is not None and now >= overdue:
                asked.given_up = overdue
            elif overdue is not None or asked.given_up is None:
                waited_for = True
        return bool(self._tasks) and not waited_for


@dataclass(slots=True)
class _Asked:
    """A call under way: for which seat, since when, whether with web tools, beside which slow model; whether a reserve was
    asked beside it in turn, and the time at which it was overdue.
    """

    seat: Seat
    began: float
    research: bool
    beside: str | None = None
    hedged: bool = False
    given_up: float | None = None


def usable(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers to work from: the whole ones, else the truncated ones."""
    whole = tuple(answer for answer in answers if answer.status == "ok")
    return whole or tuple(answer for answer in answers if answer.status == "truncated" and answer.text.strip())


def labelled(answers: Sequence[Answer], order: Sequence[int]) -> tuple[Answer, ...]:
    """The answers in a shuffled order under blind labels A, B, C, ..."""
    return tuple(replace(answers[position], label=chr(ord("A") + n)) for n, position in enumerate(order))


def _salvaged(run: Run, answers: Sequence[Answer], drafts: Mapping[tuple[int, str], Draft]) -> list[Answer]:
    """The answers, with the drafts of those that came to no end, where nobody gave a whole one."""
    if not drafts or any(answer.status == "ok" for answer in answers):
        return list(answers)
    return [_from_draft(run, answer, drafts.get((answer.member, answer.model))) for answer in answers]


def _from_draft(run: Run, answer: Answer, draft: Draft | None) -> Answer:
    text = "" if draft is None else draft.text
    if answer.status not in ("cancelled", "timeout", "error") or len(text.strip()) < SALVAGE_CHARS:
        return answer
    if outcomes.status_of(text, "length") != "truncated":
        return answer
    run.recorder.step("panel", "salvaged", f"{answer.model}: {len(text)} characters of an answer that did not end")
    run.recorder.outcomes[answer.member] = "truncated"
    return replace(answer, status="truncated", text=text)


def _able(run: Run, seats: Sequence[Seat]) -> tuple[Seat, ...]:
    prompt_tokens = conversation_tokens(run.request.messages, run.request.tools)
    images = any(has_image(message) for message in run.request.messages)
    able = []
    for seat in seats:
        why = member.cannot_serve(run, seat.model, prompt_tokens, images=images)
        if why is None:
            able.append(seat)
        else:
            run.client.leave_out(member.call_for(run, seat, max_tokens=None, timeout_seconds=None), why)
            run.recorder.step("panel", "left_out", f"{seat.model}: {why}")
    return tuple(able)


def _affordable(run: Run, seats: tuple[Seat, ...]) -> tuple[tuple[Seat, ...], int | None]:
    """The seats that the money covers, and how much each may write. A panel of several shrunk to one is no panel."""
    left = run.meter.usd_left()
    prompt_tokens = conversation_tokens(run.request.messages, run.request.tools)
    limit = run.config.limits.max_completion_tokens
    prices = [run.models.price(seat.model) for seat in seats]
    kept, max_tokens = fitting(prices, prompt_tokens, limit, None if left is None else left * PANEL_SHARE)
    if len(kept) < len(seats):
        for position, seat in enumerate(seats):
            if position not in kept:
                run.client.leave_out(member.call_for(run, seat, max_tokens=None, timeout_seconds=None), "over_limit")
        run.recorder.step("panel", "shrunk", f"{len(kept)} of {len(seats)} members fit under the cost ceiling")
        if len(kept) < min(2, len(seats)):
            return (), max_tokens
    return tuple(seats[position] for position in kept), max_tokens


def _reserve(run: Run, reserves: list[str], seat: Seat, how: str) -> Seat | None:
    """The next reserve that can serve, for a seat that failed or beside one that is silent."""
    prompt_tokens = conversation_tokens(run.request.messages, run.request.tools)
    images = any(has_image(message) for message in run.request.messages)
    while reserves:
        model = reserves.pop(0)
        if member.cannot_serve(run, model, prompt_tokens, images=images) is None:
            run.recorder.step("panel", "reserve", f"{model} {how} {seat.model}")
            return Seat(seat.number, model, {}, seat.instructions, seat.tools)
    return None


async def _tell(run: Run, answer: Answer, count: str) -> None:
    outcome = "answered" if answer.status == "ok" else answer.status.replace("_", " ")
    await run.emit(News(f"{answer.model} {outcome} after {answer.seconds:.1f} s ({count})"))
