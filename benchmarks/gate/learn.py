"""Linear heads over hashed features, learned together: sparse matrix in, one column of weights for each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from corpus import Example
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from litellm_fusion.signals import features, model
from litellm_fusion.signals.conversation import Conversation
from litellm_fusion.signals.model import DOMAINS, OUTPUTS, TASKS

Array = NDArray[np.float64]


@dataclass
class Rows:
    """Features of many requests: a sparse matrix whose columns are `ids`."""

    found: list[features.Features]

    def columns(self, least: int) -> tuple[NDArray[np.int64], Array]:
        """The features that stand in at least so many rows, in order, and how rare each is."""
        ids, counts = np.unique(np.concatenate([np.unique(one.ids) for one in self.found]), return_counts=True)
        kept = counts >= least
        rarity = np.log((1 + len(self.found)) / (1 + counts[kept])) + 1
        return ids[kept], rarity

    def matrix(self, columns: NDArray[np.int64], rarity: Array) -> csr_matrix:
        """The rows over these columns: rare features weigh more, the known ones of a field share its weight."""
        starts, places, values = [0], [], []
        for one in self.found:
            at = np.searchsorted(columns, one.ids)
            at[at == len(columns)] = 0
            there = columns[at] == one.ids
            at = at[there]
            values.append(model.shared(one.values[there], one.fields[there], rarity[at]))
            places.append(at)
            starts.append(starts[-1] + len(at))
        shape = (len(self.found), len(columns))
        return csr_matrix((np.concatenate(values), np.concatenate(places), starts), shape=shape)


def rows(examples: Sequence[Example]) -> Rows:
    """The features of every example, as the gate reads them."""
    empty = features.Features(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int64))
    return Rows([features.of(Conversation(example.request)) or empty for example in examples])


def targets(examples: Sequence[Example]) -> Array:
    """What the heads should say, 0..1: tasks, domains, then LEVELS. A borderline deliberation is one half."""
    wanted = np.zeros((len(examples), OUTPUTS))
    for row, example in enumerate(examples):
        wanted[row, TASKS.index(example.task)] = 1
        wanted[row, len(TASKS) + DOMAINS.index(example.domain)] = 1
        panel = {0: 0.0, 1: 0.0, 2: 0.5, 3: 1.0, 4: 1.0}[example.deliberation]
        wanted[row, -4:] = (example.difficulty / 4, example.stakes / 4, panel, float(example.verifiable))
    return wanted


def fit(matrix: csr_matrix, wanted: Array, weights: Array, strength: float, rounds: int = 60) -> Array:
    """The weights that minimise cross entropy over all heads plus a penalty on their squares.

    `strength` is the penalty for one row of weight 1; single precision is plenty for weights kept in one byte.
    """
    size = (matrix.shape[1], OUTPUTS)
    share = weights[:, None] / weights.sum()
    penalty = strength / weights.sum()
    narrow = matrix.astype(np.float32)
    turned = narrow.T.tocsr()
    shares = len(TASKS) + len(DOMAINS)

    def loss(flat: Array) -> tuple[float, Array]:
        w = flat.reshape(size)
        said = outputs((narrow @ w.astype(np.float32)).astype(np.float64))
        rest, aim = said[:, shares:], wanted[:, shares:]
        value = -float(np.sum(share * wanted[:, :shares] * np.log(said[:, :shares] + 1e-9)))
        value -= float(np.sum(share * (aim * np.log(rest + 1e-9) + (1 - aim) * np.log(1 - rest + 1e-9))))
        gradient = (turned @ (share * (said - wanted)).astype(np.float32)).astype(np.float64) + penalty * w
        return value + penalty / 2 * float(np.sum(w * w)), gradient.ravel()

    options = {"maxiter": rounds, "maxcor": 6}
    return minimize(loss, np.zeros(size).ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(size)


def outputs(scores: Array) -> Array:
    """Scores → probabilities: shares over tasks and over domains, a sigmoid for each level."""
    tasks, domains, levels = np.split(scores, model.ENDS, axis=1)
    return np.hstack([model.shares_of(tasks), model.shares_of(domains), 1 / (1 + np.exp(-levels))])
