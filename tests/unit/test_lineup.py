"""Who plays which part: default judge, quorum, samples, trusted models."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_fusion.config import FusionConfig
from litellm_fusion.lineup import Lineup, line_up, only, quorum_of, sole

PROVIDERS = {"opus": "anthropic", "haiku": "anthropic", "gpt": "openai", "mini": "openai", "gemini": "gemini"}


def _lineup(panel: list[Any], **keys: Any) -> Lineup:
    return line_up(FusionConfig.model_validate({"panel": panel, **keys}), PROVIDERS.get)


@pytest.mark.parametrize(
    ("panel", "synthesizer", "judge"),
    [
        (["opus", "gpt", "gemini"], None, "gpt"),
        (["opus", "haiku", "gemini"], None, "gemini"),
        (["opus", "gpt", "gemini"], "gpt", "opus"),
        (["opus", "gpt", "gemini"], "haiku", "gpt"),
        (["opus", "haiku"], None, "opus"),
        (["opus", "opus"], None, "opus"),
        (["opus", "haiku"], "gpt", "opus"),
        (["opus", "unheard-of"], None, "opus"),
        (["opus", "unheard-of", "gpt"], None, "gpt"),
    ],
)
def test_the_default_judge_is_the_first_panel_model_of_another_provider_else_the_synthesizer(
    panel: list[str], synthesizer: str | None, judge: str
) -> None:
    keys = {"synthesizer": synthesizer} if synthesizer else {}
    assert _lineup(panel, **keys).judges == (judge,)


def test_a_named_judge_stands_before_its_backups_each_once() -> None:
    lineup = _lineup(["opus", "gpt"], judge={"model": "gemini", "backups": ["gpt", "gemini", "opus"]})
    assert lineup.judges == ("gemini", "gpt", "opus")
    assert _lineup(["opus", "gpt"], judge={"backups": ["gemini", "gpt"]}).judges == ("gpt", "gemini")


@pytest.mark.parametrize("off", ["off", False])
def test_judge_off_means_that_nobody_judges(off: object) -> None:
    assert _lineup(["opus", "gpt"], judge=off).judges == ()


def test_the_first_panel_model_synthesizes_and_serves_directly_by_default() -> None:
    lineup = _lineup(["opus", "gpt"])
    assert (lineup.synthesizers, lineup.direct) == (("opus",), "opus")


def test_the_direct_model_follows_the_synthesizer_unless_named() -> None:
    synthesizer = {"model": "gpt", "backups": ["gemini", "gpt"]}
    assert _lineup(["opus"], synthesizer=synthesizer).synthesizers == ("gpt", "gemini")
    assert _lineup(["opus"], synthesizer=synthesizer).direct == "gpt"
    assert _lineup(["opus"], synthesizer=synthesizer, direct="mini").direct == "mini"


@pytest.mark.parametrize(("seats", "quorum"), [(1, 1), (2, 2), (3, 2), (5, 4), (16, 15)])
def test_the_quorum_is_one_less_than_the_panel_from_three_members_up(seats: int, quorum: int) -> None:
    assert quorum_of("auto", seats) == quorum
    assert _lineup([{"model": "opus", "samples": seats}]).quorum == quorum


@pytest.mark.parametrize(("asked", "seats", "quorum"), [(1, 3, 1), (3, 3, 3), (3, 2, 2)])
def test_a_written_quorum_holds_as_far_as_there_are_seats(asked: int, seats: int, quorum: int) -> None:
    assert quorum_of(asked, seats) == quorum


def test_samples_become_seats_of_their_own() -> None:
    member = {"model": "opus", "samples": 2, "params": {"temperature": 1}, "instructions": "be brief", "tools": False}
    seats = _lineup(["gpt", member, "gpt"]).seats
    assert [(seat.number, seat.model) for seat in seats] == [(1, "gpt"), (2, "opus"), (3, "opus"), (4, "gpt")]
    for seat in seats[1:3]:
        assert (seat.params, seat.instructions, seat.tools) == ({"temperature": 1}, "be brief", False)
    assert (seats[0].params, seats[0].instructions, seats[0].tools) == ({}, "", True)


def test_models_are_listed_once_over_all_parts() -> None:
    lineup = _lineup(["opus", "gpt", "opus"], reserves=["mini"], judge="gemini", synthesizer="gpt", direct="haiku")
    assert lineup.models == ("opus", "gpt", "mini", "gemini", "haiku")


FULL = _lineup(
    ["opus", "gpt", "mini"],
    reserves=["gemini", "mini"],
    judge={"model": "gemini", "backups": ["mini", "gpt"]},
    synthesizer={"model": "opus", "backups": ["mini"]},
    direct="haiku",
)


@pytest.mark.parametrize(
    "trusted", [{"mini"}, {"gpt", "mini"}, {"gemini"}, {"opus"}, {"haiku"}, {"local"}, {"opus", "local"}, set()]
)
def test_only_trusted_models_are_left_in_every_part(trusted: set[str]) -> None:
    left = only(FULL, trusted)
    assert {seat.model for seat in left.seats} <= trusted
    for part in (left.reserves, left.judges, left.synthesizers):
        assert set(part) <= trusted
    assert left.direct in trusted or (not trusted and left.direct == "")
    assert 1 <= left.quorum <= max(len(left.seats), 1)


def test_trusted_models_keep_their_parts_and_order() -> None:
    left = only(FULL, {"mini", "gpt"})
    assert [(seat.number, seat.model) for seat in left.seats] == [(2, "gpt"), (3, "mini")]
    assert (left.reserves, left.judges, left.synthesizers) == (("mini",), ("mini", "gpt"), ("mini",))
    assert (left.direct, left.quorum) == ("gpt", 2)


def test_without_a_trusted_synthesizer_the_first_trusted_member_writes() -> None:
    assert only(FULL, {"gpt"}).synthesizers == ("gpt",)
    assert only(FULL, {"gemini"}).synthesizers == ()


def test_the_direct_model_is_kept_when_trusted_else_the_first_that_is() -> None:
    assert only(FULL, {"haiku", "opus"}).direct == "haiku"
    assert only(FULL, {"gemini", "opus"}).direct == "opus"
    assert only(FULL, {"zeta", "local"}).direct == "local"
    assert only(FULL, set()).direct == ""


@pytest.mark.parametrize(
    ("keys", "alone"),
    [
        ({}, True), ({"direct": "opus"}, True), ({"direct": "gpt"}, False), ({"synthesizer": "gpt"}, False),
        ({"policy": [{"name": "x", "use": {"direct": "gemini"}}]}, False),
        ({"policy": [{"name": "x", "use": {"direct": "opus"}}]}, True),
    ],
)  # fmt: skip
def test_whether_one_model_gives_every_direct_answer(keys: dict[str, Any], alone: bool) -> None:
    config = FusionConfig.model_validate({"panel": ["opus", "gpt"], **keys})
    assert sole(config, line_up(config, PROVIDERS.get), "opus") is alone
