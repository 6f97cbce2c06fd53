"""What the hook costs a request that is not for a fusion model, in microseconds per request.

    python benchmarks/hook.py

Runs `FusionHook.async_pre_call_hook` itself over a router with 50 models, for histories of several lengths.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm_fusion

TURN = "Some text of a turn that a person might well have written to a model, or the other way round. " * 5
ROUNDS, CALLS = 15, 2_000


def _body(turns: int) -> dict[str, Any]:
    messages = [{"role": "user" if n % 2 == 0 else "assistant", "content": TURN} for n in range(turns)]
    return {"model": "plain-7", "messages": messages, "metadata": {}}


def _responses_body(turns: int) -> dict[str, Any]:
    return {"model": "plain-7", "input": _body(turns)["messages"], "metadata": {}}


async def main() -> None:
    """Print the table."""
    models = [{"model_name": f"plain-{n}", "litellm_params": {"model": "openai/gpt-4o", "api_key": "k"}} for n in range(50)]
    fused = {"model": "fusion/x", "fusion_config": {"panel": ["plain-1", "plain-2"]}}
    litellm_fusion.register([*models, {"model_name": "fusion/x", "litellm_params": fused}])
    from litellm_fusion.plugin import fusion_hook

    print(f"{'request':<28}{'characters':>11}{'median µs':>11}{'worst round µs':>16}")
    for name, body in (
        ("chat, 1 turn", _body(1)), ("chat, 20 turns", _body(20)), ("chat, 100 turns", _body(100)),
        ("responses, 20 turns", _responses_body(20)),
    ):  # fmt: skip
        figures = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for _ in range(CALLS):
                await fusion_hook.async_pre_call_hook(None, None, body, "acompletion")
            figures.append((time.perf_counter() - started) / CALLS * 1e6)
        chars = sum(len(turn["content"]) for turn in body.get("messages") or body["input"])
        print(f"{name:<28}{chars:>11}{statistics.median(figures):>11.1f}{max(figures):>16.1f}")


if __name__ == "__main__":
    asyncio.run(main())
