"""Does the proxy's memory stay flat? Fused runs in waves, and what the process holds after each part.

    python benchmarks/soak.py [--runs 4000] [--at 50] [--parts 8] [--call-seconds 0.05] [--quick]

A run is a panel of three, a judge, a synthesizer. The proxy has no callback but the plugin's: one that keeps log rows, as
that of the tests does, would be what grows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import measure
import provider as tests_provider
from loopback import Loopback
from peers import SEATS, Ours


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=4000)
    options.add_argument("--at", type=int, default=50)
    options.add_argument("--parts", type=int, default=8)
    options.add_argument("--call-seconds", type=float, default=0.05)
    options.add_argument("--quick", action="store_true", help="200 runs in two parts")
    asked = options.parse_args()
    if asked.quick:
        asked.runs, asked.parts = 200, 2
    measure.head(f"soak: {asked.runs} runs, {asked.at} at a time", measure.machine())
    plans = {name: {"seconds": asked.call_seconds} for name in ("m1", "m2", "m3", "judge", "synth")}
    served = Loopback({**plans, "judge": {**plans["judge"], "text": json.dumps(tests_provider.ANALYSIS)}})
    asked_of = Ours(served.base_url)
    try:
        asked_of.go(2, 2, "warm")
        rows = [{"runs": 0, "lost": 0, "mb": measure.rss_mb(asked_of.pid)}]
        waves = max(1, asked.runs // asked.parts // asked.at)
        for part in range(asked.parts):
            outcomes = asked_of.go(asked.at, waves, f"s{part}")
            served.reset()
            lost = sum(came < SEATS for _, came, _ in outcomes)
            rows.append({"runs": rows[-1]["runs"] + len(outcomes), "lost": lost, "mb": measure.rss_mb(asked_of.pid)})
    finally:
        asked_of.stop()
        served.stop()
    measure.table(rows)


if __name__ == "__main__":
    main()
