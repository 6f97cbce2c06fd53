"""One question on every API, plain and streamed, read by the real clients."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest
from ask import QUESTION, chat
from provider import Provider, Reply, answer
from proxy import Proxy

SYNTH = "After weighing both, buying is the better choice for a small company in most cases."


@pytest.fixture
def client(proxy: Proxy) -> Any:
    with openai.OpenAI(base_url=f"{proxy.base_url}/v1", api_key=proxy.master_key, max_retries=0) as made:
        yield made


@pytest.fixture
def claude(proxy: Proxy) -> Any:
    with anthropic.Anthropic(base_url=proxy.base_url, auth_token=proxy.master_key, api_key=None, max_retries=0) as made:
        yield made


@pytest.fixture(autouse=True)
def _synth(provider: Provider) -> None:
    provider.script("synth", SYNTH)


def _route(headers: Any) -> tuple[str, str]:
    assert headers["x-fusion-trace-id"].startswith("fus_")
    return headers["x-fusion-route"], headers["x-fusion-rule"]


def test_chat_plain(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="fusion/all", messages=[{"role": "user", "content": QUESTION}])
    got = raw.parse()
    assert _route(raw.headers) == ("fused", "all")
    assert raw.headers["x-fusion-panel"] == "3/3"
    assert float(raw.headers["x-fusion-cost-usd"]) > 0
    assert (got.model, got.choices[0].message.content, got.choices[0].finish_reason) == ("fusion/all", SYNTH, "stop")
    assert got.usage is not None
    assert got.usage.completion_tokens == len(SYNTH.split())
    assert got.usage.prompt_tokens > 0
    assert got.choices[0].message.provider_specific_fields["fusion"]["version"] == "1"  # type: ignore[attr-defined]


def test_chat_streamed(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="fusion/all", messages=[{"role": "user", "content": QUESTION}], stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    chunks = list(raw.parse())
    assert _route(raw.headers) == ("fused", "all")
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.model for chunk in chunks} == {"fusion/all"}
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == SYNTH
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    usage = next(chunk.usage for chunk in chunks if chunk.usage)
    assert usage.completion_tokens == len(SYNTH.split())
    assert usage.completion_tokens_details is None or not usage.completion_tokens_details.reasoning_tokens
    news = "".join(getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in chunks if c.choices)
    assert all(line.startswith("\u2063fusion:") for line in news.splitlines())
    assert "comparing 3 answers" in news


def test_responses_plain(client: openai.OpenAI) -> None:
    raw = client.responses.with_raw_response.create(model="fusion/all", input=QUESTION)
    got = raw.parse()
    assert _route(raw.headers) == ("fused", "all")
    assert (got.model, got.output_text, got.status) == ("fusion/all", SYNTH, "completed")
    assert got.usage is not None
    assert got.usage.output_tokens == len(SYNTH.split())
    assert got.provider_specific_fields["fusion"]["version"] == "1"  # type: ignore[attr-defined]


def test_responses_streamed(client: openai.OpenAI) -> None:
    raw = client.responses.with_raw_response.create(model="fusion/all", input=QUESTION, stream=True)
    events = list(raw.parse())
    assert _route(raw.headers) == ("fused", "all")
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == SYNTH
    final = events[-1]
    assert final.type == "response.completed"
    assert final.response.usage is not None
    assert final.response.usage.output_tokens == len(SYNTH.split())
    assert '"version":"1"' in final.model_dump_json().replace(" ", "")


def test_messages_plain(claude: anthropic.Anthropic) -> None:
    raw = claude.messages.with_raw_response.create(
        model="fusion/all", max_tokens=500, messages=[{"role": "user", "content": QUESTION}]
    )
    got = raw.parse()
    assert _route(raw.headers) == ("fused", "all")
    assert raw.headers["x-fusion-panel"] == "3/3"
    assert [block.text for block in got.content if block.type == "text"] == [SYNTH]
    assert (got.model, got.stop_reason) == ("fusion/all", "end_turn")
    assert got.usage.output_tokens == len(SYNTH.split())


def test_messages_streamed(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model="fusion/all", max_tokens=500, messages=[{"role": "user", "content": QUESTION}]) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
        headers = stream.response.headers
    assert _route(headers) == ("fused", "all")
    assert text == SYNTH
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", len(SYNTH.split()))


def test_completions_go_direct(client: openai.OpenAI) -> None:
    raw = client.completions.with_raw_response.create(model="fusion/solo-panel", prompt=QUESTION)
    assert _route(raw.headers) == ("direct", "api")


def test_a_direct_request_is_served_natively(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/gated", "hello there")
    assert got.headers["x-fusion-route"] == "direct"
    assert (got.text, got.body["model"]) == (answer("solo"), "fusion/gated")
    assert [seen.model for seen in provider.requests] == ["solo"]
    assert "fusion" not in provider.requests[0].body


def test_the_gate_fuses_what_is_worth_it(proxy: Proxy) -> None:
    assert chat(proxy, "fusion/gated").headers["x-fusion-route"] == "fused"


@pytest.mark.parametrize("api", ["chat", "messages", "responses"])
def test_a_chat_that_switches_models_never_carries_our_progress(proxy: Proxy, provider: Provider, api: str) -> None:
    news = "\u2063fusion: asking 3 models\n\u2063fusion: writing the answer\n"
    first = {"role": "user", "content": QUESTION}
    last = {"role": "user", "content": "And why?"}
    turns: dict[str, tuple[str, dict[str, Any]]] = {
        "chat": ("/v1/chat/completions", {"messages": [
            first, {"role": "assistant", "content": SYNTH, "reasoning_content": news}, last]}),
        "messages": ("/v1/messages", {"max_tokens": 99, "messages": [
            first, {"role": "assistant", "content": [
                {"type": "thinking", "thinking": news, "signature": ""}, {"type": "text", "text": SYNTH}]}, last]}),
        "responses": ("/v1/responses", {"input": [
            first, {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": news}]},
            {"role": "assistant", "content": SYNTH}, last]}),
    }  # fmt: skip
    path, body = turns[api]
    for model in ("claude" if api == "messages" else "solo", "fusion/all"):
        with proxy.client() as http:
            response = http.post(path, json={"model": model, **body})
        assert response.status_code == 200, response.text
    assert len(provider.requests) >= 6
    for seen in provider.requests:
        assert "\u2063" not in json.dumps(seen.body, ensure_ascii=False)


def test_members_get_the_clients_messages_first_and_unchanged(proxy: Proxy, provider: Provider) -> None:
    messages = [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."}, {"role": "user", "content": QUESTION},
    ]  # fmt: skip
    chat(proxy, messages=messages)
    for model in ("m1", "m2", "m3"):
        assert provider.asked(model)[0]["messages"] == messages
    assert provider.asked("synth")[0]["messages"][:4] == messages
    assert len(provider.asked("synth")[0]["messages"]) == 5


def test_tools_are_shown_to_members_and_called_by_the_synthesizer_alone(
    proxy: Proxy, provider: Provider, client: openai.OpenAI
) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "description": "Finds a price.", "parameters": {
        "type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}}}  # fmt: skip
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"what": "billing"}'}}
    provider.script("synth", Reply(tool_calls=(call,)))
    plain = chat(proxy, tools=[tool]).body["choices"][0]
    assert (plain["finish_reason"], plain["message"]["tool_calls"][0]["function"]) == ("tool_calls", call["function"])
    choices = [choice for chunk in chat(proxy, tools=[tool], stream=True).chunks for choice in chunk.get("choices", ())]
    pieces = [piece["function"] for choice in choices for piece in choice["delta"].get("tool_calls") or ()]
    assert pieces[0]["name"] == "look_up"
    assert "".join(piece.get("arguments") or "" for piece in pieces) == '{"what": "billing"}'
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["tool_calls"]
    for body in provider.asked("m1"):
        assert "tools" not in body
        assert "look_up" in body["messages"][-1]["content"]
    assert provider.asked("synth")[0]["tools"][0]["function"]["name"] == "look_up"


def test_a_tool_result_goes_to_the_synthesizers_model_directly(proxy: Proxy, provider: Provider) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    messages = [
        {"role": "user", "content": QUESTION}, {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]  # fmt: skip
    got = chat(proxy, "fusion/gated", messages=messages, tools=[tool])
    assert (got.headers["x-fusion-route"], got.headers["x-fusion-rule"]) == ("direct", "agent-steps")
    assert [seen.model for seen in provider.requests] == ["synth"]
