"""The places in a text where a long number can begin, found from the lengths of its runs of digits.

"4111 1111 1111 1111" is four runs of four, one sign apart. On a page of figures every run would have to be tried by
expression; over arrays of lengths the few that fit are found in well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ZERO = ord("0")
_Places = NDArray[np.intp]


class Runs:
    """The runs of digits of a shape: where each starts, how long it is, and what single sign stands before the next."""

    def __init__(self, shape: bytes) -> None:
        codes = np.frombuffer(shape, np.uint8)
        digits = np.zeros(len(codes) + 2, np.bool_)
        digits[1:-1] = codes == _ZERO
        edges = np.flatnonzero(digits[1:] != digits[:-1])
        self.starts: _Places = edges[::2]
        ends = edges[1::2]
        self.lengths: _Places = ends - self.starts
        # 0 where the next run is farther than one sign away, or there is none.
        self.joints = np.zeros(len(ends), np.uint8)
        near = np.flatnonzero(self.starts[1:] - ends[:-1] == 1)
        self.joints[near] = codes[ends[near]]

    def after(self, values: NDArray[Any], steps: int) -> NDArray[Any]:
        """The values of the runs so many later; 0 past the last."""
        shifted = np.zeros_like(values)
        shifted[: max(0, len(values) - steps)] = values[steps:]
        return shifted


Finder = Callable[[Runs], list[int]]


def of_lengths(least: int, most: int) -> Finder:
    """Single runs of so many digits."""

    def find(runs: Runs) -> list[int]:
        fits = (runs.lengths >= least) & (runs.lengths <= most)
        return _listed(runs.starts[fits])

    return find


def card(runs: Runs) -> list[int]:
    """A card's number: 13 to 19 digits, or in groups of 4-4-4 and the rest, or of 4-6-5, one separator throughout."""
    found = of_lengths(13, 19)(runs)
    first, joint = runs.lengths == 4, runs.joints
    if not first.any():
        return found
    second, third, fourth = (runs.after(runs.lengths, steps) for steps in (1, 2, 3))
    same = (joint > 0) & (joint == runs.after(joint, 1))
    fours = same & (joint == runs.after(joint, 2)) & (second == 4) & (third == 4) & (fourth >= 1) & (fourth <= 7)
    sixes = same & (second == 6) & (third >= 4) & (third <= 5)
    return found + _listed(runs.starts[first & (fours | sixes)])


_PARTS = (1, 3, 5, 7, 10, 13, 15)
"""Digits up to the end of each group of a French number, any of whose groups may stand apart."""
_IS_PART = np.isin(np.arange(_PARTS[-1] + 2), _PARTS)


def french(runs: Runs) -> list[int]:
    """Fifteen digits in a French number's groups, joined or one sign apart."""
    sums = runs.lengths
    open_ = _IS_PART[np.minimum(sums, _PARTS[-1] + 1)]
    whole = sums == _PARTS[-1]
    joined = runs.joints > 0
    for steps in range(1, len(_PARTS)):
        sums = sums + runs.after(runs.lengths, steps)
        open_ = open_ & joined & _IS_PART[np.minimum(sums, _PARTS[-1] + 1)]
        whole = whole | (open_ & (sums == _PARTS[-1]))
        if not open_.any():
            break
        joined = runs.after(runs.joints, steps) > 0
    return _listed(runs.starts[whole])


def _listed(places: _Places) -> list[int]:
    listed: list[int] = places.tolist()
    return listed


FINDERS: dict[str, Finder] = {"card": card, "french": french, "resident": of_lengths(17, 18)}
"""Name → the places where a number of that form can begin."""
