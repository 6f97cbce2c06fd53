"""Trains the gate's model from `data/`, writes `litellm_fusion/signals/weights.npz` and prints the held-out report.

    python benchmarks/gate/train.py [--authors | --dry]

`--authors` prints leave-one-author-out figures instead; `--dry` writes nothing. Needs the extra `train`.
Held-out sources (`corpus.HELD_OUT`) are in no fit and in no calibration. The same data gives the same weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import augment
import corpus
import figures
import learn
import numpy as np
from corpus import Example
from documents import documents
from numpy.typing import NDArray
from scipy.optimize import minimize

from litellm_fusion.signals import model

Array = NDArray[np.float64]
SEED = 20261
COPIES, COPY_WEIGHT = 3, 0.4
"""Changed copies of each prompt, and what one weighs beside the prompt itself."""
FOLDS, ROUNDS = 3, 45
LEAST = 3
"""Features in fewer prompts than this say nothing about the next one."""
MOST, STEPS = 120_000, 31
"""Features kept, and steps of a weight on each side of 0: coarser costs no accuracy, and the file packs to 2 MB."""
STRENGTH = 0.25
UNMIXED = np.array([0.0, 0.0, 0.5, 0.0, 0.5, 0.0])
"""Before calibration: what deliberation and the judged tasks say, in equal parts."""
SLACK = 0.02
"""Deliberation's targets stay this far from 0 and 1, as labels are not certain."""
DELIBERATION = model.ENDS[1] + model.DELIBERATION


def trained(examples: Sequence[Example], copies: int = COPIES) -> model.Model:
    """A model of these examples, not yet calibrated."""
    own = learn.rows(examples)
    keys, rarity = own.columns(LEAST)
    rarity = np.round(rarity / model.RARITY_STEP).clip(1, 255)
    more = augment.augmented(examples, documents(examples), copies, SEED)
    rows = learn.Rows(own.found + learn.rows(more).found)
    wanted = learn.targets([*examples, *more])
    wanted[:, DELIBERATION] = wanted[:, DELIBERATION].clip(SLACK, 1 - SLACK)
    weights = np.array([1.0] * len(examples) + [COPY_WEIGHT] * len(more))
    found = learn.fit(rows.matrix(keys, rarity * model.RARITY_STEP), wanted, weights, STRENGTH, ROUNDS)
    scale = np.maximum(np.percentile(np.abs(found), 99.98, axis=0) / STEPS, 1e-6)
    table = np.round(found / scale).clip(-127, 127).astype(np.int8)
    kept = np.sort(np.argsort(-np.linalg.norm(found, axis=1), kind="stable")[:MOST])
    ones = np.ones(model.OUTPUTS)
    return model.Model(keys[kept], rarity[kept].astype(np.uint8), table[kept], scale, ones, 0 * ones, UNMIXED)


def raw(one: model.Model, examples: Sequence[Example]) -> Array:
    """The outputs before calibration: one row for each example."""
    matrix = learn.rows(examples).matrix(one.keys, one.rarity * model.RARITY_STEP)
    return np.asarray(matrix @ (one.table * one.scale))


def chances(one: model.Model, scores: Array) -> tuple[Array, Array]:
    """Raw outputs → shares of the tasks, and deliberation, by the model's calibration."""
    tasks, _, levels = np.split(scores * one.slope + one.offset, model.ENDS, axis=1)
    shares = model.shares_of(tasks)
    return shares, 1 / (1 + np.exp(-(model.mixed(levels, shares) @ one.mix)))


def calibrated(one: model.Model, scores: Array, examples: Sequence[Example]) -> model.Model:
    """The model with the slopes, offsets and mix that fit `scores`, which must come from models that had not seen the
    files that the examples are in.
    """
    slope, offset = np.ones(model.OUTPUTS), np.zeros(model.OUTPUTS)
    wanted = learn.targets(examples)
    for first, last in ((0, model.ENDS[0]), model.ENDS):
        slope[first:last] = _least(partial(_share_loss, scores[:, first:last], wanted[:, first:last]), [1.0])
    for output in range(model.ENDS[1], model.OUTPUTS):
        line = np.stack([scores[:, output], np.ones(len(scores))], axis=1)
        slope[output], offset[output] = _least(partial(_sigmoid_loss, line, wanted[:, output], 0.0), [1.0, 0.0])
    tasks, _, levels = np.split(scores * slope + offset, model.ENDS, axis=1)
    parts = model.mixed(levels, model.shares_of(tasks))
    mix = _least(partial(_sigmoid_loss, parts, wanted[:, DELIBERATION], 0.002), list(UNMIXED))
    return replace(one, slope=slope, offset=offset, mix=mix)


def _least(loss: Callable[[Array], float], start: list[float]) -> Array:
    return np.asarray(minimize(loss, np.array(start), method="BFGS").x)


def _share_loss(scores: Array, wanted: Array, factor: Array) -> float:
    return -float((wanted * np.log(model.shares_of(scores * factor[0]) + 1e-9)).sum(axis=1).mean())


def _sigmoid_loss(parts: Array, wanted: Array, strength: float, weights: Array) -> float:
    sure = 1 / (1 + np.exp(-np.clip(parts @ weights, -30, 30)))
    missed = -(wanted * np.log(sure + 1e-9) + (1 - wanted) * np.log(1 - sure + 1e-9)).mean()
    return float(missed + strength * (weights[:-1] ** 2).sum())


def strangers(examples: Sequence[Example], groups: Sequence[str], copies: int) -> Array:
    """Scores of every example from a model that has seen nothing of its group."""
    scores = np.zeros((len(examples), model.OUTPUTS))
    for group in sorted(set(groups)):
        mask = np.array([one == group for one in groups])
        known = [example for example, out in zip(examples, mask, strict=True) if not out]
        scores[mask] = raw(trained(known, copies), [example for example, out in zip(examples, mask, strict=True) if out])
    return scores


def folds(examples: Sequence[Example]) -> list[str]:
    """A fold for each example; the files of one author and language family are spread, no file is split."""
    files = sorted({example.source for example in examples})
    return [str(files.index(example.source) % FOLDS) for example in examples]


def write(one: model.Model, path: Path) -> None:
    """The model's file."""
    np.savez_compressed(
        path, gaps=np.diff(one.keys, prepend=0).astype(np.uint32), rarity=one.rarity, table=one.table,
        scale=one.scale.astype(np.float32), slope=one.slope.astype(np.float32), offset=one.offset.astype(np.float32),
        mix=one.mix.astype(np.float32),
    )  # fmt: skip


def told(name: str, one: model.Model, scores: Array, examples: Sequence[Example]) -> None:
    """One line of figures."""
    counted, panel = figures.judged(examples)
    shares, chance = chances(one, scores)
    right = np.mean([model.TASKS[best] == example.task for best, example in zip(shares.argmax(axis=1), examples, strict=True)])
    print(
        f"{name:<24} n {len(examples):>5}  auc {figures.auc(chance[counted], panel[counted]):.3f}  "
        f"false-fuse@90 {figures.false_fuse(chance[counted], panel[counted]):.3f}  "
        f"ece {figures.calibration_error(chance[counted], panel[counted]):.3f}  task {right:.3f}", flush=True
    )  # fmt: skip


def authors_left_out(examples: Sequence[Example]) -> None:
    """Print each author's figures by a model that has seen none of their prompts, calibrated as the shipped one."""
    authors = [example.author for example in examples]
    scores = strangers(examples, authors, copies=0)
    for author in sorted(set(authors)):
        own = np.array([name == author for name in authors])
        told(author, model.load(), scores[own], [example for example in examples if example.author == author])


def main() -> None:
    """Train, calibrate, write, report."""
    options = argparse.ArgumentParser()
    options.add_argument("--data", type=Path, default=corpus.DATA)
    options.add_argument("--authors", action="store_true", help="leave-one-author-out figures only; writes nothing")
    options.add_argument("--dry", action="store_true", help="write nothing")
    asked = options.parse_args()
    examples = corpus.read(asked.data)
    if asked.authors:
        authors_left_out(examples)
        return
    known = [example for example in examples if not example.held_out]
    held = [example for example in examples if example.held_out]
    print(f"{len(examples)} prompts, {len(held)} held out", flush=True)
    scores = strangers(known, folds(known), copies=0)
    one = calibrated(trained(known), scores, known)
    told("files unseen", one, scores, known)
    if not asked.dry:
        write(one, model.WEIGHTS)
        print(f"{model.WEIGHTS.name}: {model.WEIGHTS.stat().st_size} bytes, {len(one.keys)} features")
    scores = raw(one, held)
    for source in sorted({example.source for example in held}):
        mask = np.array([example.source == source for example in held])
        told(source, one, scores[mask], [example for example in held if example.source == source])
    told("all", one, scores, held)


if __name__ == "__main__":
    main()
