"""Every client that is installed, for real, against the real proxy: five tasks each.

`tests/clients/install FOLDER` installs them, each into an environment of its own; `FUSION_CLIENTS=FOLDER pytest
tests/clients` runs what is there and skips the rest by name.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from provider import Provider, Reply, answer
from proxy import Proxy
from wires import call

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("FUSION_CLIENTS", HERE / "none"))
QUESTION = "Should a small company build or buy its billing system? Compare both and recommend one."
SYNTH = "After weighing both, buying is the better choice for a small company in most cases."
PRICED = "At 42 francs, buying the billing system is the better choice for a small company."
VERDICT = {"choice": "buy", "points": 7}
CLIENTS = [line.split()[0] for line in (HERE / "clients.txt").read_text().splitlines() if line and line[0] != "#"]
LIBRARIES = [name for name in CLIENTS if list((HERE / "apps").glob(f"with_{name}.*"))]
ITS_OWN_WARNING = {("autogen", "structured"): "it dumps the SDK's parsed message, whose field `parsed` pydantic takes for none"}
PANEL = {"m1", "m2", "m3", "judge"}


def app(name: str) -> list[str]:
    """The command that runs a client's script, or a skip that names it."""
    if not (FOLDER / name / "installed").exists():
        pytest.skip(f"{name} is not installed in {FOLDER}: tests/clients/install")
    script = next((HERE / "apps").glob(f"with_{name}.*"))
    if script.suffix == ".mjs":
        linked = FOLDER / name / script.name  # Node looks for packages beside the script
        linked.write_text(script.read_text())
        return ["node", str(linked)]
    return [str(FOLDER / name / "bin" / "python"), str(script)]


def run(proxy: Proxy, command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    """Run a client that knows nothing but the proxy."""
    made = {
        "PATH": os.environ["PATH"], "HOME": str(proxy.folder), "FUSION_ROOT": proxy.base_url, "FUSION_KEY": proxy.master_key,
        "FUSION_MODEL": "fusion/agent", "FUSION_QUESTION": QUESTION, "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", **env,
    }  # fmt: skip
    return subprocess.run(command, env=made, cwd=proxy.folder, capture_output=True, text=True, timeout=180, check=False)


def speak(body: dict[str, Any]) -> Reply:
    """The synthesizer: JSON where a format is asked, a call where a tool is offered and no result is there, else text."""
    form = body.get("response_format") or (body.get("text") or {}).get("format", {}).get("type") == "json_schema"
    tools = [tool.get("function", tool) for tool in body.get("tools") or ()]
    if form:
        return Reply(text=json.dumps(VERDICT))
    for tool in tools:
        if "points" in json.dumps(tool.get("parameters", {})):
            return Reply(tool_calls=(call(tool["name"], json.dumps(VERDICT)),))
    if tools and "costs 42 francs" not in json.dumps(body):
        return Reply(tool_calls=(call(tools[0]["name"], '{"item": "billing"}'),))
    return Reply(text=PRICED if tools or "costs 42 francs" in json.dumps(body) else SYNTH)


def outcome(proxy: Proxy, provider: Provider, name: str, scenario: str) -> dict[str, Any]:
    provider.script("synth", Reply(make=speak))
    command = app(name)
    ran = run(proxy, [*command, scenario])
    assert ran.returncode == 0, ran.stderr[-3000:] + ran.stdout[-1000:]
    told = [line for line in ran.stderr.splitlines() if "warn" in line.lower()]
    assert len(told) == (1 if (name, scenario) in ITS_OWN_WARNING else 0), ran.stderr[-3000:]
    return dict(json.loads(ran.stdout.strip().splitlines()[-1]))


def asked(provider: Provider) -> dict[str, int]:
    models = [seen.model for seen in provider.requests]
    return {name: models.count(name) for name in sorted(set(models))}


@pytest.mark.parametrize("name", LIBRARIES)
def test_plain(proxy: Proxy, provider: Provider, name: str) -> None:
    assert outcome(proxy, provider, name, "plain")["text"] == SYNTH
    assert set(asked(provider)) == {*PANEL, "synth"}


@pytest.mark.parametrize("name", LIBRARIES)
def test_streamed(proxy: Proxy, provider: Provider, name: str) -> None:
    assert outcome(proxy, provider, name, "streamed")["text"] == SYNTH
    assert set(asked(provider)) == {*PANEL, "synth"}


@pytest.mark.parametrize("name", LIBRARIES)
def test_tools(proxy: Proxy, provider: Provider, name: str) -> None:
    got = outcome(proxy, provider, name, "tools")
    assert (got["text"], got["called"]) == (PRICED, ["billing"])
    assert asked(provider) == {**dict.fromkeys(PANEL, 1), "synth": 2}


@pytest.mark.parametrize("name", LIBRARIES)
def test_structured(proxy: Proxy, provider: Provider, name: str) -> None:
    assert outcome(proxy, provider, name, "structured")["object"] == VERDICT
    assert set(asked(provider)) == {*PANEL, "synth"}


@pytest.mark.parametrize("name", LIBRARIES)
def test_failing(proxy: Proxy, provider: Provider, name: str) -> None:
    provider.script("m2", Reply(status=500))
    assert outcome(proxy, provider, name, "failing")["text"] == SYNTH
    assert asked(provider)["m2"] > 0
    assert answer("m2") not in json.dumps(provider.asked("synth"))
