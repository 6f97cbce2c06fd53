"""What the plugin adds to requests that are not fused: the same config with and without it, requests taking turns.

    python benchmarks/gateway.py [--requests 1000] [--at 1,10] [--rounds 3] [--stream] [--quick] [--json PATH]

Four proxies run side by side in front of one provider that answers at once: `without` the plugin (no callback, no fusion
model), `without again` (the same config: what noise alone makes of it), `with` the plugin, and `direct`, with the plugin
and asked for a fusion model whose policy says direct, so that LiteLLM serves the same model natively. The proxies take
turns (of one request, or of two for each of `--at` workers) in a new random order each time, so that noise hits all of
them. Each round starts them anew, since two processes of the same program differ too. Ratios are against `without`, with
95 % bootstrap intervals over the cycles of turns of all rounds; CPU is that of a proxy's process per request, the work
behind the answer included.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import chart
import httpx
import measure
from loopback import Loopback
from proxy import Proxy, fusion, member

QUESTION = "Should a small company build or buy its billing system? Compare both, and recommend one of them."
MODELS = {"without": "m1", "without again": "m1", "with": "m1", "direct": "fusion/direct"}
BASE = "without"
TURN = 2
"""Requests of one worker in one turn."""
Times = dict[str, list[list[float]]]


def configured(base_url: str, *, plugin: bool) -> dict[str, Any]:
    """The proxy's config; without the plugin it lacks the plugin's lines and nothing else."""
    models = [member(name, base_url) for name in ("m1", "m2", "m3", "judge", "synth")]
    settings: dict[str, Any] = {"telemetry": False, "sse_keepalive_ping_interval_seconds": 10}
    if plugin:
        models.append(fusion("fusion/direct", direct="m1", policy=[{"name": "never", "use": "direct"}]))
        settings["callbacks"] = ["litellm_fusion.plugin.fusion_hook"]
        settings["custom_provider_map"] = [{"provider": "fusion", "custom_handler": "litellm_fusion.plugin.fusion_llm"}]
    return {
        "model_list": models,
        "litellm_settings": settings,
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY", "cancel_on_disconnect": True},
    }


async def ask(client: httpx.AsyncClient, model: str, *, stream: bool) -> float:
    """Milliseconds of one request."""
    body = {"model": model, "messages": [{"role": "user", "content": QUESTION}], "stream": stream}
    started = time.perf_counter()
    response = await client.post("/v1/chat/completions", json=body)
    took = (time.perf_counter() - started) * 1e3
    response.raise_for_status()
    if model != "m1" and response.headers["x-fusion-route"] != "direct":
        raise RuntimeError(response.headers["x-fusion-route"])
    return took


async def alternate(proxies: dict[str, Proxy], times: Times, requests: int, at_once: int, seed: int, *, stream: bool) -> None:
    """`requests` of each proxy in short turns, one proxy at a time, in a new random order each cycle of turns. Workers
    never go from one proxy to another within a turn: they would queue at the slowest.
    """
    luck = random.Random(seed)  # noqa: S311 - an order
    turn = 1 if at_once == 1 else at_once * TURN
    limits = httpx.Limits(max_connections=at_once + 10)
    clients = {
        name: httpx.AsyncClient(
            base_url=proxy.base_url, timeout=60, limits=limits, headers={"Authorization": f"Bearer {proxy.master_key}"}
        )
        for name, proxy in proxies.items()
    }

    async def work(name: str, left: Iterator[int], took: list[float]) -> None:
        for _ in left:
            took.append(await ask(clients[name], MODELS[name], stream=stream))

    try:
        for _ in range(max(requests // turn, 1)):
            for name in luck.sample(list(proxies), len(proxies)):
                left, took = iter(range(turn)), list[float]()
                await asyncio.gather(*(work(name, left, took) for _ in range(at_once)))
                times[name].append(took)
    finally:
        for client in clients.values():
            await client.aclose()


def one_round(asked: argparse.Namespace, number: int, times: dict[int, Times], cpus: dict[int, dict[str, list[float]]]) -> None:
    """Start all proxies, let each concurrency have its turn, stop them."""
    served = Loopback({"m1": {"seconds": 0.0}})
    proxies: dict[str, Proxy] = {}
    try:
        for name in random.Random(number).sample(list(MODELS), len(MODELS)):  # noqa: S311 - an order
            proxies[name] = Proxy(configured(served.base_url, plugin=not name.startswith(BASE)))
        asyncio.run(alternate(proxies, defaultdict(list), 50, 2, 0, stream=asked.stream))
        for at_once in map(int, asked.at.split(",")):
            time.sleep(1.5)  # LiteLLM logs behind the answer
            before = {name: measure.cpu_seconds(proxy.process.pid) for name, proxy in proxies.items()}
            seed = number * 1000 + at_once
            had = len(times[at_once][BASE])
            asyncio.run(alternate(proxies, times[at_once], asked.requests, at_once, seed, stream=asked.stream))
            time.sleep(1.5)
            for name, proxy in proxies.items():
                used = measure.cpu_seconds(proxy.process.pid) - before[name]
                cpus[at_once][name].append(used * 1e3 / sum(map(len, times[at_once][name][had:])))
            print(f"  round {number + 1}, {at_once} at a time: done", file=sys.stderr, flush=True)
    finally:
        for proxy in proxies.values():
            proxy.stop()
        served.stop()


def row(at_once: int, name: str, times: Times, cpus: dict[str, list[float]]) -> dict[str, Any]:
    """One line of the table. The bootstrap draws whole cycles, in which both proxies had the same noise."""
    own, base = times[name], times[BASE]
    made: dict[str, Any] = {"requests": name, "at": at_once, "n": sum(map(len, own))}
    cycles = list(range(len(own)))
    for label, share in (("p50", 0.5), ("p99", 0.99)):

        def value(turns: Times, who: str, drawn: Sequence[int], share: float = share) -> float:
            return measure.at([took for cycle in drawn for took in turns[who][cycle]], share)

        def ratio(drawn: Sequence[int]) -> float:
            return value(times, name, drawn) / value(times, BASE, drawn)

        made[f"{label}_ms"] = value(times, name, cycles)
        made[f"{label}_ratio"] = f"{ratio(cycles):.3f}"
        low, high = (1.0, 1.0) if own is base else measure.interval((cycles,), ratio, 400)
        made[f"{label}_95"] = None if own is base else f"{low:.3f}..{high:.3f}"
    used, least = statistics.mean(cpus[name]), statistics.mean(cpus[BASE])
    return {**made, "cpu_ms": used, "cpu_ratio": f"{used / least:.3f}"}


def main() -> None:
    """Print the table, write the plot."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=1000, help="per proxy, concurrency and round")
    options.add_argument("--at", default="1,10")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--stream", action="store_true")
    options.add_argument("--quick", action="store_true", help="one round of 150 requests, no plot")
    options.add_argument("--json", default="")
    asked = options.parse_args()
    if asked.quick:
        asked.requests, asked.rounds = 150, 1
    facts = measure.machine()
    kind = "streamed" if asked.stream else "plain"
    measure.head(f"gateway: {asked.rounds} rounds of {asked.requests} {kind} requests per proxy", facts)
    times: dict[int, Times] = defaultdict(lambda: defaultdict(list))
    cpus: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(asked.rounds):
        one_round(asked, number, times, cpus)
    rows = [row(at_once, name, times[at_once], cpus[at_once]) for at_once in times for name in MODELS]
    measure.table(rows)
    measure.keep(asked.json, facts, rows)
    if not asked.quick:
        drawn = {
            f"{name}, {at_once} at a time": chart.shares([took for turn in times[at_once][name] for took in turn])
            for at_once in times
            for name in MODELS
        }
        chart.lines(
            drawn, measure.PLOTS / f"gateway-{kind}.svg", title=f"Requests that are not fused, {kind}",
            x="milliseconds", y="share of requests done", log_x=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
