"""A member that LiteLLM has in cooldown: nobody waits for it, and a reserve takes its seat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ask import chat
from provider import Provider, Reply
from proxy import Proxy, config, fusion, member


@pytest.fixture(scope="module")
def cooling(_provider: Provider) -> Iterator[Proxy]:
    """A proxy that retries and cools down as LiteLLM does by default; `twice` has two deployments, as cooldowns need."""
    own = [fusion("fusion/cooling", panel=["twice", "m2", "m3"], reserves=["m4"], limits={"quorum": 3})]
    own += [member("twice", _provider.base_url), member("twice", _provider.base_url)]
    made = config(_provider.base_url, own)
    made["router_settings"] = {"num_retries": 2, "allowed_fails": 0, "cooldown_time": 60}
    running = Proxy(made)
    yield running
    running.stop()


def test_a_member_in_cooldown_costs_no_time_and_its_reserve_answers(cooling: Proxy, provider: Provider) -> None:
    provider.script("twice", Reply(status=500))
    for _ in range(3):
        chat(cooling, "fusion/cooling")
    provider.reset()
    got = chat(cooling, "fusion/cooling")
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")
    (left,) = [span for span in got.trace["spans"] if span["model"] == "twice"]
    assert (left["status"], left["error"]) == ("error", "cooldown")
    assert left["seconds"] < 1  # no retry's pause
    assert provider.asked("twice") == []
    assert len(provider.asked("m4")) == 1
