"""What a request may say: modes, overrides, the shapes that other systems' clients send; and what an operator may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ask import QUESTION, chat
from provider import Provider, Reply, answer
from proxy import Proxy


def test_off_goes_direct(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/solo-panel", fusion={"mode": "off"})
    assert (got.headers["x-fusion-route"], got.headers["x-fusion-rule"]) == ("direct", "request")
    assert got.text == answer("solo")


def test_force_fuses_what_the_gate_would_not(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/gated", "hello there", fusion={"mode": "force"})
    assert (got.headers["x-fusion-route"], got.headers["x-fusion-rule"]) == ("fused", "request")


@pytest.mark.parametrize("stream", [False, True])
def test_explain_spends_nothing(proxy: Proxy, provider: Provider, stream: bool) -> None:
    got = chat(proxy, "fusion/gated", fusion={"mode": "explain"}, stream=stream)
    told = json.loads(got.text)
    assert told["decision"]["use"] == "fuse" or told["decision"]["route"] == "fused"
    assert {"signals", "rules", "calls"} <= set(told)
    assert provider.requests == []


def test_openrouters_plugin_is_understood(proxy: Proxy, provider: Provider) -> None:
    plugin = {"id": "fusion", "analysis_models": ["openai/m2", "m3"], "model": "m1", "max_tool_calls": 3}
    got = chat(proxy, plugins=[plugin])
    assert got.status == 200
    assert sorted(seen.model for seen in provider.requests if seen.model.startswith("m")) == ["m2", "m3"]
    assert set(got.headers["x-fusion-ignored"].split(",")) == {"judge.model", "tools.max_calls"}
    assert all("plugins" not in seen.body for seen in provider.requests)


def test_openrouters_tool_is_understood(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, tools=[{"type": "openrouter:fusion", "parameters": {"analysis_models": ["m1"]}}])
    assert got.status == 200
    assert all("tools" not in seen.body for seen in provider.requests)


def test_litellms_announced_field_is_understood(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, fusion={"models": ["m1", "m2"], "judge": {"model": "m3", "criteria": "Be strict."}})
    assert got.status == 200
    assert got.headers["x-fusion-ignored"] == "judge.model"
    assert "Be strict." in json.dumps(provider.asked("judge")[0])


def test_limits_go_only_down(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, fusion={"limits": {"max_cost_usd": 50}})
    assert got.trace["limits"]["max_cost_usd"] == 1.0
    got = chat(proxy, fusion={"limits": {"max_cost_usd": 0.5}})
    assert got.trace["limits"]["max_cost_usd"] == 0.5


def test_the_client_sees_what_the_operator_lets_it(proxy: Proxy, provider: Provider) -> None:
    quiet = chat(proxy, "fusion/quiet", stream=True)
    assert quiet.trace == {}
    assert "fusion:" not in json.dumps(quiet.chunks)
    summary = chat(proxy, fusion={"client_trace": "summary"}).trace
    assert "analysis" not in summary
    assert "signals" not in json.dumps(summary)


def test_reasoning_news_can_be_had_on_messages(proxy: Proxy, provider: Provider) -> None:
    body = {"model": "fusion/reasoning", "max_tokens": 99, "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    with proxy.client() as client:
        got = client.post("/v1/messages", json=body).text
    assert "thinking_delta" in got
    assert "fusion: asking 3 models" in got


def test_shadow_decides_logs_and_goes_direct(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/shadow")
    assert got.headers["x-fusion-route"] == "direct"
    assert got.text == answer("solo")
    assert [seen.model for seen in provider.requests] == ["solo"]


def test_health_checks_run_no_panel(proxy: Proxy, provider: Provider) -> None:
    with proxy.client() as client:
        client.get("/health", params={"model": "fusion/all"}, timeout=60)
    assert provider.requests == []


def test_self_fusion_asks_one_model_several_times(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/self")
    assert got.headers["x-fusion-panel"] == "3/3"
    assert len(provider.asked("m1")) == 3


def test_a_vote_needs_no_judge_when_it_is_clear(proxy: Proxy, provider: Provider) -> None:
    for name, said in (("m1", "Answer: 42"), ("m2", "I get 41.\nAnswer: 41"), ("m3", "So it is.\nAnswer: **42.0**")):
        provider.script(name, said)
    got = chat(proxy, "fusion/vote")
    assert got.text == "Answer: 42"
    assert ("vote", "majority") in got.steps
    assert provider.asked("judge") == []
    assert got.headers["x-fusion-route"] == "fused"


def test_best_of_returns_the_judges_choice_verbatim(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/best")
    strongest = got.trace["analysis"]["strongest"].partition("#")[0]
    assert got.text == answer(strongest)
    assert provider.asked("synth") == []


def test_the_judge_sees_labels_and_no_names(proxy: Proxy, provider: Provider) -> None:
    for name in ("m1", "m2", "m3"):
        provider.script(name, f"View number {len(name)} of somebody: build it, and keep it small for the first year.")
    chat(proxy)
    told = json.dumps(provider.asked("judge")[0])
    assert all(f"answer {label}" in told for label in "ABC")
    assert not any(name in told for name in ('"m1"', "m2", "m3"))


@pytest.mark.parametrize("stream", [False, True])
def test_client_parameters_reach_whom_the_table_says(proxy: Proxy, provider: Provider, stream: bool) -> None:
    asked = {"temperature": 0.7, "top_p": 0.9, "seed": 5, "max_tokens": 77, "presence_penalty": 0.1, "logprobs": True}
    got = chat(proxy, stream=stream, **asked, user="someone", parallel_tool_calls=None)
    assert got.status == 200
    member, judge, synth = (provider.asked(model)[0] for model in ("m1", "judge", "synth"))
    assert {key: member.get(key) for key in ("temperature", "top_p", "seed", "presence_penalty")} == {
        "temperature": 0.7, "top_p": 0.9, "seed": 5, "presence_penalty": 0.1}  # fmt: skip
    assert member["max_tokens"] == 16000
    assert "logprobs" not in member
    assert judge["temperature"] == 0
    assert "seed" not in judge
    assert {key: synth.get(key) for key in asked} == asked


def test_reasoning_effort_reaches_members_and_synthesizer(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/thinkers", reasoning_effort="low")
    assert got.status == 200, got.body
    assert provider.asked("o3-mini")[0]["reasoning_effort"] == "low"
    assert "reasoning_effort" not in provider.asked("judge")[0]


def test_what_no_stage_can_honour_is_refused_by_name(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/by-claude", n=2)
    assert got.status == 400
    assert "n" in got.error["message"]
    assert "claude" in got.error["message"]
    assert provider.requests == []
    assert chat(proxy, "fusion/by-claude", n=2, drop_params=True).status == 200


def test_the_operators_settings_fill_in_for_every_model(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/all")
    assert got.trace["limits"]["panel_seconds"] == 199


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"aggregate": "best"}, "fusion.aggregate"), ({"limits": {"max_cost_usd": -1}}, "fusion.limits.max_cost_usd"),
        ({"progress": 5}, "fusion.progress"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_the_requests_own_fault(proxy: Proxy, provider: Provider, asked: dict, path: str) -> None:
    got = chat(proxy, fusion=asked)
    assert (got.status, got.error["param"]) == (400, path)
    assert provider.requests == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_cant_lengthen_what_is_derived(proxy: Proxy, provider: Provider, stream: bool) -> None:
    got = chat(proxy, "fusion/all-auto", fusion={"limits": {"deadline_seconds": 9999, "grace_seconds": 500}}, stream=stream)
    assert got.trace["limits"]["deadline_seconds"] == (540 if stream else 290)
    assert got.trace["limits"]["grace_seconds"] == 30


def test_our_news_and_the_synthesizers_reasoning_get_blocks_of_their_own(proxy: Proxy, provider: Provider) -> None:
    provider.script("synth", Reply(text=answer("synth"), reasoning="The provider's own thoughts."))
    body = {"model": "fusion/reasoning", "max_tokens": 99, "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    blocks: dict[int, str] = {}
    with proxy.client() as client, client.stream("POST", "/v1/messages", json=body) as response:
        for line in response.iter_lines():
            event = json.loads(line[6:]) if line.startswith("data: {") else {}
            if event.get("type") == "content_block_delta":
                said = event["delta"].get("thinking") or event["delta"].get("text") or ""
                blocks[event["index"]] = blocks.get(event["index"], "") + said
    ours = [text for text in blocks.values() if "\u2063fusion:" in text]
    assert len(ours) == 1
    assert "The provider's own thoughts." in blocks.values()
    assert answer("synth") in blocks.values()


def test_a_plugin_beside_our_own_field_is_ignored_where_it_may_not_change_a_thing(proxy: Proxy, provider: Provider) -> None:
    plugin = {"id": "fusion", "model": "m1", "preset": "research", "analysis_models": ["m3", "m2"]}
    got = chat(proxy, fusion={"panel": ["m1", "m2"]}, plugins=[plugin])
    assert got.status == 200, got.body
    assert set(got.headers["x-fusion-ignored"].split(",")) == {"judge.model", "preset"}
    assert sorted(seen.model for seen in provider.requests if seen.model.startswith("m")) == ["m1", "m2"]
    refused = chat(proxy, fusion={"judge": {"model": "m1"}}, plugins=[plugin])
    assert (refused.status, refused.error["param"]) == (400, "fusion.judge.model")


def test_a_plugins_unfit_value_is_ignored_beside_our_own_field(proxy: Proxy, provider: Provider) -> None:
    plugin = {"id": "fusion", "max_completion_tokens": -5}
    got = chat(proxy, fusion={"panel": ["m1", "m2"]}, plugins=[plugin])
    assert (got.status, got.headers["x-fusion-ignored"]) == (200, "limits.max_completion_tokens")
    assert sorted(seen.model for seen in provider.requests if seen.model.startswith("m")) == ["m1", "m2"]


@pytest.mark.parametrize("stream", [False, True])
def test_openrouters_own_name_is_an_alias_away(proxy: Proxy, provider: Provider, stream: bool) -> None:
    plugins = [{"id": "fusion", "analysis_models": ["m1", "m2"], "enabled": True}]
    got = chat(proxy, "openrouter/fusion", plugins=plugins, stream=stream)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")
    assert sorted(seen.model for seen in provider.requests if seen.model.startswith("m")) == ["m1", "m2"]


EXTRAS: dict[str, Any] = {
    "user": "someone", "metadata": {"session": "s-1"}, "safety_identifier": "abc", "x_unknown": {"deep": [1, None]},
    "provider": {"order": ["openai"]}, "transforms": ["middle-out"], "usage": {"include": True}, "session_id": "s-1",
    "chat_id": "c", "features": {"web_search": False}, "reasoning": {"effort": "low"},
}  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("extra", [*EXTRAS, "all"])
def test_unknown_extras_never_fail_a_fused_request(proxy: Proxy, provider: Provider, path: str, extra: str) -> None:
    question = [{"role": "user", "content": QUESTION}]
    body: dict[str, Any] = {"input": question} if path.endswith("responses") else {"messages": question, "max_tokens": 99}
    more = EXTRAS if extra == "all" else {extra: EXTRAS[extra]}
    with proxy.client() as client:
        got = client.post(path, json={"model": "fusion/all", **body, **more})
    assert got.status_code == 200, got.text
    assert got.headers["x-fusion-route"] == "fused"
