"""On a real Postgres: models added at run time."""

from __future__ import annotations

import time
from typing import Any

from ask import QUESTION, chat
from bank import key as new_key
from bank import needs_database, once, post
from provider import Provider
from proxy import Proxy

pytestmark = needs_database


def test_a_model_added_at_run_time_serves_a_key_that_may_use_it_alone(stored: Proxy, provider: Provider) -> None:
    own = {"panel": ["m1", "m2"], "judge": "off", "policy": [{"use": "fuse"}], "client_trace": "full"}
    name = once("fusion/added")
    post(stored, "/model/new", model_name=name, litellm_params={"model": "fusion/general", "fusion_config": own})
    key = new_key(stored, models=[name], max_budget=1)
    for stream in (False, True):
        got = chat(stored, name, stream=stream, key=key)
        assert got.headers["x-fusion-route"] == "fused"
        assert "key_alias" not in got.trace["decision"]["signals"]
    assert chat(stored, "m1", key=key).status == 403


def test_a_bad_config_added_at_run_time_is_a_503_when_used(stored: Proxy, provider: Provider) -> None:
    name = once("fusion/bad")
    post(stored, "/model/new", model_name=name, litellm_params={"model": "fusion/general", "fusion_config": {"panle": ["m1"]}})
    got = chat(stored, name)
    assert (got.status, got.error["type"]) == (503, "fusion_config_invalid")


def test_a_fused_answer_can_be_gone_on_from_by_its_id(stored: Proxy, provider: Provider) -> None:
    """LiteLLM keeps the turns of bridged providers: the panel's and the judge's own calls are none of them."""
    provider.script(
        "synth",
        "Buy it, as the first of the answers says: it is ready sooner and it costs less to run.",
        "Because a small company has better things to build than its own billing system.",
        "In ten years it may well build its own, since by then its needs will be special.",
    )
    first = post(stored, "/v1/responses", model="fusion/resumed", input=QUESTION)
    history = [
        {"role": "user", "content": QUESTION},
        {
            "role": "assistant",
            "content": "Buy it, as the first of the answers says: it is ready sooner and it costs less to run.",
        },
    ]
    time.sleep(5)  # LiteLLM writes its rows behind the answer; a person's next question takes longer
    asked = {"model": "fusion/resumed", "input": "And why?", "previous_response_id": first["id"]}
    second = post(stored, "/v1/responses", **{**asked, "fusion": {"mode": "off"}})
    history += [{"role": "user", "content": "And why?"}]
    sent = provider.requests[-1]
    assert (sent.model, [_said(turn) for turn in sent.body["messages"]]) == ("synth", history)
    provider.requests.clear()
    time.sleep(5)
    history += [
        {"role": "assistant", "content": "Because a small company has better things to build than its own billing system."},
        {"role": "user", "content": "And in ten years?"},
    ]
    post(stored, "/v1/responses", **{**asked, "input": "And in ten years?", "previous_response_id": second["id"]})
    for model in ("m1", "m2", "m3"):
        assert [_said(turn) for turn in provider.asked(model)[0]["messages"]] == history
    assert [_said(turn) for turn in provider.asked("synth")[0]["messages"]][:5] == history


def _said(turn: dict[str, Any]) -> dict[str, Any]:
    content = turn["content"]
    text = content if isinstance(content, str) else "".join(part["text"] for part in content)
    return {"role": turn["role"], "content": text}
