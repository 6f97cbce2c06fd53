"""A streamed answer and its trace on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from litellm_fusion.cli.console import out
from litellm_fusion.progress import MARK

_STYLES = {"ok": "green", "left_out": "dim", "cancelled": "yellow", "truncated": "yellow"}


def stream(chunks: Iterable[Any]) -> dict[str, Any] | None:
    """Print progress and answer as they come; gives the trace that the last delta carries, if one does."""
    trace: dict[str, Any] | None = None
    answering = False
    for chunk in chunks:
        for choice in chunk.choices:
            extra = choice.delta.model_extra or {}
            news = extra.get("reasoning_content")
            if news:
                out.print(Text(str(news).replace(MARK, "").strip("\n ") or " ", style="dim cyan"))
            if choice.delta.content:
                if not answering:
                    out.print()
                answering = True
                out.print(Text(choice.delta.content), end="", soft_wrap=True)
            fields = extra.get("provider_specific_fields") or {}
            if isinstance(fields, Mapping) and isinstance(fields.get("fusion"), dict):
                trace = fields["fusion"]
    out.print()
    return trace


def direct(headers: Mapping[str, str]) -> None:
    """What the headers say of a request that one model answered."""
    table = _table("decision")
    for name, value in headers.items():
        table.add_row(name, value)
    out.print(table)
    if headers.get("x-fusion-route") == "direct":
        out.print("[dim]One model answered: the policy saw no need for a panel. `--force` asks the panel anyway.[/]")


def trace(told: Mapping[str, Any]) -> None:
    """Decision, calls, ladder, analysis and totals of a trace, `full` or `summary`."""
    decision = told.get("decision") or told
    signals = decision.get("signals") or {}
    totals = told["totals"]
    table = _table("decision")
    table.add_row("route", Text(str(decision["route"]), style="bold"))
    table.add_row("rule", f"{decision['rule']}: {decision['reason']}")
    table.add_row("preset", str(told["preset"]))
    read = (f"{name} {signals[name]}" for name in ("task", "difficulty", "stakes", "deliberation") if name in signals)
    table.add_row("signals", ", ".join(read) or str(told.get("task")))
    table.add_row("trace", str(told["id"]))
    out.print(table)
    _calls(told["spans"])
    for step in told["ladder"]:
        out.print(Text(f"  ladder: {step['stage']} {step['step']} {step['why']}", style="yellow"))
    _analysis(told.get("analysis"), told.get("agreement"))
    cost, alone = _money(totals["cost_usd"]), _money(totals.get("direct_cost_usd"))
    first = totals.get("first_token_seconds")
    out.print(Panel(
        f"{totals['calls']} calls, {totals['prompt_tokens']:,} tokens read, {totals['completion_tokens']:,} written, "
        f"[bold]{cost}[/] (one direct call: about {alone}), [bold]{totals['seconds']:.2f} s[/]"
        + (f", first delta after {first * 1000:.0f} ms" if first is not None else ""),
        title="cost and time",
        border_style="cyan",
    ))  # fmt: skip


def _calls(spans: Iterable[Mapping[str, Any]]) -> None:
    table = _Plain(title="calls", title_justify="left", title_style="bold cyan", box=None, padding=(0, 1, 0, 0))
    for title in ("role", "model", "as", "status"):
        table.add_column(title, overflow="fold")  # these give way on a narrow terminal, the figures do not
    for title in ("from s", "took", "in", "out", "cost"):
        table.add_column(title, justify="right", no_wrap=True)
    for span in spans:
        role = str(span["role"]) + (f" {span['member']}" if span.get("member") else "")
        extra = "reserve" if span.get("reserve") else "backup" if span.get("backup") else ""
        status = f"{span['status']}" + (f" ({span['error']})" if span.get("error") else "")
        table.add_row(
            f"{role} {extra}".strip(), str(span["model"]), str(span.get("label") or ""),
            Text(status, style=_STYLES.get(str(span["status"]), "red")),
            f"{span['start_seconds']:.2f}", f"{span['seconds']:.2f}",
            str(span["prompt_tokens"] or ""), str(span["completion_tokens"] or ""), _money(span["cost_usd"]),
        )  # fmt: skip
    out.print(table)


def _analysis(analysis: Mapping[str, Any] | None, agreement: float | None) -> None:
    if not analysis:
        return
    title = "analysis" if agreement is None else f"analysis (agreement {agreement:.2f})"
    table = _table(title)
    for item in analysis["consensus"]:
        table.add_row("consensus", f"{item['claim']} [{', '.join(item['answers'])}]")
    for item in analysis["contradictions"]:
        stances = "; ".join(f"{stance['answer']}: {stance['claim']}" for stance in item["stances"])
        table.add_row("contradiction", f"{item['topic']} - {stances}")
    for item in analysis["partial_coverage"]:
        table.add_row("partial coverage", f"{item['point']} [{', '.join(item['answers'])}]")
    for item in analysis["unique_insights"]:
        table.add_row("unique insight", f"{item['insight']} [{item['answer']}]")
    for item in analysis["blind_spots"]:
        table.add_row("blind spot", str(item))
    if analysis.get("strongest"):
        table.add_row("strongest", str(analysis["strongest"]))
    out.print(table)


class _Plain(Table):
    """Rows of plain text: nothing in a model's words is markup."""

    def add_row(self, *cells: Any, **how: Any) -> None:
        """As Table.add_row, with every str taken literally."""
        super().add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells), **how)


def _table(title: str) -> Table:
    table = _Plain(title=title, title_justify="left", title_style="bold cyan", border_style="cyan", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    return table


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"${value:.4f}" if value >= 0.0001 or value == 0 else f"${value:.6f}"
