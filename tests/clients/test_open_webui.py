"""Open WebUI itself, asked through its page in a real browser: what a person sees, and what reaches the provider."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from provider import Provider, Reply, answer
from proxy import Proxy, came_up, free_port, stop
from test_clients import FOLDER, HERE, PANEL, QUESTION, SYNTH, asked
from wires import call

HOME = FOLDER / "openwebui"
CHROMIUM = shutil.which("chromium") or ""
pytestmark = [
    pytest.mark.skipif(
        not (HOME / "installed").exists(), reason=f"openwebui is not installed in {FOLDER}: tests/clients/install"
    ),
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on the PATH"),
]
MODEL = "fusion/gated"
NEXT = "And for a bank: should it build or buy? Compare both and recommend one."
TIMED = "As of now, buying is the better choice for a small company."
START_SECONDS = 180


@pytest.fixture(scope="module")
def page(proxy: Proxy) -> Iterator[str]:
    """Its root; it knows nothing but the proxy, and signs in whoever comes."""
    folder, port = proxy.folder / "openwebui", free_port()
    folder.mkdir()
    env = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "DATA_DIR": str(folder), "WEBUI_AUTH": "False",
        "OPENAI_API_BASE_URL": f"{proxy.base_url}/v1", "OPENAI_API_KEY": proxy.master_key, "ENABLE_OLLAMA_API": "False",
        "OFFLINE_MODE": "True", "RAG_EMBEDDING_ENGINE": "openai", "ANONYMIZED_TELEMETRY": "false", "DO_NOT_TRACK": "true",
        "WEBUI_SECRET_KEY": "x" * 40,
    }  # fmt: skip
    command = [str(HOME / "bin" / "open-webui"), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
    root = f"http://127.0.0.1:{port}"
    try:
        assert came_up(process, f"{root}/health", START_SECONDS), (folder / "log").read_text()[-2000:]
        yield root
    finally:
        stop(process)


def said(page: str, *told: str) -> str:
    """What the page says after pairs of an expected answer and a question."""
    command = [str(HOME / "bin" / "python"), str(HERE / "apps" / "page_openwebui.py"), *told]
    env = {**os.environ, "UI": page, "MODEL": MODEL, "CHROMIUM": CHROMIUM}
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return str(json.loads(ran.stdout.splitlines()[-1])["text"])


def test_a_question_is_fused_its_errands_are_direct_and_the_next_turn_is_clean(page: str, provider: Provider) -> None:
    provider.script("synth", SYNTH)
    text = said(page, SYNTH, QUESTION, SYNTH, NEXT)
    assert text.count(SYNTH) == 2
    counted = asked(provider)
    errands = counted.pop("solo")
    assert counted == {**dict.fromkeys(PANEL, 2), "synth": 2}
    assert errands >= 3  # a title, tags, follow-ups
    assert all("### Task:" in json.dumps(body["messages"]) for body in provider.asked("solo"))
    told = json.dumps([seen.body for seen in provider.requests], ensure_ascii=False)
    assert "\u2063" not in told
    assert "<details" not in told


def test_a_tool_of_its_own_is_called_once_for_one_panel(page: str, provider: Provider) -> None:
    def speak(body: dict[str, Any]) -> Reply:
        if any(message["role"] == "tool" for message in body["messages"]):
            return Reply(TIMED)
        return Reply(tool_calls=(call("get_current_timestamp", "{}"),))

    provider.script("synth", Reply(make=speak))
    assert TIMED in said(page, TIMED, QUESTION)
    counted = asked(provider)
    counted.pop("solo")
    assert counted == {**dict.fromkeys(PANEL, 1), "synth": 2}


def test_a_failing_member_is_not_seen(page: str, provider: Provider) -> None:
    provider.script("synth", SYNTH)
    provider.script("m2", Reply(status=500))
    assert SYNTH in said(page, SYNTH, QUESTION)
    assert asked(provider)["m2"] > 0
    assert answer("m2") not in json.dumps(provider.asked("synth"))
