"""A second opinion through a real proxy: asked before the request is served, its word counts, and its money is told."""

from __future__ import annotations

import json

import pytest
from ask import QUESTION, chat
from bank import key, needs_database, role, rows_of_key, settled, spend_of_key
from provider import Provider, Reply
from proxy import Proxy

SURE = "What is the capital of France?"


def _says(provider: Provider, deliberation: float) -> None:
    provider.script("judge2", json.dumps({"deliberation": deliberation}))


@pytest.mark.parametrize("stream", [False, True])
def test_its_yes_fuses_and_its_cost_is_in_the_trace(proxy: Proxy, provider: Provider, stream: bool) -> None:
    _says(provider, 0.9)
    got = chat(proxy, "fusion/doubt", SURE, stream=stream)
    assert (got.status, got.headers["x-fusion-route"], got.headers["x-fusion-rule"]) == (200, "fused", "worth")
    assert got.status_of("classifier") == ["ok"]
    assert ("policy", "second_opinion") in got.steps
    spans = got.trace["spans"]
    (own,) = [span for span in spans if span["role"] == "classifier"]
    assert own["cost_usd"] > 0
    assert got.trace["totals"]["cost_usd"] == pytest.approx(sum(span["cost_usd"] for span in spans))


@pytest.mark.parametrize("stream", [False, True])
def test_its_no_goes_direct(proxy: Proxy, provider: Provider, stream: bool) -> None:
    _says(provider, 0.1)
    got = chat(proxy, "fusion/doubt", QUESTION, stream=stream)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "direct")
    assert [seen.model for seen in provider.requests] == ["judge2", "solo"]


@pytest.mark.parametrize("reply", [Reply(status=500), Reply("no idea"), Reply(hang=True)], ids=["fails", "prose", "hangs"])
def test_without_its_word_the_local_verdict_stands(proxy: Proxy, provider: Provider, reply: Reply) -> None:
    provider.script("judge2", reply)
    got = chat(proxy, "fusion/doubt", QUESTION)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")
    assert ("policy", "no_second_opinion") in got.steps
    assert chat(proxy, "fusion/doubt", SURE).headers["x-fusion-route"] == "direct"


def test_a_classifier_that_the_proxy_does_not_have_fails_open(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/ghost-classifier", QUESTION)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")


def test_sensitive_text_is_not_shown_to_it(proxy: Proxy, provider: Provider) -> None:
    chat(proxy, "fusion/doubt", f"{QUESTION} Write to jane.doe@example.org with it.")
    assert provider.asked("judge2") == []


def test_explain_asks_nobody_and_says_who_would_be_asked(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/doubt", QUESTION, fusion={"mode": "explain"})
    assert json.loads(got.text)["second_opinion"] == {"model": "judge2", "would_be_asked": True}
    assert provider.requests == []


@needs_database
def test_it_is_paid_by_the_callers_key(stored: Proxy, provider: Provider) -> None:
    token = key(stored, max_budget=1.0)
    _says(provider, 0.1)
    chat(stored, "fusion/doubt", QUESTION, key=token)
    rows = settled(lambda: rows_of_key(token), lambda found: len(found) == 2)
    assert sorted(role(row) for row in rows) == ["classifier", "direct"]
    assert all(row["spend"] > 0 for row in rows)
    wanted = sum(row["spend"] for row in rows)
    assert settled(lambda: spend_of_key(stored, token), lambda spent: spent == pytest.approx(wanted)) == pytest.approx(wanted)
