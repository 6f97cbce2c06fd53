"""LiteLLM's own log page: a fused request is one session of its calls, from the API that the page reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ask import chat
from bank import hashed, key, needs_database, rows_of_key, settled
from provider import Provider
from proxy import Proxy

pytestmark = needs_database


def _page(stored: Proxy, token: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    bounds = {"start_date": now - timedelta(hours=1), "end_date": now + timedelta(hours=1)}
    params = {name: bound.strftime("%Y-%m-%d %H:%M:%S") for name, bound in bounds.items()}
    with stored.client() as client:
        got = client.get("/spend/logs/ui", params={**params, "page": 1, "page_size": 50, "api_key": hashed(token)})
        return list(got.json()["data"])


@pytest.mark.parametrize("stream", [False, True])
def test_the_log_page_shows_a_fused_request_as_one_session(stored: Proxy, provider: Provider, stream: bool) -> None:
    token = key(stored)
    trace = chat(stored, "fusion/all", key=token, stream=stream).trace
    settled(lambda: rows_of_key(token), lambda rows: len(rows) >= 6)
    shown = _page(stored, token)
    assert {row["session_total_count"] for row in shown} == {6}
    with stored.client() as client:
        opened = client.get("/spend/logs/session/ui", params={"session_id": shown[0]["session_id"]}).json()["data"]
    roles = [(row["metadata"]["spend_logs_metadata"] or {}).get("fusion_role", "outer") for row in opened]
    assert sorted(roles) == ["judge", "member", "member", "member", "outer", "synthesizer"]
    assert sum(row["spend"] for row in opened) == pytest.approx(trace["totals"]["cost_usd"], abs=1e-9)
    assert {row["model_group"] for row in opened} == {"m1", "m2", "m3", "judge", "synth", "fusion/all"}
