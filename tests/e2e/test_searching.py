"""On a real Postgres: searches are billed to the key that caused them, and closed to whom LiteLLM closes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ask import chat
from bank import environment, hashed, needs_database, role, rows_of_key, settled, with_database
from bank import key as new_key
from provider import Provider, Reply, call
from proxy import Proxy, config, fusion
from web import Web

pytestmark = needs_database
SEARCH_USD = 0.005


@pytest.fixture(scope="module")
def searching(_provider: Provider, _web: Web) -> Iterator[Proxy]:
    """A proxy with a database and a search tool."""
    tools = {"web_search": "sx", "web_fetch": True, "allow_private": [_web.host]}
    made = with_database(config(_provider.base_url, [fusion("fusion/web", panel=["m1"], tools=tools)]))
    search = {"search_provider": "searxng", "api_base": _web.base_url}
    made["search_tools"] = [{"search_tool_name": "sx", "litellm_params": search}]
    running = Proxy(made, {**environment(), "FUSION_TEST_SEARCH_USD": str(SEARCH_USD)})
    yield running
    running.stop()


def _researches(provider: Provider, web: Web) -> None:
    calls = (call("web_search", query="solar"), call("web_fetch", url=web.url("/solar/1")))
    provider.script("m1", Reply(tool_calls=calls), "Solar it is, as the first study says [1], for these regions at least.")


def test_searches_are_paid_by_the_callers_key(searching: Proxy, provider: Provider, web: Web) -> None:
    key = new_key(searching, max_budget=1)
    _researches(provider, web)
    got = chat(searching, "fusion/web", f"What does {web.url('/solar/1')} say?", key=key)
    assert got.status == 200, got.body
    roles = [span["role"] for span in got.trace["spans"]]
    assert sorted(roles) == ["fetch", "member", "member", "search"]
    rows = settled(lambda: rows_of_key(key), lambda rows: len(rows) >= 4)
    by_role = {role(row): row for row in rows}
    assert by_role["search"]["spend"] == pytest.approx(SEARCH_USD)
    assert by_role["search"]["call_type"] == "asearch"
    assert {row["api_key"] for row in rows} == {hashed(key)}
    assert sum(row["spend"] for row in rows) == pytest.approx(got.trace["totals"]["cost_usd"], abs=1e-9)
    outer = by_role["outer"]["metadata"]["spend_logs_metadata"]["fusion"]
    assert [span["role"] for span in outer["spans"]] == roles
    assert len({row["session_id"] for row in rows}) == 1


def test_a_search_tool_that_is_closed_to_a_key_is_closed_to_its_members(searching: Proxy, provider: Provider, web: Web) -> None:
    key = new_key(searching, object_permission={"search_tools": ["another"]})
    provider.script("m1", "From what I know: yes, in most of the cases that were looked at.")
    got = chat(searching, "fusion/web", "Tell me about solar.", key=key)
    assert got.status == 200, got.body
    assert ("tools", "search_refused") in got.steps
    offered = [tool["function"]["name"] for tool in provider.asked("m1")[0]["tools"]]
    assert offered == ["web_fetch"]
    assert web.searches == []
