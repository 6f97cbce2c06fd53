"""Coding agents, each in one non-interactive task: read a file, then answer. The plan is fused, what follows is direct."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from provider import Provider, Reply
from proxy import Proxy
from test_clients import FOLDER, PANEL, PRICED, QUESTION, SYNTH, asked, run
from wires import call

OFFER = "A billing system costs 42 francs."
ASK = f"Read offer.txt, then answer. {QUESTION}"


def _installed(name: str) -> Path:
    if not (FOLDER / name / "installed").exists():
        pytest.skip(f"{name} is not installed in {FOLDER}: tests/clients/install")
    return FOLDER / name


def _reading(made: dict[str, Any]) -> Reply:
    """A model that reads the offer with whatever tool the agent has for it, and then answers."""

    def speak(body: dict[str, Any]) -> Reply:
        if OFFER in json.dumps(body):
            return Reply(text=PRICED)
        names = [tool.get("function", tool).get("name") for tool in body.get("tools") or ()]
        found = next((name for name in made if name in names), None)
        return Reply(text=SYNTH) if found is None else Reply(tool_calls=(call(found, json.dumps(made[found])),))

    return Reply(make=speak)


def _offer(proxy: Proxy) -> str:
    path = proxy.folder / "offer.txt"
    path.write_text(OFFER)
    return str(path)


def _claude(proxy: Proxy, *more: str) -> Any:
    command = [str(_installed("claude") / "node_modules" / ".bin" / "claude"), "-p", ASK, "--model", "fusion/agent", *more]
    env = {
        "ANTHROPIC_BASE_URL": proxy.base_url, "ANTHROPIC_AUTH_TOKEN": proxy.master_key,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "fusion/agent", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }  # fmt: skip
    return run(proxy, command, **env)


@pytest.mark.parametrize("failing", [False, True])
def test_claude_code(proxy: Proxy, provider: Provider, failing: bool) -> None:
    provider.script("synth", _reading({"Read": {"file_path": _offer(proxy)}}))
    if failing:
        provider.script("m2", Reply(status=500))
    ran = _claude(proxy, "--allowedTools", "Read", "--output-format", "json")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    told = json.loads(ran.stdout)
    assert (told["result"], told["is_error"], told["num_turns"]) == (PRICED, False, 2)
    assert asked(provider) == {**dict.fromkeys(PANEL, 1), "synth": 2}


def test_claude_code_streams(proxy: Proxy, provider: Provider) -> None:
    provider.script("synth", _reading({"Read": {"file_path": _offer(proxy)}}))
    ran = _claude(proxy, "--allowedTools", "Read", "--output-format", "stream-json", "--include-partial-messages", "--verbose")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    events = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert events[-1]["result"] == PRICED


@pytest.mark.parametrize("failing", [False, True])
def test_codex(proxy: Proxy, provider: Provider, failing: bool) -> None:
    _offer(proxy)
    shell = {
        "exec_command": {"cmd": "cat offer.txt"}, "shell_command": {"command": "cat offer.txt"},
        "shell": {"command": ["cat", "offer.txt"]},
    }  # fmt: skip
    provider.script("synth", _reading(shell))
    if failing:
        provider.script("m2", Reply(status=500))
    served = f'{{name="fusion", base_url="{proxy.base_url}/v1", env_key="FUSION_KEY", wire_api="responses"}}'
    command = [
        str(_installed("codex") / "node_modules" / ".bin" / "codex"), "exec", "--skip-git-repo-check", "--json",
        "--dangerously-bypass-approvals-and-sandbox", "-c", f"model_providers.fusion={served}", "-c", 'model_provider="fusion"',
        "-m", "fusion/agent", ASK,
    ]  # fmt: skip
    ran = run(proxy, command)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    events = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    said = [event["item"]["text"] for event in events if event.get("item", {}).get("type") == "agent_message"]
    assert said[-1] == PRICED, ran.stdout
    assert asked(provider) == {**dict.fromkeys(PANEL, 1), "synth": 2}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("failing", [False, True])
def test_aider(proxy: Proxy, provider: Provider, stream: bool, failing: bool) -> None:
    python = _installed("aider") / "bin" / "python"
    target = proxy.folder / "answer.py"
    target.write_text("print(0)\n")
    provider.script("synth", "Here is the file.\n\nanswer.py\n```python\nprint(42)\n```\n")
    if failing:
        provider.script("m2", Reply(status=500))
    command = [
        str(python), "-m", "aider", "--model", "openai/fusion/agent", "--openai-api-base", f"{proxy.base_url}/v1",
        "--openai-api-key", proxy.master_key, "--no-git", "--yes-always", "--no-check-update", "--no-show-model-warnings",
        "--no-analytics", "--no-gitignore", "--edit-format", "whole", "--map-tokens", "0", "--no-detect-urls",
        "--stream" if stream else "--no-stream", "--message", ASK, "answer.py",
    ]  # fmt: skip
    ran = run(proxy, command, OPENAI_API_KEY=proxy.master_key)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert target.read_text() == "print(42)\n", ran.stdout + ran.stderr
    assert asked(provider)["synth"] == 1
    os.unlink(target)
