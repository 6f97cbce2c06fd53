"""A calibration plot as an SVG file: how often a panel was worth it, by what the model said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIZE, EDGE = 360, 40


def calibration(chances: NDArray[np.float64], positive: NDArray[np.bool_], path: Path, bins: int = 10) -> None:
    """Write the plot; a point's area grows with its number of prompts."""
    place = np.minimum((chances * bins).astype(int), bins - 1)
    span = SIZE - 2 * EDGE
    marks = []
    for one in range(bins):
        here = place == one
        if here.any():
            said, was, count = float(chances[here].mean()), float(positive[here].mean()), int(here.sum())
            marks.append(
                f'<circle cx="{EDGE + span * said:.1f}" cy="{SIZE - EDGE - span * was:.1f}" '
                f'r="{2 + 12 * (count / len(chances)) ** 0.5:.1f}" fill="#36c" fill-opacity="0.7">'
                f"<title>said {said:.2f}, was {was:.2f}, n {count}</title></circle>"
            )
    low, high = EDGE, SIZE - EDGE
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" font-family="sans-serif" font-size="11">'
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>'
        f'<rect x="{low}" y="{low}" width="{span}" height="{span}" fill="none" stroke="#999"/>'
        f'<line x1="{low}" y1="{high}" x2="{high}" y2="{low}" stroke="#999" stroke-dasharray="4"/>'
        + "".join(marks)
        + f'<text x="{SIZE / 2}" y="{SIZE - 10}" text-anchor="middle">deliberation, as the model says it</text>'
        f'<text x="14" y="{SIZE / 2}" text-anchor="middle" transform="rotate(-90 14 {SIZE / 2})">share worth a panel</text>'
        "</svg>\n",
        "utf-8",
    )
