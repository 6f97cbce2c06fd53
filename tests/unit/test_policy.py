"""(Signals, rules) → Decision: order, unknown signals, the request's own wish, reasons."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.conditions import NAMES
from litellm_fusion.config import FusionConfig, Rule, Settings
from litellm_fusion.layers import resolve
from litellm_fusion.policy import decide, known
from litellm_fusion.presets import PRESETS
from litellm_fusion.types import UNLIMITED, Signals


def _rules(*rules: dict[str, Any]) -> tuple[Rule, ...]:
    return FusionConfig.model_validate({"panel": ["a", "b"], "policy": list(rules)}).policy


ALWAYS = {"name": "kept", "when": "task == 'housekeeping'", "use": "direct", "always": True}
WORTH = {"name": "worth", "when": "deliberation > 0.6", "use": "fuse"}
LAST = {"use": "direct"}


def test_the_first_rule_that_matches_wins() -> None:
    rules = _rules({"name": "one", "when": "stakes > 0.5", "use": "direct"}, WORTH, LAST)
    decision = decide(Signals(stakes=0.9, deliberation=0.9), rules)
    assert (decision.use, decision.rule) == ("direct", "one")
    swapped = decide(Signals(stakes=0.9, deliberation=0.9), (rules[1], rules[0], rules[2]))
    assert (swapped.use, swapped.rule) == ("fuse", "worth")


def test_each_rule_has_its_outcome_in_order() -> None:
    rules = _rules(ALWAYS, {"name": "blind", "when": "stakes > 0.5", "use": "fuse"}, WORTH, LAST)
    decision = decide(Signals(task="write", deliberation=0.9), rules)
    assert [(outcome.rule, outcome.outcome) for outcome in decision.outcomes] == [
        ("kept", "not_matched"),
        ("blind", "unknown"),
        ("worth", "matched"),
        ("otherwise", "not_reached"),
    ]


def test_no_rule_that_matches_is_a_direct_request() -> None:
    for rules in ((), _rules(WORTH)):
        decision = decide(Signals(deliberation=0.1), rules)
        assert (decision.use, decision.rule, decision.reason) == ("direct", "none", "no rule matched")


@pytest.mark.parametrize(("value", "use"), [(0.6, "direct"), (0.61, "fuse"), (None, "direct")])
def test_a_threshold_has_two_sides_and_unknown_is_neither(value: float | None, use: str) -> None:
    assert decide(Signals(deliberation=value), _rules(WORTH, LAST)).use == use


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ("is_retry || is_followup", True),
        ("has_tools && is_followup", False),
        ("is_followup", False),
        ("!is_followup", False),
        ("!(has_tools && is_followup)", True),
    ],
)
def test_rules_follow_three_valued_logic(when: str, matches: bool) -> None:
    decision = decide(Signals(is_retry=True, has_tools=False), _rules({"name": "r", "when": when, "use": "fuse"}, LAST))
    assert (decision.rule == "r") is matches


def test_on_unknown_match_matches_what_could_not_be_read() -> None:
    private = {"name": "private", "when": "size(pii) > 0", "use": {"direct": "local"}, "on_unknown": "match"}
    rules = _rules(private, {"use": "fuse"})
    unread = decide(Signals(), rules)
    assert (unread.use, unread.model, unread.rule) == ("direct", "local", "private")
    assert unread.reason == "a signal that it needs is unknown"
    assert decide(Signals(pii=("email",)), rules).rule == "private"
    assert decide(Signals(pii=()), rules).use == "fuse"


@pytest.mark.parametrize(("ask", "use"), [("force", "fuse"), ("off", "direct")])
def test_the_request_s_wish_stands_after_always_and_before_the_rest(ask: Any, use: str) -> None:
    other = {"name": "other", "use": "direct" if use == "fuse" else "fuse"}
    rules = _rules(other, ALWAYS)
    free = decide(Signals(task="write"), rules, ask)
    assert (free.use, free.rule, free.reason) == (use, "request", f"the request says mode: {ask}")
    assert [(outcome.rule, outcome.outcome) for outcome in free.outcomes] == [
        ("kept", "not_matched"),
        ("request", "matched"),
        ("other", "not_reached"),
    ]
    held = decide(Signals(task="housekeeping"), rules, ask)
    assert (held.use, held.rule) == ("direct", "kept")
    assert [(outcome.rule, outcome.outcome) for outcome in held.outcomes] == [("kept", "matched"), ("other", "not_reached")]


def test_without_a_wish_rules_keep_their_written_order() -> None:
    first = {"name": "first", "when": "stakes > 0.5", "use": "fuse"}
    assert decide(Signals(task="housekeeping", stakes=0.9), _rules(first, ALWAYS)).rule == "first"


def test_an_always_rule_with_an_unknown_signal_gives_way_to_the_request() -> None:
    assert decide(Signals(), _rules(ALWAYS), "force").rule == "request"
    assert decide(Signals(), _rules({**ALWAYS, "on_unknown": "match"}), "force").rule == "kept"


def test_a_rule_may_be_called_none() -> None:
    rules = _rules({"name": "none", "use": {"refuse": "closed"}, "always": True})
    assert decide(Signals(), rules, "force").use == "refuse"


def test_what_a_rule_says_travels_in_the_decision() -> None:
    def first(use: object) -> Any:
        return decide(Signals(), _rules({"name": "r", "use": use}))

    assert first("direct").model is None
    assert (first({"direct": "gpt"}).use, first({"direct": "gpt"}).model) == ("direct", "gpt")
    assert (first("fuse").use, first("fuse").overrides) == ("fuse", {})
    assert first({"fuse": {"aggregate": "vote"}}).overrides == {"aggregate": "vote"}
    assert (first({"refuse": "not here"}).use, first({"refuse": "not here"}).message) == ("refuse", "not here")


@pytest.mark.parametrize(
    "use",
    ["dirct", "refuse", {}, {"direct": 3}, {"fuse": "vote"}, {"refuse": None}, {"direct": "a", "fuse": {}}, None, ["fuse"]],
)
def test_any_other_use_is_refused(use: object) -> None:
    with pytest.raises(ValueError, match="use is one of"):
        Rule.model_validate({"use": use})


def test_rules_without_a_name_get_one_from_their_place() -> None:
    rules = _rules({"when": "is_retry", "use": "direct"}, WORTH, {"when": "has_tools", "use": "fuse"}, LAST)
    assert [rule.name for rule in rules] == ["rule-1", "worth", "rule-3", "otherwise"]


@pytest.mark.parametrize("name", ["a", "worth-a-panel", "A.b_c-9", "x" * 64])
def test_a_name_that_fits_a_header_is_taken(name: str) -> None:
    assert Rule.model_validate({"name": name, "use": "direct"}).name == name


@pytest.mark.parametrize("name", ["two words", "naïve", "-x", "a\r\nb", "a\n", "x" * 65, "a:b"])
def test_a_name_that_breaks_a_header_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="goes into headers"):
        Rule.model_validate({"name": name, "use": "direct"})


def test_the_reason_names_the_part_that_was_true() -> None:
    rules = _rules({"name": "w", "when": "deliberation > 0.6 || stakes > 0.7", "use": "fuse"}, LAST)
    assert decide(Signals(deliberation=0.83, stakes=0.1), rules).reason == "deliberation 0.83 > 0.6"
    assert decide(Signals(deliberation=0.1, stakes=0.9), rules).reason == "stakes 0.90 > 0.7"
    assert decide(Signals(), rules).reason == "no rule before it matched"


def test_hidden_values_are_in_no_reason_and_no_outcome() -> None:
    read = Signals(budget_left_usd=3.21, tags=("vip-tag",), key_alias="alias-7", pii=("iban",))
    when = "budget_left_usd < 5.0 && 'vip-tag' in tags && key_alias == 'alias-7' && size(pii) > 0"
    decision = decide(read, _rules({"name": "r", "when": when, "use": "direct"}))
    assert decision.rule == "r"
    for text in (decision.reason, *(outcome.why for outcome in decision.outcomes)):
        assert not any(word in text for word in ("3.21", "vip-tag", "alias-7", "iban"))


@pytest.mark.parametrize(("left", "rule"), [(0.24, "poor"), (0.25, "none"), (UNLIMITED, "none"), (None, "none")])
def test_an_unlimited_or_unread_budget_is_not_a_small_one(left: float | None, rule: str) -> None:
    rules = _rules({"name": "poor", "when": "budget_left_usd < 0.25", "use": "direct"})
    assert decide(Signals(budget_left_usd=left), rules).rule == rule


def test_a_caller_without_a_team_has_an_empty_one_and_not_an_unknown_one() -> None:
    rules = _rules({"name": "outsider", "when": "team_id != 'core'", "use": "direct"})
    assert decide(Signals(), rules).rule == "outsider"
    assert decide(Signals(team_id="core"), rules).rule == "none"
    assert known(Signals()) == {"key_alias": "", "team_id": "", "user_id": ""}
    assert known(Signals(tags=("a",)))["tags"] == ["a"]


_SHARE = st.none() | st.floats(0, 1)
_FLAG = st.none() | st.booleans()
_WORDS = st.none() | st.lists(st.text(max_size=6), max_size=3).map(tuple)
_TEXT = st.none() | st.text(max_size=8)
_FLOATS = {"task_confidence", "difficulty", "stakes", "deliberation"}


def _any_value(name: str) -> st.SearchStrategy[Any]:
    if name in _FLOATS:
        return _SHARE
    if name in ("pii", "secrets", "tags"):
        return _WORDS
    if name in ("tokens", "turns"):
        return st.none() | st.integers(0, 10**7)
    if name == "budget_left_usd":
        return st.none() | st.floats(allow_nan=False)
    if name in ("task", "domain", "language", "key_alias", "team_id", "user_id", "preset"):
        return _TEXT | st.sampled_from(["housekeeping", "code", "research"])
    return _FLAG


_SIGNALS = st.builds(Signals, **{name: _any_value(name) for name in NAMES})
_ALL_RULES = {name: resolve({"panel": ["a", "b", "c"]}, (f"fusion/{name}",), Settings()).config.policy for name in PRESETS} | {
    "mixed": _rules(
        {"when": "size(pii) > 0 || size(secrets) > 0", "use": {"direct": "local"}, "always": True, "on_unknown": "match"},
        {"when": "tags.exists(t, t == 'x') && tokens / 2 > turns", "use": "fuse"},
        {"when": "language.startsWith('d') ? is_followup : wants_json", "use": {"refuse": "no"}},
    )
}


@given(read=_SIGNALS, rules=st.sampled_from(sorted(_ALL_RULES)), ask=st.sampled_from(["auto", "force", "off"]))
def test_deciding_never_raises_whatever_could_not_be_read(read: Signals, rules: str, ask: Any) -> None:
    decision = decide(read, _ALL_RULES[rules], ask)
    assert decision.use in ("direct", "fuse", "refuse")
    assert decision.rule
    assert decision.reason
    assert sum(outcome.outcome == "matched" for outcome in decision.outcomes) <= 1
    listed = {outcome.rule for outcome in decision.outcomes}
    assert {rule.name for rule in _ALL_RULES[rules]} <= listed
