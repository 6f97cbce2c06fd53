"""What a provider's prompt cache needs: the client's messages first and as they came, `cache_control` on its blocks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agents import Agent
from ask import QUESTION, chat
from provider import Provider, Reply
from proxy import Proxy

CACHED = {"cache_control": {"type": "ephemeral"}}
SYSTEM = [{"type": "text", "text": "You know everything about billing.", **CACHED}]
USER = [{"type": "text", "text": "A long document about billing.", **CACHED}, {"type": "text", "text": QUESTION}]


def _marks(body: dict[str, Any]) -> list[str]:
    """The texts and tools that carry a cache mark, in order."""
    blocks = [*(body.get("tools") or ()), *body["system"], *(part for turn in body["messages"] for part in turn["content"])]
    return [block.get("text") or block["name"] for block in blocks if "cache_control" in block]


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_cache_marks_survive_fused_and_direct(proxy: Proxy, provider: Provider, api: str) -> None:
    tool = {**Agent.TOOL["function"]}
    if api == "chat":
        path = "/v1/chat/completions"
        body: dict[str, Any] = {"messages": [{"role": "system", "content": SYSTEM}], "tools": [{**Agent.TOOL, **CACHED}]}
    else:
        path, own = "/v1/messages", {"name": tool["name"], "input_schema": tool["parameters"], **CACHED}
        body = {"system": SYSTEM, "messages": [], "tools": [own], "max_tokens": 99}
    body["messages"].append({"role": "user", "content": USER})
    for mode in ("force", "off"):
        with proxy.client() as client:
            got = client.post(path, json={"model": "fusion/claude-agent", **body, "fusion": {"mode": mode}})
        assert got.status_code == 200, got.text
    texts = [SYSTEM[0]["text"], USER[0]["text"]]
    member, synth, direct = provider.asked("claude-loopback")
    assert _marks(member) == texts
    assert _marks(synth) == _marks(direct) == ["look_up", *texts]
    assert synth["messages"][0]["content"][:2] == direct["messages"][0]["content"] == USER


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_hits_the_cache_on_every_turn(proxy: Proxy, provider: Provider, stream: bool) -> None:
    """Fused and direct turns in turn, each model's own cache: every prompt begins with what the model has seen."""
    provider.caches = True
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Be brief, and name your sources."}]
    for question in ("Should we build or buy billing?", "And for a bank, build or buy?", "And in ten years, build or buy?"):
        messages.append({"role": "user", "content": question})
        got = chat(proxy, "fusion/all", messages=messages, stream=stream)
        assert got.headers["x-fusion-route"] == "fused"
        messages.append({"role": "assistant", "content": got.text})
    for model in ("m1", "m2", "m3", "synth"):
        first, *later = provider.hits[model]
        assert first == 0 or model != "m1"
        assert all(hit > 0 for hit in later), model
        assert later == sorted(later), model


def test_cached_tokens_show_in_the_direct_answers_usage(proxy: Proxy, provider: Provider) -> None:
    provider.script("solo", Reply(text="Hello there, how can I help?", cached=7))
    got = chat(proxy, "fusion/gated", "hello there")
    assert got.body["usage"]["prompt_tokens_details"]["cached_tokens"] == 7


def test_every_member_and_the_synthesizer_begin_with_the_clients_messages(proxy: Proxy, provider: Provider) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Look"}, picture]},
        {"role": "assistant", "content": "A \u2713 sign, “quoted”."}, {"role": "user", "content": QUESTION},
    ]  # fmt: skip
    chat(proxy, "fusion/agent", messages=messages, tools=[Agent.TOOL])
    for model in ("m1", "m2", "m3", "synth"):
        sent = provider.asked(model)[0]["messages"]
        assert [json.dumps(turn) for turn in sent[:4]] == [json.dumps(turn) for turn in messages], model
        assert len(sent) == 5
