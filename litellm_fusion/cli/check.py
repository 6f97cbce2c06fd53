"""`check`: what each fusion model of a config would do, and what is wrong or missing."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table
from rich.text import Text

from litellm_fusion.cli import findings, reading, settings
from litellm_fusion.cli.console import fail, out
from litellm_fusion.cli.findings import Finding
from litellm_fusion.config import Rule
from litellm_fusion.errors import ConfigInvalid
from litellm_fusion.layers import Layers
from litellm_fusion.lineup import Lineup, line_up
from litellm_fusion.models import Models

_MARKS = {"error": ("✗ error", "bold red"), "warning": ("! warning", "yellow"), "note": ("· note", "dim")}


def run(path: Path, only: str | None) -> int:
    """Print the report; exit code 1 when something is an error."""
    try:
        config = reading.read(path)
        if only is not None and only not in [entry.name for entry in config.fusion]:
            config.layers(only)
    except reading.Unreadable as error:
        return fail(str(error))
    try:
        _ = config.settings
    except ConfigInvalid as error:
        return fail("\n  ".join((f"{path}: {error.message}", *error.problems)))
    entries = [entry for entry in config.fusion if only in (None, entry.name)]
    found: list[Finding] = []
    if not entries:
        found.append(Finding("error", str(path), "has no fusion model: no entry with a fusion_config"))
    models = config.models()
    for entry in entries:
        try:
            layers = config.resolved(entry)
        except ConfigInvalid as error:
            found += [Finding("error", entry.name, problem) for problem in error.problems]
            out.print(Text.assemble("\n", (entry.name, "bold"), ("  can't be used", "bold red")))
            continue
        lineup = line_up(layers.config, models.provider)
        _describe(config, entry, layers, lineup, models)
        found += findings.of_model(config, entry, layers, lineup, models)
    found += settings.of_proxy(config)
    return _report(found)


def _describe(config: reading.ProxyConfig, entry: reading.Entry, layers: Layers, lineup: Lineup, models: Models) -> None:
    own = layers.config
    out.print(Text.assemble("\n", (entry.name, "bold"), f"  preset {own.preset}, mode {config.mode(layers)}"))
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("role", "model", "provider"):
        table.add_column(title)
    table.add_column("$/M in / out", justify="right")
    table.add_column("window", justify="right")
    seen: dict[str, int] = {}
    for seat in lineup.seats:
        seen[seat.model] = seen.get(seat.model, 0) + 1
    rows = [("panel", f"{model} x{count}" if count > 1 else model, model) for model, count in seen.items()]
    rows += [("reserve", model, model) for model in lineup.reserves]
    roles = (("judge", lineup.judges), ("synthesizer", lineup.synthesizers))
    for role, names in roles:
        rows += [(role if place == 0 else f"{role} backup", model, model) for place, model in enumerate(names)]
    if not lineup.judges:
        rows.append(("judge", "off", ""))
    rows.append(("direct", lineup.direct, lineup.direct))
    for role, shown, model in rows:
        table.add_row(role, Text(shown), *_facts(models, model))
    out.print(table)
    limits = own.limits
    money = "no ceiling" if limits.max_cost_usd is None else f"${limits.max_cost_usd:.2f}"
    seconds = "540 s streamed, 290 s plain" if limits.deadline_seconds == "auto" else _seconds(limits.deadline_seconds)
    out.print(
        Text(
            f"  limits   {money} a request, {seconds}, panel {_seconds(limits.panel_seconds)}, "
            f"quorum {lineup.quorum} of {len(lineup.seats)}, at least {limits.min_answers}; aggregate {own.aggregate}"
        )
    )
    out.print(Text(f"  requests may change: {', '.join(own.overrides) or 'nothing'}"))
    out.print(Text("  policy"))
    rules = Table(box=None, padding=(0, 2), show_header=False)
    for rule in own.policy:
        rules.add_row(Text(f"   {rule.name}"), Text(rule.when.source if rule.when else "(anything else)"), Text(_use(rule)))
    out.print(rules)


def _facts(models: Models, model: str) -> tuple[str, str, str]:
    facts = models.facts(model) if model else None
    if facts is None:
        return ("[red]not here[/]" if model else "", "", "")
    price = "unknown" if facts.price is None else f"{facts.price.prompt * 1e6:.2f} / {facts.price.completion * 1e6:.2f}"
    return facts.provider or "unknown", price, "unknown" if facts.window is None else f"{facts.window:,}"


def _use(rule: Rule) -> str:
    use = rule.use
    told = use.do if use.model is None else f"direct: {use.model}"
    if use.overrides:
        told += f" with {', '.join(use.overrides)}"
    return told + (" (always)" if rule.always else "")


def _seconds(value: float | str | None) -> str:
    return "no deadline" if value is None else f"{float(value):g} s"


def _report(found: list[Finding]) -> int:
    out.print()
    for level, (mark, style) in _MARKS.items():
        for item in found:
            if item.level == level:
                out.print(Text.assemble((f"{mark:<10}", style), (item.where, "bold"), f" {item.text}"))
    errors = sum(item.level == "error" for item in found)
    warnings = sum(item.level == "warning" for item in found)
    out.print(Text(f"{errors} errors, {warnings} warnings", style="bold red" if errors else "bold green"))
    return 1 if errors else 0
