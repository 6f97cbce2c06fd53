"""Budgets of a real LiteLLM with Postgres: refused before anything is spent, stopped in mid-run, never overshot."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from ask import QUESTION, chat
from bank import execute, hashed, key, needs_database, once, post, settled, spend_of_key
from provider import Provider, Reply
from proxy import Proxy

pytestmark = needs_database
NOTHING = 1e-9
"""A budget that the first call spends."""
MESSAGES = [{"role": "user", "content": QUESTION}]


def _customer(stored: Proxy, budget: float) -> str:
    name = once("customer")
    post(stored, "/customer/new", user_id=name, max_budget=budget)
    return name


def _holder(stored: Proxy, whose: str, budget: float) -> tuple[str, dict[str, Any]]:
    """A key whose budget is its own, its team's, its user's or its end user's; and what the request says."""
    if whose == "key":
        return key(stored, max_budget=budget), {}
    if whose == "team":
        return key(stored, team_id=post(stored, "/team/new", team_alias=once("team"), max_budget=budget)["team_id"]), {}
    if whose == "user":
        user = once("user")
        post(stored, "/user/new", user_id=user, max_budget=budget, auto_create_key=False)
        return key(stored, user_id=user), {}
    return key(stored), {"user": _customer(stored, budget)}


@pytest.mark.parametrize("whose", ["key", "team", "user", "end user"])
@pytest.mark.parametrize("model", ["fusion/all", "fusion/direct"])
def test_an_exhausted_budget_is_refused_before_anything_is_spent(
    stored: Proxy, provider: Provider, whose: str, model: str
) -> None:
    token, more = _holder(stored, whose, NOTHING)
    assert chat(stored, "m1", key=token, **more).status == 200
    refused = settled(lambda: chat(stored, "m1", key=token, **more).status, lambda status: status == 422)
    assert refused == 422
    provider.reset()
    for stream in (False, True):
        got = chat(stored, model, key=token, stream=stream, **more)
        assert (got.status, got.error["type"]) == (422, "budget_exceeded")
    assert provider.requests == []


@pytest.mark.parametrize("whose", ["key", "team", "user", "end user"])
def test_budget_left_comes_from_litellms_counters(stored: Proxy, provider: Provider, whose: str) -> None:
    for budget, route in ((5.0, "fused"), (0.005, "direct")):
        token, more = _holder(stored, whose, budget)
        assert chat(stored, "fusion/metered", key=token, **more).headers["x-fusion-route"] == route
    token, more = _holder(stored, whose, 0.0104)
    routes = [chat(stored, "fusion/metered", key=token, **more).headers["x-fusion-route"]]
    for _ in range(6):
        time.sleep(0.3)
        routes.append(chat(stored, "fusion/metered", key=token, **more).headers["x-fusion-route"])
    assert routes[0] != "direct"  # a panel was asked, though so little money may end its run early
    assert routes[-1] == "direct"


def test_a_budget_that_runs_out_in_mid_run_stops_asking_and_the_run_ends_with_what_it_has(
    stored: Proxy, provider: Provider
) -> None:
    token = key(stored, max_budget=0.05)
    gone = threading.Event()
    for name in ("m1", "m2", "m3"):
        text = f"{name} says: the second option, for its lower running costs."
        provider.script(name, Reply(text=text, until=gone.is_set))
    provider.script("m4", Reply(text="word " * 30_000))  # 0.06 dollars
    with ThreadPoolExecutor() as pool:
        fused = pool.submit(chat, stored, "fusion/all", key=token)
        try:
            while len(provider.requests) < 3:
                time.sleep(0.02)
            # Another request of the same key spends all that is left, and the panel answers once LiteLLM has counted it.
            assert chat(stored, "m4", key=token).status == 200
            assert settled(lambda: chat(stored, "solo", key=token).status, lambda status: status == 422) == 422
        finally:
            gone.set()
        got = fused.result()
    assert (got.status, got.headers["x-fusion-route"]) == (200, "degraded")
    assert "says: the second option" in got.text
    assert got.status_of("judge") == ["over_limit"]
    assert got.status_of("synthesizer") == ["over_limit"]
    assert {span["error"] for span in got.trace["spans"] if span["status"] == "over_limit"} == {"budget_left_usd"}
    assert provider.asked("judge") == provider.asked("synth") == []


def test_a_budget_that_is_gone_before_the_panel_is_litellms_own_refusal(stored: Proxy, provider: Provider) -> None:
    token = key(stored, max_budget=0.03)  # less than LiteLLM reserves for one call without max_tokens
    over = threading.Event()
    provider.script("m4", Reply(text="still at it", until=over.is_set))
    with ThreadPoolExecutor() as pool:
        other = pool.submit(chat, stored, "m4", key=token)
        while not provider.requests:
            time.sleep(0.02)
        try:
            got = chat(stored, "fusion/all", key=token)
        finally:
            over.set()
        assert got.status == 422
        assert other.result().status == 200
    assert [seen.model for seen in provider.requests] == ["m4"]


def test_what_failed_or_was_left_gives_its_reservation_back(stored: Proxy, provider: Provider) -> None:
    # fusion/metered goes direct below 0.01 left: no call of 1024 tokens (0.002) may stay reserved.
    token = key(stored, max_budget=0.0125)
    for name in ("m1", "m2", "m3", "synth"):
        provider.script(name, Reply(status=500))
    for stream in (False, True):
        chat(stored, "fusion/all", key=token, stream=stream)
    provider.reset()
    provider.script("synth", Reply(text="word " * 300, chunk_delay_seconds=0.02))
    headers = {"Authorization": f"Bearer {token}"}
    body = {"model": "fusion/all", "messages": MESSAGES, "stream": True}
    with stored.client() as client, client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as got:
        for line in got.iter_lines():
            if '"content":"word' in line.replace(" ", ""):
                break
    provider.reset()
    assert settled(lambda: spend_of_key(stored, token), lambda found: found > 0) < 0.0015

    def rule() -> str:
        return chat(stored, "fusion/metered", key=token, fusion={"mode": "explain"}).headers["x-fusion-rule"]

    assert settled(rule, lambda told: told != "nearly-out") != "nearly-out"
    post(stored, "/key/update", key=token, max_budget=0.009)
    assert settled(rule, lambda told: told == "nearly-out") == "nearly-out"  # so the rule does see what is left


def test_a_models_budget_bounds_members_and_direct_requests(stored: Proxy, provider: Provider) -> None:
    bounds = {name: {"budget_limit": NOTHING, "time_period": "1d"} for name in ("m2", "solo")}
    token = key(stored, max_budget=5)
    # LiteLLM sells setting these; it enforces what stands in its database.
    execute(
        f"update \"LiteLLM_VerificationToken\" set model_max_budget = '{json.dumps(bounds)}' where token = '{hashed(token)}'"
    )
    for name in ("m2", "solo"):
        assert chat(stored, name, key=token).status == 200
        assert settled(lambda name=name: chat(stored, name, key=token).status, lambda status: status == 422) == 422
    provider.reset()
    got = chat(stored, "fusion/all", key=token)
    assert (got.status, got.headers["x-fusion-panel"]) == (200, "2/3")
    assert provider.asked("m2") == []
    got = chat(stored, "fusion/direct", key=token)
    assert (got.status, got.error["type"]) == (422, "budget_exceeded")
    assert provider.asked("solo") == []


def _at_once(stored: Proxy, model: str, token: str, count: int) -> list[int]:
    body = {"model": model, "messages": MESSAGES, "max_tokens": 200}

    async def all_of_them() -> list[int]:
        limits = httpx.Limits(max_connections=count)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=stored.base_url, timeout=120, limits=limits, headers=headers) as client:
            got = await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for _ in range(count)))
            return [response.status_code for response in got]

    return asyncio.run(all_of_them())


def test_fifty_fused_requests_at_once_overshoot_no_more_than_fifty_plain_ones(
    stored: Proxy, provider: Provider, record_property: Any
) -> None:
    text = "It weighs cost, time and risk. " * 20
    for name in ("m1", "m2", "m3", "synth", "as-dear"):
        provider.script(name, Reply(text=f"{name}: {text}", delay_seconds=0.2))
    alone = key(stored)
    price = chat(stored, "fusion/short", key=alone, max_tokens=200).trace["totals"]["cost_usd"]
    figures = {}
    for model in ("as-dear", "fusion/short"):
        budget = price * 4
        token = key(stored, max_budget=budget)
        statuses = _at_once(stored, model, token, 50)
        assert set(statuses) <= {200, 422}, statuses
        settled(lambda token=token: spend_of_key(stored, token), lambda found: found > 0)
        time.sleep(4)
        figures[model] = (spend_of_key(stored, token) - budget, statuses.count(200))
    print(f"\none fused request {price:.6f} USD, key with {budget:.6f}; (overshoot, answered): {figures}")
    record_property("overshoot", str(figures))
    plain, fused = figures["as-dear"][0], figures["fusion/short"][0]
    assert fused <= max(plain, 0.0) + 1e-9
    assert figures["fusion/short"][1] >= 1
