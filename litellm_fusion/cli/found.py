"""Which providers are here: keys in the environment, an Ollama on localhost. Models by preference, as data."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OLLAMA = "http://localhost:11434"
_FREE = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}


@dataclass(frozen=True, slots=True)
class Found:
    """One model that can be asked: its model_name and its deployment. `why` says how it was found."""

    name: str
    litellm_params: Mapping[str, Any]
    why: str
    model_info: Mapping[str, Any] = field(default_factory=dict)

    def deployment(self) -> dict[str, Any]:
        """One entry of a proxy's `model_list`."""
        entry: dict[str, Any] = {"model_name": self.name, "litellm_params": dict(self.litellm_params)}
        return entry | ({"model_info": dict(self.model_info)} if self.model_info else {})


# The order is the order of preference for the synthesizer: published fusion runs with the best figures wrote with Opus.
_KEYS: tuple[tuple[str, str, str], ...] = (
    ("ANTHROPIC_API_KEY", "opus", "anthropic/claude-opus-4-8"),
    ("OPENAI_API_KEY", "gpt", "openai/gpt-5.5"),
    ("GEMINI_API_KEY", "gemini", "gemini/gemini-3.1-pro-preview"),
)
# LiteLLM's map has no price for OpenRouter's models, and without one a written max_cost_usd refuses every call: these
# are the vendors' own list prices in US dollars per token, as the map has them (LiteLLM 1.106).
_OPENROUTER: tuple[tuple[str, str, float, float], ...] = (
    ("opus", "openrouter/anthropic/claude-opus-4.8", 5e-6, 25e-6),
    ("gpt", "openrouter/openai/gpt-5.5", 5e-6, 30e-6),
    ("gemini", "openrouter/google/gemini-3.1-pro-preview", 2e-6, 12e-6),
)
_LIST_PRICES = "OPENROUTER_API_KEY; check the prices, they are the vendors' own lists"


def look(environ: Mapping[str, str] | None = None) -> tuple[Found, ...]:
    """One strong model per provider with a key; OpenRouter fills what is missing; without any key, Ollama's models."""
    env = os.environ if environ is None else environ
    found = [_by_key(name, model, key) for key, name, model in _KEYS if env.get(key)]
    if env.get("OPENROUTER_API_KEY"):
        names = {item.name for item in found}
        found += [
            Found(
                name,
                {"model": model, "api_key": "os.environ/OPENROUTER_API_KEY"},
                _LIST_PRICES,
                {"input_cost_per_token": prompt, "output_cost_per_token": completion},
            )
            for name, model, prompt, completion in _OPENROUTER
            if name not in names
        ]
    return tuple(found) if found else ollama_models()


def ollama_models(base: str = OLLAMA, timeout_seconds: float = 0.7) -> tuple[Found, ...]:
    """Up to three chat models that an Ollama serves; none when there is no Ollama."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base}/api/tags", timeout=timeout_seconds) as reply:
            tags = [str(model["name"]) for model in json.load(reply)["models"]]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    chat = [tag for tag in tags if "embed" not in tag]
    return tuple(
        Found(
            tag.removesuffix(":latest").replace(":", "-").replace("/", "-"),
            {"model": f"ollama_chat/{tag}", "api_base": base},
            f"Ollama on {base.partition('//')[2]}",
            _FREE,
        )
        for tag in chat[:3]
    )


def panel(models: Sequence[Found]) -> list[Any]:
    """A `panel` of these models. One alone answers three times: resampling the best beats mixing in weaker ones."""
    if len(models) == 1:
        return [{"model": models[0].name, "samples": 3}]
    return [model.name for model in models]


def recast(config: Mapping[str, Any], models: Sequence[Found]) -> dict[str, Any]:
    """A proxy config with these models in place of its own, its fusion models' parts given to them. A config whose
    models are all there stays as it is.
    """
    names = [model.name for model in models]
    plain = [entry for entry in config["model_list"] if "fusion_config" not in entry["litellm_params"]]
    here = {model.name: model.deployment() for model in models}
    if all(entry == here.get(entry["model_name"]) for entry in plain):
        return dict(config)
    fused = []
    for entry in config["model_list"]:
        own = entry["litellm_params"].get("fusion_config")
        if own is None:
            continue
        alone = len(own["panel"]) == 1
        parts: dict[str, Any] = {"panel": [{"model": names[0], "samples": 3}] if alone else panel(models)}
        for role, model in (("judge", names[-1]), ("synthesizer", names[0]), ("direct", names[0])):
            if role in own:
                parts[role] = model
        params = {**entry["litellm_params"], "fusion_config": {**own, **parts}}
        fused.append({**entry, "litellm_params": params})
    return {**config, "model_list": [*here.values(), *fused]}


def _by_key(name: str, model: str, key: str) -> Found:
    return Found(name, {"model": model, "api_key": f"os.environ/{key}"}, key)
