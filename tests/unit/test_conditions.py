"""A rule's `when`: three-valued logic, reasons, and config errors with their position."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from litellm_fusion.conditions import HIDDEN, NAMES, compile_condition
from litellm_fusion.types import UNLIMITED, Signals

TRUE, FALSE, UNKNOWN = "is_retry", "has_tools", "is_followup"
KNOWN = {"is_retry": True, "has_tools": False}


def test_every_signal_is_a_name_that_rules_may_use() -> None:
    assert tuple(field.name for field in fields(Signals)) == NAMES
    assert {"budget_left_usd", "tags", "key_alias", "team_id", "user_id", "pii", "secrets"} == HIDDEN


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (TRUE, True),
        (FALSE, False),
        (UNKNOWN, None),
        (f"!{UNKNOWN}", None),
        (f"!{FALSE}", True),
        (f"{TRUE} || {UNKNOWN}", True),
        (f"{UNKNOWN} || {TRUE}", True),
        (f"{FALSE} || {UNKNOWN}", None),
        (f"{UNKNOWN} || {FALSE}", None),
        (f"{FALSE} && {UNKNOWN}", False),
        (f"{UNKNOWN} && {FALSE}", False),
        (f"{TRUE} && {UNKNOWN}", None),
        (f"{UNKNOWN} && {TRUE}", None),
        (f"!({TRUE} || {UNKNOWN})", False),
        (f"{TRUE} ? {TRUE} : {UNKNOWN}", True),
        (f"{UNKNOWN} ? {TRUE} : {TRUE}", None),
    ],
)
def test_an_unread_signal_is_unknown_unless_the_rest_decides(source: str, expected: bool | None) -> None:
    assert compile_condition(source).holds(KNOWN) is expected


@pytest.mark.parametrize(
    ("source", "known", "expected"),
    [
        ("deliberation > 0.6", {"deliberation": 0.6}, False),
        ("deliberation > 0.6", {"deliberation": 0.61}, True),
        ("budget_left_usd < 0.25", {"budget_left_usd": 0.24}, True),
        ("budget_left_usd < 0.25", {"budget_left_usd": 0.25}, False),
        ("budget_left_usd < 0.25", {"budget_left_usd": UNLIMITED}, False),
        ("budget_left_usd < 0.25", {}, None),
        ("size(pii) > 0", {"pii": []}, False),
        ("size(pii) > 0", {"pii": ["email"]}, True),
        ("size(pii) > 0", {}, None),
        ("'email' in pii", {"pii": ["email"]}, True),
        ("task in ['code', 'math']", {"task": "math"}, True),
        ("task in ['code', 'math']", {"task": "write"}, False),
        ("tags.exists(t, t == 'x')", {"tags": ["a", "x"]}, True),
        ("tags.exists(t, t == 'x')", {"tags": ["a"]}, False),
        ("tokens > 100", {"tokens": 101}, True),
        ("tokens > 100", {"tokens": 100}, False),
    ],
)
def test_signals_compare_as_their_types_say(source: str, known: dict[str, Any], expected: bool | None) -> None:
    assert compile_condition(source).holds(known) is expected


def test_a_value_of_another_type_is_unknown_and_no_error() -> None:
    assert compile_condition("deliberation > 0.6").holds({"deliberation": "high"}) is None


@pytest.mark.parametrize(
    ("source", "known", "why"),
    [
        ("deliberation > 0.6", {"deliberation": 0.83}, "deliberation 0.83 > 0.6"),
        ("deliberation > 0.6 || stakes > 0.7", {"deliberation": 0.83, "stakes": 0.9}, "deliberation 0.83 > 0.6"),
        ("deliberation > 0.6 || stakes > 0.7", {"deliberation": 0.1, "stakes": 0.9}, "stakes 0.90 > 0.7"),
        ("deliberation > 0.6 || stakes > 0.7", {"stakes": 0.9}, "stakes 0.90 > 0.7"),
        ("is_tool_turn || is_retry", {"is_tool_turn": False, "is_retry": True}, "is_retry"),
        ("!has_tools", {"has_tools": False}, "!has_tools (false)"),
        ("task == 'task'", {"task": "task"}, "task task == 'task'"),
        ("tokens > 100", {"tokens": 2000}, "tokens 2000 > 100"),
        ("(is_retry || has_tools) && tokens > 1", KNOWN | {"tokens": 3}, "(is_retry || has_tools (false)) && tokens 3 > 1"),
        ("task == 'a || b'", {"task": "a || b"}, "task a || b == 'a || b'"),
    ],
)
def test_the_reason_is_the_part_that_was_true_with_its_values(source: str, known: dict[str, Any], why: str) -> None:
    assert compile_condition(source).why(known) == why


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("budget_left_usd < 5.0", 3.21),
        ("'vip' in tags", ["vip"]),
        ("key_alias == 'secret-alias'", "secret-alias"),
        ("team_id == 'team-77'", "team-77"),
        ("user_id == 'user-77'", "user-77"),
        ("'iban' in pii", ["iban"]),
        ("'jwt' in secrets", ["jwt"]),
    ],
)
def test_a_hidden_signal_never_shows_in_a_reason(source: str, value: object) -> None:
    (name,) = compile_condition(source).names
    for text in (source, f"{source} || stakes > 0.7", f"stakes > 0.7 || {source}"):
        condition = compile_condition(text)
        known = {name: value, "stakes": 0.9}
        assert condition.holds(known) is True
        assert condition.why(known) == "matches what only the operator may see"


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("delib > 0.5", ("'delib' at line 1, column 1 is no signal", "deliberation")),
        ("is_retry ||\n  delib > 0.5", ("'delib' at line 2, column 3 is no signal",)),
        ("tags.exists(t, q == 'x')", ("'q' at line 1, column 16 is no signal",)),
        ("deliberation >", ("no CEL expression", "1:15")),
        ("", ("no CEL expression",)),
        ("task == 3", ("'task' at line 1, column 1 is a string, compared with 3",)),
        ("is_retry || difficulty == 'high'", ("'difficulty' at line 1, column 13 is a number, compared with 'high'",)),
        ("verifiable == 'yes'", ("'verifiable' at line 1, column 1 is true or false",)),
        ("pii == 'email'", ("'pii' at line 1, column 1 is a list of strings",)),
        ("task > 3", ("types do not fit", "task at line 1, column 1 is a string")),
        ("verifiable > 0.5", ("types do not fit", "verifiable at line 1, column 1 is true or false")),
        ("deliberation", ("gives float, not true or false",)),
        ("1 / (tokens - 3) > 0", ("divides by zero",)),
    ],
)
def test_a_bad_expression_is_refused_at_load_with_its_position(source: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError) as caught:
        compile_condition(source)
    for part in parts:
        assert part in str(caught.value)


def test_conditions_are_equal_when_their_sources_are() -> None:
    one = compile_condition("stakes > 0.7")
    assert one == compile_condition("stakes > 0.7")
    assert hash(one) == hash(compile_condition("stakes > 0.7"))
    assert one != compile_condition("stakes > 0.8")
    assert one != "stakes > 0.7"
    assert repr(one) == "Condition('stakes > 0.7')"
