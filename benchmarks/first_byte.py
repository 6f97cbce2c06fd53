"""How soon the first delta comes: a fused stream against a plain stream through the same real proxy, on loopback.

    python benchmarks/first_byte.py [rounds]

Milliseconds from sending the request to the first `data:` line, at concurrency 1, both kinds taking turns so that they
see the same machine. Members, judge and synthesizer are the loopback provider of the tests.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import httpx
import provider as loopback
from proxy import Proxy, config

QUESTION = "Should a small company build or buy its billing system? Compare both and recommend one."


def first_and_last(client: httpx.Client, model: str) -> tuple[float, float]:
    """Milliseconds to the first delta and to the end of the stream."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    started = time.perf_counter()
    first = 0.0
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if not first and line.startswith("data: "):
                first = time.perf_counter() - started
    return first * 1e3, (time.perf_counter() - started) * 1e3


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    served = loopback.Provider()
    stop = loopback.start(served)
    proxy = Proxy(config(served.base_url))
    try:
        with proxy.client() as client:
            figures: dict[str, list[tuple[float, float]]] = {"synth": [], "fusion/all": []}
            for n in range(rounds + 5):
                for model, kept in figures.items():
                    timed = first_and_last(client, model)
                    if n >= 5:
                        kept.append(timed)
    finally:
        proxy.stop()
        stop()
    print(f"{'stream':<22}{'first ms p50':>13}{'p95':>7}{'max':>7}{'whole ms p50':>14}")
    for model, kept in figures.items():
        firsts = sorted(first for first, _ in kept)
        whole = statistics.median(last for _, last in kept)
        p95 = firsts[int(len(firsts) * 0.95) - 1]
        name = "plain (synth)" if model == "synth" else "fused, 3 members"
        print(f"{name:<22}{statistics.median(firsts):>13.1f}{p95:>7.1f}{firsts[-1]:>7.1f}{whole:>14.1f}")


if __name__ == "__main__":
    main()
