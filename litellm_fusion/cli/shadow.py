"""`shadow-report`: from the proxy's log, what a fusion model in shadow mode would have fused, and at what price."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from litellm_fusion.cli.console import fail, out

MARK = "fusion.shadow "
"""What stands before the JSON in each of shadow mode's log lines."""
_GROUPS = (("rule", "rule"), ("key", "key_alias"), ("team", "team_id"), ("model", "model"))


@dataclass(slots=True)
class Sums:
    """Requests of one group. Money is US dollars over the requests that would have fused and whose prices are known."""

    requests: int = 0
    fused: int = 0
    priced: int = 0
    fused_usd: float = 0.0
    direct_usd: float = 0.0

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one request."""
        self.requests += 1
        if line.get("would") != "fuse":
            return
        self.fused += 1
        fused, direct = line.get("estimated_cost_usd"), line.get("direct_cost_usd")
        if fused is not None and direct is not None:
            self.priced += 1
            self.fused_usd += fused
            self.direct_usd += direct


def run(path: Path) -> int:
    """Print the report; exit code 1 when the log has no line of shadow mode."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            found = list(entries(lines))
    except OSError as error:
        return fail(f"{path}: {error.strerror}")
    if not found:
        return fail(f"{path}: no line of shadow mode; is a fusion model in `mode: shadow`, and the log level INFO?")
    whole = Sums()
    for line in found:
        whole.add(line)
    out.print(Text(f"{whole.requests} requests in shadow mode, {whole.fused} would have fused ({_share(whole)})", style="bold"))
    out.print(Text(f"fusing them ${whole.fused_usd:.4f}, direct ${whole.direct_usd:.4f}: {_more(whole)}, estimated"))
    if whole.priced < whole.fused:
        out.print(Text(f"{whole.fused - whole.priced} of them use a model without a known price and are not in these sums"))
    for title, key in _GROUPS:
        _print(title, grouped(found, key))
    return 0


def entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Shadow mode's lines among others, whatever stands before them; LiteLLM's JSON logs are read too."""
    for line in lines:
        if MARK not in line:
            continue
        if line.lstrip().startswith("{"):
            line = _message(line)
        _, _, rest = line.partition(MARK)
        try:
            entry, _ = json.JSONDecoder().raw_decode(rest.strip())
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def grouped(found: Iterable[Mapping[str, Any]], key: str) -> dict[str, Sums]:
    """The sums for each value of `key`, the dearest first."""
    sums: dict[str, Sums] = defaultdict(Sums)
    for line in found:
        sums[str(line.get(key) or "(none)")].add(line)
    return dict(sorted(sums.items(), key=lambda item: (-item[1].fused_usd, -item[1].fused, item[0])))


def _print(title: str, groups: Mapping[str, Sums]) -> None:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column(f"by {title}")
    for name in ("requests", "would fuse", "share", "fused $", "direct $", "more"):
        table.add_column(name, justify="right")
    for name, sums in groups.items():
        money = (f"{sums.fused_usd:.4f}", f"{sums.direct_usd:.4f}", _more(sums)) if sums.priced else ("", "", "")
        table.add_row(Text(name), str(sums.requests), str(sums.fused), _share(sums), *money)
    out.print()
    out.print(table)


def _share(sums: Sums) -> str:
    return f"{sums.fused / sums.requests:.0%}"


def _more(sums: Sums) -> str:
    return f"x{sums.fused_usd / sums.direct_usd:.1f}" if sums.direct_usd else "no price"


def _message(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    return next((value for value in entry.values() if isinstance(value, str) and MARK in value), "")
