"""Making texts fit: estimates, and cutting in the middle, the longest first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.room import (
    _LEAST,
    IMAGE_TOKENS,
    conversation_tokens,
    cut,
    fitted,
    has_image,
    recent,
    text_of,
    tokens_of,
)
from litellm_fusion.types import Answer, Message

IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}


def answers(*texts: str) -> list[Answer]:
    return [Answer(n, "m", "ok", text) for n, text in enumerate(texts, 1)]


def user(text: str) -> Message:
    return {"role": "user", "content": text}


class TestEstimates:
    def test_chinese_takes_more_tokens_a_character_than_english(self) -> None:
        assert tokens_of("a" * 700) == 201
        assert tokens_of("中" * 700) == 601

    def test_a_lone_surrogate_is_counted_not_raised(self) -> None:
        assert tokens_of("\ud800") == 1

    @pytest.mark.parametrize(("content", "text"), [
        ("hi", "hi"), ([{"type": "text", "text": "a"}, IMAGE, {"text": "b"}], "a\nb"), (None, ""), ([{"text": 1}, "odd"], ""),
        (5, ""),
    ])  # fmt: skip
    def test_the_text_of_a_message_is_its_text_parts(self, content: object, text: str) -> None:
        assert text_of({"content": content}) == text

    @pytest.mark.parametrize("kind", ["image_url", "image", "input_image"])
    def test_an_image_is_seen_in_every_apis_form(self, kind: str) -> None:
        assert has_image({"content": [{"type": kind}]})
        assert not has_image({"content": [{"type": "text"}]})
        assert not has_image({"content": "image_url"})

    def test_images_tools_and_calls_are_counted(self) -> None:
        plain = conversation_tokens([user("hi")])
        assert conversation_tokens([{"content": [{"type": "text", "text": "hi"}, IMAGE]}]) == plain + IMAGE_TOKENS
        assert conversation_tokens([user("hi")], tools=[{"name": "f"}]) > plain
        assert conversation_tokens([{"content": "hi", "tool_calls": [{"id": "c"}]}]) > plain


class TestCut:
    @pytest.mark.parametrize(("chars", "whole"), [(99, False), (100, True), (101, True)])
    def test_only_what_is_too_long_is_cut(self, chars: int, whole: bool) -> None:
        assert (cut("x" * 100, chars) == "x" * 100) is whole

    def test_the_middle_goes_and_the_gap_says_how_much(self) -> None:
        text = "a" * 500 + "b" * 500
        found = cut(text, 300)
        assert found == "a" * 200 + "\n[… 700 characters left out …]\n" + "b" * 100

    def test_a_little_of_both_ends_is_always_kept(self) -> None:
        assert cut("x" * 1000, 0).count("x") == 40


class TestFitted:
    def test_answers_that_fit_are_not_touched(self) -> None:
        assert fitted(answers("a" * 10, "b" * 20), 30) == ("a" * 10, "b" * 20)

    def test_the_longest_is_cut_first_and_the_short_ones_stay(self) -> None:
        short, middle, long = "s" * 100, "m" * 1_000, "l" * 50_000
        found = fitted(answers(short, middle, long), 10_000)
        assert found is not None
        assert found[:2] == (short, middle)
        assert "left out" in found[2]

    @pytest.mark.parametrize(("chars", "fits"), [(2 * _LEAST, True), (2 * _LEAST - 1, False)])
    def test_too_little_for_each_is_none(self, chars: int, fits: bool) -> None:
        assert (fitted(answers("a" * 5_000, "b" * 5_000), chars) is not None) is fits

    def test_no_answers_fit_anywhere(self) -> None:
        assert fitted([], 0) == ()

    @given(st.lists(st.integers(0, 2_000_000), min_size=1, max_size=16), st.integers(0, 3_000_000))
    def test_together_they_keep_under_the_bound(self, lengths: list[int], chars: int) -> None:
        found = fitted(answers(*("x" * length for length in lengths)), chars)
        if found is None:
            assert chars < _LEAST * len(lengths)
        else:
            assert sum(map(len, found)) <= chars

    @given(st.lists(st.integers(0, 5_000), min_size=2, max_size=8), st.integers(0, 20_000))
    def test_no_answer_is_cut_while_a_longer_one_is_whole(self, lengths: list[int], chars: int) -> None:
        texts = ["x" * length for length in lengths]
        found = fitted(answers(*texts), chars)
        if found is None:
            assert sum(lengths) > chars
            return
        cut_ = [len(text) for text, kept in zip(texts, found, strict=True) if kept != text]
        whole = [len(text) for text, kept in zip(texts, found, strict=True) if kept == text]
        assert not cut_ or not whole or max(whole) <= min(cut_)


class TestRecent:
    TURNS: tuple[Message, ...] = ({"role": "system", "content": "s" * 10}, *(user(letter * 10) for letter in "abcd"))

    def test_a_conversation_that_fits_stays_whole(self) -> None:
        assert recent(self.TURNS, 50) == (self.TURNS, 0)

    def test_the_oldest_go_first_and_are_counted(self) -> None:
        assert recent(self.TURNS, 49) == ((self.TURNS[0], *self.TURNS[2:]), 1)
        assert recent(self.TURNS, 30) == ((self.TURNS[0], *self.TURNS[3:]), 2)

    @pytest.mark.parametrize("role", ["system", "developer"])
    def test_the_system_prompt_and_the_last_message_stay_however_small_the_room(self, role: str) -> None:
        turns = ({"role": role, "content": "s" * 10}, *self.TURNS[1:])
        assert recent(turns, 0) == ((turns[0], turns[-1]), 3)

    def test_without_a_system_prompt_the_last_message_stays(self) -> None:
        assert recent(self.TURNS[1:], 0) == ((self.TURNS[-1],), 3)

    @pytest.mark.parametrize("turns", [(), TURNS[:1]])
    def test_next_to_nothing_is_kept_as_it_is(self, turns: Any) -> None:
        assert recent(turns, 0) == (turns, 0)
