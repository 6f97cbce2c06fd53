"""A proxy that is killed in the middle of a run: what was spent is in the database, once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from ask import chat
from bank import environment, key, needs_database, role, rows_of_key, settled, spend_of_key, with_database
from provider import Provider, Reply
from proxy import Proxy, config, fusion

pytestmark = needs_database


def test_finished_inner_calls_of_a_killed_proxy_are_billed_once(provider: Provider) -> None:
    made = with_database(config(provider.base_url, [fusion("fusion/all", limits={"grace_seconds": 0.2})]))
    first = Proxy(made, environment())
    token = key(first, max_budget=5)
    provider.script("judge", Reply(hang=True))

    def ask() -> None:
        with suppress(httpx.HTTPError):
            chat(first, "fusion/all", key=token)

    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask)
        try:
            found = settled(lambda: rows_of_key(token), lambda rows: len(rows) >= 3, seconds=40)
            # LiteLLM writes rows and a key's spend in batches of their own: what it has not written yet, a kill loses.
            before = settled(lambda: spend_of_key(first, token), lambda told: told > 0, seconds=40)
        finally:
            first.kill()
        asked.result()
    assert [role(row) for row in found] == ["member"] * 3
    provider.reset()
    second = Proxy(made, environment(), master_key=first.master_key)
    try:
        assert spend_of_key(second, token) == pytest.approx(before, abs=1e-9)
        assert chat(second, "fusion/all", key=token).status == 200
        rows = settled(lambda: rows_of_key(token), lambda rows: len(rows) >= 9)
        time.sleep(2)
        rows = rows_of_key(token)
        assert len(rows) == len({row["request_id"] for row in rows}) == 9
        whole = sum(row["spend"] for row in rows)
        assert before == pytest.approx(sum(row["spend"] for row in found), abs=1e-9)
        told = settled(lambda: spend_of_key(second, token), lambda told: abs(told - whole) < 1e-9)
        assert told == pytest.approx(whole, abs=1e-9)
    finally:
        second.stop()
