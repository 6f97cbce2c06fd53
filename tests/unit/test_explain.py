"""`explain`: what would happen, and what it would cost, without asking anybody."""

from __future__ import annotations

import json

import pytest

from litellm_fusion.config import Settings
from litellm_fusion.estimate import EXPECTED_TOKENS
from litellm_fusion.explain import explain
from litellm_fusion.layers import resolve
from litellm_fusion.limits import Price
from litellm_fusion.models import Facts
from litellm_fusion.types import Caller, Request

OPEN_QUESTION = (
    "Compare three ways to organise on-call duty for a small company, weigh the trade-offs and recommend one of them."
)


class KnownModels:
    """Facts from a table: the part of `Models` that explaining reads."""

    def __init__(self, **facts: Facts) -> None:
        self._facts = facts

    def facts(self, name: str) -> Facts | None:
        return self._facts.get(name)

    def exists(self, name: str) -> bool:
        return name in self._facts

    def provider(self, name: str) -> str | None:
        facts = self.facts(name)
        return None if facts is None else facts.provider

    def price(self, name: str) -> Price | None:
        facts = self.facts(name)
        return None if facts is None else facts.price


MODELS = {
    "one": Facts(provider="first", price=Price(1e-6, 10e-6), window=100_000),
    "two": Facts(provider="second", price=Price(2e-6, 20e-6), window=100_000),
    "three": Facts(provider="third", price=Price(3e-6, 30e-6), window=100_000),
    "unpriced": Facts(provider="fourth"),
    "small": Facts(provider="first", price=Price(1e-6, 10e-6), window=10),
}


def told(own=None, text=OPEN_QUESTION, ask="auto", models=MODELS, overrides=None, caller=None, params=None, **how):
    config = {"panel": ["one", "two", "three"], **(own or {})}
    layers = resolve(config, ("fusion/general",), Settings())
    request = Request(
        model="fusion/general",
        messages=({"role": "user", "content": text},),
        caller=caller or Caller(),
        params=params or {},
    )
    return explain(layers, request, KnownModels(**models), ask, overrides, **how)


def calls(explanation):
    return [(call["role"], call["model"], call["count"]) for call in explanation["calls"]]


def test_an_explanation_is_plain_json():
    assert json.loads(json.dumps(told())) == told()


def test_an_open_question_is_fused_by_members_judge_and_synthesizer():
    explanation = told(ask="force")

    assert explanation["decision"]["use"] == "fuse"
    assert calls(explanation) == [
        ("member", "one", 1),
        ("member", "two", 1),
        ("member", "three", 1),
        ("judge", "two", 1),
        ("synthesizer", "one", 1),
    ]


def test_a_direct_request_is_one_call_to_the_direct_model():
    explanation = told({"direct": "two"}, ask="off")

    assert explanation["decision"]["use"] == "direct"
    assert explanation["decision"]["model"] == "two"
    assert calls(explanation) == [("direct", "two", 1)]
    assert explanation["estimated_cost_usd"] == explanation["direct_cost_usd"]


def test_every_rule_has_its_outcome_and_those_after_the_match_were_not_reached():
    explanation = told({"policy": [
        {"name": "no", "when": "has_images", "use": "direct"},
        {"name": "yes", "when": "turns == 1", "use": "fuse"},
        {"name": "late", "use": "direct"},
    ]})  # fmt: skip

    assert [(rule["rule"], rule["outcome"]) for rule in explanation["rules"]] == [
        ("no", "not_matched"),
        ("yes", "matched"),
        ("late", "not_reached"),
    ]
    assert explanation["decision"]["rule"] == "yes"


def test_the_estimate_assumes_a_typical_answer_per_call():
    explanation = told({"panel": ["one"], "judge": "off"}, ask="force")
    (member,) = explanation["calls"]
    expected = Price(1e-6, 10e-6).cost(member["prompt_tokens"], EXPECTED_TOKENS)

    assert explanation["estimated_cost_usd"] == pytest.approx(expected, abs=1e-6)


def test_the_worst_case_writes_every_token_that_the_limits_allow():
    explanation = told(
        {"panel": ["one"], "judge": "off", "limits": {"max_completion_tokens": 5_000, "max_cost_usd": None}}, ask="force"
    )
    (member,) = explanation["calls"]

    worst = Price(1e-6, 10e-6).cost(member["prompt_tokens"], 5_000)
    assert explanation["worst_case_cost_usd"] == pytest.approx(worst, abs=1e-6)


def test_the_worst_case_stops_at_the_operators_ceiling():
    assert told({"limits": {"max_cost_usd": 0.9}}, ask="force")["worst_case_cost_usd"] == 0.9


def test_one_unknown_price_makes_the_sums_null_and_leaves_the_other_calls_priced():
    explanation = told({"panel": ["one", "unpriced"], "judge": "one"}, ask="force")

    assert explanation["estimated_cost_usd"] is None
    assert explanation["worst_case_cost_usd"] is None
    assert {call["model"]: call["estimated_cost_usd"] is None for call in explanation["calls"]} == {
        "one": False,
        "unpriced": True,
    }


def test_samples_of_one_model_are_one_line_with_a_count():
    explanation = told({"panel": [{"model": "one", "samples": 3}]}, ask="force")

    assert calls(explanation)[0] == ("member", "one", 3)


def test_members_that_cannot_serve_are_left_out_with_the_reason():
    explanation = told({"panel": ["one", "two", "small", "gone"]}, text="word " * 200, ask="force")

    assert explanation["left_out"] == [
        {"model": "small", "why": "context_window"},
        {"model": "gone", "why": "no_such_model"},
    ]


def test_the_dearest_member_is_left_out_when_the_money_is_short():
    explanation = told({"limits": {"max_cost_usd": 0.07}}, ask="force")

    assert explanation["left_out"] == [{"model": "three", "why": "over_limit"}]


def test_a_panel_that_the_money_does_not_cover_becomes_direct():
    explanation = told({"limits": {"max_cost_usd": 0.001}}, ask="force")

    assert calls(explanation) == [("direct", "one", 1)]


def test_the_callers_budget_counts_like_the_ceiling():
    explanation = told(caller=Caller(budget_left_usd=0.07), ask="force")

    assert explanation["left_out"] == [{"model": "three", "why": "over_limit"}]


def test_a_vote_asks_neither_judge_nor_synthesizer_as_a_rule():
    explanation = told({"aggregate": "vote"}, ask="force")

    after = [(call["role"], call["count"], call["at_most"]) for call in explanation["calls"][3:]]
    assert after == [("judge", 0, 1), ("synthesizer", 0, 1)]


def test_best_of_asks_the_judge_and_nobody_to_write():
    explanation = told({"aggregate": "best_of"}, ask="force")

    after = [(call["role"], call["count"]) for call in explanation["calls"][3:]]
    assert after == [("judge", 1), ("synthesizer", 0)]


def test_no_judge_means_no_judge_call():
    assert "judge" not in [call["role"] for call in told({"judge": "off"}, ask="force")["calls"]]


def test_a_refusal_calls_nobody():
    explanation = told({"policy": [{"name": "closed", "use": {"refuse": "not here"}}]})

    assert explanation["decision"]["use"] == "refuse"
    assert explanation["decision"]["message"] == "not here"
    assert explanation["calls"] == []
    assert explanation["estimated_cost_usd"] == 0.0


def test_a_requests_overrides_change_the_run():
    assert told(ask="force", overrides={"aggregate": "best_of"})["decision"]["aggregate"] == "best_of"


def test_the_operators_mode_is_obeyed_and_named():
    explanation = told(ask="force", mode="off")

    assert explanation["decision"]["use"] == "direct"
    assert explanation["mode"] == {"operator": "off", "request": "force"}


@pytest.mark.parametrize("name", ["pii", "secrets", "budget_left_usd", "tags", "key_alias", "team_id", "user_id"])
def test_signals_about_the_caller_are_for_the_operator_only(name):
    assert name not in told()["signals"]
    assert name in told(for_operator=True)["signals"]


def test_expressions_are_for_the_operator_only():
    assert all("when" not in rule for rule in told()["rules"])
    assert any(rule["when"] for rule in told(for_operator=True)["rules"])


def test_web_tools_make_more_calls_and_a_dearer_worst_case():
    plain = told()
    own = {"tools": {"web_search": "sx", "web_fetch": True, "max_calls": 4}, "limits": {"max_cost_usd": 100}}
    web = told(own)
    members = [call for call in web["calls"] if call["role"] == "member"]
    assert [(call["count"], call["at_most"]) for call in members] == [(3, 5)] * 3
    assert web["estimated_cost_usd"] > plain["estimated_cost_usd"]
    assert web["worst_case_cost_usd"] > plain["worst_case_cost_usd"]
    native = told({"tools": {"web_search": "native"}})
    assert native["estimated_cost_usd"] == plain["estimated_cost_usd"]
