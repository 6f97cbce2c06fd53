"""fuse(): the order of the stages, and every way down its ladder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import LONG, Say, Scripted, run_of, server_error, steps

from litellm_fusion.errors import CallFailed, StreamBroken
from litellm_fusion.fusion import fuse
from litellm_fusion.synthesis import near_empty
from litellm_fusion.types import Answer, Delta, Event, Request

ANALYSIS = {
    "consensus": [{"claim": "Both work.", "answers": ["A", "B", "C"]}], "contradictions": [], "partial_coverage": [],
    "unique_insights": [{"insight": "Timing.", "answer": "B"}], "blind_spots": [], "strongest": "B",
}  # fmt: skip
FINAL = "The second option is better, because it costs less and can be left within a quarter of a year."


def _router(*more: str) -> Scripted:
    router = Scripted("a", "b", "c", "judge", "synth", *more)
    router.says("judge", json.dumps(ANALYSIS))
    router.says("synth", FINAL)
    for name in "abc":
        router.says(name, f"{name}: {LONG}")
    return router


def _config(**more: Any) -> dict[str, Any]:
    return {"panel": ["a", "b", "c"], "judge": "judge", "synthesizer": "synth", "limits": {"quorum": 3}, **more}


def _text(events: list[Event]) -> str:
    return "".join(event.chunk.choices[0].delta.content or "" for event in events if isinstance(event, Delta))


@pytest.mark.parametrize("stream", [False, True])
async def test_panel_then_judge_then_synthesis(stream: bool) -> None:
    router, events = _router(), list[Event]()
    run = run_of(router, _config(), stream=stream, events=events)
    reply = await fuse(run)
    assert (_text(events) if stream else reply.text) == FINAL
    assert sorted(router.models_asked()[:3]) == ["a", "b", "c"]
    assert router.models_asked()[3:] == ["judge", "synth"]
    assert run.recorder.analysis is not None
    assert run.recorder.names[run.recorder.analysis.strongest].endswith(("#1", "#2", "#3"))
    assert run.recorder.route == "fused"
    assert steps(run) == []


async def test_the_same_seed_gives_the_same_order() -> None:
    labels = []
    for _ in range(2):
        run = run_of(_router(), _config())
        await fuse(run)
        labels.append(run.recorder.names)
    assert labels[0] == labels[1]
    assert sorted(labels[0]) == ["A", "B", "C"]


async def test_judge_off_saves_its_call() -> None:
    router = _router()
    await fuse(run_of(router, _config(judge="off")))
    assert "judge" not in router.models_asked()


async def test_a_judge_that_strays_twice_is_replaced_by_its_backup() -> None:
    router = _router("judge2")
    router.says("judge", "no idea", "still none")
    router.says("judge2", json.dumps(ANALYSIS))
    run = run_of(router, _config(judge={"model": "judge", "backups": ["judge2"]}))
    await fuse(run)
    assert steps(run) == [("judge", "repair"), ("judge", "unusable"), ("judge", "backup")]
    assert run.recorder.analysis is not None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "bad", [Say(text=""), Say(text="No."), Say(error=server_error()), Say(text="I'm sorry, I can't help.")]
)
async def test_an_unusable_synthesis_goes_to_the_backup(stream: bool, bad: Say) -> None:
    router, events = _router("synth2"), list[Event]()
    router.says("synth", bad)
    router.says("synth2", FINAL)
    config = _config(synthesizer={"model": "synth", "backups": ["synth2"]})
    reply = await fuse(run_of(router, config, stream=stream, events=events))
    assert (_text(events) if stream else reply.text) == FINAL


async def test_without_synthesis_the_strongest_answer_stands_verbatim() -> None:
    router = _router()
    router.says("synth", server_error())
    run = run_of(router, _config())
    reply = await fuse(run)
    assert run.recorder.analysis is not None
    name = run.recorder.names[run.recorder.analysis.strongest][0]
    assert reply.text == f"{name}: {LONG}"
    assert run.recorder.route == "degraded"


async def test_a_stream_that_breaks_after_content_never_gets_a_second_voice() -> None:
    router, events = _router("synth2"), list[Event]()
    router.says("synth", Say(text=FINAL, error_after=14))
    run = run_of(router, _config(synthesizer={"model": "synth", "backups": ["synth2"]}), stream=True, events=events)
    with pytest.raises(StreamBroken) as caught:
        await fuse(run)
    assert caught.value.code == "server_error"
    assert FINAL.startswith(_text(events))
    assert _text(events)
    assert "synth2" not in router.models_asked()
    assert router.closed == ["synth"]


async def test_a_stream_that_breaks_before_content_goes_to_the_backup() -> None:
    router, events = _router("synth2"), list[Event]()
    router.says("synth", Say(text=FINAL, error_after=2))
    router.says("synth2", FINAL)
    config = _config(synthesizer={"model": "synth", "backups": ["synth2"]})
    await fuse(run_of(router, config, stream=True, events=events))
    assert _text(events) == FINAL
    assert router.closed == ["synth", "synth2"]


async def test_below_min_answers_the_direct_model_answers() -> None:
    router = _router("solo")
    router.says("a", server_error())
    router.says("solo", "The direct model's own answer.")
    run = run_of(router, _config(direct="solo", limits={"quorum": 3, "min_answers": 3}))
    reply = await fuse(run)
    assert reply.text == "The direct model's own answer."
    assert run.recorder.route == "degraded"
    assert ("panel", "direct") in steps(run)


async def test_when_panel_and_direct_model_fail_the_direct_models_failure_is_raised() -> None:
    router = _router("solo")
    for name in ("a", "b", "c", "solo"):
        router.says(name, server_error())
    with pytest.raises(CallFailed) as caught:
        await fuse(run_of(router, _config(direct="solo")))
    assert (caught.value.kind, caught.value.call_status) == ("server_error", 500)


async def test_one_usable_answer_skips_judge_and_synthesis() -> None:
    router = _router()
    router.says("a", server_error())
    router.says("b", "")
    reply = await fuse(run_of(router, _config()))
    assert reply.text == f"c: {LONG}"
    assert not {"judge", "synth"} & set(router.models_asked())


async def test_one_usable_answer_under_a_clients_format_still_passes_the_synthesizer() -> None:
    router = _router()
    router.says("a", server_error())
    router.says("b", "")
    message = ({"role": "user", "content": "Reply in JSON."},)
    request = Request("fusion/test", message, params={"response_format": {"type": "json_object"}})
    reply = await fuse(run_of(router, _config(), request=request))
    assert reply.text == FINAL


async def test_a_clear_vote_returns_the_first_majority_member_in_full() -> None:
    router = _router()
    for name, said in (("a", "Answer: 3"), ("b", "I count.\nAnswer: 4"), ("c", "Surely four.\nAnswer: **4.0**")):
        router.says(name, said)
    run = run_of(router, _config(aggregate="vote"))
    reply = await fuse(run)
    assert reply.text == "I count.\nAnswer: 4"
    assert run.recorder.agreement == pytest.approx(2 / 3)
    assert not {"judge", "synth"} & set(router.models_asked())


@pytest.mark.parametrize("aggregate", ["vote", "best_of"])
async def test_without_a_majority_and_for_best_of_the_judge_picks(aggregate: str) -> None:
    router = _router()
    for n, name in enumerate("abc"):
        router.says(name, f"My view, at length.\nAnswer: {n}")
    run = run_of(router, _config(aggregate=aggregate))
    reply = await fuse(run)
    assert run.recorder.analysis is not None
    picked = run.recorder.names[run.recorder.analysis.strongest][0]
    assert reply.text.endswith(f"Answer: {'abc'.index(picked)}")
    assert "synth" not in router.models_asked()


async def test_answers_are_cut_to_the_synthesizers_window() -> None:
    router = Scripted("a", "b", "judge", "synth", info={"synth": {"max_input_tokens": 3_000}})
    router.says("judge", json.dumps({**ANALYSIS, "strongest": "A"}))
    router.says("synth", FINAL)
    router.says("a", "long " * 5_000)
    router.says("b", LONG)
    config = {"panel": ["a", "b"], "judge": "judge", "synthesizer": "synth"}
    await fuse(run_of(router, config))
    prompt = router.asked[-1]["messages"][-1]["content"]
    assert len(prompt) < 3_000 * 3.5
    assert "characters left out" in prompt
    assert LONG in prompt


async def test_when_nothing_fits_the_synthesizer_the_best_answer_is_given() -> None:
    router = Scripted("a", "b", "judge", "synth", info={"synth": {"max_input_tokens": 300}})
    router.says("judge", json.dumps({**ANALYSIS, "strongest": "A"}))
    run = run_of(router, {"panel": ["a", "b"], "judge": "judge", "synthesizer": "synth"})
    reply = await fuse(run)
    assert reply.text == LONG
    assert steps(run) == [("synthesis", "no_room"), ("synthesis", "strongest_answer")]


@pytest.mark.parametrize(("shortest", "least"), [(1_000, 50), (100, 50), (98, 49), (4, 2), (0, 0)])
def test_short_panel_answers_allow_short_replies(shortest: int, least: int) -> None:
    answers = [Answer(1, "a", "ok", "x" * shortest), Answer(2, "b", "ok", "x" * 2_000)]
    assert near_empty(answers) == least
