"""What whoever is on call sees under LiteLLM's own `/metrics`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from ask import chat
from provider import Provider, Reply
from proxy import Proxy, config, fusion

FAST = {"grace_seconds": 0.2}


@pytest.fixture(scope="module")
def metered(_provider: Provider) -> Iterator[Proxy]:
    models = [
        fusion("fusion/all", limits=FAST), fusion("fusion/direct", direct="solo", policy=[{"name": "plain", "use": "direct"}]),
    ]  # fmt: skip
    made = config(_provider.base_url, models)
    made["litellm_settings"]["callbacks"].insert(0, "prometheus")
    running = Proxy(made)
    yield running
    running.stop()


def _metric(proxy: Proxy, line: str) -> float:
    with proxy.client() as client:
        text = client.get("/metrics/").text
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_runs_calls_cost_and_ladder_are_counted(metered: Proxy, provider: Provider) -> None:
    for stream in (False, True):
        provider.script("m2", Reply(status=500))
        trace = chat(metered, "fusion/all", stream=stream).trace
    assert _metric(metered, 'litellm_fusion_requests_total{model="fusion/all",route="fused",rule="all"}') == 2
    assert _metric(metered, 'litellm_fusion_calls_total{model="m1",role="member",status="ok"}') == 2
    assert _metric(metered, 'litellm_fusion_calls_total{model="m2",role="member",status="error"}') == 2
    cost = _metric(metered, 'litellm_fusion_cost_usd_total{model="fusion/all",route="fused"}')
    assert cost == pytest.approx(2 * trace["totals"]["cost_usd"])
    assert _metric(metered, 'litellm_fusion_seconds_count{model="fusion/all",route="fused"}') == 2
    assert _metric(metered, "litellm_fusion_runs_in_flight") == 0


def test_direct_requests_are_counted(metered: Proxy, provider: Provider) -> None:
    assert chat(metered, "fusion/direct").status == 200
    assert _metric(metered, 'litellm_fusion_requests_total{model="fusion/direct",route="direct",rule="plain"}') == 1


def test_the_ladder_is_counted(metered: Proxy, provider: Provider) -> None:
    provider.script("synth", Reply(status=500))
    assert chat(metered, "fusion/all").status == 200
    assert _metric(metered, 'litellm_fusion_ladder_total{stage="synthesis",step="failed"}') == 1
