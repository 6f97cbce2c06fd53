"""How much the answers agree: 0..1, None for fewer than two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.agreement import agreement
from litellm_fusion.types import Analysis, Answer, Claim, Contradiction, Insight, Point, Stance


def said(*texts: str) -> list[Answer]:
    return [Answer(n, "m", "ok", text, label=label) for n, (text, label) in enumerate(zip(texts, "ABCDEFGH", strict=False), 1)]


ALIKE, OTHER = "option two costs less money", "weather tomorrow seems rather cloudy"


@pytest.mark.parametrize("texts", [(), ("alone",)])
def test_fewer_than_two_answers_have_no_agreement(texts: tuple[str, ...]) -> None:
    assert agreement(said(*texts), Analysis(consensus=(Claim("c", ("A",)),))) is None


def test_the_same_words_agree_wholly_and_other_words_not_at_all() -> None:
    assert agreement(said(ALIKE, ALIKE.upper()), None) == 1.0
    assert agreement(said(ALIKE, OTHER), None) == 0.0


def test_chinese_and_numbers_are_words_too() -> None:
    assert agreement(said("答案是 42", "答案是 42"), None) == 1.0
    assert agreement(said("41", "42"), None) == 0.0


def test_without_any_words_there_is_nothing_to_differ_in() -> None:
    assert agreement(said("", "a b"), None) == 1.0


def test_an_empty_analysis_leaves_the_words_alone() -> None:
    assert agreement(said(ALIKE, OTHER), Analysis()) == 0.0


def test_with_an_analysis_it_is_the_mean_of_support_and_words() -> None:
    shared = Analysis(consensus=(Claim("c", ("A", "B")),))
    assert agreement(said(ALIKE, OTHER), shared) == 0.5
    assert agreement(said(ALIKE, ALIKE), shared) == 1.0


def test_points_count_by_how_many_answers_support_them() -> None:
    partial = Analysis(partial_coverage=(Point("p", ("A",)),))
    alone = Analysis(unique_insights=(Insight("i", "A"),))
    assert agreement(said(ALIKE, OTHER), partial) == agreement(said(ALIKE, OTHER), alone) == 0.25


def test_a_contradiction_between_two_answers_supports_nothing() -> None:
    two = Contradiction("t", (Stance("A", "x"), Stance("B", "y")))
    one = Contradiction("t", (Stance("A", "x"), Stance("A", "y")))
    claim = Claim("c", ("A", "B"))
    assert agreement(said(ALIKE, ALIKE), Analysis(consensus=(claim,), contradictions=(two,))) == 0.75
    assert agreement(said(ALIKE, ALIKE), Analysis(consensus=(claim,), contradictions=(one,))) == 1.0


labels = st.lists(st.sampled_from("ABC"), max_size=3, unique=True).map(tuple)
analyses = st.builds(
    Analysis,
    consensus=st.lists(st.builds(Claim, st.just("c"), labels), max_size=3).map(tuple),
    partial_coverage=st.lists(st.builds(Point, st.just("p"), labels), max_size=3).map(tuple),
    unique_insights=st.lists(st.just(Insight("i", "A")), max_size=3).map(tuple),
    contradictions=st.lists(
        st.builds(Contradiction, st.just("t"), st.just((Stance("A", "x"), Stance("B", "y")))), max_size=2
    ).map(tuple),
)


@given(st.lists(st.text(max_size=40), min_size=3, max_size=6), st.none() | analyses)
def test_it_is_always_between_0_and_1(texts: list[str], analysis: Analysis | None) -> None:
    found = agreement(said(*texts), analysis)
    assert found is not None
    assert 0.0 <= found <= 1.0
