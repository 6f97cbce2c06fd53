"""Our progress lines are taken out of every history; everything else stays what it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion import progress
from litellm_fusion.progress import MARK, clean, holds, line, stripped

OURS = line("panel asked: opus, gpt") + line("opus answered after 3 s")


def cleaned(*turns: Any, key: str = "messages") -> list[Any]:
    body = {key: list(turns)}
    assert clean(body) is True
    return body[key]


class TestLines:
    def test_every_line_begins_with_the_mark_and_ends(self) -> None:
        assert line("x") == "\u2063fusion: x\n"

    def test_lines_go_and_the_text_around_them_stays(self) -> None:
        assert stripped(f"before\n{OURS}after") == "before\nafter"

    def test_a_line_without_its_end_goes_too(self) -> None:
        assert stripped(f"before\n{MARK} cut of") == "before\n"

    def test_quoted_lines_go_with_their_quote_sign(self) -> None:
        assert stripped(f"> {line('x')}after") == "after"

    @pytest.mark.parametrize("text", ["", "fusion: x", "\u2063", "a\u2063b", "<think>\n</think>"])
    def test_a_text_without_the_mark_is_the_same(self, text: str) -> None:
        assert stripped(text) is text

    @pytest.mark.parametrize("wrapped", [
        f"<think>\n{OURS}</think>\n\nAnswer.",
        f'<details type="reasoning" done="true">\n<summary>Thought for 3 s</summary>\n{OURS}</details>\nAnswer.',
        f'<details type="reasoning">\n> {line("a")}> {line("b")}</details>\nAnswer.',
    ])  # fmt: skip
    def test_a_wrapper_that_held_only_ours_goes(self, wrapped: str) -> None:
        assert stripped(wrapped) == "Answer."

    def test_a_wrapper_that_holds_a_providers_thinking_stays(self) -> None:
        assert stripped(f"<think>{OURS}hm</think>Answer.") == "<think>hm</think>Answer."


class TestHistories:
    def test_reasoning_content_of_ours_alone_goes_as_a_key(self) -> None:
        turn = {"role": "assistant", "content": "Answer.", "reasoning_content": OURS}
        assert cleaned(turn) == [{"role": "assistant", "content": "Answer."}]

    def test_a_providers_reasoning_beside_ours_stays(self) -> None:
        turn = {"role": "assistant", "content": "Answer.", "reasoning_content": OURS + "I compare them."}
        assert cleaned(turn)[0]["reasoning_content"] == "I compare them."

    def test_a_thinking_block_of_ours_goes_and_a_signed_one_stays(self) -> None:
        theirs = {"type": "thinking", "thinking": "hm", "signature": "s"}
        text = {"type": "text", "text": "Answer."}
        found = cleaned({"role": "assistant", "content": [{"type": "thinking", "thinking": OURS}, theirs, text]})
        assert found[0]["content"] == [theirs, text]
        assert found[0]["content"][0] is theirs

    def test_thinking_blocks_beside_the_content_go_as_a_key(self) -> None:
        turn = {"role": "assistant", "content": "Answer.", "thinking_blocks": [{"type": "thinking", "thinking": OURS}]}
        assert cleaned(turn) == [{"role": "assistant", "content": "Answer."}]

    def test_plain_content_keeps_its_answer(self) -> None:
        assert cleaned({"role": "assistant", "content": OURS + "Answer."})[0]["content"] == "Answer."

    def test_content_of_ours_alone_stays_as_an_empty_turn(self) -> None:
        assert cleaned({"role": "assistant", "content": OURS}) == [{"role": "assistant", "content": ""}]

    def test_a_reasoning_item_of_ours_alone_goes(self) -> None:
        user = {"role": "user", "content": "hi"}
        item = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": OURS}]}
        assert cleaned(item, user, key="input") == [user]

    def test_a_reasoning_item_with_encrypted_content_stays_without_our_lines(self) -> None:
        item = {"type": "reasoning", "summary": [{"type": "summary_text", "text": OURS}], "encrypted_content": "gAAA"}
        assert cleaned(item, key="input") == [{"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}]

    def test_a_reasoning_item_with_a_providers_words_keeps_them(self) -> None:
        summary = [{"type": "summary_text", "text": OURS}, {"type": "summary_text", "text": "I compare."}]
        (item,) = cleaned({"type": "reasoning", "summary": summary}, key="input")
        assert item["summary"] == summary[1:]

    def test_turns_without_the_mark_stay_the_same_objects(self) -> None:
        user, ours = {"role": "user", "content": "hi"}, {"role": "assistant", "content": OURS}
        assert cleaned(user, ours)[0] is user

    def test_the_clients_own_turn_is_not_changed_in_place(self) -> None:
        turn = {"role": "assistant", "content": [{"type": "thinking", "thinking": OURS}], "reasoning_content": OURS}
        before = copy.deepcopy(turn)
        cleaned(turn)
        assert turn == before


class TestUntouched:
    @pytest.mark.parametrize("body", [
        {}, {"messages": None}, {"messages": "text"}, {"input": "hi"}, {"messages": [None, 1, "x", []]},
        {"messages": [{"role": "assistant", "content": "Answer.", "reasoning_content": "hm"}]},
    ])  # fmt: skip
    def test_a_body_without_the_mark_is_left_as_it_is(self, body: dict[str, Any]) -> None:
        before, turns = copy.deepcopy(body), body.get("messages")
        assert clean(body) is False
        assert body == before
        assert body.get("messages") is turns

    def test_deep_nesting_does_not_raise_and_changes_nothing(self) -> None:
        deep: Any = MARK
        for _ in range(5_000):
            deep = [deep]
        body = {"messages": [{"role": "user", "content": deep}]}
        assert clean(body) is False
        assert body["messages"][0]["content"] is deep


PIECES = (MARK, "\u2063", "\u2063fus", "ion:", "fusion:", "\n", " ", "> ", "<think>", "</think>", "word", OURS)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=14).map("".join)


@given(texts)
def test_a_stripped_text_never_holds_the_mark(text: str) -> None:
    assert MARK not in stripped(text)


def test_a_mark_that_only_taking_out_joins_does_not_survive() -> None:
    assert MARK not in stripped(f"\u2063fus{line('x')}ion: y")


content = st.recursive(
    texts | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*progress._HOLDERS, "type", "role")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(content, max_size=4), st.sampled_from(("messages", "input")))
def test_no_turn_of_a_cleaned_history_holds_the_mark(turns: list[Any], key: str) -> None:
    body = {key: turns}
    clean(body)
    assert not any(holds(turn) for turn in body[key] if isinstance(turn, dict))
