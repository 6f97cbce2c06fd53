"""Asking the panel: all seats at once, a quorum, a grace for the others, reserves for whoever fails.

Rules that this file owns:
1. Seats that can't serve the request, and the dearest ones that the money doesn't cover, are left out before dispatch.
2. A failed seat is refilled from the reserves, in order, up to the panel's size.
3. When `quorum` usable answers are in, the others get `grace_seconds`, then they are cancelled.
4. A truncated answer is usable only when nothing better came. So is what a late or broken member had written by then,
   where the panel has so little time that its calls are streamed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from litellm_fusion import member, outcomes, vote
from litellm_fusion.client import Draft
from litellm_fusion.config import AUTO, GRACE_LEAST, GRACE_MOST, GRACE_SHARE
from litellm_fusion.desk import Hurry
from litellm_fusion.limits import PANEL_SHARE, fitting
from litellm_fusion.lineup import Seat
from litellm_fusion.room import conversation_tokens, has_image
from litellm_fusion.run import Run
from litellm_fusion.types import Answer, News

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
    timeout = run.seconds_for(PANEL_SHARE, run.config.limits.panel_seconds)
    ends = None if timeout is None else run.meter.elapsed() + timeout
    await run.emit(News(f"asking {len(seats)} model{'s' if len(seats) > 1 else ''}"))
    reserves = list(run.lineup.reserves)
    tasks: dict[asyncio.Task[Answer], Seat] = {}
    drafts: dict[tuple[int, str], Draft] | None = {} if timeout is not None and timeout <= SALVAGE_SECONDS else None
    hurry = Hurry()

    def start(seat: Seat, *, reserve: bool = False) -> None:
        left = None if ends is None else max(ends - run.meter.elapsed(), 0.05)
        answer = member.ask(
            run, seat, max_tokens=max_tokens, share=1.0, timeout_seconds=left, reserve=reserve, hurry=hurry,
            draft=None if drafts is None else drafts.setdefault((seat.number, seat.model), Draft()),
        )  # fmt: skip
        tasks[asyncio.create_task(answer)] = seat

    answers: list[Answer] = []
    grace_ends: float | None = None
    try:
        for seat in seats:
            start(seat)
        while tasks:
            bounds = [bound for bound in (ends, grace_ends) if bound is not None]
            wait = max(min(bounds) - run.meter.elapsed(), 0.0) if bounds else None
            done, _ = await asyncio.wait(tasks, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            for task in done:
                seat = tasks.pop(task)
                answers.append(task.result())
                await _tell(run, answers[-1], f"{len(answers)}/{len(seats)}")
                if answers[-1].status != "ok" and answers[-1].status != "truncated":
                    replacement = _reserve(run, reserves, seat)
                    if replacement is not None:
                        start(replacement, reserve=True)
            usable_now = sum(answer.status == "ok" for answer in answers)
            if grace_ends is None and usable_now >= run.lineup.quorum and tasks:
                grace = _grace(run)
                grace_ends = run.meter.elapsed() + grace
                hurry.begin(grace / 2)  # who still searches answers soon, from what it has
            if run.config.aggregate == "vote" and vote.settled(answers, len(seats)):
                break
    finally:
        late = await _cancel(tasks)
    if late:
        run.recorder.step("panel", "stopped_waiting", f"{len(late)} of {len(seats)} members not in")
    missing = [Answer(seat.number, seat.model, "cancelled") for seat in late]
    every = sorted((*answers, *missing), key=lambda answer: answer.member)
    return tuple(_salvaged(run, every, drafts) if drafts else every)


def usable(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers to work from: the whole ones, else the truncated ones."""
    whole = tuple(answer for answer in answers if answer.status == "ok")
    return whole or tuple(answer for answer in answers if answer.status == "truncated" and answer.text.strip())


def labelled(answers: Sequence[Answer], order: Sequence[int]) -> tuple[Answer, ...]:
    """The answers in a shuffled order under blind labels A, B, C, ..."""
    return tuple(replace(answers[position], label=chr(ord("A") + n)) for n, position in enumerate(order))


def _salvaged(run: Run, answers: Sequence[Answer], drafts: Mapping[tuple[int, str], Draft]) -> list[Answer]:
    """The answers, with the drafts of those that came to no end, where nobody gave a whole one."""
    if any(answer.status == "ok" for answer in answers):
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


def _reserve(run: Run, reserves: list[str], failed: Seat) -> Seat | None:
    """The next reserve that can serve, in the failed seat's place."""
    prompt_tokens = conversation_tokens(run.request.messages, run.request.tools)
    images = any(has_image(message) for message in run.request.messages)
    while reserves:
        model = reserves.pop(0)
        if member.cannot_serve(run, model, prompt_tokens, images=images) is None:
            run.recorder.step("panel", "reserve", f"{model} for {failed.model}")
            return Seat(failed.number, model, {}, failed.instructions, failed.tools)
    return None


def _grace(run: Run) -> float:
    configured = run.config.limits.grace_seconds
    if configured != AUTO:
        return float(configured)
    return min(max(GRACE_SHARE * run.meter.elapsed(), GRACE_LEAST), GRACE_MOST)


async def _tell(run: Run, answer: Answer, count: str) -> None:
    outcome = "answered" if answer.status == "ok" else answer.status.replace("_", " ")
    await run.emit(News(f"{answer.model} {outcome} after {answer.seconds:.1f} s ({count})"))


async def _cancel(tasks: dict[asyncio.Task[Answer], Seat]) -> list[Seat]:
    """Cancel what still runs, and wait until it is gone."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.gather(*tasks, return_exceptions=True)
    return list(tasks.values())
