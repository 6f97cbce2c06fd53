"""Salvage: where a panel has little time, what its members had written by then is used, but only if nobody finished."""

from __future__ import annotations

from fakes import LONG, Say, Scripted, run_of, steps

from litellm_fusion.panel import SALVAGE_CHARS, SALVAGE_SECONDS, ask_panel, usable
from litellm_fusion.types import Answer

STORY = " ".join(f"Point {n} weighs cost, time and risk." for n in range(40))
SLOW = Say(STORY, word_seconds=0.01)


async def _ask(router: Scripted, **limits: object) -> tuple[tuple[Answer, ...], set[tuple[str, str]], list[str]]:
    run = run_of(router, {"panel": ["a", "b", "c"], "limits": {"panel_seconds": 1.5, "grace_seconds": 0, **limits}})
    answers = await ask_panel(run)
    assert router.running == 0
    return answers, set(steps(run)), [span.status for span in run.recorder.spans]


async def test_members_that_run_out_of_time_are_used_as_far_as_they_came() -> None:
    router = Scripted("a", "b", "c")
    for name in "abc":
        router.says(name, SLOW)
    answers, told, spans = await _ask(router)
    assert [answer.status for answer in usable(answers)] == ["truncated"] * 3
    for answer in answers:
        assert SALVAGE_CHARS <= len(answer.text) < len(STORY)
        assert STORY.startswith(answer.text)
    assert ("panel", "salvaged") in told
    assert spans == ["cancelled"] * 3
    assert sorted(router.closed) == ["a", "b", "c"]


async def test_a_whole_answer_makes_drafts_worthless() -> None:
    router = Scripted("a", "b", "c")
    router.says("a", SLOW)
    router.says("b", SLOW)
    answers, told, _ = await _ask(router, quorum=1)
    assert [(answer.model, answer.status) for answer in usable(answers)] == [("c", "ok")]
    assert usable(answers)[0].text == LONG
    assert ("panel", "salvaged") not in told


async def test_a_stream_that_breaks_leaves_its_draft() -> None:
    router = Scripted("a", "b", "c")
    for name in "abc":
        router.says(name, Say(STORY, error_after=100))
    answers, told, spans = await _ask(router)
    assert [answer.status for answer in answers] == ["truncated"] * 3
    assert [answer.error for answer in answers] == ["server_error"] * 3
    assert spans == ["error"] * 3
    assert ("panel", "salvaged") in told


async def test_a_few_words_are_no_draft() -> None:
    router = Scripted("a", "b", "c")
    for name in "abc":
        router.says(name, Say("Well, " + STORY, error_after=4))
    answers, told, _ = await _ask(router)
    assert [answer.status for answer in answers] == ["error"] * 3
    assert usable(answers) == ()
    assert ("panel", "salvaged") not in told


async def test_with_time_enough_members_are_not_streamed() -> None:
    router = Scripted("a", "b", "c")
    await _ask(router, panel_seconds=SALVAGE_SECONDS + 1)
    assert [call["stream"] for call in router.asked] == [False] * 3
    await _ask(router, panel_seconds=SALVAGE_SECONDS)
    assert [call["stream"] for call in router.asked[3:]] == [True] * 3
