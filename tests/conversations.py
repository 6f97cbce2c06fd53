"""Generated conversations in each API's form: ordinary turns, and the empty and odd ones that clients send."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
_words = st.sampled_from(
    ["Build or buy?", "Compare both.", "", " ", "\u2063fusion: x\n", "Grüße, 你好 🙂", "null", "{}", "a\x00b", "…" * 40]
)
_ids = st.sampled_from(["call_1", "call_2", "toolu_3", "", "call 4/ü"])
_arguments = st.sampled_from(['{"what": "price"}', "{}", "", "not json", '{"what": "ü\\n"}', "[1]", "null"])
_names = st.sampled_from(["look_up", "other_tool"])
_odd = st.sampled_from([{}, {"type": "mystery", "x": 1}, {"type": "text"}, {"type": "text", "text": ""}])
_cached = st.sampled_from([{}, {}, {"cache_control": {"type": "ephemeral"}}])


def _maybe(strategy: Any, *others: Any) -> Any:
    """Mostly the strategy, at times one of the others."""
    return st.one_of(strategy, strategy, strategy, *others)


# chat completions
_chat_part = _maybe(
    st.builds(lambda text, cached: {"type": "text", "text": text, **cached}, _words, _cached),
    st.sampled_from([
        {"type": "image_url", "image_url": {"url": PNG}}, {"type": "image_url", "image_url": PNG},
        {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}, {"type": "refusal", "refusal": "No."},
    ]), _odd,
)  # fmt: skip
_chat_content = _maybe(_words, st.none(), st.lists(_chat_part, max_size=3))
_chat_call = st.builds(
    lambda id_, name, arguments: {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}},
    _ids, _names, _arguments,
)  # fmt: skip
_chat_turn = st.one_of(
    st.builds(lambda content: {"role": "user", "content": content}, _chat_content),
    st.builds(lambda role, content: {"role": role, "content": content}, st.sampled_from(["system", "developer"]), _words),
    st.builds(lambda content, more: {"role": "assistant", "content": content, **more}, _chat_content, st.sampled_from([
        {}, {"tool_calls": []}, {"tool_calls": None}, {"reasoning_content": "Hm."}, {"refusal": None, "audio": None},
        {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}]}, {"name": "helper"}])),
    st.builds(lambda content, calls: {"role": "assistant", "content": content, "tool_calls": calls},
              st.one_of(st.none(), _words), st.lists(_chat_call, min_size=1, max_size=3)),
    st.builds(lambda id_, content: {"role": "tool", "tool_call_id": id_, "content": content}, _ids, _chat_content),
)  # fmt: skip
_chat_tools = st.sampled_from([
    {}, {"tools": []},
    {"tools": [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]},
    {"tools": [{"type": "function", "function": {"name": "look_up"}}], "tool_choice": "auto", "parallel_tool_calls": True},
])  # fmt: skip
chat = st.builds(lambda turns, tools: {"messages": turns, **tools}, st.lists(_chat_turn, min_size=1, max_size=6), _chat_tools)

# messages
_thoughts = [
    {"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "redacted_thinking", "data": "x"},
]  # fmt: skip
_block = _maybe(
    st.builds(lambda text, cached: {"type": "text", "text": text, **cached}, _words, _cached),
    st.sampled_from([
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG.partition(",")[2]}},
        {"type": "image", "source": {"type": "url", "url": "https://example.test/a.png"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF.partition(",")[2]}},
    ]), _odd,
)  # fmt: skip
_result = st.builds(
    lambda id_, content, more: {"type": "tool_result", "tool_use_id": id_, **content, **more},
    _ids, st.one_of(st.just({}), st.builds(lambda said: {"content": said}, st.one_of(_words, st.lists(_block, max_size=2)))),
    st.sampled_from([{}, {"is_error": True}]),
)  # fmt: skip
_use = st.builds(
    lambda id_, name, given: {"type": "tool_use", "id": id_, "name": name, "input": given},
    _ids, _names, st.sampled_from([{"what": "price"}, {}, {"a": [1, None]}]),
)  # fmt: skip
_message = st.one_of(
    st.builds(lambda content: {"role": "user", "content": content}, _maybe(_words, st.lists(_block, max_size=3))),
    st.builds(lambda said: {"role": "user", "content": said}, st.lists(st.one_of(_result, _block), min_size=1, max_size=3)),
    st.builds(lambda content: {"role": "assistant", "content": content},
              _maybe(_words, st.lists(st.one_of(_block, _use, st.sampled_from(_thoughts)), max_size=3))),
)  # fmt: skip
_message_tools = st.sampled_from([
    {}, {"tools": [{"name": "look_up", "input_schema": {"type": "object", "properties": {}}}]},
    {"tools": [{"name": "look_up", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
     "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
])  # fmt: skip
messages = st.builds(
    lambda turns, tools, system: {"messages": turns, "max_tokens": 500, **tools, **system},
    st.lists(_message, min_size=1, max_size=6), _message_tools,
    st.sampled_from([{}, {"system": ""}, {"system": "Be brief."}, {"system": [{"type": "text", "text": "Be brief."}]}]),
)  # fmt: skip

# responses
_input_part = _maybe(
    st.builds(lambda kind, text: {"type": kind, "text": text}, st.sampled_from(["input_text", "output_text"]), _words),
    st.sampled_from([
        {"type": "input_image", "image_url": PNG}, {"type": "input_image", "image_url": PNG, "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": PDF}, {"type": "refusal", "refusal": "No."},
    ]), _odd,
)  # fmt: skip
_item = st.one_of(
    st.builds(lambda role, content, more: {"role": role, "content": content, **more},
              st.sampled_from(["user", "user", "assistant", "system", "developer"]),
              _maybe(_words, st.lists(_input_part, max_size=3)), st.sampled_from([{}, {"type": "message"}])),
    st.builds(lambda id_, name, arguments: {"type": "function_call", "call_id": id_, "name": name, "arguments": arguments},
              _ids, _names, _arguments),
    st.builds(lambda id_, output: {"type": "function_call_output", "call_id": id_, "output": output}, _ids,
              _maybe(_words, st.lists(_input_part, max_size=2))),
    st.sampled_from([
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": json.dumps(_thoughts[:1])},
    ]),
)  # fmt: skip
_item_tools = st.sampled_from([
    {},
    {"tools": [{"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {}}, "strict": False}]},
    {"tools": [{"type": "function", "name": "look_up", "parameters": None}], "tool_choice": "auto"},
])  # fmt: skip
responses = st.builds(
    lambda given, tools, more: {"input": given, **tools, **more},
    _maybe(st.lists(_item, min_size=1, max_size=6), _words), _item_tools,
    st.sampled_from([{}, {"instructions": "Be brief."}, {"instructions": ""}, {"store": False, "include": []}]),
)  # fmt: skip
