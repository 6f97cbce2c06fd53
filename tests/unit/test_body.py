"""A client's body → Request, for the gate: three APIs, one chat form."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion import body
from litellm_fusion.types import Api, Caller, Message, Request


def read(given_: dict[str, Any], api: Api = "chat") -> Request:
    return body.read(given_, api, "general", Caller())


def messages(given_: dict[str, Any], api: Api) -> tuple[Message, ...]:
    return read(given_, api).messages


class TestRequest:
    def test_name_stream_preset_and_caller_are_taken_over(self) -> None:
        caller = Caller(team_id="t")
        request = body.read({"model": "fusion/x", "stream": True}, "chat", "code", caller)
        assert (request.model, request.stream, request.preset, request.caller) == ("fusion/x", True, "code", caller)

    @pytest.mark.parametrize("stream", [False, None, "true", 1])
    def test_only_true_is_a_stream(self, stream: object) -> None:
        assert read({"stream": stream}).stream is False

    def test_client_parameters_are_kept_and_nulls_and_foreign_keys_are_not(self) -> None:
        request = read({"temperature": 0, "stop": None, "api_key": "k", "metadata": {}, "tools": [{"type": "function"}]})
        assert request.params == {"temperature": 0}

    def test_tools_are_kept_apart_and_odd_ones_left_out(self) -> None:
        tool = {"type": "function", "function": {"name": "f"}}
        assert read({"tools": [tool, "odd", None]}).tools == (tool,)
        assert read({"tools": {"type": "function"}}).tools == ()

    def test_a_responses_text_format_counts_as_response_format(self) -> None:
        form = {"type": "json_schema"}
        assert read({"text": {"format": form}}, "responses").params["response_format"] == form

    def test_a_response_format_of_its_own_wins_over_the_text_format(self) -> None:
        given_ = {"response_format": {"type": "json_object"}, "text": {"format": {"type": "text"}}}
        assert read(given_, "responses").params["response_format"] == {"type": "json_object"}

    def test_every_call_type_leads_to_a_known_api(self) -> None:
        assert set(body.APIS.values()) == set(get_args(Api))


class TestChat:
    def test_messages_are_the_clients_own_objects(self) -> None:
        message = {"role": "user", "content": [{"type": "text", "text": "hi"}], "odd": 1}
        assert messages({"messages": [message, "odd", None]}, "chat")[0] is message


class TestCompletions:
    @pytest.mark.parametrize(("prompt", "text"), [("hi", "hi"), (["a", "b"], ""), (None, "")])
    def test_the_prompt_is_one_user_turn(self, prompt: object, text: str) -> None:
        assert messages({"prompt": prompt}, "completions") == ({"role": "user", "content": text},)


class TestMessages:
    @pytest.mark.parametrize("system", ["be brief", [{"type": "text", "text": "be brief"}]])
    def test_system_comes_first(self, system: object) -> None:
        found = messages({"system": system, "messages": [{"role": "user", "content": "hi"}]}, "messages")
        assert found == ({"role": "system", "content": system}, {"role": "user", "content": "hi"})

    def test_an_empty_system_is_no_turn(self) -> None:
        assert messages({"system": "", "messages": []}, "messages") == ()

    def test_a_tool_use_is_a_tool_call_beside_the_text(self) -> None:
        content = [{"type": "text", "text": "let me look"}, {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]
        (turn,) = messages({"messages": [{"role": "assistant", "content": content}]}, "messages")
        assert turn["content"] == content[:1]
        assert turn["tool_calls"] == [{"id": "t1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]

    def test_a_tool_result_alone_is_a_tool_turn_and_nothing_else(self) -> None:
        content = [{"type": "tool_result", "tool_use_id": "t1", "content": "42"}]
        found = messages({"messages": [{"role": "user", "content": content}]}, "messages")
        assert found == ({"role": "tool", "tool_call_id": "t1", "content": "42"},)

    def test_text_beside_a_tool_result_stays_the_users_turn_after_it(self) -> None:
        text = {"type": "text", "text": "and now?"}
        content = [{"type": "tool_result", "tool_use_id": "t1"}, text]
        found = messages({"messages": [{"role": "user", "content": content}]}, "messages")
        assert found == ({"role": "tool", "tool_call_id": "t1", "content": ""}, {"role": "user", "content": [text]})

    def test_several_results_are_several_tool_turns(self) -> None:
        content = [{"type": "tool_result", "tool_use_id": name, "content": name} for name in ("a", "b")]
        found = messages({"messages": [{"role": "user", "content": content}]}, "messages")
        assert [turn["tool_call_id"] for turn in found] == ["a", "b"]


class TestResponses:
    def test_string_input_is_one_user_turn_after_the_instructions(self) -> None:
        found = messages({"instructions": "be brief", "input": "hi"}, "responses")
        assert found == ({"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"})

    def test_turns_with_a_role_stay_as_they_are(self) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
        assert messages({"input": [item]}, "responses")[0] is item

    @pytest.mark.parametrize("kind", ["function_call", "custom_tool_call"])
    def test_a_call_is_an_assistants_tool_call(self, kind: str) -> None:
        (turn,) = messages({"input": [{"type": kind, "call_id": "c", "name": "f", "arguments": "{}"}]}, "responses")
        assert turn["role"] == "assistant"
        assert turn["tool_calls"] == [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]

    @pytest.mark.parametrize("kind", ["function_call_output", "custom_tool_call_output", "computer_call_output"])
    def test_its_output_is_a_tool_turn(self, kind: str) -> None:
        found = messages({"input": [{"type": kind, "call_id": "c", "output": "42"}]}, "responses")
        assert found == ({"role": "tool", "tool_call_id": "c", "content": "42"},)

    def test_reasoning_items_are_no_turns(self) -> None:
        assert messages({"input": [{"type": "reasoning", "summary": []}]}, "responses") == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("role", "content", "type", "text", "id", "input", "tool_calls")), inner, max_size=4)
    ),
    max_leaves=10,
)
types = st.sampled_from(("tool_result", "tool_use", "function_call", "function_call_output", "message", "reasoning", "text"))
turns = st.fixed_dictionaries({}, optional={"type": types | values, "role": values, "content": values, "call_id": values})
odd_bodies = st.dictionaries(
    st.sampled_from(("model", "messages", "input", "prompt", "system", "instructions", "tools", "text", "stream", "stop")),
    values | st.lists(turns | values, max_size=3),
)


@given(odd_bodies, st.sampled_from(get_args(Api)))
def test_odd_bodies_never_raise(given_: dict[str, Any], api: Api) -> None:
    request = read(given_, api)
    assert all(isinstance(message, dict) for message in request.messages)
    assert isinstance(request.model, str)


USER = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("api", "turns", "servable"),
    [
        ("chat", [USER], True), ("chat", [{"content": "Hi"}], False), ("chat", ["Hi"], False), ("chat", "Hi", True),
        ("chat", [{"role": "user", "content": [{"type": "text", "text": ""}, {"type": "image_url"}]}], True),
        ("chat", [{"role": "user", "content": [{}]}], False), ("chat", [{"role": "assistant", "content": [{}]}], True),
        ("messages", [USER], True), ("messages", [{"role": "user", "content": ""}], False), ("messages", [], False),
        ("messages", [{"role": "user", "content": [{"type": "text", "text": " "}]}], False),
        ("messages", [{"role": "user", "content": [{"type": "image"}]}], True), ("responses", None, True),
    ],
)  # fmt: skip
def test_what_litellm_fails_on_is_seen_before(api: Api, turns: Any, servable: bool) -> None:
    assert (body.unservable({"messages": turns}, api) is None) is servable
