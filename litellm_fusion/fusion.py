"""The order of the stages, on one screen: panel → judge → synthesis."""

from __future__ import annotations

import random
from collections.abc import Sequence

from litellm_fusion import direct, params, vote
from litellm_fusion.agreement import agreement
from litellm_fusion.judge import compare
from litellm_fusion.panel import ask_panel, labelled, usable
from litellm_fusion.run import Run
from litellm_fusion.sources import numbered
from litellm_fusion.synthesis import as_it_is, synthesize
from litellm_fusion.types import Analysis, Answer, Reply


async def fuse(run: Run) -> Reply:
    """One fused answer. Raises CallFailed only when the panel and the direct model have both failed."""
    answers = await ask_panel(run)
    answers = _sourced(run, answers)
    good = usable(answers)
    if len(good) < run.config.limits.min_answers:
        return await _instead(run, answers, good)
    if len(good) == 1 and not _bound(run):
        return _alone(run, good[0], len(answers))
    good = _blind(run, good)
    if run.config.aggregate == "vote":
        majority = vote.majority(sorted(good, key=lambda answer: answer.member))
        if majority is not None:
            winner, run.recorder.agreement = majority
            run.recorder.step("vote", "majority", f"{winner.model}, {run.recorder.agreement:.2f} of the answers")
            return await _given(run, winner)
        run.recorder.step("vote", "no_majority", "the judge decides")
    analysis = await compare(run, good) if len(good) > 1 else None
    run.recorder.analysis, run.recorder.agreement = analysis, agreement(good, analysis)
    picked = _picked(run, good, analysis)
    return await (_given(run, picked) if picked is not None else _written(run, good, analysis))


async def _given(run: Run, answer: Answer) -> Reply:
    """A chosen answer: word for word, or put into the client's contract by the synthesizer, who sees no other."""
    return await _written(run, (answer,), None) if _bound(run) else as_it_is(answer)


async def _written(run: Run, answers: Sequence[Answer], analysis: Analysis | None) -> Reply:
    """What the synthesizer makes of the answers. Where nothing of a panel's keeps the client's contract, the direct model
    is asked under it, as without fusion.
    """
    reply = await synthesize(run, answers, analysis)
    if reply is not None:
        return reply
    run.recorder.route = "degraded"
    run.recorder.step("synthesis", "direct", "nothing keeps what the client demands")
    return await direct.answer(run, instead=True)


def _sourced(run: Run, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers with one numbering of their sources, made before anybody compares them."""
    good = {answer.member for answer in usable(answers)}
    first = sorted(answers, key=lambda answer: answer.member not in good)  # what a failed member found comes last
    made = numbered(first)
    run.recorder.sources = made.sources
    if made.dropped:
        run.recorder.on_the_web().dropped_citations += made.dropped
    return tuple(sorted(made.answers, key=lambda answer: answer.member))


async def _instead(run: Run, answers: Sequence[Answer], good: Sequence[Answer]) -> Reply:
    """Fusing is given up: too few answers, or none that the limits allowed."""
    run.recorder.route = "degraded"
    wanted = run.config.limits.min_answers
    why = f"{len(good)} of {len(answers)} answers usable, {wanted} wanted" if answers else "no member could be asked"
    run.recorder.step("panel", "direct", why)
    return await direct.answer(run, instead=True)


def _alone(run: Run, answer: Answer, asked: int) -> Reply:
    """One usable answer is returned as it is: there is nothing to compare."""
    if asked > 1:
        run.recorder.route = "degraded"
    run.recorder.step("synthesis", "single_answer", f"{answer.model}, verbatim")
    return as_it_is(answer)


def _blind(run: Run, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers in an order shuffled by the run's seed, under blind labels: judges favour places and names."""
    order = list(range(len(answers)))
    random.Random(run.recorder.seed).shuffle(order)  # noqa: S311 - reproducible on purpose, guards nothing
    good = labelled(answers, order)
    run.recorder.label(good)
    return good


def _picked(run: Run, answers: Sequence[Answer], analysis: Analysis | None) -> Answer | None:
    """For `best_of` and undecided votes: the answer that the judge found strongest."""
    if run.config.aggregate == "synthesis" or analysis is None:
        return None
    strongest = next((answer for answer in answers if answer.label == analysis.strongest), None)
    if strongest is not None:
        run.recorder.step(run.config.aggregate, "picked", strongest.model)
    return strongest


def _bound(run: Run) -> bool:
    """Whether the client's contract (tools, a response format) binds the reply: then the synthesizer must write it."""
    formatted = run.request.params.get("response_format") not in (None, {"type": "text"})
    return bool(params.offered(run.request)) or formatted
