"""A handful of Prometheus metrics in the registry that LiteLLM serves under `/metrics`, for whoever is on call.

`prometheus_client` is not part of LiteLLM: where an operator has not installed it (LiteLLM's own `prometheus` callback
needs it too), nothing is counted. Labels are names from the config and typed words, never text, keys or users.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600)
"""Buckets of a run's duration: from a direct answer to the longest deadline."""


@dataclass(frozen=True, slots=True)
class _Metrics:
    runs: Any
    seconds: Any
    cost: Any
    calls: Any
    ladder: Any
    in_flight: Any


@cache
def _metrics() -> _Metrics | None:
    if importlib.util.find_spec("prometheus_client") is None:
        return None
    from prometheus_client import Counter, Gauge, Histogram

    return _Metrics(
        runs=Counter("litellm_fusion_requests", "Requests for fusion models", ["model", "route", "rule"]),
        seconds=Histogram("litellm_fusion_seconds", "Seconds of a request", ["model", "route"], buckets=SECONDS),
        cost=Counter("litellm_fusion_cost_usd", "US dollars of all inner calls", ["model", "route"]),
        calls=Counter("litellm_fusion_calls", "Inner calls by outcome", ["model", "role", "status"]),
        ladder=Counter("litellm_fusion_ladder", "Steps taken instead of an error", ["stage", "step"]),
        in_flight=Gauge("litellm_fusion_runs_in_flight", "Fused runs now", multiprocess_mode="livesum"),
    )


def count(record: dict[str, Any]) -> None:
    """Count one finished trace."""
    metrics = _metrics()
    if metrics is None:
        return
    model, decision, totals = record["model"], record["decision"], record["totals"]
    metrics.runs.labels(model, decision["route"], decision["rule"]).inc()
    metrics.seconds.labels(model, decision["route"]).observe(totals["seconds"])
    metrics.cost.labels(model, decision["route"]).inc(totals["cost_usd"] or 0.0)
    for span in record["spans"]:
        metrics.calls.labels(span["model"], span["role"], span["status"]).inc()
    for step in record["ladder"]:
        metrics.ladder.labels(step["stage"], step["step"]).inc()


def watch_running(running: Callable[[], int]) -> None:
    """Let the gauge of runs in flight read this function."""
    metrics = _metrics()
    if metrics is not None:
        metrics.in_flight.set_function(running)
