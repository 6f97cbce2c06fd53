"""Majority over short answers: extract, normalise, count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.types import Answer, Status
from litellm_fusion.vote import majority, normalised, settled, short_answer


def said(*texts: str, status: Status = "ok") -> list[Answer]:
    return [Answer(n, f"m{n}", status, text) for n, text in enumerate(texts, 1)]


class TestShortAnswer:
    @pytest.mark.parametrize("text", [
        "Long reasoning.\nAnswer: 42", "The final answer is 42.", "**Answer:** 42", "> Antwort: 42", "答案：42", "Réponse: 42",
        "so \\boxed{42}", "Result = 42", "42",
    ])  # fmt: skip
    def test_it_is_found_however_it_is_announced(self, text: str) -> None:
        assert short_answer(text) == "42"

    def test_the_last_announced_answer_counts(self) -> None:
        assert short_answer("Answer: 1\nNo, wait.\nAnswer: 2") == "2"

    @pytest.mark.parametrize(("length", "found"), [(80, True), (81, False)])
    def test_only_a_short_text_is_its_own_answer(self, length: int, found: bool) -> None:
        assert (short_answer("x" * length) is not None) is found

    @pytest.mark.parametrize("text", ["", "  ", "***", "..."])
    def test_a_text_without_words_has_none(self, text: str) -> None:
        assert short_answer(text) is None


class TestNormalised:
    @pytest.mark.parametrize(("one", "other"), [
        ("**42.0**", "42"), ("$42$", "42"), ("\uff11\uff12", "12"), ("1,000", "1000"), ("1 000 000", "1000000"),
        ("1'000", "1000"),
        ("+5", "5"), ("Paris.", "paris"), ("“Paris”", "paris"), ("5 %", "5%"), ("0.50", "0.5"), (".5", "0.5"), ("-.5", "-0.5"),
        ("1,00,000", "100000"), ("100", "100"), ("New   York", "new york"), ("\\boxed{7}", "7"), ("1,234.50", "1234.5"),
    ])  # fmt: skip
    def test_different_spellings_are_one_answer(self, one: str, other: str) -> None:
        assert normalised(one) == normalised(other) == other

    @pytest.mark.parametrize(("one", "other"), [
        (".5", "5"), ("(1, 2)", "12"), ("{1,2}", "12"), ("1 2 3", "123"), ("5%", "5"), ("-5", "5"),
        ("10", "1"), ("1.10", "1.01"),
    ])  # fmt: skip
    def test_different_answers_stay_different(self, one: str, other: str) -> None:
        assert normalised(one) != normalised(other)

    @given(st.integers(min_value=-(10**9), max_value=10**9))
    def test_thousands_marks_and_trailing_zeros_do_not_matter(self, number: int) -> None:
        assert normalised(f"{number:,}") == normalised(f"{number:,}.00") == normalised(str(number)) == str(number)

    @given(st.text(max_size=60))
    def test_no_text_raises_and_none_keeps_outer_space(self, text: str) -> None:
        assert normalised(text) == normalised(text).strip()


class TestMajority:
    def test_more_than_half_is_a_majority_and_its_first_member_answers(self) -> None:
        answers = said("Answer: no", "Answer: yes", "The answer is **Yes**")
        assert majority(answers) == (answers[1], 2 / 3)

    @pytest.mark.parametrize("texts", [
        ("Answer: a", "Answer: b"), ("Answer: a", "Answer: a", "Answer: b", "Answer: b"),
        ("Answer: a", "Answer: b", "Answer: c"),
        ("x" * 200, "y" * 200), (),
    ])  # fmt: skip
    def test_half_or_less_is_none(self, texts: tuple[str, ...]) -> None:
        assert majority(said(*texts)) is None

    def test_answers_without_a_short_one_count_against_it(self) -> None:
        assert majority(said("Answer: a", "x" * 200)) is None
        assert majority(said("Answer: a", "Answer: a", "x" * 200)) is not None


class TestSettled:
    @pytest.mark.parametrize(("seats", "done"), [(3, True), (4, False)])
    def test_it_is_settled_when_the_rest_cannot_change_it(self, seats: int, done: bool) -> None:
        assert settled(said("Answer: a", "Answer: a"), seats) is done

    def test_answers_that_failed_do_not_count(self) -> None:
        assert settled(said("Answer: a", "Answer: a", status="error"), 3) is False

    def test_nothing_settles_without_short_answers(self) -> None:
        assert settled(said("x" * 200, "y" * 200), 1) is False


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Answer: 42 [1].", "42"), ("Answer: **Paris** [1][3]", "paris"), ("Answer: 7 [1, 2]", "7"), ("Answer: [1, 2]", "1, 2"),
        ("Answer: x[1]", "x"),
    ],
)  # fmt: skip
def test_citations_are_no_part_of_an_answer(text, short):
    assert short_answer(text) == short
