"""The prefix property: what a member or the synthesizer is sent begins with the client's own messages, byte for byte."""

from __future__ import annotations

import json
from typing import Any

from fakes import Scripted, run_of
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_fusion import direct, member, synthesis
from litellm_fusion.client import Client
from litellm_fusion.run import Run
from litellm_fusion.types import Analysis, Answer, Request

ROUTER = Scripted("prefix-m1", "prefix-m2", "prefix-synth")
CONFIG = {
    "panel": [{"model": "prefix-m1", "instructions": "Be careful."}, "prefix-m2"],
    "synthesizer": "prefix-synth",
    "judge": "off",
}

_text = st.text(max_size=40)
_cached = st.sampled_from([{}, {"cache_control": {"type": "ephemeral"}}])
_part = st.one_of(
    st.builds(lambda text, cached: {"type": "text", "text": text, **cached}, _text, _cached),
    st.just({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
    st.just({"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}),
    st.just({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
    st.dictionaries(_text, _text, max_size=2),
)
_content = st.one_of(st.none(), _text, st.lists(_part, max_size=3))
_call = st.builds(
    lambda call_id, arguments: {"id": call_id, "type": "function", "function": {"name": "look_up", "arguments": arguments}},
    _text, _text,
)  # fmt: skip
_message = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user", "assistant"]), "content": _content}),
    st.fixed_dictionaries({"role": st.just("assistant"), "content": _content, "tool_calls": st.lists(_call, max_size=3)}),
    st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": _text, "content": _content}),
)
_conversation = st.lists(_message, min_size=1, max_size=6)
_tools = st.sampled_from([(), ({"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}},)])


def _run(messages: list[dict[str, Any]], tools: tuple[dict[str, Any], ...]) -> Run:
    return run_of(ROUTER, CONFIG, request=Request("fusion/test", tuple(messages), tools=tools))


def _sent(run: Run, call: Any) -> list[Any]:
    """The messages as the one door hands them to LiteLLM."""
    assert isinstance(run.client, Client)
    _, hold = run.client._open(call, 0.1)
    return list(run.client._arguments(call, hold, stream=False)["messages"])


def _bytes(messages: Any) -> list[str]:
    return [json.dumps(message) for message in messages]


@settings(deadline=None, max_examples=150)
@given(messages=_conversation, tools=_tools)
def test_members_and_synthesizer_get_the_clients_messages_first(messages: list[Any], tools: Any) -> None:
    run = _run(messages, tools)
    asked = [member.call_for(run, seat, max_tokens=None, timeout_seconds=None) for seat in run.lineup.seats]
    answers = [Answer(1, "m1", "ok", text="One.", label="A"), Answer(2, "m2", "ok", text="Two.", label="B")]
    made = synthesis.call_for(run, "prefix-synth", answers, Analysis(strongest="A"), backup=False)
    assert made is not None
    for call in (*asked, made):
        sent = _bytes(_sent(run, call))
        assert sent[: len(messages)] == _bytes(messages)
        assert len(sent) <= len(messages) + 1


@settings(deadline=None, max_examples=50)
@given(messages=_conversation, tools=_tools)
async def test_the_direct_call_gets_them_and_nothing_else(messages: list[Any], tools: Any) -> None:
    run = _run(messages, tools)
    ROUTER.asked.clear()
    await direct.answer(run)
    assert _bytes(ROUTER.asked[-1]["messages"]) == _bytes(messages)
    assert ROUTER.asked[-1].get("tools", []) == list(tools)


THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "s"}


def test_only_thinking_is_taken_out_for_members() -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello.", "thinking_blocks": [THOUGHT], "reasoning_content": "Hm."},
        {"role": "user", "content": "Which?"},
    ]
    run = _run(messages, ())
    sent = _sent(run, member.call_for(run, run.lineup.seats[1], max_tokens=None, timeout_seconds=None))
    assert sent == [messages[0], {"role": "assistant", "content": "Hello."}, messages[2]]
