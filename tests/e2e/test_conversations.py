"""Whatever conversation a client sends, on any API: never a 5xx, and never a tool call lost or invented on the way."""

from __future__ import annotations

import json
import os
from typing import Any

import conversations
import pytest
from agents import API_NAMES, Agent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provider import Provider, Reply, answer
from proxy import Proxy
from wires import call

EXAMPLES = int(os.environ.get("FUSION_TEST_EXAMPLES", "25"))
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
BODIES = {"chat": conversations.chat, "messages": conversations.messages, "responses": conversations.responses}
_calls = st.lists(st.sampled_from(['{"what": "price"}', "{}", '{"what": "\\u00fc \\" \\n"}']), max_size=3)
_quick = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="FUSION_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def _post(proxy: Proxy, api: str, body: dict[str, Any]) -> Any:
    with proxy.client() as client:
        return client.post(PATHS[api], content=json.dumps(body), headers={"content-type": "application/json"})


@pytest.mark.parametrize("api", API_NAMES)
def test_no_conversation_is_a_5xx_and_no_call_changes(proxy: Proxy, provider: Provider, api: str) -> None:
    @_quick
    @given(body=BODIES[api], arguments=_calls, stream=st.booleans(), mode=st.sampled_from(["force", "force", "off", "auto"]))
    def holds(body: dict[str, Any], arguments: list[str], stream: bool, mode: str) -> None:
        offered = bool(body.get("tools"))
        made = tuple(call("look_up", text, f"made_{n}") for n, text in enumerate(arguments)) if offered else ()
        provider.reset()
        provider.script("synth", Reply(text="" if made else answer("synth"), tool_calls=made))
        got = _post(proxy, api, {"model": "fusion/agent", **body, "stream": stream, "fusion": {"mode": mode}})
        assert got.status_code < 500, got.text
        for seen in provider.requests:
            assert "\u2063" not in json.dumps(seen.body, ensure_ascii=False)
        if got.status_code != 200:
            return
        assert '"error"' not in got.text or '"error":null' in got.text.replace(" ", ""), got.text
        agent = Agent(proxy, "fusion/agent", api, stream=stream)
        whole = got.json() if not stream else getattr(agent, f"_whole_{api}")(
            [json.loads(line[6:]) for line in got.text.splitlines() if line.startswith("data: {")]
        )  # fmt: skip
        getattr(agent, f"_keep_{api}")(whole)
        found = [(name, json.loads(text)) for _, name, text in agent._calls]
        assert found == [("look_up", json.loads(text)) for text in (arguments if made else ())]

    holds()


@pytest.mark.parametrize("api", API_NAMES)
def test_the_calls_of_a_history_reach_every_model_in_order(proxy: Proxy, provider: Provider, api: str) -> None:
    """Well-formed loops of any length: each member and the synthesizer see every call once, in order, with its result."""

    @_quick
    @given(turns=st.lists(st.lists(st.sampled_from(['{"what": "a"}', "{}"]), min_size=1, max_size=3), min_size=1, max_size=3))
    def holds(turns: list[list[str]]) -> None:
        agent = Agent(proxy, "fusion/agent", api)
        agent.ask("What do they cost?")
        expected: list[tuple[str, Any]] = []
        for at, turn in enumerate(turns):
            made = [(f"call_{at}_{n}", "look_up", arguments) for n, arguments in enumerate(turn)]
            agent.play(made)
            agent.give_results(*(f"result {call_id}" for call_id, _, _ in made))
            expected += [(call_id, json.loads(arguments)) for call_id, _, arguments in made]
        agent.say("Both cost the same.")
        agent.ask("Should we build or buy? Compare both and recommend one.")
        provider.reset()
        agent.step()
        assert agent.routes == ["fused"]
        for model in ("m1", "m2", "m3", "synth"):
            sent = provider.asked(model)[0]["messages"]
            calls = [c for turn in sent for c in turn.get("tool_calls") or ()]
            assert [(c["id"], json.loads(c["function"]["arguments"])) for c in calls] == expected
            results = [(turn["tool_call_id"], turn["content"]) for turn in sent if turn["role"] == "tool"]
            assert [call_id for call_id, _ in results] == [call_id for call_id, _ in expected]
            assert all(f"result {call_id}" in json.dumps(text) for call_id, text in results)

    holds()
