"""Nothing is left behind: clients that go, runs that fail, and what LiteLLM logs of them."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from ask import QUESTION, chat
from provider import Provider, Reply
from proxy import Proxy

BODY = {"model": "fusion/all", "messages": [{"role": "user", "content": QUESTION}]}


def _spy(proxy: Proxy, path: str) -> Any:
    with proxy.client() as client:
        return client.get(f"/spy/{path}").json()


def _settled(provider: Provider, proxy: Proxy) -> tuple[int, dict[str, int]]:
    """Open provider calls and our live tasks, once they have had time to end."""
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        state = _spy(proxy, "tasks")
        if provider.open == 0 and state["ours"] == 0 and state["generators"] == 0:
            break
        time.sleep(0.1)
    return provider.open, _spy(proxy, "tasks")


def test_a_client_that_leaves_a_stream_ends_its_run(proxy: Proxy, provider: Provider) -> None:
    for name in ("m1", "m2", "m3"):
        provider.script(name, Reply(hang=True))
    with proxy.client() as client, client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as got:
        lines = got.iter_lines()
        assert next(lines).startswith("data: ")
        while len(provider.requests) < 3:
            next(lines)
    still_open, state = _settled(provider, proxy)
    assert (still_open, state["ours"], state["generators"]) == (0, 0, 0)
    assert provider.asked("judge") == []


def test_a_client_that_leaves_a_plain_request_ends_its_run(proxy: Proxy, provider: Provider) -> None:
    for name in ("m1", "m2", "m3"):
        provider.script(name, Reply(hang=True))
    with proxy.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json=BODY, timeout=1.0)
    still_open, state = _settled(provider, proxy)
    assert (still_open, state["ours"], state["generators"]) == (0, 0, 0)
    assert provider.asked("judge") == []


def test_a_client_that_leaves_in_mid_answer_ends_the_synthesizer(proxy: Proxy, provider: Provider) -> None:
    provider.script("synth", Reply(text="word " * 400, chunk_delay_seconds=0.05))
    with proxy.client() as client, client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as got:
        for line in got.iter_lines():
            if '"content":"word' in line.replace(" ", ""):
                break
    still_open, state = _settled(provider, proxy)
    assert (still_open, state["ours"], state["generators"]) == (0, 0, 0)


@pytest.mark.parametrize("stream", [False, True])
def test_runs_of_every_kind_leave_no_task_and_no_generator(proxy: Proxy, provider: Provider, stream: bool) -> None:
    chat(proxy, stream=stream)
    provider.script("m3", Reply(hang=True))
    chat(proxy, stream=stream)
    provider.script("synth", Reply(status=500))
    chat(proxy, stream=stream)
    provider.script("synth", Reply(text="word " * 60, cut_after=30))
    chat(proxy, stream=stream)
    for name in ("m1", "m2", "m3", "m4"):
        provider.script(name, Reply(status=500))
    chat(proxy, stream=stream)
    still_open, state = _settled(provider, proxy)
    assert (still_open, state["ours"], state["generators"]) == (0, 0, 0)


@pytest.mark.parametrize("stream", [False, True])
def test_inner_rows_carry_the_money_and_the_outer_row_costs_nothing(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("synth", "After weighing both, buying is the better choice for a small company in most cases.")
    got = chat(proxy, stream=stream)
    trace_id = got.headers["x-fusion-trace-id"]
    rows: list[dict[str, Any]] = []
    ends = time.monotonic() + 10
    while len(rows) < 6 and time.monotonic() < ends:
        time.sleep(0.2)
        rows = [row for row in _spy(proxy, "rows") if trace_id in str(row["spend_logs_metadata"])]
    inner = [row for row in rows if row["spend_logs_metadata"].get("fusion_role")]
    outer = [row for row in rows if "fusion" in row["spend_logs_metadata"]]
    assert sorted(row["spend_logs_metadata"]["fusion_role"] for row in inner) == [
        "judge", "member", "member", "member", "synthesizer"]  # fmt: skip
    assert [row["cost"] for row in outer] == [0.0]
    assert sum(row["cost"] for row in inner) == pytest.approx(got.trace["totals"]["cost_usd"], abs=1e-12)
    assert len({row["trace_id"] for row in rows}) == 1
    assert outer[0]["spend_logs_metadata"]["fusion"]["totals"]["calls"] == 5
    assert len({row["id"] for row in rows}) == 6
