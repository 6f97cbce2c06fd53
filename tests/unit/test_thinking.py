"""Whose thinking may go back to whom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_fusion import thinking
from litellm_fusion.thinking import Reader

OWN = {"type": "thinking", "thinking": "Hm.", "signature": "abc=="}
MARKED = thinking.marked([OWN], "synth")[0]
BARE = {"type": "thinking", "thinking": "Hm.", "signature": ""}
HIDDEN = {"type": "redacted_thinking", "data": "xyz"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASK = {"role": "user", "content": "Which?"}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "42"}
TEXT = {"type": "text", "text": "Hello."}


def _closed(*blocks: Any) -> list[Any]:
    return [ASK, {"role": "assistant", "content": "Hello.", "thinking_blocks": list(blocks)}, ASK]


def _open(*blocks: Any) -> list[Any]:
    return [ASK, {"role": "assistant", "content": None, "tool_calls": [CALL], "thinking_blocks": list(blocks)}, RESULT]


def _blocks(turns: list[Any]) -> list[Any]:
    return list(turns[1].get("thinking_blocks", []))


@pytest.mark.parametrize(
    ("turns", "sole", "kept"),
    [
        (_closed(OWN, HIDDEN), True, [OWN, HIDDEN]), (_closed(OWN, HIDDEN), False, []), (_closed(MARKED), True, []),
        (_open(OWN), False, [OWN]), (_open(MARKED), False, [OWN]), (_closed(BARE), True, [BARE]),
    ],
    ids=["sole", "not sole", "marked", "loop", "marked in a loop", "unsigned"],
)  # fmt: skip
def test_signed_thinking_goes_back_to_whom_it_fits(turns: list[Any], sole: bool, kept: list[Any]) -> None:
    assert _blocks(thinking.replayed(turns, Reader("synth", sole=sole))) == kept


def test_another_models_marked_thinking_never_goes_back() -> None:
    assert _blocks(thinking.replayed(_open(MARKED), Reader("other", sole=True))) == []


def test_a_model_that_thinks_adaptively_does_without() -> None:
    reader = Reader("synth", needs_loop=False)
    assert _blocks(thinking.replayed(_open(MARKED, OWN), reader)) == [OWN]


def test_unsigned_thinking_goes_where_a_provider_signs() -> None:
    assert _blocks(thinking.replayed(_open(BARE, OWN), Reader("synth", sole=True, unsigned=False))) == [OWN]


def test_blocks_inside_of_content() -> None:
    turns = [ASK, {"role": "assistant", "content": [MARKED, TEXT]}, ASK]
    assert thinking.replayed(turns, Reader("synth", sole=True))[1]["content"] == [TEXT]
    assert thinking.replayed([ASK, {"role": "assistant", "content": [MARKED]}, ASK], Reader("synth", sole=True)) == [ASK, ASK]


def test_what_the_responses_bridge_wrote_into_reasoning_items() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": json.dumps([MARKED])}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "42"}
    assert thinking.replayed([ASK, item, ASK], Reader("synth", sole=True)) == [ASK, ASK]
    back = thinking.replayed([ASK, item, call, result], Reader("synth", sole=True))[1]
    assert json.loads(back["encrypted_content"]) == [OWN]
    opaque = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    assert thinking.replayed([ASK, opaque, ASK], Reader("gpt", sole=True)) == [ASK, opaque, ASK]
    assert thinking.replayed([ASK, opaque, ASK], Reader("gpt", sole=False)) == [ASK, ASK]


def test_a_model_name_may_hold_any_sign() -> None:
    blocks = thinking.marked([OWN, HIDDEN], "team|synth:1")
    assert _blocks(thinking.replayed(_open(*blocks), Reader("team|synth:1", sole=True))) == [OWN, HIDDEN]


@pytest.mark.parametrize("odd", [None, 7, "text", {}, {"role": "user"}, {"content": [None, 3]}, {"thinking_blocks": "x"}])
def test_odd_turns_stay_as_they_are(odd: Any) -> None:
    body = {"messages": [odd, ASK]}
    thinking.clean(body, Reader("m"))
    assert body == {"messages": [odd, ASK]}
    assert thinking.loop_start([odd]) in (0, 1)


@pytest.mark.parametrize(
    ("turns", "start"),
    [
        ([], 0), ([ASK], 1), ([ASK, RESULT], 1), ([RESULT], 0), ([ASK, RESULT, ASK], 3),
        ([ASK, RESULT, {"role": "system", "content": "x"}], 1),
        ([ASK, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}, TEXT]}], 1),
    ],
)  # fmt: skip
def test_where_an_open_loop_starts(turns: list[Any], start: int) -> None:
    assert thinking.loop_start(turns) == start
