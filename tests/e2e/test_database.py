"""On a real Postgres: virtual keys, a model added at run time, and a bill that adds up."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ask import QUESTION, chat
from provider import Provider, Reply
from proxy import AGENT, Proxy, config, fusion

ENV_FILE = os.environ.get("FUSION_TEST_DATABASE_ENV", "")
ONCE = secrets.token_hex(4)
"""Names that an earlier run on the same database cannot have taken."""
pytestmark = pytest.mark.skipif(not ENV_FILE, reason="FUSION_TEST_DATABASE_ENV names no environment with a Postgres")


@pytest.fixture(scope="module")
def stored(_provider: Provider) -> Iterator[Proxy]:
    """A proxy with a database."""
    printed = subprocess.run(["/bin/bash", "-c", f". {ENV_FILE}; env -0"], capture_output=True, check=True).stdout.decode()
    env = dict(line.split("=", 1) for line in printed.split("\0") if "=" in line)
    wanted = {key: env[key] for key in env if key.startswith(("PRISMA_", "DATABASE_", "DISABLE_SCHEMA")) or key == "PATH"}
    made = config(_provider.base_url, [
        fusion("fusion/all", limits={"grace_seconds": 0.2}),
        fusion("fusion/agent", policy=AGENT, limits={"grace_seconds": 0.2}),
    ])  # fmt: skip

    made["general_settings"] |= {
        "store_model_in_db": True, "disable_prisma_schema_update": True, "store_prompts_in_spend_logs": True,
    }  # fmt: skip
    running = Proxy(made, {**wanted, "PROXY_BATCH_WRITE_AT": "1"})
    yield running
    running.stop()


def _post(proxy: Proxy, path: str, body: dict[str, Any]) -> dict[str, Any]:
    with proxy.client() as client:
        response = client.post(path, json=body)
        assert response.status_code == 200, response.text
        return dict(response.json())


def _rows(proxy: Proxy, key: str, count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    ends = time.monotonic() + 60
    while len(rows) < count and time.monotonic() < ends:
        time.sleep(1)
        with proxy.client() as client:
            rows = client.get("/spend/logs", params={"api_key": key}).json()
    return rows


def test_a_model_added_at_run_time_serves_a_key_that_may_use_it_alone(stored: Proxy, provider: Provider) -> None:
    own = {"panel": ["m1", "m2"], "judge": "off", "policy": [{"use": "fuse"}], "client_trace": "full"}
    params = {"model": "fusion/general", "fusion_config": own}
    _post(stored, "/model/new", {"model_name": f"fusion/added-{ONCE}", "litellm_params": params})
    key = _post(
        stored, "/key/generate", {"models": [f"fusion/added-{ONCE}"], "max_budget": 1, "key_alias": f"added-only-{ONCE}"}
    )["key"]
    for stream in (False, True):
        got = chat(stored, f"fusion/added-{ONCE}", stream=stream, key=key)
        assert got.headers["x-fusion-route"] == "fused"
        assert "key_alias" not in got.trace["decision"]["signals"]
    assert chat(stored, "m1", key=key).status == 403


def test_a_bad_config_added_at_run_time_is_a_503_when_used(stored: Proxy, provider: Provider) -> None:
    params = {"model": "fusion/general", "fusion_config": {"panle": ["m1"]}}
    _post(stored, "/model/new", {"model_name": f"fusion/bad-{ONCE}", "litellm_params": params})
    got = chat(stored, f"fusion/bad-{ONCE}")
    assert (got.status, got.error["type"]) == (503, "fusion_config_invalid")


def test_rows_key_spend_and_traces_agree(stored: Proxy, provider: Provider) -> None:
    key = _post(stored, "/key/generate", {"max_budget": 1, "key_alias": f"billed-{ONCE}"})["key"]
    total, count = 0.0, 0
    for stream in (False, True):
        for broken in (False, True):
            provider.script("m2", Reply(status=500) if broken else "m2 says: the first option, for its lower running costs.")
            got = chat(stored, "fusion/all", QUESTION, stream=stream, key=key)
            assert got.status == 200
            total += got.trace["totals"]["cost_usd"]
            # LiteLLM writes no row for a failed inner call, which cost nothing.
            count += sum(span["status"] == "ok" for span in got.trace["spans"]) + 1
    rows = _rows(stored, key, count)
    assert len(rows) == count
    assert len({row["request_id"] for row in rows}) == count
    assert {row["metadata"]["user_api_key_alias"] for row in rows} == {f"billed-{ONCE}"}
    assert len({row["session_id"] for row in rows}) == 4
    assert sum(row["spend"] for row in rows) == pytest.approx(total, abs=1e-9)
    spend = 0.0
    ends = time.monotonic() + 60
    while abs(spend - total) > 1e-9 and time.monotonic() < ends:
        time.sleep(1)
        with stored.client() as client:
            spend = client.get("/key/info", params={"key": key}).json()["info"]["spend"]
    assert spend == pytest.approx(total, abs=1e-9)


def test_a_fused_answer_can_be_gone_on_from_by_its_id(stored: Proxy, provider: Provider) -> None:
    """LiteLLM keeps the turns of bridged providers: the panel's and the judge's own calls are none of them."""
    provider.script(
        "synth",
        "Buy it, as the first of the answers says: it is ready sooner and it costs less to run.",
        "Because a small company has better things to build than its own billing system.",
        "In ten years it may well build its own, since by then its needs will be special.",
    )
    first = _post(stored, "/v1/responses", {"model": "fusion/agent", "input": QUESTION})
    history = [
        {"role": "user", "content": QUESTION},
        {
            "role": "assistant",
            "content": "Buy it, as the first of the answers says: it is ready sooner and it costs less to run.",
        },
    ]
    time.sleep(5)  # LiteLLM writes its rows behind the answer; a person's next question takes longer
    asked = {"model": "fusion/agent", "input": "And why?", "previous_response_id": first["id"]}
    second = _post(stored, "/v1/responses", {**asked, "fusion": {"mode": "off"}})
    history += [{"role": "user", "content": "And why?"}]
    sent = provider.requests[-1]
    assert (sent.model, [_said(turn) for turn in sent.body["messages"]]) == ("synth", history)
    provider.requests.clear()
    time.sleep(5)
    history += [
        {"role": "assistant", "content": "Because a small company has better things to build than its own billing system."},
        {"role": "user", "content": "And in ten years?"},
    ]
    _post(stored, "/v1/responses", {**asked, "input": "And in ten years?", "previous_response_id": second["id"]})
    for model in ("m1", "m2", "m3"):
        assert [_said(turn) for turn in provider.asked(model)[0]["messages"]] == history
    assert [_said(turn) for turn in provider.asked("synth")[0]["messages"]][:5] == history


def _said(turn: dict[str, Any]) -> dict[str, Any]:
    content = turn["content"]
    text = content if isinstance(content, str) else "".join(part["text"] for part in content)
    return {"role": turn["role"], "content": text}
