"""With LiteLLM's cache on: answers are shared by equal requests alone, cost nothing, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ask import QUESTION, chat
from provider import Provider
from proxy import Proxy, config, fusion

FAST = {"grace_seconds": 0.2}
OPEN = {
    "panel": ["m1", "m2", "m3", "m4"], "judge.criteria": True, "judge.model": ["judge", "judge2"],
    "synthesizer.model": ["synth2"],
    "synthesizer.instructions": True, "aggregate": True, "limits": True, "client_trace": True, "progress": True,
    "preset": ["research"], "mode": ["force"],
}  # fmt: skip


@pytest.fixture(scope="module")
def cached(_provider: Provider) -> Iterator[Proxy]:
    models = [
        fusion("fusion/open", limits=FAST, overrides=OPEN),
        fusion("fusion/other", limits=FAST, panel=["m1", "m2"]),
        fusion("fusion/direct", direct="solo", policy=[{"use": "direct"}]),
    ]
    running = Proxy(config(_provider.base_url, models, cache=True, cache_params={"type": "local"}))
    yield running
    running.stop()


def _spy(proxy: Proxy) -> list[dict[str, Any]]:
    with proxy.client() as client:
        return list(client.get("/spy/rows").json())


SETTINGS: tuple[dict[str, Any], ...] = (
    {"panel": ["m1", "m2"]}, {"panel": ["m1", "m2", "m4"]}, {"judge": {"criteria": "brevity"}}, {"judge": "judge2"},
    {"synthesizer": {"model": "synth2"}}, {"synthesizer": {"instructions": "In verse."}}, {"aggregate": "best_of"},
    {"limits": {"max_completion_tokens": 300}}, {"limits": {"max_cost_usd": 0.5}}, {"limits": {"quorum": 2}},
    {"client_trace": "summary"}, {"preset": "research"},
)  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_requests_that_differ_in_a_fusion_setting_share_no_answer(
    cached: Proxy, provider: Provider, settings: dict[str, Any]
) -> None:
    question = f"{QUESTION} {settings}"
    assert chat(cached, "fusion/open", question).headers["x-fusion-route"] == "fused"
    provider.reset()
    got = chat(cached, "fusion/open", question, fusion=settings)
    assert (got.status, got.headers.get("x-fusion-cache")) == (200, None), got.body
    assert provider.requests
    assert chat(cached, "fusion/open", question, fusion=settings).headers["x-fusion-cache"] == "hit"


def test_models_share_no_answer(cached: Proxy, provider: Provider) -> None:
    chat(cached, "fusion/open", "Compare: models share no answer.")
    provider.reset()
    assert "x-fusion-cache" not in chat(cached, "fusion/other", "Compare: models share no answer.").headers
    assert provider.requests


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["fusion/open", "fusion/direct"])
def test_a_cached_answer_costs_nothing_and_says_so(cached: Proxy, provider: Provider, model: str, stream: bool) -> None:
    question = f"Compare: a cached answer {model} {stream}."
    first = chat(cached, model, question, stream=stream)
    provider.reset()
    before = len(_spy(cached))
    got = chat(cached, model, question, stream=stream)
    assert got.text == first.text
    assert provider.requests == []
    assert (got.headers["x-fusion-cache"], got.headers["x-fusion-cost-usd"]) == ("hit", "0.000000")
    assert float(got.headers.get("x-litellm-response-cost") or 0.0) == 0.0
    assert [row["cost"] for row in _spy(cached)[before:]] in ([], [0.0])


def test_a_hit_gives_every_caller_a_trace_id_of_their_own(cached: Proxy, provider: Provider) -> None:
    ids = {chat(cached, "fusion/open", "Compare: trace ids.").headers["x-fusion-trace-id"] for _ in range(3)}
    assert len(ids) == 3


def test_two_seats_of_one_model_are_two_calls(cached: Proxy, provider: Provider) -> None:
    chat(cached, "fusion/open", "Compare: two seats.", fusion={"panel": ["m1", "m1"]})
    assert len(provider.asked("m1")) == 2


def test_a_request_may_ask_for_no_cache(cached: Proxy, provider: Provider) -> None:
    for _ in range(2):
        provider.reset()
        got = chat(cached, "fusion/open", "Compare: no cache.", cache={"no-cache": True, "no-store": True})
        assert "x-fusion-cache" not in got.headers
        assert {"m1", "m2", "m3"} <= {seen.model for seen in provider.requests}
