"""Thinking never crosses from one model's answer into another's request, and the client's own is left alone. The scripted
Anthropic refuses, as the real one does, whatever it did not sign for the very model that is asked.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from agents import API_NAMES, Agent
from ask import QUESTION, chat
from provider import SIGNATURE, Provider, Reply, answer
from proxy import Proxy
from wires import call

THOUGHT = "The second supplier looks cheaper, but I should look up its delivery times."
SIGNED = f"{SIGNATURE} claude-loopback"
STREAMED = pytest.mark.parametrize("stream", [False, True])


def _signatures(body: dict[str, Any]) -> list[str]:
    blocks = [part for turn in body["messages"] if isinstance(turn["content"], list) for part in turn["content"]]
    return [part["signature"] for part in blocks if part["type"] == "thinking"]


def _claude(provider: Provider, *replies: Reply) -> None:
    provider.script("claude-loopback", *replies)


@STREAMED
@pytest.mark.parametrize("api", API_NAMES)
def test_a_fused_turns_thinking_goes_back_to_its_model_in_the_loop_alone(
    proxy: Proxy, provider: Provider, api: str, stream: bool
) -> None:
    _claude(
        provider,
        Reply(reasoning=THOUGHT, tool_calls=(call("look_up", '{"what": "delivery"}'),)),
        Reply(reasoning="Four days.", tool_calls=(call("look_up", '{"what": "price"}', "call_2"),)),
        Reply(text=answer("claude"), reasoning="That settles it."),
    )
    agent = Agent(proxy, "fusion/claude-alone", api, stream=stream)
    agent.ask(QUESTION)
    assert len(agent.step()) == 1
    agent.give_results("four days")
    assert len(agent.step()) == 1
    agent.give_results("40 francs")
    assert agent.step() == []
    assert agent.routes == ["fused", "direct", "direct"]
    first, second, third = provider.asked("claude-loopback")
    assert [_signatures(body) for body in (first, second, third)] == [[], [SIGNED], [SIGNED, SIGNED]]
    # The loop is closed: the next question fuses, and nobody sees what only fitted the first one.
    agent.ask("And which would you build or buy in ten years? Compare both.")
    agent.step()
    assert agent.routes[-1] == "fused"
    for seen in provider.requests[-5:]:
        assert THOUGHT not in json.dumps(seen.body), seen.model
        assert "fusion|signed|" not in json.dumps(seen.body), seen.model


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_a_model_that_thinks_adaptively_gets_only_what_it_thought_there(proxy: Proxy, provider: Provider, api: str) -> None:
    """The newest models refuse thinking that stood in another conversation, and none that is not there."""
    thoughts = (
        Reply(reasoning=THOUGHT, tool_calls=(call("look_up", '{"what": "delivery"}'),)),
        Reply(reasoning="Four days.", tool_calls=(call("look_up", '{"what": "price"}', "call_2"),)),
        Reply(text=answer("opus")),
    )
    provider.script("claude-opus-4-8", *thoughts)
    agent = Agent(proxy, "fusion/opus-alone", api)
    agent.ask(QUESTION)
    for result in ("four days", "40 francs"):
        assert len(agent.step()) == 1
        agent.give_results(result)
    assert agent.step() == []
    native = f"{SIGNATURE} claude-opus-4-8"
    assert [_signatures(body) for body in provider.asked("claude-opus-4-8")] == [[], [], [native]]


@STREAMED
def test_a_plain_model_never_sees_a_fused_turns_thinking(proxy: Proxy, provider: Provider, stream: bool) -> None:
    _claude(provider, Reply(text=answer("claude"), reasoning=THOUGHT))
    agent = Agent(proxy, "fusion/by-claude", "messages", stream=stream)
    agent.ask(QUESTION)
    agent.step()
    signed = [block for block in agent.history[-1]["content"] if block.get("signature")]
    assert signed
    assert all(block["signature"] != SIGNED for block in signed)
    agent.ask("And why?")
    for model in ("claude2", "claude", "solo"):
        with proxy.client() as client:
            got = client.post("/v1/messages", json={"model": model, "max_tokens": 99, "messages": agent.history})
        assert got.status_code == 200, got.text
    assert len(provider.asked("claude-other")) == 1
    assert _signatures(provider.asked("claude-other")[0]) == []


TURNS: dict[str, Any] = {
    "chat": {"role": "assistant", "content": "Hello.", "thinking_blocks": [
        {"type": "thinking", "thinking": THOUGHT, "signature": SIGNED}]},
    "messages": {"role": "assistant", "content": [
        {"type": "thinking", "thinking": THOUGHT, "signature": SIGNED}, {"type": "text", "text": "Hello."}]},
}  # fmt: skip
PATHS = {"chat": ("/v1/chat/completions", {}), "messages": ("/v1/messages", {"max_tokens": 99})}


def _say(proxy: Proxy, api: str, model: str, turns: list[Any], **more: Any) -> Any:
    path, body = PATHS[api]
    with proxy.client() as client:
        got = client.post(path, json={"model": model, "messages": turns, **body, **more})
    assert got.status_code == 200, got.text
    return got


def _history(api: str) -> list[Any]:
    return [{"role": "user", "content": "hi"}, TURNS[api], {"role": "user", "content": "hello there"}]


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_the_clients_own_thinking_survives_the_direct_path(proxy: Proxy, provider: Provider, api: str) -> None:
    got = _say(proxy, api, "fusion/claude-alone", _history(api), fusion={"mode": "off"})
    assert got.headers["x-fusion-route"] == "direct"
    sent = provider.asked("claude-loopback")
    assert len(sent) == 1
    block = sent[0]["messages"][1]["content"][0]
    assert block == {"type": "thinking", "thinking": THOUGHT, "signature": SIGNED}


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_it_is_dropped_where_another_model_may_have_thought_it(proxy: Proxy, provider: Provider, api: str) -> None:
    got = _say(proxy, api, "fusion/claude-agent", _history(api), fusion={"mode": "off"})
    assert got.headers["x-fusion-route"] == "direct"
    assert THOUGHT not in json.dumps(provider.requests[0].body)


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_no_member_sees_it(proxy: Proxy, provider: Provider, api: str) -> None:
    turns = [*_history(api)[:2], {"role": "user", "content": QUESTION}]
    got = _say(proxy, api, "fusion/claude-alone", turns)
    assert (got.headers["x-fusion-route"], got.headers["x-fusion-panel"]) == ("fused", "3/3")
    for seen in provider.requests:
        if seen.model != "claude-loopback":
            assert THOUGHT not in json.dumps(seen.body), seen.model
    assert _signatures(provider.asked("claude-loopback")[0]) == [SIGNED]


@pytest.mark.parametrize("signature", ["", None])
def test_unsigned_thinking_never_reaches_a_provider_that_signs(proxy: Proxy, provider: Provider, signature: Any) -> None:
    block = {"type": "thinking", "thinking": "An open model's thoughts.", "signature": signature}
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [block, {"type": "text", "text": "Hello."}]},
             {"role": "user", "content": "hello there"}]  # fmt: skip
    _say(proxy, "messages", "fusion/claude-alone", turns, fusion={"mode": "off"})
    assert len(provider.asked("claude-loopback")) == 1
    assert _signatures(provider.asked("claude-loopback")[0]) == []


NEWS = "\u2063fusion: asking 3 models\n\u2063fusion: writing the answer\n"
REPLAYS: dict[str, tuple[str, Any]] = {
    "reasoning_content": ("chat", {"role": "assistant", "content": "Hello.", "reasoning_content": NEWS}),
    "reasoning": ("chat", {"role": "assistant", "content": "Hello.", "reasoning": NEWS}),
    "thinking_blocks": ("chat", {"role": "assistant", "content": "Hello.", "thinking_blocks": [
        {"type": "thinking", "thinking": NEWS, "signature": ""}]}),
    "think tags": ("chat", {"role": "assistant", "content": f"<think>{NEWS}</think>Hello."}),
    "thinking block": ("messages", {"role": "assistant", "content": [
        {"type": "thinking", "thinking": NEWS, "signature": ""}, {"type": "text", "text": "Hello."}]}),
    "thinking block alone": ("messages", {"role": "assistant", "content": [
        {"type": "thinking", "thinking": NEWS, "signature": "made-up"}]}),
}  # fmt: skip


@pytest.mark.parametrize("form", REPLAYS)
@pytest.mark.parametrize("model", ["claude", "fusion/claude-alone", "fusion/claude-agent"])
def test_our_news_is_taken_out_of_every_replayed_form(proxy: Proxy, provider: Provider, form: str, model: str) -> None:
    api, turn = REPLAYS[form]
    _say(proxy, api, model, [{"role": "user", "content": "hi"}, turn, {"role": "user", "content": QUESTION}])
    assert provider.requests
    for seen in provider.requests:
        assert "fusion:" not in json.dumps(seen.body), seen.model
    if model == "claude":
        assert len(provider.requests) == 1


@STREAMED
def test_a_response_can_only_be_gone_on_from_where_its_turns_are_stored(proxy: Proxy, provider: Provider, stream: bool) -> None:
    with proxy.client() as client:
        first = client.post("/v1/responses", json={"model": "fusion/agent", "input": QUESTION}).json()
        body = {"model": "fusion/agent", "input": "And why?", "previous_response_id": first["id"], "stream": stream}
        got = client.post("/v1/responses", json=body)
        calm = client.post("/v1/responses", json={**body, "fusion": {"mode": "off"}})
    for refused in (got, calm):
        assert refused.status_code == 400
        assert "previous_response_id" in refused.text
        assert "fusion_history_missing" in refused.text


def test_turns_that_a_direct_models_provider_keeps_go_on_there(proxy: Proxy, provider: Provider) -> None:
    with proxy.client() as client:
        off = {"mode": "off"}
        first = client.post("/v1/responses", json={"model": "fusion/agent", "input": QUESTION, "fusion": off}).json()
        got = client.post(
            "/v1/responses", json={"model": "fusion/agent", "input": QUESTION, "previous_response_id": first["id"]}
        )
    assert got.status_code == 200, got.text
    assert (got.headers["x-fusion-route"], got.headers["x-fusion-rule"]) == ("direct", "previous-response")
    assert provider.requests[-1].body["previous_response_id"].startswith("resp_")


def test_reasoning_effort_and_the_synthesizers_thinking_reach_the_chat(proxy: Proxy, provider: Provider) -> None:
    _claude(provider, Reply(text=answer("claude"), reasoning=THOUGHT))
    message = chat(proxy, "fusion/by-claude").body["choices"][0]["message"]
    assert message["reasoning_content"] == THOUGHT
    assert message["thinking_blocks"][0]["signature"] == f"fusion|signed|claude|{SIGNED}"
