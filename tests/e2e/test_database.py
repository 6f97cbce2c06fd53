"""On a real Postgres: virtual keys, a model added at run time, and a bill that adds up."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ask import QUESTION, chat
from provider import Provider, Reply, call
from proxy import Proxy, config, fusion
from web import Web

ENV_FILE = os.environ.get("FUSION_TEST_DATABASE_ENV", "")
SEARCH_USD = 0.005
ONCE = secrets.token_hex(4)
"""Names that an earlier run on the same database cannot have taken."""
pytestmark = pytest.mark.skipif(not ENV_FILE, reason="FUSION_TEST_DATABASE_ENV names no environment with a Postgres")


@pytest.fixture(scope="module")
def stored(_provider: Provider, _web: Web) -> Iterator[Proxy]:
    """A proxy with a database."""
    printed = subprocess.run(["/bin/bash", "-c", f". {ENV_FILE}; env -0"], capture_output=True, check=True).stdout.decode()
    env = dict(line.split("=", 1) for line in printed.split("\0") if "=" in line)
    wanted = {key: env[key] for key in env if key.startswith(("PRISMA_", "DATABASE_", "DISABLE_SCHEMA")) or key == "PATH"}
    own = {
        "panel": ["m1"],
        "client_trace": "full",
        "tools": {"web_search": "sx", "web_fetch": True, "allow_private": [_web.host]},
    }
    models = [fusion("fusion/all", limits={"grace_seconds": 0.2}), fusion("fusion/web", **own)]
    made = config(_provider.base_url, models)
    made["search_tools"] = [
        {"search_tool_name": "sx", "litellm_params": {"search_provider": "searxng", "api_base": _web.base_url}}
    ]
    made["general_settings"] |= {"store_model_in_db": True, "disable_prisma_schema_update": True}
    running = Proxy(made, {**wanted, "PROXY_BATCH_WRITE_AT": "1", "FUSION_TEST_SEARCH_USD": str(SEARCH_USD)})
    yield running
    running.stop()


def _post(proxy: Proxy, path: str, body: dict[str, Any]) -> dict[str, Any]:
    with proxy.client() as client:
        response = client.post(path, json=body)
        assert response.status_code == 200, response.text
        return dict(response.json())


def _rows(proxy: Proxy, key: str, count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    ends = time.monotonic() + 60
    while len(rows) < count and time.monotonic() < ends:
        time.sleep(1)
        with proxy.client() as client:
            rows = client.get("/spend/logs", params={"api_key": key}).json()
    return rows


def test_a_model_added_at_run_time_serves_a_key_that_may_use_it_alone(stored: Proxy, provider: Provider) -> None:
    own = {"panel": ["m1", "m2"], "judge": "off", "policy": [{"use": "fuse"}], "client_trace": "full"}
    params = {"model": "fusion/general", "fusion_config": own}
    _post(stored, "/model/new", {"model_name": f"fusion/added-{ONCE}", "litellm_params": params})
    key = _post(
        stored, "/key/generate", {"models": [f"fusion/added-{ONCE}"], "max_budget": 1, "key_alias": f"added-only-{ONCE}"}
    )["key"]
    for stream in (False, True):
        got = chat(stored, f"fusion/added-{ONCE}", stream=stream, key=key)
        assert got.headers["x-fusion-route"] == "fused"
        assert "key_alias" not in got.trace["decision"]["signals"]
    assert chat(stored, "m1", key=key).status == 403


def test_a_bad_config_added_at_run_time_is_a_503_when_used(stored: Proxy, provider: Provider) -> None:
    params = {"model": "fusion/general", "fusion_config": {"panle": ["m1"]}}
    _post(stored, "/model/new", {"model_name": f"fusion/bad-{ONCE}", "litellm_params": params})
    got = chat(stored, f"fusion/bad-{ONCE}")
    assert (got.status, got.error["type"]) == (503, "fusion_config_invalid")


def test_rows_key_spend_and_traces_agree(stored: Proxy, provider: Provider) -> None:
    key = _post(stored, "/key/generate", {"max_budget": 1, "key_alias": f"billed-{ONCE}"})["key"]
    total, count = 0.0, 0
    for stream in (False, True):
        for broken in (False, True):
            provider.script("m2", Reply(status=500) if broken else "m2 says: the first option, for its lower running costs.")
            got = chat(stored, "fusion/all", QUESTION, stream=stream, key=key)
            assert got.status == 200
            total += got.trace["totals"]["cost_usd"]
            # LiteLLM writes no row for a failed inner call, which cost nothing.
            count += sum(span["status"] == "ok" for span in got.trace["spans"]) + 1
    rows = _rows(stored, key, count)
    assert len(rows) == count
    assert len({row["request_id"] for row in rows}) == count
    assert {row["metadata"]["user_api_key_alias"] for row in rows} == {f"billed-{ONCE}"}
    assert len({row["session_id"] for row in rows}) == 4
    assert sum(row["spend"] for row in rows) == pytest.approx(total, abs=1e-9)
    spend = 0.0
    ends = time.monotonic() + 60
    while abs(spend - total) > 1e-9 and time.monotonic() < ends:
        time.sleep(1)
        with stored.client() as client:
            spend = client.get("/key/info", params={"key": key}).json()["info"]["spend"]
    assert spend == pytest.approx(total, abs=1e-9)


def _researches(provider: Provider, web: Web) -> None:
    calls = (call("web_search", query="solar"), call("web_fetch", url=web.url("/solar/1")))
    provider.script("m1", Reply(tool_calls=calls), "Solar it is, as the first study says [1], for these regions at least.")


def test_searches_are_paid_by_the_callers_key(stored: Proxy, provider: Provider, web: Web) -> None:
    key = _post(stored, "/key/generate", {"max_budget": 1, "key_alias": f"searcher-{ONCE}"})["key"]
    _researches(provider, web)
    got = chat(stored, "fusion/web", f"What does {web.url('/solar/1')} say?", key=key)
    assert got.status == 200, got.body
    roles = [span["role"] for span in got.trace["spans"]]
    assert sorted(roles) == ["fetch", "member", "member", "search"]
    rows = _rows(stored, key, 4)
    by_role = {row["metadata"]["spend_logs_metadata"].get("fusion_role"): row for row in rows}
    assert by_role["search"]["spend"] == pytest.approx(SEARCH_USD)
    assert by_role["search"]["call_type"] == "asearch"
    assert {row["metadata"]["user_api_key_alias"] for row in rows} == {f"searcher-{ONCE}"}
    assert sum(row["spend"] for row in rows) == pytest.approx(got.trace["totals"]["cost_usd"], abs=1e-9)
    outer = by_role[None]["metadata"]["spend_logs_metadata"]["fusion"]
    assert [span["role"] for span in outer["spans"]] == roles
    assert len({row["session_id"] for row in rows}) == 1


def test_a_search_tool_that_is_closed_to_a_key_is_closed_to_its_members(stored: Proxy, provider: Provider, web: Web) -> None:
    body = {"key_alias": f"closed-{ONCE}", "object_permission": {"search_tools": ["another"]}}
    key = _post(stored, "/key/generate", body)["key"]
    provider.script("m1", "From what I know: yes, in most of the cases that were looked at.")
    got = chat(stored, "fusion/web", "Tell me about solar.", key=key)
    assert got.status == 200, got.body
    assert ("tools", "search_refused") in got.steps
    offered = [tool["function"]["name"] for tool in provider.asked("m1")[0]["tools"]]
    assert offered == ["web_fetch"]
    assert web.searches == []
