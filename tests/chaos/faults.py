"""Seeded faults of every kind, for every call of every model: what a provider may do to a run."""

from __future__ import annotations

import json
import random
from typing import Any

from provider import ANALYSIS, Provider, Reply

MODELS = ("m1", "m2", "m3", "m4", "judge", "judge2", "synth", "synth2", "solo")
WEIGHTS = {
    "well": 60, "slow": 8, "rate_limited": 4, "server_error": 4, "unavailable": 3, "unauthorized": 2, "cut": 4,
    "error_in_stream": 3, "garbage": 4, "truncated": 2, "empty": 3, "refused": 2, "hang": 1,
}  # fmt: skip


def unleash(provider: Provider, seed: int) -> None:
    """From now on every reply is drawn from the seed."""
    draw = random.Random(seed)  # noqa: S311 - the same faults in every run
    for model in MODELS:
        provider.script(model, Reply(make=lambda body, model=model: _reply(draw, model, body)))


def _reply(draw: random.Random, model: str, body: dict[str, Any]) -> Reply:
    kind = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    good = (
        json.dumps(ANALYSIS) if model.startswith("judge") else f"{model} says: the second option, since it costs less to run."
    )
    replies = {
        "well": Reply(good, delay_seconds=draw.uniform(0, 0.1)),
        "slow": Reply(good, delay_seconds=draw.uniform(0.2, 2.5)),
        "rate_limited": Reply(status=429, retry_after=1),
        "server_error": Reply(status=500),
        "unavailable": Reply(status=503),
        "unauthorized": Reply(status=401),
        "cut": Reply(good, cut_after=draw.randrange(8)),
        "error_in_stream": Reply(good, error_after=draw.randrange(8)),
        "garbage": Reply(raw_body=b'{"choices": [{"mess'),
        "truncated": Reply(good, finish_reason="length"),
        "empty": Reply(""),
        "refused": Reply("I'm sorry, but I can't help with that."),
        "hang": Reply(hang=True),
    }
    return replies[kind]
