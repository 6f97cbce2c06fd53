"""The judge's reply → Analysis: strict first, then lenient, never an exception."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.judge import MAX_ITEMS, SCHEMA, Reading, read
from litellm_fusion.types import Analysis, Claim, Contradiction, Insight, Point, Stance

LABELS = frozenset("AB")
WHOLE: dict[str, Any] = {
    "consensus": [{"claim": "it works", "answers": ["A", "B"]}],
    "contradictions": [{"topic": "price", "stances": [{"answer": "A", "claim": "1", "evidence": "e"}]}],
    "partial_coverage": [{"point": "risk", "answers": ["B"]}],
    "unique_insights": [{"insight": "tax", "answer": "A"}],
    "blind_spots": ["law"],
    "strongest": "B",
}
ANALYSIS = Analysis(
    consensus=(Claim("it works", ("A", "B")),),
    contradictions=(Contradiction("price", (Stance("A", "1", "e"),)),),
    partial_coverage=(Point("risk", ("B",)),),
    unique_insights=(Insight("tax", "A"),),
    blind_spots=("law",),
    strongest="B",
)
EMPTY: dict[str, Any] = {**{key: [] for key in WHOLE}, "strongest": ""}


class TestLadder:
    def test_a_clean_reply_is_read_without_a_problem(self) -> None:
        assert read(json.dumps(WHOLE), LABELS) == (ANALYSIS, "")

    def test_empty_lists_are_a_good_analysis(self) -> None:
        assert read(json.dumps(EMPTY), LABELS) == (Analysis(), "")

    @pytest.mark.parametrize("reply", ["Here you are:\n{}\nHope it helps.", "```json\n{}\n```", "```\n{}```", "x {}"])
    def test_prose_and_fences_around_it_are_read_leniently_and_noted(self, reply: str) -> None:
        assert read(reply.replace("{}", json.dumps(WHOLE, indent=1)), LABELS) == (ANALYSIS, "not valid JSON by itself")

    def test_slips_of_syntax_are_mended(self) -> None:
        analysis, problem = read(json.dumps(WHOLE)[:-1] + ",}", LABELS)
        assert analysis == ANALYSIS
        assert problem

    def test_a_reply_cut_off_in_its_last_value_is_mended(self) -> None:
        analysis, problem = read(json.dumps(WHOLE)[:-2], LABELS)
        assert analysis == ANALYSIS
        assert problem

    def test_a_reply_cut_off_before_its_keys_names_the_first_missing_one(self) -> None:
        text = json.dumps(WHOLE)
        assert read(text[: text.index('"partial_coverage"')], LABELS) == (None, "missing key partial_coverage")

    @pytest.mark.parametrize("key", WHOLE)
    def test_a_missing_key_is_named(self, key: str) -> None:
        reply = {name: value for name, value in WHOLE.items() if name != key}
        assert read(json.dumps(reply), LABELS) == (None, f"missing key {key}")

    @pytest.mark.parametrize("text", ["", "I can't compare these.", "[]", "null", "}"])
    def test_a_reply_without_an_object_is_none_and_says_so(self, text: str) -> None:
        assert read(text, LABELS) == (None, "no JSON object in it")

    def test_a_wrong_type_is_named_by_its_place(self) -> None:
        analysis, problem = read(json.dumps({**WHOLE, "blind_spots": [1]}), LABELS)
        assert analysis is None
        assert problem.startswith("blind_spots.0: ")

    @pytest.mark.parametrize(("items", "fits"), [(MAX_ITEMS, True), (MAX_ITEMS + 1, False)])
    def test_a_list_may_have_so_many_items(self, items: int, fits: bool) -> None:
        analysis, _ = read(json.dumps({**EMPTY, "blind_spots": ["x"] * items}), LABELS)
        assert (analysis is not None) is fits

    @pytest.mark.parametrize("text", ['{"a":' + "[" * 50_000, '{"a":' * 50_000, '{"a":' + "9" * 10_000 + "}", "{\ud800}"])
    def test_hostile_replies_are_none_not_an_exception(self, text: str) -> None:
        analysis, problem = read(text, LABELS)
        assert analysis is None
        assert problem


class TestLabels:
    @pytest.mark.parametrize("label", ["B", "Answer B", "answer B", " B ", "B.", "Answer B:", "#B"])
    def test_a_dressed_label_is_the_label(self, label: str) -> None:
        analysis, _ = read(json.dumps({**WHOLE, "strongest": label}), LABELS)
        assert analysis is not None
        assert analysis.strongest == "B"

    def test_labels_that_no_answer_has_are_dropped(self) -> None:
        reply = {
            "consensus": [{"claim": "c", "answers": ["A", "Z", "A"]}],
            "contradictions": [{"topic": "t", "stances": [{"answer": "Z", "claim": "x"}, {"answer": "B", "claim": "y"}]}],
            "partial_coverage": [{"point": "p", "answers": ["Z"]}],
            "unique_insights": [{"insight": "i", "answer": "Z"}],
            "blind_spots": [],
            "strongest": "Z",
        }
        analysis, problem = read(json.dumps(reply), LABELS)
        assert problem == ""
        assert analysis == Analysis(
            consensus=(Claim("c", ("A",)),),
            contradictions=(Contradiction("t", (Stance("B", "y"),)),),
            partial_coverage=(Point("p", ()),),
        )


def given_labels(analysis: Analysis) -> Iterator[str]:
    for item in (*analysis.consensus, *analysis.partial_coverage):
        yield from item.answers
    yield from (stance.answer for item in analysis.contradictions for stance in item.stances)
    yield from (item.answer for item in analysis.unique_insights)
    if analysis.strongest:
        yield analysis.strongest


labels = st.sampled_from(("A", "B", "C", "Z", "Answer A", "", "opus"))
answers = st.lists(labels, max_size=3)
replies = st.fixed_dictionaries({
    "consensus": st.lists(st.fixed_dictionaries({"claim": st.text(max_size=5), "answers": answers}), max_size=2),
    "contradictions": st.lists(st.fixed_dictionaries({
        "topic": st.text(max_size=5),
        "stances": st.lists(st.fixed_dictionaries({"answer": labels, "claim": st.text(max_size=3)}), max_size=2),
    }), max_size=2),
    "partial_coverage": st.lists(st.fixed_dictionaries({"point": st.text(max_size=5), "answers": answers}), max_size=2),
    "unique_insights": st.lists(st.fixed_dictionaries({"insight": st.text(max_size=5), "answer": labels}), max_size=2),
    "blind_spots": st.lists(st.text(max_size=5), max_size=2),
    "strongest": labels,
})  # fmt: skip


@given(replies, st.frozensets(st.sampled_from("ABC")))
def test_no_label_is_given_that_no_answer_has(reply: dict[str, Any], known: frozenset[str]) -> None:
    analysis, _ = read(json.dumps(reply), known)
    assert analysis is not None
    assert set(given_labels(analysis)) <= known


@given(replies.map(json.dumps), st.integers(min_value=0, max_value=400), st.text(max_size=8), st.text(max_size=8))
def test_a_cut_or_dressed_reply_never_raises(reply: str, end: int, before: str, after: str) -> None:
    analysis, problem = read(before + reply[:end] + after, LABELS)
    assert analysis is not None or problem


@given(st.text() | st.lists(st.sampled_from(['{"', '":', "[", "]", "{", "}", ",", '"', "strongest", "1", "\\"])).map("".join))
def test_any_text_is_an_analysis_or_a_named_problem(text: str) -> None:
    analysis, problem = read(text, LABELS)
    assert analysis is not None or problem


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if schema["type"] == "object":
        yield schema
        for inner in schema["properties"].values():
            yield from objects(inner)
    elif schema["type"] == "array":
        yield from objects(schema["items"])


class TestSchema:
    def test_every_object_requires_all_its_keys_and_no_others(self) -> None:
        found = list(objects(SCHEMA))
        assert len(found) == 6
        for schema in found:
            assert schema["required"] == list(schema["properties"])
            assert schema["additionalProperties"] is False

    def test_its_keys_are_those_that_the_reading_requires(self) -> None:
        assert SCHEMA["required"] == list(Reading.model_fields) == list(WHOLE)
        assert all(field.is_required() for field in Reading.model_fields.values())
