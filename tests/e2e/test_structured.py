"""Structured outputs: what reaches the client has the format that it asked for, however it was fused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ask import chat
from provider import Provider, Reply, answer
from proxy import Proxy

SCHEMA = {
    "type": "object", "properties": {"choice": {"type": "string"}, "points": {"type": "integer"}},
    "required": ["choice", "points"], "additionalProperties": False,
}  # fmt: skip
FORMAT = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA, "strict": True}}
GOOD, BAD = '{"choice": "buy", "points": 7}', '{"choice": "buy"}'
STREAMED = pytest.mark.parametrize("stream", [False, True])


@STREAMED
@pytest.mark.parametrize("model", ["fusion/all", "fusion/nojudge", "fusion/vote", "fusion/best"])
def test_the_format_holds_however_it_was_fused(proxy: Proxy, provider: Provider, model: str, stream: bool) -> None:
    provider.script("synth", GOOD)
    got = chat(proxy, model, response_format=FORMAT, stream=stream)
    assert (got.headers["x-fusion-route"], got.text) == ("fused", GOOD)
    assert provider.asked("synth")[0]["response_format"] == FORMAT
    assert "response_format" not in provider.asked("m1")[0]


def test_a_clear_vote_needs_no_judge_here_either(proxy: Proxy, provider: Provider) -> None:
    for name, said in (("m1", "Answer: 42"), ("m2", "I get 41.\nAnswer: 41"), ("m3", "Answer: 42")):
        provider.script(name, said)
    provider.script("synth", GOOD)
    got = chat(proxy, "fusion/vote", response_format=FORMAT)
    assert got.text == GOOD
    assert provider.asked("judge") == []
    told = provider.asked("synth")[0]["messages"][-1]["content"]
    assert ("Answer: 42" in told, "Answer: 41" in told) == (True, False)


def test_best_of_hands_only_the_best_to_the_writer(proxy: Proxy, provider: Provider) -> None:
    provider.script("synth", GOOD)
    got = chat(proxy, "fusion/best", response_format=FORMAT)
    best = got.trace["analysis"]["strongest"].partition("#")[0]
    told = provider.asked("synth")[0]["messages"][-1]["content"]
    assert [name for name in ("m1", "m2", "m3") if answer(name) in told] == [best]


@STREAMED
@pytest.mark.parametrize("around", [f"```json\n{GOOD}\n```", f"Here it is:\n{GOOD}"])
def test_fences_and_prose_are_taken_off(proxy: Proxy, provider: Provider, around: str, stream: bool) -> None:
    provider.script("synth", around)
    got = chat(proxy, response_format=FORMAT, stream=stream)
    assert got.text == GOOD
    assert ("synthesis", "lenient") in got.steps
    assert len(provider.asked("synth")) == 1


@STREAMED
def test_one_repair_says_what_was_wrong(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("synth", "I would buy.", GOOD)
    got = chat(proxy, response_format=FORMAT, stream=stream)
    assert (got.text, got.headers["x-fusion-route"]) == (GOOD, "fused")
    assert ("synthesis", "repair") in got.steps
    first, second = provider.asked("synth")
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert "not valid JSON" in second["messages"][-1]["content"]
    assert second["response_format"] == FORMAT


@STREAMED
def test_then_the_backup_writes(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("synth", "I would buy.", "Still buy.")
    provider.script("synth2", GOOD)
    got = chat(proxy, "fusion/backups", response_format=FORMAT, stream=stream)
    assert got.text == GOOD
    assert [step for step in got.steps if step[0] == "synthesis"] == [
        ("synthesis", "repair"), ("synthesis", "misfit"), ("synthesis", "backup")]  # fmt: skip


@STREAMED
def test_then_an_answer_that_has_the_format(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("synth", "I would buy.")
    provider.script("m2", f"As JSON: {GOOD}")
    got = chat(proxy, response_format=FORMAT, stream=stream)
    assert got.text == GOOD
    assert ("synthesis", "answer_in_format") in got.steps


@STREAMED
def test_then_the_direct_model_under_the_same_format(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("synth", Reply(status=500))
    provider.script("solo", GOOD)
    got = chat(proxy, "fusion/solo-panel", response_format=FORMAT, stream=stream)
    assert got.text == GOOD
    assert ("synthesis", "direct") in got.steps
    assert provider.asked("solo")[0]["response_format"] == FORMAT


def test_a_stream_that_went_wrong_midway_is_told_in_the_trace(proxy: Proxy, provider: Provider) -> None:
    provider.script("synth", BAD)
    got = chat(proxy, response_format=FORMAT, stream=True)
    assert got.text == BAD
    assert ("synthesis", "misfit") in got.steps
    assert len(provider.asked("synth")) == 1


@STREAMED
def test_a_json_object_without_a_schema(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("synth", "[1, 2]", "{}")
    got = chat(proxy, response_format={"type": "json_object"}, stream=stream)
    assert (got.text, len(provider.asked("synth"))) == ("{}", 2)


@STREAMED
def test_what_the_clients_own_length_cuts_off_is_let_through(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("synth", Reply(text='{"choice": "b', finish_reason="length"))
    got = chat(proxy, response_format=FORMAT, max_tokens=5, stream=stream)
    assert (got.text, len(provider.asked("synth"))) == ('{"choice": "b', 1)


@STREAMED
def test_a_forced_call_is_never_answered_in_prose(proxy: Proxy, provider: Provider, stream: bool) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    made = {"id": "c", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    provider.script("synth", Reply(status=500), Reply(tool_calls=(made,)))
    got = chat(proxy, "fusion/all", tools=[tool], tool_choice="required", stream=stream)
    assert got.status == 200
    assert "look_up" in json.dumps(got.body or got.chunks)
    assert got.headers["x-fusion-route"] in ("degraded", "fused")


@pytest.mark.parametrize("api", ["responses", "messages"])
@STREAMED
def test_the_other_apis_formats_too(proxy: Proxy, provider: Provider, api: str, stream: bool) -> None:
    provider.script("synth", "I would buy.", GOOD)
    question = {"role": "user", "content": "Build or buy? Compare, and recommend one."}
    schema: dict[str, Any] = {"type": "json_schema", "name": "verdict", "schema": SCHEMA, "strict": True}
    path, body = {
        "responses": ("/v1/responses", {"input": [question], "text": {"format": schema}}),
        "messages": ("/v1/messages", {"messages": [question], "max_tokens": 99,
                                      "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    }[api]  # fmt: skip
    with proxy.client() as client:
        got = client.post(path, json={"model": "fusion/all", "stream": stream, **body})
    assert got.status_code == 200, got.text
    assert "I would buy" not in got.text
    assert json.dumps(GOOD)[1:-1] in got.text
    assert provider.asked("synth")[0]["response_format"]["type"] == "json_schema"
