"""A proxy with a database, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import bank
import pytest
from provider import Provider
from proxy import AGENT, Proxy, config, fusion, fusion_models, member

FAST = {"grace_seconds": 0.2}


@pytest.fixture(scope="session")
def stored(_provider: Provider) -> Iterator[Proxy]:
    """One proxy with a Postgres for the whole session."""
    nearly_out = [{"name": "nearly-out", "when": "budget_left_usd < 0.01", "use": "direct"}, {"use": "fuse"}]
    own = [
        *fusion_models(),
        fusion("fusion/direct", direct="solo", policy=[{"use": "direct"}]),
        fusion("fusion/metered", direct="solo", limits=FAST, policy=nearly_out),
        fusion("fusion/short", direct="solo", limits={**FAST, "max_completion_tokens": 200}),
        fusion("fusion/resumed", policy=AGENT, limits=FAST),
        fusion("fusion/named", limits=FAST, overrides={"panel": ["m1", "m2", "m3"], "client_trace": True}),
        fusion(
            "fusion/frail",
            panel=["frail", "m2"],
            judge="frail",
            synthesizer="frail",
            limits=FAST,
            trusted_models=["frail", "m2"],
        ),
        fusion("fusion/frail-direct", direct="frail", policy=[{"use": "direct"}], trusted_models=["frail"]),
        member("frail", _provider.base_url),
        member("as-dear", _provider.base_url, input_cost_per_token=16e-6, output_cost_per_token=16e-6),
    ]
    made = bank.with_database(config(_provider.base_url, own))
    made["router_settings"]["fallbacks"] = [{"frail": ["m3"]}]
    for model in made["model_list"]:
        if model["model_name"] in ("m1", "m2"):
            model["model_info"]["access_groups"] = ["cheap"]
    running = Proxy(made, bank.environment())
    yield running
    running.stop()
