"""A real LiteLLM proxy process on loopback, from a config as a dict. It is ended by its pid."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import yaml

from litellm_fusion.cli.proxy import free_port as free_port
from litellm_fusion.cli.proxy import stop as stop

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


AGENT = [
    {"name": "agent-steps", "when": "is_tool_turn", "use": "direct"},
    {"name": "small-talk", "when": "task == 'chat'", "use": "direct"},
    {"name": "plan", "use": "fuse"},
]
"""Fuses whatever a person asks, with tools too, and goes direct at tool results."""


class Proxy:
    """One running proxy."""

    def __init__(
        self, config: Mapping[str, Any], env: Mapping[str, str] | None = None, *, master_key: str | None = None
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fusion-proxy-"))
        if not os.environ.get("FUSION_TEST_KEEP"):  # logs and all, for a look at what went wrong
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.master_key = master_key or f"sk-{secrets.token_hex(16)}"
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(dict(config), sort_keys=False))
        self._log = (self.folder / "log").open("wb")
        command = [
            sys.executable, "-c", "import sys; from litellm import run_server; sys.exit(run_server())",
            "--config", str(path), "--host", "127.0.0.1", "--port", str(self.port),
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=self._env(env or {}), stdout=self._log, stderr=subprocess.STDOUT
        )
        self._wait()

    def _env(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY") and key != "DATABASE_URL"}
        return {
            **kept,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MASTER_KEY": self.master_key,
            "HOME": str(self.folder),
            **more,
        }

    def _wait(self) -> None:
        if came_up(self.process, f"{self.base_url}/health/readiness", START_SECONDS):
            return
        tail = self.log()[-4000:]
        self.stop()
        raise RuntimeError(f"the proxy did not start:\n{tail}")

    def log(self) -> str:
        """What it has printed so far."""
        return (self.folder / "log").read_text(errors="replace")

    def client(self, **more: Any) -> httpx.Client:
        """A plain HTTP client with the master key."""
        headers = {"Authorization": f"Bearer {self.master_key}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=60, **more)

    def kill(self) -> None:
        """End the process at once, as a machine that goes down does."""
        self.process.kill()
        self.process.wait(10)
        self._log.close()

    def stop(self) -> None:
        """End the process, by its pid."""
        stop(self.process)
        self._log.close()


def came_up(process: subprocess.Popen[Any], url: str, seconds: float) -> bool:
    """Waits until the URL answers 200; False when it does not in time, or the process has ended."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5).status_code == 200:
                return True
        time.sleep(0.3)
    return False


def member(name: str, base_url: str, **info: Any) -> dict[str, Any]:
    """A deployment of the loopback provider, with prices, so that costs are known."""
    prices = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    return {
        "model_name": name,
        "litellm_params": {"model": f"openai/{name}", "api_base": base_url, "api_key": "sk-loopback", "num_retries": 0},
        "model_info": {**prices, "supports_vision": True, "supports_function_calling": True, **info},
    }


def _claude(name: str, model: str, base_url: str) -> dict[str, Any]:
    """A deployment behind Anthropic's own API."""
    params = {"model": f"anthropic/{model}", "api_base": base_url.removesuffix("/v1"), "api_key": "sk-loopback"}
    return {"model_name": name, "litellm_params": {**params, "num_retries": 0}}


def fusion(name: str, **config: Any) -> dict[str, Any]:
    """A fusion model that always fuses, unless its config says otherwise."""
    own = {
        "panel": ["m1", "m2", "m3"], "judge": "judge", "synthesizer": "synth", "policy": [{"name": "all", "use": "fuse"}],
        "overrides": {
            "mode": ["force"], "client_trace": True, "limits": True, "aggregate": True, "progress": True,
            "panel": ["m1", "m2", "m3", "openai/m2"], "judge.criteria": True,
        },
        "client_trace": "full", **config,
    }  # fmt: skip
    return {"model_name": name, "litellm_params": {"model": f"fusion/{name.partition('/')[2]}", "fusion_config": own}}


def config(base_url: str, models: list[dict[str, Any]] | None = None, **settings: Any) -> dict[str, Any]:
    """A proxy config: members, judge, synthesizer, direct model, and the fusion models of the tests."""
    plain = [member(name, base_url) for name in ("m1", "m2", "m3", "m4", "judge", "judge2", "synth", "synth2", "solo")]
    plain += [
        member("blind", base_url, supports_vision=False, supports_pdf_input=False, supports_audio_input=False),
        {
            "model_name": "thinker",
            "litellm_params": {"model": "openai/o3-mini", "api_base": base_url, "api_key": "sk-loopback"},
        },
        _claude("claude", "claude-loopback", base_url),
        _claude("claude2", "claude-other", base_url),
        _claude("opus", "claude-opus-4-8", base_url),
        member("small", base_url, max_input_tokens=200),
        member("dear", base_url, input_cost_per_token=0.001, output_cost_per_token=0.01),
        {
            "model_name": "unpriced",
            "litellm_params": {"model": "openai/unpriced-model-x", "api_base": base_url, "api_key": "k"},
        },
    ]
    return {
        "model_list": [*plain, *(models if models is not None else fusion_models())],
        "litellm_settings": {
            "custom_provider_map": [{"provider": "fusion", "custom_handler": "litellm_fusion.plugin.fusion_llm"}],
            "callbacks": ["litellm_fusion.plugin.fusion_hook", "spy.spy"],
            "fusion_settings": {"defaults": {"limits": {"panel_seconds": 199}}},
            "telemetry": False,
            # As the example config has it; LiteLLM then reads streams outside of the task in which the hook ran.
            "sse_keepalive_ping_interval_seconds": 10,
            **settings,
        },
        # Each test scripts its own failures: one test's must not cool a deployment down for the next.
        "router_settings": {"disable_cooldowns": True, "model_group_alias": {"openrouter/fusion": "fusion/all"}},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY", "cancel_on_disconnect": True},
    }


def fusion_models() -> list[dict[str, Any]]:
    """One fusion model per behaviour under test."""
    fast = {"grace_seconds": 0.2}
    return [
        fusion("fusion/all", limits=fast),
        _gated(fast),
        fusion("fusion/reserves", reserves=["m4"], limits=fast),
        fusion("fusion/backups", judge={"model": "judge", "backups": ["judge2"]},
               synthesizer={"model": "synth", "backups": ["synth2"]}, limits=fast),
        fusion("fusion/nojudge", judge="off", limits=fast),
        fusion("fusion/vote", aggregate="vote", limits=fast),
        fusion("fusion/best", aggregate="best_of", limits=fast),
        fusion("fusion/slow", limits={"panel_seconds": 0.6, "grace_seconds": 0, "quorum": 3}),
        fusion("fusion/deadline", limits={"deadline_seconds": 1.5, "grace_seconds": 0, "quorum": 3}),
        fusion("fusion/blind", panel=["m1", "blind", "m3"], limits=fast),
        fusion("fusion/blind-judge", judge="blind", limits=fast),
        fusion("fusion/blind-writer", synthesizer="blind", limits=fast),
        fusion("fusion/small", panel=["m1", "small", "m3"], limits=fast),
        fusion("fusion/dear", panel=["m1", "dear", "m3"], limits={"max_cost_usd": 0.5, **fast}),
        fusion("fusion/broke", panel=["dear", "dear"], limits={"max_cost_usd": 0.01}, direct="solo"),
        fusion("fusion/unpriced", panel=["m1", "unpriced", "m3"], limits={"max_cost_usd": 0.5, **fast}),
        fusion("fusion/self", panel=[{"model": "m1", "samples": 3}], limits=fast),
        fusion("fusion/quiet", client_trace="off", progress="off", limits=fast),
        fusion("fusion/reasoning", progress="reasoning", limits=fast),
        fusion("fusion/refusing", policy=[{"name": "no", "use": {"refuse": "not for you"}}]),
        fusion("fusion/shadow", mode="shadow", direct="solo"),
        fusion("fusion/bad", panle=["m1"]),
        fusion("fusion/nested", panel=["m1", "fusion/all"]),
        fusion("fusion/private", policy=[{"use": "fuse"}], trusted_models=["m2", "synth"], limits=fast),
        fusion("fusion/doubt", direct="solo", limits=fast, classifier={"model": "judge2", "when": "always"},
               policy=[{"name": "worth", "when": "deliberation > 0.5", "use": "fuse"}, {"name": "rest", "use": "direct"}]),
        fusion("fusion/ghost-classifier", direct="solo", limits=fast, classifier={"model": "ghost", "when": "always"},
               policy=[{"name": "worth", "when": "deliberation > 0.5", "use": "fuse"}, {"name": "rest", "use": "direct"}]),
        fusion("fusion/solo-panel", direct="solo", limits=fast),
        fusion("fusion/private-direct", policy=[{"use": "direct"}], direct="solo", trusted_models=["m2"]),
        fusion("fusion/all-auto"),
        fusion("fusion/all-three", direct="solo", limits={"min_answers": 3, **fast}),
        fusion("fusion/thinkers", panel=["thinker", "m2"], synthesizer="thinker", limits=fast),
        fusion("fusion/by-claude", synthesizer="claude", limits=fast),
        fusion("fusion/claude-alone", panel=["m1", "claude2", "m3"], synthesizer="claude", policy=AGENT, limits={"quorum": 3}),
        fusion("fusion/opus-alone", panel=["m1", "m2", "m3"], synthesizer="opus", policy=AGENT, limits={"quorum": 3}),
        fusion("fusion/agent", policy=AGENT, direct="solo", limits=fast),
        fusion("fusion/claude-agent", panel=["m1", "claude", "m3"], synthesizer="claude", policy=AGENT, direct="solo",
               limits={"quorum": 3}),
    ]  # fmt: skip


def _gated(limits: dict[str, Any]) -> dict[str, Any]:
    """A fusion model with its preset's own policy."""
    made = fusion("fusion/gated", direct="solo", limits=limits)
    del made["litellm_params"]["fusion_config"]["policy"]
    return made
