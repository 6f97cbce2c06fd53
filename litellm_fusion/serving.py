"""Plan → run → outcome, with one outer `except`: whatever happens in a run ends as an answer or as a typed error."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from litellm_fusion import direct, metrics, sinks
from litellm_fusion.bursts import joined
from litellm_fusion.client import Client, Identity
from litellm_fusion.config import Tools
from litellm_fusion.context import Plan, inside
from litellm_fusion.errors import CallFailed, FusionError, Overloaded, RunFailed, origin
from litellm_fusion.fusion import fuse
from litellm_fusion.gate import GATE
from litellm_fusion.limits import Hold, Meter
from litellm_fusion.models import Models
from litellm_fusion.registry import REGISTRY
from litellm_fusion.run import Run
from litellm_fusion.trace import record
from litellm_fusion.types import UNLIMITED, Event, News, Reply, Request
from litellm_fusion.web.browser import Browser

log = logging.getLogger("litellm_fusion")
KEEP_ALIVE_SECONDS = 8.0
metrics.watch_running(lambda: GATE.running)


def prepare(plan: Plan, request: Request, router: Any, identity: Identity, timeout_seconds: float | None) -> Run:
    """Everything a run of this plan needs. `timeout_seconds` is the client's own, which may only shorten the deadline."""
    limits = plan.config.limits
    models = Models(router)
    bounds = [bound for bound in (plan.recorder.limits.get("deadline_seconds"), timeout_seconds) if bound is not None]
    budget = plan.caller.budget_left_usd
    meter = Meter(
        max_cost_usd=limits.max_cost_usd,
        budget_left_usd=None if budget in (None, UNLIMITED) else budget,
        deadline_seconds=min(bounds) if bounds else None,
        refuse_unknown_price=plan.layers.ceiling_written or "max_cost_usd" in plan.decision.overrides.get("limits", {}),
    )
    for span in plan.recorder.spans:  # what deciding has cost already
        meter.settle(Hold(0.0, None), span.cost_usd or 0.0)
    client = Client(router, models, meter, plan.recorder, identity, private=plan.private, purse=plan.purse)
    tools = _tools(plan)
    return Run(
        request, plan.config, plan.lineup, meter, plan.recorder, client, models, plan.private,
        tools, None if tools is None else Browser(tools),
    )  # fmt: skip


def _tools(plan: Plan) -> Tools | None:
    """What members may use of the web: nothing where the text is sensitive, no search that the caller's key may not use."""
    tools = plan.config.tools
    if not isinstance(tools, Tools) or not tools.on or plan.private or plan.decision.use != "fuse":
        return None
    if plan.search_refused:
        tools = tools.model_copy(update={"web_search": None})
    return tools if tools.on else None


async def answer(plan: Plan, run: Run) -> Reply:
    """The reply of one run, made once: a second entry gets the first one's failure. Raises FusionError only."""
    if plan.failure is not None:
        raise plan.failure
    try:
        if plan.decision.use != "fuse":
            return await direct.answer(run)
        return await _placed(plan, run)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        plan.failure = _typed(plan, error)
        raise plan.failure from error
    finally:
        if run.browser is not None:
            await run.browser.aclose()
        plan.recorder.direct_cost_usd = _direct_cost(run)
        plan.recorder.seconds = time.monotonic() - plan.recorder.started
        sinks.tell(record(plan.recorder))


def _direct_cost(run: Run) -> float | None:
    """What the direct call would have cost, estimated: its price for the conversation and for the answer's length."""
    price = run.models.price(run.lineup.direct) if run.lineup.direct else None
    spans = [span for span in run.recorder.spans if span.role in ("synthesizer", "direct", "member") and span.completion_tokens]
    prompts = [span.prompt_tokens for span in spans if span.role != "synthesizer" and span.prompt_tokens]
    if price is None or not prompts:
        return None
    return price.cost(min(prompts), spans[-1].completion_tokens or 0)


def full(plan: Plan) -> bool:
    """Whether a run of this plan would find no place now."""
    return GATE.full(REGISTRY.settings(), _key(plan))


def _key(plan: Plan) -> str:
    return plan.caller.key_alias or plan.caller.user_id or ""


async def _placed(plan: Plan, run: Run) -> Reply:
    settings = REGISTRY.settings()
    try:
        async with GATE.place(settings, _key(plan), run.meter.seconds_left()):
            return await fuse(run)
    except Overloaded:
        if settings.when_full != "direct":
            raise
    plan.recorder.route = "degraded"
    plan.recorder.step("run", "direct", "every place for a fused run is taken")
    return await direct.answer(run)


def _typed(plan: Plan, error: Exception) -> FusionError:
    if isinstance(error, CallFailed):
        spans = (span for span in plan.recorder.spans if span.role == "member")
        members = ", ".join(f"{span.model}: {span.error or span.status}" for span in spans)
        failed = RunFailed(error, members)
        failed.__cause__ = error
        return failed
    if isinstance(error, FusionError):
        return error
    log.error("fusion.run %s failed: %s", plan.recorder.id, origin(error))
    plan.recorder.step("run", "failed", type(error).__name__)
    return FusionError("the fused run failed on an error of its own")


async def events(make: Callable[[Callable[[Event], Any]], Any]) -> AsyncIterator[Event]:
    """The events of a run as they come, those that came at once joined; a keep-alive when nothing came for
    KEEP_ALIVE_SECONDS. The last one is the Reply. Closing the iterator cancels the run and waits until it is gone.

    The run is a task with a context of its own, so that everything it calls knows to be inside a fused run.
    """
    # Unbounded on purpose: one answer is bounded by its tokens, and a reader who is gone cancels the run.
    queue: asyncio.Queue[Event | None] = asyncio.Queue()

    async def drive() -> None:
        await queue.put(await make(queue.put))

    task = asyncio.create_task(drive(), context=inner_context())
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    came = [await queue.get()]
            except TimeoutError:
                yield News()
                continue
            while not queue.empty():
                came.append(queue.get_nowait())
            for event in joined(event for event in came if event is not None):
                yield event
            if came[-1] is None:
                break
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def inner_context() -> contextvars.Context:
    """A copy of this context in which a fusion model refuses to run again."""
    context = contextvars.copy_context()
    context.run(inside.set, True)
    return context
