"""The figures of a classifier's scores: ROC-AUC, false-fuse rate, calibration, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from corpus import Example
from numpy.typing import NDArray

Array = NDArray[np.float64]
RECALL = 0.9
DRAWS = 1000


def judged(examples: Sequence[Example]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which examples count (not the borderline ones), and which of all deserve a panel (deliberation 3 or 4)."""
    levels = np.array([example.deliberation for example in examples])
    return levels != 2, levels > 2


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """The chance that a positive scores above a negative, ties counting half; NaN without both."""
    ups, downs = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(ups) or not len(downs):
        return float("nan")
    below = np.searchsorted(downs, ups, "left") + np.searchsorted(downs, ups, "right")
    return float(below.sum() / (2 * len(ups) * len(downs)))


def false_fuse(scores: Array, positive: NDArray[np.bool_], recall: float = RECALL) -> float:
    """The share of negatives that fuse at the threshold that lets `recall` of the positives through."""
    if positive.all() or not positive.any():
        return float("nan")
    threshold = np.sort(scores[positive])[int(np.floor((1 - recall) * positive.sum()))]
    return float((scores[~positive] >= threshold).mean())


def calibration_error(chances: Array, positive: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over `bins` bins of equal width."""
    place = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [
        abs(float(positive[place == one].mean()) - float(chances[place == one].mean())) * (place == one).mean()
        for one in range(bins) if (place == one).any()
    ]  # fmt: skip
    return float(sum(gaps))


def interval(figure: Callable[[NDArray[np.int64]], float], size: int, seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval of a figure of a sample given by its places."""
    chance = np.random.default_rng(seed)
    drawn = np.array([figure(chance.integers(0, size, size)) for _ in range(DRAWS)])
    drawn = drawn[~np.isnan(drawn)]
    return (float(np.percentile(drawn, 2.5)), float(np.percentile(drawn, 97.5))) if len(drawn) else (float("nan"),) * 2
