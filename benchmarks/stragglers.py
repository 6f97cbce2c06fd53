"""What a slow or hung member does to a run: a panel of three behind a real proxy, with the shipped limits and without quorum.

    python benchmarks/stragglers.py [--runs 400] [--at 20] [--hung 0.1] [--quick] [--json PATH]

Members take a lognormal time (median 0.5 s, sigma 0.6), judge and synthesizer half a second each. `none hung`: all of
them answer. `one run in ten`: in every tenth run the first member hangs. `one call in ten`: each member's call hangs by
that chance, so that some runs have two hung members. A hung call never answers. `shipped` has the default limits; `wait
for all` has the panel's size as quorum and `--panel-seconds`, so that it ends at all. With two hung members the quorum
is out of reach; a shipped run then goes on once both are overdue by what they usually take. `--bound` gives the shipped
arms `--panel-seconds` too. Before the first arm twelve runs give the proxy its experience. Luck is drawn per run and
model: all arms meet the same latencies.

`lost_share`: answers of the three seats that did not come in. `calls_per_run`: asked of the provider. The cost per run is
that of the runs' own traces, to which a cancelled call costs nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import chart
import httpx
import measure
import provider as tests_provider
from loopback import Loopback
from proxy import Proxy, config, fusion

SEATS = 3
PLUGIN = {"max_runs": 1000, "max_runs_per_key": 1000}
CALLBACKS = ["litellm_fusion.plugin.fusion_hook"]


@dataclass
class Arm:
    """One fusion model under one kind of luck, and what came of its runs."""

    model: str
    luck: str
    seconds: list[float] = field(default_factory=list)
    came: int = 0
    cost: float = 0.0
    degraded: int = 0
    failed: int = 0
    calls: int = 0


def models(panel_seconds: float, *, bound: bool) -> dict[str, dict[str, Any]]:
    """The arms' fusion configs by name; `bound` gives the shipped ones the same panel_seconds."""
    patient = {"quorum": SEATS, "panel_seconds": panel_seconds}
    limits = {"panel_seconds": panel_seconds} if bound else {}
    return {
        "shipped": fusion("fusion/shipped", reserves=["m4"], limits=limits),
        "shipped, no reserve": fusion("fusion/shipped-alone", limits=limits),
        "wait for all": fusion("fusion/patient", reserves=["m4"], limits=patient),
        "wait for all, no reserve": fusion("fusion/patient-alone", limits=patient),
    }


def plans(luck: str, hung: float) -> dict[str, dict[str, Any]]:
    """What the provider's models do."""
    member = {"median": 0.5, "sigma": 0.6, "hung": hung if luck == "one call in ten" else 0.0}
    made: dict[str, dict[str, Any]] = {name: dict(member) for name in ("m1", "m2", "m3", "m4")}
    if luck == "one run in ten":
        made["m1"]["hung"] = hung
    text = json.dumps(tests_provider.ANALYSIS)
    return {**made, "judge": {"seconds": 0.5, "text": text}, "synth": {"seconds": 0.5}}


async def ask(client: httpx.AsyncClient, arm: Arm, model: str, runs: Iterator[int]) -> None:
    """One after another, until no run is left."""
    for run in runs:
        text = f"[run {run}] Should a small company build or buy its billing system? Compare both."
        started = time.perf_counter()
        body = {"model": model, "messages": [{"role": "user", "content": text}]}
        response = await client.post("/v1/chat/completions", json=body)
        arm.seconds.append(time.perf_counter() - started)
        if response.status_code != 200:
            arm.failed += 1
            continue
        arm.came += int(response.headers["x-fusion-panel"].partition("/")[0])
        arm.cost += float(response.headers["x-fusion-cost-usd"])
        arm.degraded += response.headers["x-fusion-route"] != "fused"


async def drive(proxy: Proxy, arm: Arm, model: str, runs: int, at_once: int) -> None:
    """All runs of one arm, `at_once` at a time."""
    headers = {"Authorization": f"Bearer {proxy.master_key}"}
    limits = httpx.Limits(max_connections=at_once + 10, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=proxy.base_url, timeout=400, limits=limits, headers=headers) as client:
        left = iter(range(runs))
        await asyncio.gather(*(ask(client, arm, model, left) for _ in range(at_once)))


def row(arm: Arm, name: str, base: float | None) -> dict[str, Any]:
    """One line of the table; `base` is the p99 of the same arm with none hung."""
    p99 = measure.at(arm.seconds, 0.99)
    runs = len(arm.seconds)
    return {
        "arm": name, "members": arm.luck, "runs": runs, "p50_s": measure.at(arm.seconds, 0.5),
        "p95_s": measure.at(arm.seconds, 0.95), "p99_s": p99, "max_s": max(arm.seconds),
        "p99_over_none_hung": None if base is None else p99 / base, "lost_share": 1 - arm.came / (SEATS * runs),
        "calls_per_run": arm.calls / runs, "cost_usd_per_run": arm.cost / runs, "degraded": arm.degraded,
        "failed": arm.failed,
    }  # fmt: skip


def main() -> None:
    """Print the table, write the plot."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=400)
    options.add_argument("--at", type=int, default=20)
    options.add_argument("--hung", type=float, default=0.1)
    options.add_argument("--panel-seconds", type=float, default=20.0, help="of `wait for all`")
    options.add_argument("--only", default="", help="arms whose name begins so")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--quick", action="store_true", help="60 runs, every panel_seconds 6, no plot")
    options.add_argument("--bound", action="store_true")
    options.add_argument("--json", default="")
    asked = options.parse_args()
    if asked.quick:
        asked.runs, asked.panel_seconds, asked.bound = 60, 6.0, True
    facts = measure.machine()
    measure.head(f"stragglers: {asked.runs} runs an arm, {asked.at} at a time, seed {asked.seed}", facts)
    made = {
        name: model for name, model in models(asked.panel_seconds, bound=asked.bound).items() if name.startswith(asked.only)
    }
    rows, drawn = [], {}
    bases: dict[str, float] = {}
    for luck in ("none hung", "one run in ten", "one call in ten"):
        served = Loopback(plans(luck, asked.hung), asked.seed)
        proxy = Proxy(config(served.base_url, list(made.values()), fusion_settings=PLUGIN, callbacks=CALLBACKS))
        try:
            asyncio.run(drive(proxy, Arm("", luck), next(iter(made.values()))["model_name"], 12, 4))  # warm: experience too
            for name, model in made.items():
                arm = Arm(name, luck)
                served.reset()
                asyncio.run(drive(proxy, arm, model["model_name"], asked.runs, asked.at))
                arm.calls = len(served.seen()["calls"])
                if luck == "none hung":
                    bases[name] = measure.at(arm.seconds, 0.99)
                rows.append(row(arm, name, None if luck == "none hung" else bases[name]))
                print(f"  {name}, {luck}: p99 {rows[-1]['p99_s']:.2f} s", file=sys.stderr, flush=True)
                if "reserve" not in name:
                    drawn[f"{name}, {luck}"] = chart.shares(arm.seconds)
        finally:
            proxy.stop()
            served.stop()
    measure.table(rows)
    measure.keep(asked.json, facts, rows)
    if not asked.quick:
        chart.lines(
            drawn, measure.PLOTS / "stragglers.svg", title="Runs with slow and hung members",
            x="seconds of a run", y="share of runs done", log_x=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
