"""`policy test`: a file of prompts with the routes that are expected of them, against a fusion model's policy."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table
from rich.text import Text

from litellm_fusion.cli import prompts, reading
from litellm_fusion.cli.console import fail, out
from litellm_fusion.cli.score import scored

_ROUTE_OF = {"fuse": "fused", "direct": "direct", "refuse": "refused"}
_SHOWN = ("task", "deliberation", "stakes", "difficulty", "verifiable")


def run(path: Path, config: Path, model: str) -> int:
    """Print what differs; exit code 1 when something does, or when nothing could be compared."""
    try:
        layers = reading.read(config).layers(model)
        wanted = [prompt for prompt in prompts.of_file(path.read_text("utf-8")) if prompt.route or prompt.rule]
    except OSError as error:
        return fail(f"{path}: {error.strerror}")
    except (reading.Unreadable, prompts.BadPrompt) as error:
        return fail(f"{path}: {error}" if isinstance(error, prompts.BadPrompt) else str(error))
    if not wanted:
        return fail(f"{path}: no entry says which `route` or `rule` it expects")
    names = [rule.name for rule in layers.config.policy]
    for prompt in wanted:
        if prompt.rule is not None and prompt.rule not in names:
            return fail(f"{path}: {model} has no rule {prompt.rule!r}; its rules: {', '.join(names)}")
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("expected", "decided", "by rule", "signals", "prompt"):
        table.add_column(title)
    differ = 0
    for prompt in wanted:
        found = scored(prompt, model, layers)
        route, rule = _ROUTE_OF[found["decision"]["use"]], found["decision"]["rule"]
        if prompt.route in (None, route) and prompt.rule in (None, rule):
            continue
        differ += 1
        signals = " ".join(f"{name} {found['signals'][name]}" for name in _SHOWN)
        expected = " by ".join(part for part in (prompt.route, prompt.rule) if part)
        table.add_row(*map(Text, (expected, route, rule, signals, prompt.opening)))
    if differ:
        out.print(table)
    out.print(Text(f"{len(wanted) - differ} as expected, {differ} not", style="bold red" if differ else "bold green"))
    return 1 if differ else 0
