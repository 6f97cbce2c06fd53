"""What the benchmarks share: percentiles, bootstrap intervals, CPU and memory of process trees, tables, the machine."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PLOTS = Path(__file__).resolve().parent / "plots"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def at(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)]


def interval(
    samples: Sequence[Sequence[float]], statistic: Callable[..., float], rounds: int = 1000, seed: int = 1
) -> tuple[float, float]:
    """A 95 % bootstrap interval of a statistic of one or several samples, each resampled by itself."""
    luck = random.Random(seed)  # noqa: S311 - resampling
    drawn = sorted(statistic(*(luck.choices(sample, k=len(sample)) for sample in samples)) for _ in range(rounds))
    return drawn[int(rounds * 0.025)], drawn[int(rounds * 0.975)]


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for known in found:
        for task in _listed(f"/proc/{known}/task"):
            found += map(int, _read(f"/proc/{known}/task/{task}/children").split())
    return list(dict.fromkeys(found))


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, its descendants, and those of them that have ended."""
    return sum(sum(map(int, _stat(one)[11:15])) for one in tree(pid)) / _TICKS


def rss_mb(pid: int) -> float:
    """Resident megabytes of a process and its descendants."""
    return sum(int((_stat(one)[21:22] or ["0"])[0]) for one in tree(pid)) * _PAGE / 1e6


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:  # it ended meanwhile
        return []


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


class Watch:
    """Watches a process tree while it works: `cpu` seconds used, `peak_mb` of memory."""

    def __init__(self, pid: int) -> None:
        self.pid, self.cpu, self.peak_mb = pid, 0.0, 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._ended.wait(0.2):
            self.peak_mb = max(self.peak_mb, rss_mb(self.pid))

    def __enter__(self) -> Watch:
        self.cpu = -cpu_seconds(self.pid)
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()
        self.peak_mb = max(self.peak_mb, rss_mb(self.pid))
        self.cpu += cpu_seconds(self.pid)


def machine(*packages: str) -> dict[str, Any]:
    """When and where: goes with every table."""
    load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
    versions = {name: importlib.metadata.version(name) for name in ("litellm", *packages)}
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"), "python": platform.python_version(),
        "cores": os.cpu_count(), "load": load, "kernel": platform.release(), **versions,
    }  # fmt: skip


def head(what: str, facts: Mapping[str, Any]) -> None:
    """Print what is measured, and where. From here on SIGTERM ends the script by way of its `finally` clauses, so that no
    process that it started outlives it.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"{what}\n" + "; ".join(f"{key} {value}" for key, value in facts.items()), flush=True)


def table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of the same keys, in columns."""
    told = [list(rows[0]), *([_told(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[n]) for line in told) for n in range(len(told[0]))]
    for line in told:
        cells = (
            cell.ljust(width) if n == 0 else cell.rjust(width) for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(cells), flush=True)


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return "" if value is None else str(value)


def keep(path: str, facts: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the figures as JSON, if a path was given."""
    if path:
        Path(path).write_text(json.dumps({"machine": dict(facts), "rows": [dict(row) for row in rows]}, indent=1) + "\n")
