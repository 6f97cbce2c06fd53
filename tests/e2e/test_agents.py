"""Agents: a tool loop costs one panel, its calls come through as they were made, and provider caches hit on every turn."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agents import API_NAMES, Agent
from ask import QUESTION, chat
from provider import Provider, Reply, answer
from proxy import Proxy
from wires import call

STEPS = 9
FINAL = "After nine look-ups the second supplier is the better one, mostly for its shorter delivery times."


def _loop(body: dict[str, Any]) -> Reply:
    """The next of nine calls, by the number of results in the history; then the final answer."""
    done = json.dumps(body).count("result-of-step-")
    if done == STEPS:
        return Reply(text=FINAL)
    return Reply(tool_calls=(call("look_up", json.dumps({"what": f"step-{done + 1}"}), f"call_{done + 1}"),))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", API_NAMES)
def test_ten_steps_cost_one_panel_and_nine_direct_calls(proxy: Proxy, provider: Provider, api: str, stream: bool) -> None:
    provider.script("synth", Reply(make=_loop))
    provider.caches = True
    agent = Agent(proxy, "fusion/agent", api, stream=stream)
    agent.ask(QUESTION)
    for step in range(1, STEPS + 1):
        calls = agent.step()
        assert [(name, json.loads(arguments)) for _, name, arguments in calls] == [("look_up", {"what": f"step-{step}"})]
        agent.give_results(f"result-of-step-{step}")
    assert agent.step() == []
    assert agent.text == FINAL
    asked = [seen.model for seen in provider.requests]
    assert {name: asked.count(name) for name in sorted(set(asked))} == {"judge": 1, "m1": 1, "m2": 1, "m3": 1, "synth": 10}
    assert agent.routes == ["fused"] + ["direct"] * STEPS
    hits = provider.hits["synth"]
    assert hits[0] == 0
    assert all(hit > 0 for hit in hits[1:])
    assert hits[2:] == sorted(hits[2:])


@pytest.mark.parametrize("stream", [False, True])
def test_claude_keeps_the_loop_too(proxy: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("claude-loopback", answer("claude"), Reply(make=_loop))
    agent = Agent(proxy, "fusion/claude-agent", "messages", stream=stream)
    agent.ask(QUESTION)
    for step in range(1, 4):
        assert [json.loads(arguments) for _, _, arguments in agent.step()] == [{"what": f"step-{step}"}]
        agent.give_results(f"result-of-step-{step}")
    assert agent.routes == ["fused", "direct", "direct"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", API_NAMES)
def test_parallel_calls_come_through_in_order(proxy: Proxy, provider: Provider, api: str, stream: bool) -> None:
    made = tuple(call("look_up", json.dumps({"what": f"thing {n}"}), f"call_{n}") for n in range(3))
    provider.script("synth", Reply(tool_calls=made), Reply(text=FINAL))
    agent = Agent(proxy, "fusion/agent", api, stream=stream)
    agent.ask(QUESTION)
    calls = agent.step()
    assert [json.loads(arguments)["what"] for _, _, arguments in calls] == ["thing 0", "thing 1", "thing 2"]
    assert len({call_id for call_id, _, _ in calls}) == 3
    agent.give_results("three", "results", "here")
    assert agent.step() == []
    assert agent.routes == ["fused", "direct"]


@pytest.mark.parametrize(
    "choice",
    ["auto", "none", "required", {"type": "function", "function": {"name": "look_up"}}],
    ids=["auto", "none", "required", "named"],
)  # fmt: skip
def test_every_tool_choice_reaches_the_synthesizer_alone(proxy: Proxy, provider: Provider, choice: Any) -> None:
    got = chat(proxy, "fusion/agent", tools=[Agent.TOOL], tool_choice=choice, parallel_tool_calls=False)
    assert got.status == 200, got.body
    synth = provider.asked("synth")[0]
    assert (synth["tool_choice"], synth["parallel_tool_calls"], synth["tools"]) == (choice, False, [Agent.TOOL])
    assert not {"tool_choice", "tools", "parallel_tool_calls"} & set(provider.asked("m1")[0])


@pytest.mark.parametrize(
    ("choice", "sent"),
    [({"type": "auto"}, "auto"), ({"type": "any"}, "required"), ({"type": "none"}, "none"),
     ({"type": "tool", "name": "look_up"}, {"type": "function", "function": {"name": "look_up"}})],
    ids=["auto", "any", "none", "tool"],
)  # fmt: skip
def test_anthropics_tool_choices_too(proxy: Proxy, provider: Provider, choice: Any, sent: Any) -> None:
    tool = {"name": "look_up", "input_schema": Agent.TOOL["function"]["parameters"]}
    body = {"model": "fusion/agent", "max_tokens": 99, "messages": [{"role": "user", "content": QUESTION}], "tools": [tool]}
    with proxy.client() as client:
        got = client.post("/v1/messages", json={**body, "tool_choice": choice})
    assert got.status_code == 200, got.text
    assert provider.asked("synth")[0]["tool_choice"] == sent


@pytest.mark.parametrize(
    ("choice", "sent"),
    [("auto", "auto"), ("required", "required"), ("none", "none"),
     ({"type": "function", "name": "look_up"}, {"type": "function", "function": {"name": "look_up"}})],
    ids=["auto", "required", "none", "named"],
)  # fmt: skip
def test_and_those_of_the_responses_api(proxy: Proxy, provider: Provider, choice: Any, sent: Any) -> None:
    tools = [{"type": "function", "strict": True, **Agent.TOOL["function"]}]
    body = {"model": "fusion/agent", "input": QUESTION, "tools": tools, "tool_choice": choice, "parallel_tool_calls": False}
    with proxy.client() as client:
        got = client.post("/v1/responses", json=body)
    assert got.status_code == 200, got.text
    synth = provider.asked("synth")[0]
    assert (synth["tool_choice"], synth["parallel_tool_calls"], synth["tools"][0]["function"]["strict"]) == (sent, False, True)


def test_strict_schemas_reach_the_synthesizer_untouched(proxy: Proxy, provider: Provider) -> None:
    parameters = {
        "type": "object", "properties": {"what": {"type": "string", "enum": ["a", "b"]}}, "required": ["what"],
        "additionalProperties": False,
    }  # fmt: skip
    tool = {"type": "function", "function": {"name": "look_up", "strict": True, "parameters": parameters}}
    assert chat(proxy, "fusion/agent", tools=[tool]).status == 200
    assert provider.asked("synth")[0]["tools"] == [tool]


def test_legacy_functions_are_tools(proxy: Proxy, provider: Provider) -> None:
    function = Agent.TOOL["function"]
    got = chat(proxy, "fusion/agent", functions=[function], function_call="auto")
    assert got.status == 200, got.body
    assert provider.asked("synth")[0]["functions"] == [function]
    assert "look_up" in json.dumps(provider.asked("m1")[0]["messages"][-1])


def test_a_question_after_a_tool_loop_fuses_again(proxy: Proxy, provider: Provider) -> None:
    """Members are shown a history with calls in it: providers want the tools defined, nobody may call one."""
    history = [
        {"role": "user", "content": "What does it cost?"},
        {"role": "assistant", "content": None, "tool_calls": [call("look_up", '{"what": "price"}')]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
        {"role": "assistant", "content": "It costs 42."},
        {"role": "user", "content": QUESTION},
    ]
    got = chat(proxy, "fusion/claude-agent", messages=history, tools=[Agent.TOOL])
    assert got.headers["x-fusion-panel"] == "3/3"
    member = provider.asked("m1")[0]
    assert member["messages"][:5] == [{k: v for k, v in turn.items() if v is not None} for turn in history]
    assert (member["tools"], member["tool_choice"]) == ([Agent.TOOL], "none")
    claude = provider.asked("claude-loopback")[0]
    assert [tool["name"] for tool in claude["tools"]] == ["look_up"]


def test_a_members_own_call_is_read_as_a_proposal(proxy: Proxy, provider: Provider) -> None:
    provider.script("m1", Reply(tool_calls=(call("look_up", '{"what": "the proposal"}'),)))
    got = chat(proxy, "fusion/agent", tools=[Agent.TOOL])
    assert got.headers["x-fusion-panel"] == "3/3"
    assert "the proposal" in provider.asked("synth")[0]["messages"][-1]["content"]


def test_a_loop_without_tools_in_its_last_request_stays_with_its_model(proxy: Proxy, provider: Provider) -> None:
    history = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "tool_calls": [call("look_up", "{}")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]
    got = chat(proxy, "fusion/agent", messages=history)
    assert (got.headers["x-fusion-route"], [seen.model for seen in provider.requests]) == ("direct", ["synth"])
