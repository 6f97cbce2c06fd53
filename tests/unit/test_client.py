"""The one door to LiteLLM: what goes out, what comes back, and that nothing stays open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import LONG, Say, Scripted, run_of, server_error

from litellm_fusion.client import Identity
from litellm_fusion.errors import CallFailed, LimitExceeded
from litellm_fusion.types import Call, Completion

CALL = Call("member", "a", ({"role": "user", "content": "Hi"},), {"temperature": 0.5}, member=1, max_completion_tokens=100)


def _router() -> Scripted:
    return Scripted("a", "b")


def _run(router: Scripted, **more: Any) -> Any:
    return run_of(router, {"panel": ["a", "b"], **more.pop("config", {})}, **more)


async def test_a_call_is_settled_with_its_real_cost() -> None:
    router = _router()
    run = _run(router)
    before = run.meter.usd_left()
    await run.client.complete(CALL)
    assert run.meter.usd_left() == pytest.approx(before - 0.001)
    (span,) = run.recorder.spans
    assert (span.status, span.cost_usd, span.prompt_tokens, span.completion_tokens) == ("ok", 0.001, 10, 20)
    assert span.served_by == "a-2026"


async def test_an_unknown_cost_is_none_and_counts_as_its_worst_case() -> None:
    router = _router()
    router.says("a", Say(cost=None))
    run = _run(router)
    before = run.meter.usd_left()
    await run.client.complete(CALL)
    assert run.recorder.spans[0].cost_usd is None
    assert run.recorder.cost_usd() is None
    assert run.meter.usd_left() < before


async def test_every_call_gets_metadata_of_its_own() -> None:
    router = _router()
    shared = {"user_api_key_alias": "k", "tags": ["t"], "spend_logs_metadata": {"own": 1}}
    run = _run(router, identity=Identity(shared, {"litellm_trace_id": "trace"}))
    await run.client.complete(CALL)
    await run.client.complete(CALL)
    first, second = (call["metadata"] for call in router.asked)
    assert first is not second
    assert first == second
    assert first["spend_logs_metadata"] == {
        "own": 1, "fusion_model": "fusion/test", "fusion_trace_id": run.recorder.id, "fusion_role": "member"}  # fmt: skip
    assert shared["spend_logs_metadata"] == {"own": 1}
    assert router.asked[0]["litellm_trace_id"] == "trace"


@pytest.mark.parametrize(("role", "marked"), [("synthesizer", True), ("member", False), ("judge", False), ("direct", False)])
async def test_only_the_synthesis_carries_litellms_internal_origin(role: Any, marked: bool) -> None:
    router = _router()
    await _run(router).client.complete(Call(role, "a", CALL.messages))
    assert ("internal_call_origin" in router.asked[0]["metadata"]) is marked


async def test_the_limit_lowers_what_a_call_may_write_and_never_raises_it() -> None:
    router = _router()
    run = _run(router)
    await run.client.complete(CALL)
    await run.client.complete(Call("member", "a", CALL.messages, {"max_tokens": 7}, max_completion_tokens=100))
    assert [call["max_tokens"] for call in router.asked] == [100, 7]


async def test_a_call_over_the_limit_is_never_made() -> None:
    router = Scripted("a", "b", info={"a": {"input_cost_per_token": 1.0, "output_cost_per_token": 1.0}})
    run = _run(router)
    with pytest.raises(LimitExceeded):
        await run.client.complete(CALL)
    assert router.asked == []
    assert run.recorder.spans[0].status == "over_limit"


async def test_a_failure_leaves_as_one_typed_word() -> None:
    router = _router()
    router.says("a", server_error())
    run = _run(router)
    with pytest.raises(CallFailed, match=r"^server_error$") as caught:
        await run.client.complete(CALL)
    assert "secret-host" not in str(caught.value)
    assert (run.recorder.spans[0].status, run.recorder.spans[0].error) == ("error", "server_error")
    assert run.meter.usd_left() == pytest.approx(1.0)


async def test_the_timeout_is_ours_to_enforce() -> None:
    router = _router()
    router.says("a", Say(delay_seconds=5))
    run = _run(router)
    with pytest.raises(CallFailed, match="timeout"):
        await run.client.complete(Call("member", "a", CALL.messages, timeout_seconds=0.05))
    assert run.recorder.spans[0].status == "timeout"


async def test_cancellation_passes_and_is_noted() -> None:
    router = _router()
    router.says("a", Say(delay_seconds=5))
    run = _run(router)
    task = asyncio.create_task(run.client.complete(CALL))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run.recorder.spans[0].status == "cancelled"
    assert router.running == 0


async def test_a_stream_ends_with_its_completion_and_closes_its_source() -> None:
    router = _router()
    run = _run(router)
    items = [item async for item in run.client.stream(CALL)]
    assert isinstance(items[-1], Completion)
    assert items[-1].text == LONG
    assert run.recorder.spans[0].status == "ok"
    assert run.recorder.spans[0].first_token_seconds is not None
    assert router.closed == ["a"]


async def test_a_stream_left_early_closes_its_source() -> None:
    router = _router()
    run = _run(router)
    stream = run.client.stream(CALL)
    await anext(stream)
    await stream.aclose()
    assert router.closed == ["a"]
    assert run.recorder.spans[0].status == "cancelled"


async def test_an_inner_response_is_never_changed() -> None:
    router = _router()
    run = _run(router)
    completion = await run.client.complete(CALL)
    before = completion.response.model_dump_json()
    from litellm_fusion import outlet
    from litellm_fusion.types import Reply

    outlet.response(Reply(response=completion.response), "fusion/test", 5, {"id": "x"})
    assert completion.response.model_dump_json() == before
    assert completion.response._hidden_params["response_cost"] == 0.001


async def test_sensitive_text_takes_no_fallback() -> None:
    router = _router()
    run = _run(router)
    run.client._private = True
    await run.client.complete(CALL)
    assert router.asked[0]["disable_fallbacks"] is True
