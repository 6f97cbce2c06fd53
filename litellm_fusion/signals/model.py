"""The learned model: hashed features in, calibrated scores out. Plain arithmetic on arrays, the same on every machine.

One linear head for each task, domain and level over the features that said something in training. The weights lie beside
this file in `weights.npz`, one byte each; they are read once, when the first request comes. `benchmarks/gate/train.py`
makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from litellm_fusion.signals import features
from litellm_fusion.signals.features import Features

WEIGHTS = Path(__file__).with_name("weights.npz")
TASKS = (
    "research", "compare", "critique", "decide", "explain", "write", "code", "math", "extract", "translate", "lookup",
    "chat", "agent", "housekeeping", "other",
)  # fmt: skip
DOMAINS = ("law", "medicine", "finance", "science", "software", "other")
LEVELS = ("difficulty", "stakes", "deliberation", "verifiable")
ENDS = (len(TASKS), len(TASKS) + len(DOMAINS))
OUTPUTS = ENDS[1] + len(LEVELS)
JUDGED = 4
"""The first tasks: those that views can differ on."""
DELIBERATION = LEVELS.index("deliberation")
MIXED = len(LEVELS) + 2

_FACT = features.FIELDS.index("fact")
_SHARES = np.array(list(features.WEIGHTS.values()))
RARITY_STEP = 1 / 24
"""A feature's rarity is stored in one byte, in these steps."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of one request: shares of one over TASKS and over DOMAINS, and each level 0..1."""

    tasks: NDArray[np.float64]
    domains: NDArray[np.float64]
    levels: dict[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """`keys` are the known features in order; row n of `table` is what key n says to each output, in steps of `scale`.
    `slope` and `offset` calibrate each output; `mix` weighs the levels and the judged tasks into deliberation.
    """

    keys: NDArray[np.int64]
    rarity: NDArray[np.uint8]
    table: NDArray[np.int8]
    scale: NDArray[np.float64]
    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    mix: NDArray[np.float64]

    def read(self, found: Features) -> Scores:
        """The calibrated scores of one request."""
        at = np.searchsorted(self.keys, found.ids)
        at[at == len(self.keys)] = 0
        known = np.flatnonzero(self.keys[at] == found.ids)
        at = at[known]
        rarity = self.rarity[at].astype(np.float64) * RARITY_STEP
        strength = shared(found.values[known], found.fields[known], rarity)
        raw = strength @ self.table[at].astype(np.float64) * self.scale
        tasks, domains, levels = np.split(raw * self.slope + self.offset, ENDS)
        shares = shares_of(tasks)
        levels[DELIBERATION] = mixed(levels, shares) @ self.mix
        sure = 1.0 / (1.0 + np.exp(-np.clip(levels, -30.0, 30.0)))
        return Scores(shares, shares_of(domains), dict(zip(LEVELS, sure.tolist(), strict=True)))


def shared(values: NDArray[np.float32], fields: NDArray[np.int64], rarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strongly each known feature speaks: the rarer the more, and those of one field share the field's weight."""
    strong = np.where(fields == _FACT, values, values * rarity)
    squares = np.bincount(fields, strong * strong, minlength=len(_SHARES))
    squares[_FACT] = 1.0
    strengths: NDArray[np.float64] = strong * (_SHARES / np.sqrt(np.maximum(squares, 1e-9)))[fields]
    return strengths


def mixed(levels: NDArray[np.float64], tasks: NDArray[np.float64]) -> NDArray[np.float64]:
    """What deliberation is made of, along the last axis: each level, the odds of a judged task, and one.

    The levels know how a request sounds, the tasks what kind it is; together they err less often than either.
    """
    judged = tasks[..., :JUDGED].sum(axis=-1, keepdims=True)
    odds = np.log(judged + 1e-4) - np.log(1.0 - judged + 1e-4)
    return np.concatenate([levels, odds, np.ones_like(odds)], axis=-1)


def shares_of(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Raw outputs as shares of one, along the last axis."""
    raised: NDArray[np.float64] = np.exp(raw - raw.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return shares


@lru_cache(maxsize=1)
def load(path: Path = WEIGHTS) -> Model:
    """The shipped model, read at most once."""
    with np.load(path) as stored:
        return Model(
            keys=np.cumsum(stored["gaps"], dtype=np.int64),
            rarity=stored["rarity"],
            table=stored["table"],
            scale=stored["scale"].astype(np.float64),
            slope=stored["slope"].astype(np.float64),
            offset=stored["offset"].astype(np.float64),
            mix=stored["mix"].astype(np.float64),
        )
