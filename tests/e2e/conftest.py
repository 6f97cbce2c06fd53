"""A proxy with a database, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import bank
import pytest
from provider import Provider
from proxy import Proxy, config, fusion, fusion_models, member

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
        member("as-dear", _provider.base_url, input_cost_per_token=16e-6, output_cost_per_token=16e-6),
    ]
    running = Proxy(bank.with_database(config(_provider.base_url, own)), bank.environment())
    yield running
    running.stop()
