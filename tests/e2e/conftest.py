"""A proxy with a database, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import bank
import pytest
from provider import Provider
from proxy import Proxy, config, fusion, fusion_models

FAST = {"grace_seconds": 0.2}


@pytest.fixture(scope="session")
def stored(_provider: Provider) -> Iterator[Proxy]:
    """One proxy with a Postgres for the whole session."""
    own = [
        *fusion_models(),
        fusion("fusion/direct", direct="solo", policy=[{"use": "direct"}]),
        fusion(
            "fusion/metered",
            direct="solo",
            limits=FAST,
            policy=[{"when": "budget_left_usd < 0.01", "use": "direct"}, {"use": "fuse"}],
        ),
    ]
    running = Proxy(bank.with_database(config(_provider.base_url, own)), bank.environment())
    yield running
    running.stop()
