"""How long a decision takes by the size of the prompt, and what importing the gate costs."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import numpy as np

from litellm_fusion import policy, signals
from litellm_fusion.config import Settings
from litellm_fusion.layers import resolve
from litellm_fusion.types import Request

SIZES = (1_000, 8_000, 100_000)
CALLS = 300
_ASK = "\nWhich of the two offers should we take, and why?"
_IMPORT = """
import json, time
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
import numpy, litellm_fusion.policy, litellm_fusion.config  # what a proxy has loaded anyway
before, start = resident(), time.process_time()
from litellm_fusion import signals
imported = time.process_time() - start
from litellm_fusion.types import Request
start = time.process_time()
signals.read(Request(model="m", messages=({"role": "user", "content": "Should we buy or lease?"},)))
first = time.process_time() - start
print(json.dumps([imported * 1e3, first * 1e3, resident() - before]))
"""


def texts() -> dict[str, str]:
    """Texts of 100k characters, as different as what users paste."""
    chance = random.Random(3)  # noqa: S311 - any table will do
    prose = "The committee heard both sides, weighed the costs and put off its decision until the figures are in. "
    row = ",".join("{}" for _ in range(9)) + "\n"
    table = "".join(row.format(*(chance.randrange(10 ** chance.randrange(2, 12)) for _ in range(9))) for _ in range(3000))
    spaced = "".join(" ".join(str(chance.randrange(10**4)) for _ in range(12)) + "\n" for _ in range(3000))
    code = "def total(rows):\n    # the sum of all open items\n    return sum(row.amount for row in rows if not row.paid)\n\n"
    chinese = "委员会听取了双方的意见,权衡了成本,并将决定推迟到数字出来之后。"
    return {
        "prose": prose * 1100, "table": table, "spaced numbers": spaced, "code": code * 1000, "chinese": chinese * 3500,
    }  # fmt: skip


def report() -> None:
    """Print p50 and p99 of signals and policy for each text and size, then import time and memory."""
    rules = resolve({"panel": ["a", "b", "c"]}, ("fusion/general",), Settings()).config.policy
    print(f"{'decision':<16}{'characters':>12}{'p50 ms':>9}{'p99 ms':>9}{'p50 CPU ms':>12}{'p99':>9}")
    for name, text in texts().items():
        for size in SIZES:
            request = Request(model="fusion/general", messages=({"role": "user", "content": text[: size - len(_ASK)] + _ASK},))
            seconds = []
            for _ in range(CALLS):
                start, worked = time.perf_counter(), time.thread_time()
                policy.decide(signals.read(request), rules)
                seconds.append((time.perf_counter() - start, time.thread_time() - worked))
            (p50, own50), (p99, own99) = np.percentile(np.array(seconds[10:]) * 1e3, [50, 99], axis=0)
            print(f"{name:<16}{size:>12}{p50:>9.2f}{p99:>9.2f}{own50:>12.2f}{own99:>9.2f}")
    runs = []
    for _ in range(5):
        told = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True)
        runs.append(json.loads(told.stdout))
    imported, first, memory = np.median(np.array(runs), axis=0)
    print(f"import {imported:.0f} ms, first request {first:.0f} ms of CPU, memory {memory:.1f} MB (median of 5)")
