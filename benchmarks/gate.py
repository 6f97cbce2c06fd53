"""How well and how fast the gate decides, on prompts that its shipped weights have never seen.

    python benchmarks/gate.py [--latency] [--plot FILE]

Held out are whole files (`corpus.HELD_OUT`), never random rows. Beside the model stand LiteLLM's complexity-router
heuristics, the prompt's length and a keyword rule on the same prompts. Leave-one-author-out figures need other weights:
`benchmarks/gate/train.py --authors --dry`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).parent / "gate"))

import baselines
import corpus
import figures
import latency
import plot
from corpus import Example

from litellm_fusion import policy, signals
from litellm_fusion.config import Settings
from litellm_fusion.layers import resolve
from litellm_fusion.presets import PRESETS
from litellm_fusion.types import Signals

Array = NDArray[np.float64]
FEW = 40
"""Sources with fewer prompts are shown, and named as too small to say much."""


def main() -> None:
    """Print the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--latency", action="store_true", help="latency, import time and memory only")
    options.add_argument("--plot", type=Path, help="write the calibration plot (SVG) here")
    asked = options.parse_args()
    if asked.latency:
        latency.report()
        return
    held = [example for example in corpus.read() if example.held_out]
    read = [signals.read(example.request) for example in held]
    chances = np.array([0.0 if one.deliberation is None else one.deliberation for one in read])
    right = np.array([one.task == example.task for one, example in zip(read, held, strict=True)], float)
    domains = np.array([one.domain == example.domain for one, example in zip(read, held, strict=True)], float)
    counted, panel = figures.judged(held)
    _sources(held, chances, right, counted, panel)
    print(f"\ntask {right.mean():.3f}, domain {domains.mean():.3f}, verifiable {_verifiable(read, held):.3f}, n {len(held)}")
    for level in ("difficulty", "stakes"):
        said = np.array([getattr(one, level) or 0.0 for one in read])
        labelled = np.array([getattr(example, level) for example in held])
        print(f"{level}: correlation with the label {np.corrcoef(said, labelled)[0, 1]:.3f}")
    _beside(held, chances, counted, panel)
    _policies(held, read, counted, panel)
    if asked.plot:
        plot.calibration(chances[counted], panel[counted], asked.plot)


def _sources(
    held: Sequence[Example], chances: Array, right: Array, counted: NDArray[np.bool_], panel: NDArray[np.bool_]
) -> None:
    print(f"{'held out':<24}{'n':>6}  {'auc [95 %]':<22}{'false fuse':>11}  {'[95 %]':<15}{'ece':>6}{'task':>7}")
    sources = np.array([example.source for example in held])
    languages = np.array([example.language for example in held])
    masks = [(source, sources == source) for source in sorted(set(sources))]
    masks += [(f"language {name}", languages == name) for name in sorted(set(languages))]
    masks += [("all", np.ones(len(held), bool))]
    for name, mask in masks:
        both = mask & counted
        said, was = chances[both], panel[both]
        low, high = figures.interval(partial(_drawn, figures.auc, said, was), len(said))
        least, most = figures.interval(partial(_drawn, figures.false_fuse, said, was), len(said))
        few = "  few" if mask.sum() < FEW else ""
        print(
            f"{name:<24}{mask.sum():>6}  {figures.auc(said, was):.3f} [{low:.3f}, {high:.3f}]  "
            f"{figures.false_fuse(said, was):>9.3f}  [{least:.3f}, {most:.3f}] "
            f"{figures.calibration_error(said, was):>6.3f}{right[mask].mean():>7.3f}{few}"
        )


def _drawn(
    figure: Callable[[Array, NDArray[np.bool_]], float], said: Array, was: NDArray[np.bool_], at: NDArray[np.int64]
) -> float:
    return figure(said[at], was[at])


def _beside(held: Sequence[Example], chances: Array, counted: NDArray[np.bool_], panel: NDArray[np.bool_]) -> None:
    scores = {"gate": chances} | {
        name: np.array([score(example) for example in held]) for name, score in baselines.BASELINES.items()
    }
    print(f"\n{'auc beside':<24}" + "".join(f"{name:>18}" for name in scores))
    sources = np.array([example.source for example in held])
    for source in [*sorted(set(sources)), "all"]:
        both = counted & ((sources == source) | (source == "all"))
        told = {name: figures.auc(said[both], panel[both]) for name, said in scores.items()}
        beaten = "" if told["gate"] == max(told.values()) else "  <- not the best"
        print(f"{source:<24}" + "".join(f"{value:>18.3f}" for value in told.values()) + beaten)
    rates = {name: figures.false_fuse(said[counted], panel[counted]) for name, said in scores.items()}
    print(f"{'false fuse at 90 %':<24}" + "".join(f"{value:>18.3f}" for value in rates.values()))


def _policies(held: Sequence[Example], read: Sequence[Signals], counted: NDArray[np.bool_], panel: NDArray[np.bool_]) -> None:
    """What the presets' policies make of the signals: synthesised, voted, direct."""
    print(f"\n{'policy':<12}{'panel-worthy fused':>20}{'others fused':>14}{'voted':>8}   closed tasks fused")
    closed = np.array([example.task in ("code", "math", "lookup", "translate") for example in held])
    for preset in PRESETS:
        rules = resolve({"panel": ["a", "b", "c"]}, (f"fusion/{preset}",), Settings()).config.policy
        decided = [policy.decide(one, rules) for one in read]
        votes = np.array(["aggregate" in decision.overrides for decision in decided])
        fused = np.array([decision.use == "fuse" for decision in decided]) & ~votes
        print(
            f"{preset:<12}{fused[counted & panel].mean():>20.3f}{fused[counted & ~panel].mean():>14.3f}{votes.sum():>8}   "
            f"{fused[closed].sum()} of {closed.sum()}"
        )


def _verifiable(read: Sequence[Signals], held: Sequence[Example]) -> float:
    return float(np.mean([one.verifiable == example.verifiable for one, example in zip(read, held, strict=True)]))


if __name__ == "__main__":
    main()
