"""How long a fused run holds the event loop at a time: the longest pause that another task of the process sees.

    python benchmarks/loop.py

Scripted models behind a real `litellm.Router`, so that almost all of the work is this package's own: token estimates,
prompts, the judge's JSON, agreement, sources. Conversation and answers are of the given size each.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from fakes import Say, Scripted, run_of
from provider import ANALYSIS

from litellm_fusion.fusion import fuse
from litellm_fusion.types import Request

ROUNDS = 9
CLAIMS = [{"claim": f"Claim {n} of a thorough judge. " * 5, "answers": ["A", "B"]} for n in range(20)]


async def tick(gaps: list[float]) -> None:
    """Note how late each wake-up comes."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        gaps.append(time.perf_counter() - before - 0.001)


async def held(characters: int) -> list[float]:
    """The longest pause of each round, in milliseconds."""
    text = " ".join(f"Point {n} weighs cost, time, risk [1]." for n in range(characters // 36))
    router = Scripted("a", "b", "c", "judge")
    for name in "abc":
        router.says(name, Say(text, delay_seconds=0.05))
    router.says("judge", Say(json.dumps({**ANALYSIS, "consensus": CLAIMS}), delay_seconds=0.05))
    request = Request("fusion/test", ({"role": "user", "content": f"{text} Which is better?"},), stream=False)
    longest = []
    for _ in range(ROUNDS):
        gaps: list[float] = []
        ticking = asyncio.create_task(tick(gaps))
        await asyncio.sleep(0.01)
        await fuse(run_of(router, {"panel": ["a", "b", "c"], "judge": "judge"}, request=request))
        ticking.cancel()
        longest.append(max(gaps) * 1e3)
    return longest[1:]  # what the first round imports, it imports once


async def main() -> None:
    """Print the table."""
    print(f"{'characters each':>16}{'median ms':>11}{'worst ms':>10}")
    for characters in (1_000, 20_000, 100_000):
        longest = await held(characters)
        print(f"{characters:>16,}{statistics.median(longest):>11.1f}{max(longest):>10.1f}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
