"""A fused run against its critical path: what the proxy, LiteLLM and this plugin add to it, in time, CPU and memory.

    python benchmarks/pipeline.py [--at 1,20,100,400] [--waves 3] [--call-seconds 1.0] [--quick] [--json PATH]

A run is a panel of three, a judge, a synthesizer; every call takes `--call-seconds` at the provider, so the critical path
is three calls. Beside it, in the same run of this script: one plain call through the same proxy, and the same five calls
made bare through `litellm.Router`, without proxy, plugin or streaming. A wave is `--at` requests at once (at 1: waves of
one, five times as many). Provider, proxy and bare router are processes of their own.

`over`: milliseconds beyond the critical path. `first_byte`, `first_word`: of a stream, until anything and until the
answer's first word. CPU and peak memory are those of the proxy's (or the router's) process. `mb_each`: what the peak is
above the memory before, per request at a time. `cpu_ratio`: a fused run's CPU against one plain call and the bare calls.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import chart
import measure
import provider as tests_provider
from loopback import Loopback, post
from proxy import Proxy, config, fusion, member

QUESTION = [{"role": "user", "content": "Should a small company build or buy its billing system? Compare both."}]
PARTS = ("m1", "m2", "m3", "judge", "synth")
CRITICAL_CALLS = 3
PLUGIN = {"max_runs": 1000, "max_runs_per_key": 1000}
PLAIN, FUSED, STREAMED, BARE = "one plain call", "fused", "fused, streamed", "five bare Router calls"
_WORD = re.compile(rb'"content":\s*"[^"]')


@dataclass
class Took:
    """Seconds of each request of one kind; of streams, until the first byte and the first word."""

    whole: list[float] = field(default_factory=list)
    byte: list[float] = field(default_factory=list)
    word: list[float] = field(default_factory=list)
    cpu: float = 0.0
    peak_mb: float | None = None
    mb_each: float | None = None


async def bare(base_url: str, at_once: int, waves: int) -> dict[str, Any]:
    """The same calls without a proxy: seconds of each run, and CPU seconds of all."""
    import litellm

    router = litellm.Router(model_list=[member(name, base_url) for name in PARTS], num_retries=0)

    async def run() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(router.acompletion(name, QUESTION) for name in PARTS[:3]))  # type: ignore[call-overload]
        await router.acompletion("judge", QUESTION)  # type: ignore[call-overload]
        await router.acompletion("synth", QUESTION)  # type: ignore[call-overload]
        return time.perf_counter() - started

    await run()
    before = resource.getrusage(resource.RUSAGE_SELF)
    seconds = [second for _ in range(waves) for second in await asyncio.gather(*(run() for _ in range(at_once)))]
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


async def ask(proxy: Proxy, model: str, took: Took, *, stream: bool) -> None:
    """One request; RuntimeError when it is not answered as it should be."""
    started = time.perf_counter()
    since: dict[str, float] = {}

    def heard(piece: bytes) -> None:
        since.setdefault("byte", time.perf_counter() - started)
        if "word" not in since and _WORD.search(piece):
            since["word"] = time.perf_counter() - started

    body = {"model": model, "messages": QUESTION, "stream": stream}
    status, headers, raw = await post(f"{proxy.base_url}/v1/chat/completions", body, proxy.master_key, heard=heard)
    took.whole.append(time.perf_counter() - started)
    if status != 200 or (model != "synth" and headers["x-fusion-route"] != "fused"):
        raise RuntimeError(f"{status}: {raw[:200]!r}")
    if stream:
        took.byte.append(since["byte"])
        took.word.append(since["word"])


async def drive(proxy: Proxy, model: str, at_once: int, waves: int, *, stream: bool) -> Took:
    """All requests of one kind."""
    took = Took()
    for _ in range(waves):
        await asyncio.gather(*(ask(proxy, model, took, stream=stream) for _ in range(at_once)))
    return took


def through(proxy: Proxy, model: str, at_once: int, waves: int, *, stream: bool) -> Took:
    """All requests of one kind, with the proxy's CPU and memory."""
    before = measure.rss_mb(proxy.process.pid)
    with measure.Watch(proxy.process.pid) as watch:
        took = asyncio.run(drive(proxy, model, at_once, waves, stream=stream))
        time.sleep(1.5)  # LiteLLM logs behind the answer
    took.cpu, took.peak_mb, took.mb_each = watch.cpu, watch.peak_mb, (watch.peak_mb - before) / at_once
    return took


def alone(base_url: str, at_once: int, waves: int) -> Took:
    """The bare calls, in a process of their own."""
    command = [sys.executable, __file__, "--bare", base_url, "--at", str(at_once), "--waves", str(waves)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told = json.loads(printed.strip().splitlines()[-1])
    return Took(told["seconds"], cpu=told["cpu"])


def row(name: str, at_once: int, took: Took, floor: float, allowed: float | None) -> dict[str, Any]:
    """One line of the table."""
    over = [(second - floor) * 1e3 for second in took.whole]
    cpu = took.cpu / len(over) * 1e3

    def middle(seconds: Sequence[float]) -> float | None:
        return measure.at(seconds, 0.5) * 1e3 if seconds else None

    return {
        "what": name, "at": at_once, "n": len(over),
        "over_p50_ms": measure.at(over, 0.5), "over_p99_ms": measure.at(over, 0.99),
        "first_byte_ms": middle(took.byte), "first_word_ms": middle(took.word), "cpu_ms": cpu,
        "cpu_ratio": None if allowed is None else cpu / allowed, "peak_mb": took.peak_mb, "mb_each": took.mb_each,
    }  # fmt: skip


def main() -> None:
    """Print the table, write the plot."""
    options = argparse.ArgumentParser()
    options.add_argument("--at", default="1,20,100,400")
    options.add_argument("--waves", type=int, default=3)
    options.add_argument("--call-seconds", type=float, default=1.0)
    options.add_argument("--quick", action="store_true", help="one wave at 1 and 20, no plot")
    options.add_argument("--json", default="")
    options.add_argument("--bare", default="", help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.bare:
        print(json.dumps(asyncio.run(bare(asked.bare, int(asked.at), asked.waves))))
        return
    if asked.quick:
        asked.at, asked.waves = "1,20", 1
    facts = measure.machine()
    measure.head(f"pipeline: {asked.waves} waves, {asked.call_seconds:g} s a call", facts)
    plans: dict[str, dict[str, Any]] = {name: {"seconds": asked.call_seconds} for name in PARTS}
    plans["judge"]["text"] = json.dumps(tests_provider.ANALYSIS)
    served = Loopback(plans)
    made = config(served.base_url, [fusion("fusion/all", limits={"quorum": 3})], fusion_settings=PLUGIN)
    made["litellm_settings"]["callbacks"] = ["litellm_fusion.plugin.fusion_hook"]  # without the tests' own
    del made["router_settings"]  # cooldowns are on, as in the bare router
    floor, rows = CRITICAL_CALLS * asked.call_seconds, []
    proxy = Proxy(made)
    try:
        asyncio.run(drive(proxy, "fusion/all", 2, 2, stream=False))
        asyncio.run(drive(proxy, "fusion/all", 2, 2, stream=True))
        for at_once in map(int, asked.at.split(",")):
            waves = asked.waves * (5 if at_once == 1 else 1)
            plain = row(PLAIN, at_once, through(proxy, "synth", at_once, waves, stream=False), asked.call_seconds, None)
            calls = row(BARE, at_once, alone(served.base_url, at_once, waves), floor, None)
            allowed = plain["cpu_ms"] + calls["cpu_ms"]
            fused = row(FUSED, at_once, through(proxy, "fusion/all", at_once, waves, stream=False), floor, allowed)
            streamed = row(STREAMED, at_once, through(proxy, "fusion/all", at_once, waves, stream=True), floor, allowed)
            rows += [plain, calls, fused, streamed]
            print(f"  {at_once} at a time: done", file=sys.stderr, flush=True)
    finally:
        proxy.stop()
        served.stop()
    measure.table(rows)
    measure.keep(asked.json, facts, rows)
    if not asked.quick:
        series = {
            f"{name}, {share}": [(one["at"], max(one[f"over_{share}_ms"], 1)) for one in rows if one["what"] == name]
            for name in (PLAIN, BARE, FUSED, STREAMED)
            for share in ("p50", "p99")
        }
        chart.lines(
            series, measure.PLOTS / "pipeline.svg", title=f"Over the critical path of {floor:g} s",
            x="requests at a time", y="milliseconds over", log_x=True, log_y=True, dots=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
