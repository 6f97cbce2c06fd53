"""One model answers, natively: where a request does not fuse, or can't."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from litellm_fusion import params
from litellm_fusion.errors import CallFailed, PrivateModelUnavailable, StreamBroken
from litellm_fusion.lineup import sole
from litellm_fusion.responses import has_substance
from litellm_fusion.run import Run, punctual
from litellm_fusion.thinking import replayed
from litellm_fusion.types import Call, Completion, Delta, Reply

LEAST_SECONDS = 2.0
"""What the direct model gets when fusing is given up, however late it is."""


async def answer(run: Run, *, instead: bool = False) -> Reply:
    """The direct model's own answer to the client's own request. Raises CallFailed with LiteLLM's error behind it.

    `instead` of a fused answer it must come before the run's deadline; otherwise it has the time that it has without fusion.
    """
    model = run.lineup.direct
    if not model:
        raise PrivateModelUnavailable("no trusted model can take this request")
    client, _ = params.for_synthesizer(run.request.params, None)
    if run.request.tools:
        client["tools"] = [dict(tool) for tool in run.request.tools]
    reader = run.models.reader(model, sole=sole(run.config, run.lineup, model))
    messages = tuple(replayed(run.request.messages, reader))
    call = Call("direct", model, messages, client)
    if instead and not run.request.stream:
        left = run.meter.seconds_left()
        call = replace(call, timeout_seconds=None if left is None else max(left, LEAST_SECONDS))
    try:
        return await (_streamed(run, call, instead=instead) if run.request.stream else _whole(run, call))
    except CallFailed as error:
        if run.private:
            raise PrivateModelUnavailable(f"{model} did not answer: {error.kind}") from error
        raise


async def _whole(run: Run, call: Call) -> Reply:
    completion = await run.client.complete(call)
    return Reply(
        text=completion.text, response=completion.response, finish_reason=completion.finish_reason,
        usage=completion.usage,
    )  # fmt: skip


async def _streamed(run: Run, call: Call, *, instead: bool) -> Reply:
    completion: Completion | None = None
    sent = False
    try:
        async with aclosing(run.client.stream(call)) as stream:  # type: ignore[type-var]
            async for item in punctual(run, stream, LEAST_SECONDS) if instead else stream:
                if isinstance(item, Completion):
                    completion = item
                elif has_substance(item):
                    sent = True
                    await run.emit(Delta(item))
    except CallFailed as error:
        if sent:
            raise StreamBroken(error.kind) from error
        raise
    if completion is None:
        raise CallFailed("empty")
    return Reply(finish_reason=completion.finish_reason, usage=completion.usage, streamed=True)
