"""`gate-score`: JSON lines in, for each prompt its signals and what a policy decides on them, JSON lines out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from litellm_fusion.cli import prompts, reading
from litellm_fusion.cli.console import fail
from litellm_fusion.config import Settings
from litellm_fusion.layers import Layers, resolve

NO_CONFIG = "fusion/general"
"""The model whose policy counts where no config is given: the preset alone."""


def run(path: Path | None, model: str | None, lines: Iterable[str] | None = None, out: TextIO | None = None) -> int:
    """Score standard input, line by line; gives the exit code. Nobody is asked."""
    out = sys.stdout if out is None else out
    if (path is None) != (model is None):
        return fail("--config and --model go together")
    try:
        layers = preset_layers() if path is None or model is None else reading.read(path).layers(model)
        for prompt in prompts.of_lines(sys.stdin if lines is None else lines):
            out.write(json.dumps(scored(prompt, model or NO_CONFIG, layers), ensure_ascii=False) + "\n")
            out.flush()
    except (reading.Unreadable, prompts.BadPrompt) as error:
        return fail(str(error))
    return 0


def preset_layers() -> Layers:
    """The `general` preset by itself; its policy needs no real panel."""
    return resolve({"panel": ["a", "b", "c"]}, (NO_CONFIG,), Settings())


def scored(prompt: prompts.Prompt, model: str, layers: Layers) -> dict[str, Any]:
    """The signals of one prompt, and the decision on them, as plain JSON values. Never the prompt itself."""
    from litellm_fusion import policy, signals
    from litellm_fusion.trace import signal_values

    read = signals.read(prompt.request(model, layers.config.preset))
    decision = policy.decide(read, layers.config.policy)
    return {
        "signals": signal_values(read),
        "decision": {
            "use": decision.use,
            "rule": decision.rule,
            "reason": decision.reason,
            "model": decision.model,
            "overrides": dict(decision.overrides),
        },
    }
