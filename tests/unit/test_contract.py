"""The client's response_format: read, checked, and neither slow nor curious."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_fusion import contract
from litellm_fusion.contract import Contract

SCHEMA = {
    "type": "object", "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"], "additionalProperties": False,
}  # fmt: skip
GOOD = '{"city": "Bern", "people": 134000}'


def _schema(schema: Any) -> Contract:
    made = contract.wanted({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}})
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, None), ({"type": "text"}, None), ("json", None), ({"type": "json_object"}, Contract()),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}, Contract(SCHEMA)),
        ({"type": "json_schema", "json_schema": "odd"}, Contract()),
        ({"type": "json_schema", "schema": SCHEMA}, Contract(SCHEMA)),
        ({"type": "json_object", "response_schema": SCHEMA}, Contract(SCHEMA)),
    ],
)  # fmt: skip
def test_which_contract_a_request_makes(given: Any, found: Any) -> None:
    assert contract.wanted({"response_format": given}) == found


@pytest.mark.parametrize(
    ("text", "kept"),
    [(GOOD, True), (f"  {GOOD}\n", True), ('{"city": "Bern"}', False), ('{"city": 1, "people": 2}', False), ("Bern", False),
     ('{"city": "Bern", "people": 1, "more": 2}', False), ("", False), (GOOD[:-1], False), ("[" * 5000, False)],
)  # fmt: skip
def test_what_keeps_a_schema(text: str, kept: bool) -> None:
    assert (contract.problem(_schema(SCHEMA), text) is None) == kept


def test_the_problem_is_told_with_its_place() -> None:
    told = contract.problem(_schema(SCHEMA), '{"city": "Bern", "people": "many"}')
    assert told == "['people']: 'many' is not of type 'integer'"


def test_a_json_object_is_an_object() -> None:
    assert contract.problem(Contract(), "{}") is None
    assert contract.problem(Contract(), "[1]") == "not a JSON object"
    assert contract.problem(None, "free text") is None


@pytest.mark.parametrize("text", [f"```json\n{GOOD}\n```", f"Here you are: {GOOD} I hope it helps.", GOOD])
def test_what_stands_around_is_taken_off(text: str) -> None:
    assert contract.freed(_schema(SCHEMA), text) == GOOD


@pytest.mark.parametrize("text", ["no JSON", '{"city": "Bern"}', "} {", ""])
def test_what_does_not_fit_is_not_freed(text: str) -> None:
    assert contract.freed(_schema(SCHEMA), text) is None


@pytest.mark.parametrize(
    ("schema", "begun", "may"),
    [(SCHEMA, " {", True), (SCHEMA, "```", False), (SCHEMA, " ", False), (SCHEMA, "[", False), ({"type": "array"}, "[", True),
     ({"type": "array"}, "Sure", False)],
)  # fmt: skip
def test_what_may_begin_a_stream(schema: Any, begun: str, may: bool) -> None:
    assert contract.may_begin(_schema(schema), begun) is may
    assert contract.may_begin(None, begun)


def _branching(depth: int) -> dict[str, Any]:
    levels = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(depth)}
    return {"$ref": "#/$defs/l0", "$defs": {**levels, f"l{depth}": {"type": "string"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/x.json"}, {"$ref": "file:///etc/hostname"}, {"$ref": "#/$defs/none"}, {"type": "nonsense"},
        {"properties": 7}, _branching(40), {"$ref": "#"}, {"patternProperties": {"(a+)+$": {}}, "additionalProperties": False},
        {"additionalProperties": {"pattern": "(a+)+$"}}, {"$schema": "http://127.0.0.1:9/meta", "type": "object"},
    ],
)  # fmt: skip
def test_a_schema_that_cant_be_checked_costs_nothing(schema: Any) -> None:
    started = time.monotonic()
    assert contract.problem(_schema(schema), json.dumps({"a" * 40 + "!": "a" * 40 + "!"})) is None
    assert time.monotonic() - started < 2


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
)
_words = st.sampled_from(["type", "properties", "anyOf", "$ref", "items", "enum", "required", "not", "pattern", "$id"])


@settings(deadline=None, max_examples=200)
@given(schema=st.dictionaries(_words, _json, max_size=4), text=st.one_of(st.text(max_size=20), _json.map(json.dumps)))
def test_odd_schemas_and_texts_never_raise(schema: Any, text: str) -> None:
    made = _schema(schema)
    assert contract.problem(made, text) is None or isinstance(contract.problem(made, text), str)
    freed = contract.freed(made, text)
    assert freed is None or contract.problem(made, freed) is None
