"""`explain`: what fusion would do with one prompt, as JSON."""

from __future__ import annotations

import sys
from pathlib import Path

from litellm_fusion.cli import reading
from litellm_fusion.cli.console import err, fail, out


def run(prompt: str, path: Path, model: str, system: str | None, *, force: bool) -> int:
    """Print the explanation; gives the exit code. Nobody is asked: the router is built and never called."""
    try:
        config = reading.read(path)
        layers = config.layers(model)
    except reading.Unreadable as error:
        return fail(str(error))
    from litellm_fusion.explain import explain
    from litellm_fusion.types import Message, Request

    text = sys.stdin.read() if prompt == "-" else prompt
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": text})
    request = Request(model=model, messages=tuple(messages), preset=layers.config.preset)
    if force and "force" not in _allowed_modes(layers.config.overrides.get("mode")):
        err.print("[yellow]note[/] this model's overrides do not let requests force fusing")
    told = explain(layers, request, config.models(), "force" if force else "auto", mode=config.mode(layers), for_operator=True)
    out.print_json(data=told)
    return 0


def _allowed_modes(allowed: object) -> tuple[str, ...]:
    if allowed is True:
        return ("force",)
    return tuple(str(item) for item in allowed) if isinstance(allowed, list | tuple) else ()
