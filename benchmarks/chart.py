"""Lines in a plane as an SVG file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 400, 62, 34, 240, 48
COLOURS = ("#36c", "#c33", "#2a2", "#a3c", "#e80", "#0aa", "#777", "#851")


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]], path: Path, *, title: str, x: str, y: str,
    log_x: bool = False, log_y: bool = False, dots: bool = False,
) -> None:  # fmt: skip
    """Write the plot, one line a series, its name beside it."""
    across = _Axis([point[0] for line in series.values() for point in line], LEFT, WIDTH - RIGHT, log=log_x)
    up = _Axis([point[1] for line in series.values() for point in line], HEIGHT - BOTTOM, TOP, log=log_y)
    marks = [
        f'<text x="{across.place(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{tick:g}</text>'
        f'<line x1="{across.place(tick):.1f}" y1="{TOP}" x2="{across.place(tick):.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>'
        for tick in across.ticks
    ]
    marks += [
        f'<text x="{LEFT - 6}" y="{up.place(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        f'<line x1="{LEFT}" y1="{up.place(tick):.1f}" x2="{WIDTH - RIGHT}" y2="{up.place(tick):.1f}" stroke="#eee"/>'
        for tick in up.ticks
    ]
    for n, (name, line) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        dash = "" if n < len(COLOURS) else ' stroke-dasharray="5 3"'
        places = [(across.place(one), up.place(other)) for one, other in line]
        drawn = " ".join(f"{one:.1f},{other:.1f}" for one, other in places)
        marks.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        marks += [f'<circle cx="{one:.1f}" cy="{other:.1f}" r="3" fill="{colour}"/>' for one, other in places if dots]
        height = TOP + 8 + 17 * n
        marks.append(
            f'<line x1="{WIDTH - RIGHT + 12}" y1="{height}" x2="{WIDTH - RIGHT + 32}" y2="{height}" stroke="{colour}" '
            f'stroke-width="2"{dash}/><text x="{WIDTH - RIGHT + 38}" y="{height + 4}">{escape(name)}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(marks)}'
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - RIGHT - LEFT}" height="{HEIGHT - BOTTOM - TOP}" fill="none" '
        f'stroke="#999"/>'
        f'<text x="{LEFT}" y="20" font-size="13">{escape(title)}</text>'
        f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x)}</text>'
        f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">'
        f"{escape(y)}</text></svg>\n",
        "utf-8",
    )


def shares(values: Sequence[float], points: int = 200) -> list[tuple[float, float]]:
    """Which share of the values is at most as large: a line for `lines`."""
    ranked = sorted(values)
    kept = sorted({round(n * (len(ranked) - 1) / max(points - 1, 1)) for n in range(points)})
    return [(ranked[n], (n + 1) / len(ranked)) for n in kept]


class _Axis:
    """From values to places, straight or by logarithm."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool) -> None:
        self.log, self.start, self.end = log, start, end
        self.ticks = _powers(min(values), max(values)) if log else _round(min(values), max(values))
        self.low, self.high = self._scale(self.ticks[0]), self._scale(self.ticks[-1])

    def place(self, value: float) -> float:
        """Where a value is drawn."""
        return self.start + (self._scale(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def _scale(self, value: float) -> float:
        return math.log10(max(value, 1e-9)) if self.log else value


def _powers(low: float, high: float) -> list[float]:
    """1, 2, 5 times powers of ten around the values."""
    first, last = math.floor(math.log10(max(low, 1e-3))), math.ceil(math.log10(max(high, 2e-3)))
    every = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
    begin = max((n for n, tick in enumerate(every) if tick <= max(low, 1e-3)), default=0)
    end = min((n for n, tick in enumerate(every) if tick >= high), default=len(every) - 1)
    return every[begin : max(end, begin + 1) + 1]


def _round(low: float, high: float) -> list[float]:
    """Five to ten round values around the values."""
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-6)))
    step = next((small for small in (step / 5, step / 2, step) if (high - low) / small <= 8), step)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(n * step, 9) for n in range(first, max(last, first + 1) + 1)]
