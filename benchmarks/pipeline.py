"""A fused run against its critical path: what the proxy, LiteLLM and this plugin add to it, in time and CPU.

    python benchmarks/pipeline.py [--at 1,20,100] [--runs 3] [--call-seconds 1.0]

A run is a panel of three, a judge, a synthesizer; every call takes `--call-seconds` at the provider, so the critical path
is three calls. Beside it, in the same run of this script: one plain call through the same proxy, and the same five calls
made bare through `litellm.Router`, without proxy, plugin or streaming. Provider, proxy and bare router are processes of
their own; CPU is that of the proxy's (or the router's) process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import httpx
import provider as loopback
from proxy import Proxy, config, fusion, member

QUESTION = [{"role": "user", "content": "Should a small company build or buy its billing system? Compare both."}]
PARTS = ("m1", "m2", "m3", "judge", "synth")
CRITICAL_CALLS = 3
PLUGIN = {"max_runs": 1000, "max_runs_per_key": 1000}


def serve(call_seconds: float) -> None:
    """The provider's process: prints its address and serves until it is ended."""
    served = loopback.Provider()
    for name in PARTS:
        text = json.dumps(loopback.ANALYSIS) if name == "judge" else loopback.answer(name)
        served.script(name, loopback.Reply(text, delay_seconds=call_seconds))
    loopback.start(served)
    print(served.base_url, flush=True)
    while True:
        time.sleep(3600)


async def bare(base_url: str, at_once: int, runs: int) -> dict[str, Any]:
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
    seconds = [second for _ in range(runs) for second in await asyncio.gather(*(run() for _ in range(at_once)))]
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


async def through(proxy: Proxy, model: str, at_once: int, runs: int, *, stream: bool) -> tuple[list[float], list[float]]:
    """Seconds of each request, and until its first line."""
    headers = {"Authorization": f"Bearer {proxy.master_key}"}
    limits = httpx.Limits(max_connections=at_once + 10)
    whole: list[float] = []
    first: list[float] = []
    async with httpx.AsyncClient(base_url=proxy.base_url, timeout=120, limits=limits, headers=headers) as client:

        async def one() -> None:
            started = time.perf_counter()
            body = {"model": model, "messages": QUESTION, "stream": stream}
            async with client.stream("POST", "/v1/chat/completions", json=body) as response:
                if response.status_code != 200 or (model != "synth" and response.headers["x-fusion-route"] != "fused"):
                    raise RuntimeError(f"{response.status_code}: {(await response.aread())[:200]!r}")
                heard = 0.0
                async for line in response.aiter_lines():
                    if not heard and line:
                        heard = time.perf_counter() - started
            whole.append(time.perf_counter() - started)
            first.append(heard)

        for _ in range(runs):
            await asyncio.gather(*(one() for _ in range(at_once)))
    return whole, first


def cpu_and_rss(pid: int) -> tuple[float, float]:
    """CPU seconds that a process has used, and its resident memory in MB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def line(
    name: str, at_once: int, seconds: list[float], floor: float, cpu: float, first: list[float], rss: float | None
) -> dict[str, Any]:
    """One row: milliseconds over the critical path, CPU milliseconds per request."""
    over = sorted((second - floor) * 1e3 for second in seconds)
    row = {
        "what": name, "at_once": at_once, "over_p50_ms": statistics.median(over),
        "over_p99_ms": over[min(int(len(over) * 0.99), len(over) - 1)],
        "cpu_ms": cpu / len(seconds) * 1e3, "first_p50_ms": statistics.median(first) * 1e3 if first else None, "rss_mb": rss,
    }  # fmt: skip
    told = "" if row["first_p50_ms"] is None else f"{row['first_p50_ms']:>10.0f}"
    memory = "" if rss is None else f"{rss:>9.0f}"
    print(
        f"{name:<32}{at_once:>5}{row['over_p50_ms']:>11.0f}{row['over_p99_ms']:>9.0f}{row['cpu_ms']:>9.1f}{told:>10}{memory:>9}",
        flush=True,
    )
    return row


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--at", default="1,20,100")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--call-seconds", type=float, default=1.0)
    options.add_argument("--serve", action="store_true")
    options.add_argument("--bare", default="")
    asked = options.parse_args()
    if asked.serve:
        serve(asked.call_seconds)
    if asked.bare:
        print(json.dumps(asyncio.run(bare(asked.bare, int(asked.at), asked.runs))))
        return
    command = [sys.executable, __file__, "--call-seconds", str(asked.call_seconds)]
    server = subprocess.Popen([*command, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None  # noqa: S101
    base_url = server.stdout.readline().strip()
    made = config(base_url, [fusion("fusion/all", limits={"quorum": 3})], fusion_settings=PLUGIN)
    made["litellm_settings"]["callbacks"] = ["litellm_fusion.plugin.fusion_hook"]  # without the tests' own
    proxy = Proxy(made)
    floor = CRITICAL_CALLS * asked.call_seconds
    try:
        print(f"{'what':<32}{'at':>5}{'over p50':>11}{'p99':>9}{'cpu ms':>9}{'first ms':>10}{'RSS MB':>9}")
        asyncio.run(through(proxy, "fusion/all", 2, 2, stream=False))
        for at_once in map(int, asked.at.split(",")):
            runs = asked.runs * (5 if at_once == 1 else 1)
            kinds = (("plain call through the proxy", "synth", False), ("fused, plain", "fusion/all", False),
                     ("fused, streamed", "fusion/all", True))  # fmt: skip
            cpus = {}
            for name, model, stream in kinds:
                before, _ = cpu_and_rss(proxy.process.pid)
                seconds, first = asyncio.run(through(proxy, model, at_once, runs, stream=stream))
                time.sleep(1.5)  # LiteLLM logs behind the answer
                after, rss = cpu_and_rss(proxy.process.pid)
                own = asked.call_seconds if model == "synth" else floor
                cpus[name] = line(name, at_once, seconds, own, after - before, first if stream else [], rss)["cpu_ms"]
            printed = subprocess.run(
                [*command, "--bare", base_url, "--at", str(at_once), "--runs", str(runs)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            told = json.loads(printed.strip().splitlines()[-1])
            alone = line("five bare Router calls", at_once, told["seconds"], floor, told["cpu"], [], None)["cpu_ms"]
            allowed = cpus["plain call through the proxy"] + alone
            print(f"    CPU of a fused run against one plain call and the bare calls: {cpus['fused, plain'] / allowed:.2f}")
    finally:
        proxy.stop()
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main()
