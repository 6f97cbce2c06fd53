"""The record that every request leaves behind, under the contract's literal names, and what a client sees of it."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest

from litellm_fusion.conditions import HIDDEN
from litellm_fusion.trace import Recorder, Span, Step, named, record, signal_values, summary, visible
from litellm_fusion.types import (
    UNLIMITED,
    Analysis,
    Answer,
    Claim,
    Contradiction,
    Decision,
    Insight,
    Point,
    Signals,
    Source,
    Stance,
    Status,
)

SIGNALS = Signals(
    task="research", difficulty=0.123456, pii=("email",), secrets=("jwt",), budget_left_usd=12.5, tags=("tag-x",),
    key_alias="alias-x", team_id="team-x", user_id="user-x",
)  # fmt: skip
ANALYSIS = Analysis(
    consensus=(Claim("claim-x", ("A", "B")),),
    contradictions=(Contradiction("topic-x", (Stance("A", "stance-x", "evidence-x"),)),),
    partial_coverage=(Point("point-x", ("B",)),),
    unique_insights=(Insight("insight-x", "A"),),
    blind_spots=("blind-x",),
    strongest="B",
)


def full_recorder() -> Recorder:
    recorder = Recorder("fusion/research", "research", seed=417)
    recorder.decided(Decision("fuse", "worth-a-panel", "deliberation 0.83 > 0.6"), SIGNALS)
    recorder.limits = {"max_cost_usd": 3.0}
    recorder.spans = [
        Span("member", "opus", 1, status="ok", cost_usd=0.03, prompt_tokens=900, completion_tokens=700),
        Span("member", "gpt", 2, status="ok", cost_usd=0.02),
        Span("judge", "gemini", status="ok", cost_usd=0.01),
        Span("synthesizer", "opus", status="ok", cost_usd=0.04),
    ]
    recorder.label([Answer(1, "opus", "ok", "answer-x", label="B"), Answer(2, "gpt", "ok", "answer-y", label="A")])
    recorder.step("judge", "repair", "missing key blind_spots")
    recorder.analysis = ANALYSIS
    recorder.sources = (Source("https://url-x", "title-x", 1, True, passages=("page-x",), n=1),)
    recorder.agreement = 0.712345
    recorder.seconds = 14.1
    return recorder


class TestRecord:
    def test_its_names_are_literally_those_of_the_contract(self) -> None:
        found = record(full_recorder())
        assert list(found) == [
            "id", "version", "model", "preset", "seed", "decision", "limits", "spans", "ladder", "analysis", "sources",
            "agreement", "totals",
        ]  # fmt: skip
        assert list(found["decision"]) == ["route", "rule", "reason", "signals"]
        assert set(found["spans"][0]) == {
            "role", "member", "label", "model", "served_by", "status", "start_seconds", "seconds", "first_token_seconds",
            "prompt_tokens", "completion_tokens", "cost_usd", "finish_reason", "tool_calls", "retries", "error",
        }  # fmt: skip
        assert found["ladder"] == [{"stage": "judge", "step": "repair", "why": "missing key blind_spots"}]
        assert list(found["analysis"]) == [
            "consensus", "contradictions", "partial_coverage", "unique_insights", "blind_spots", "strongest",
        ]  # fmt: skip
        assert found["sources"] == [{"n": 1, "url": "https://url-x", "title": "title-x", "member": 1, "fetched": True}]
        assert list(found["totals"]) == [
            "calls", "prompt_tokens", "completion_tokens", "cost_usd", "direct_cost_usd", "seconds", "first_token_seconds",
        ]  # fmt: skip

    def test_its_values_are_those_of_the_run(self) -> None:
        found = record(full_recorder())
        assert (found["version"], found["model"], found["preset"], found["seed"]) == ("1", "fusion/research", "research", 417)
        assert found["decision"]["route"] == "fused"
        assert found["decision"]["rule"] == "worth-a-panel"
        assert found["agreement"] == 0.7123
        assert set(found["decision"]["signals"]) == {field.name for field in fields(Signals)}

    def test_it_is_plain_json(self) -> None:
        found = record(full_recorder())
        assert json.loads(json.dumps(found, allow_nan=False)) == found

    def test_an_id_is_128_random_bits(self) -> None:
        ids = {Recorder("m", "p").id for _ in range(50)}
        assert len(ids) == 50
        assert all(re.fullmatch(r"fus_[0-9a-f]{32}", item) for item in ids)

    def test_only_a_members_span_carries_member_and_label(self) -> None:
        spans = record(full_recorder())["spans"]
        assert [("member" in span, "label" in span) for span in spans] == [(True, True)] * 2 + [(False, False)] * 2

    def test_marks_are_there_only_when_they_say_something(self) -> None:
        recorder = Recorder("m", "p", spans=[Span("judge", "j"), Span("judge", "k", backup=True, left_out_params=("seed",))])
        plain, backup = record(recorder)["spans"]
        assert not {"reserve", "backup", "left_out_params"} & set(plain)
        assert backup["backup"] is True
        assert backup["left_out_params"] == ["seed"]
        assert "reserve" not in backup

    def test_ignored_keys_are_named_only_when_there_are_any(self) -> None:
        recorder = full_recorder()
        assert "ignored" not in record(recorder)
        recorder.ignored = ("panel",)
        assert record(recorder)["ignored"] == ["panel"]

    def test_tiny_costs_are_not_rounded_away(self) -> None:
        recorder = Recorder("m", "p", spans=[Span("member", "m", 1, cost_usd=1.5e-7)])
        assert record(recorder)["spans"][0]["cost_usd"] == 1.5e-7

    @pytest.mark.parametrize(("use", "route"), [("fuse", "fused"), ("direct", "direct"), ("refuse", "direct")])
    def test_the_route_follows_the_decision(self, use: Any, route: str) -> None:
        recorder = Recorder("m", "p")
        recorder.decided(Decision(use, "r", "why"), Signals())
        assert recorder.route == route


class TestSignalValues:
    def test_unread_signals_and_no_budget_at_all_are_null(self) -> None:
        found = signal_values(Signals(budget_left_usd=UNLIMITED))
        assert set(found.values()) == {None}

    def test_values_are_json_and_false_is_not_unknown(self) -> None:
        found = signal_values(Signals(pii=(), has_tools=False, difficulty=0.123456, budget_left_usd=0.0))
        assert (found["pii"], found["has_tools"], found["difficulty"], found["budget_left_usd"]) == ([], False, 0.1235, 0.0)


class TestTotals:
    UNKNOWN = ("ok", "truncated", "empty", "refused")
    UNPAID = ("error", "timeout", "cancelled")

    def recorder(self, status: Status, cost: float | None) -> Recorder:
        return Recorder(
            "m", "p", spans=[Span("member", "a", 1, cost_usd=0.5), Span("member", "b", 2, status=status, cost_usd=cost)]
        )

    @pytest.mark.parametrize("status", UNKNOWN)
    def test_one_unknown_cost_makes_the_total_unknown(self, status: Status) -> None:
        assert self.recorder(status, None).totals()["cost_usd"] is None
        assert self.recorder(status, 0.25).totals()["cost_usd"] == 0.75

    @pytest.mark.parametrize("status", UNPAID)
    def test_a_call_that_gave_nothing_costs_what_is_known_of_it(self, status: Status) -> None:
        assert self.recorder(status, None).totals()["cost_usd"] == 0.5
        assert self.recorder(status, 0.25).totals()["cost_usd"] == 0.75

    @pytest.mark.parametrize("status", ["left_out", "over_limit"])
    def test_a_call_that_was_never_made_is_not_counted(self, status: Status) -> None:
        totals = self.recorder(status, None).totals()
        assert (totals["calls"], totals["cost_usd"]) == (1, 0.5)

    def test_nothing_asked_costs_nothing(self) -> None:
        totals = Recorder("m", "p").totals()
        assert (totals["calls"], totals["cost_usd"], totals["direct_cost_usd"]) == (0, 0, None)

    def test_tokens_are_summed_and_unknown_ones_count_as_none(self) -> None:
        totals = full_recorder().totals()
        assert (totals["calls"], totals["prompt_tokens"], totals["completion_tokens"]) == (4, 900, 700)

    def test_seconds_run_until_the_run_ends(self) -> None:
        recorder = Recorder("m", "p", started=0.0)
        assert recorder.totals()["seconds"] > 0
        recorder.seconds = 2.0
        assert recorder.totals()["seconds"] == 2.0


class TestMembers:
    @pytest.mark.parametrize(("status", "usable"), [("ok", 2), ("truncated", 2), ("error", 1), ("empty", 1), ("refused", 1)])
    def test_seats_are_counted_by_usable_answers(self, status: Status, usable: int) -> None:
        recorder = Recorder("m", "p", spans=[Span("member", "a", 1), Span("member", "b", 2, status=status), Span("judge", "j")])
        assert recorder.members() == (usable, 2)

    def test_a_reserve_fills_its_seat_and_adds_none(self) -> None:
        spans = [Span("member", "a", 1, status="error"), Span("member", "r", 1, reserve=True)]
        assert Recorder("m", "p", spans=spans).members() == (1, 1)


class TestLabels:
    def test_spans_get_their_blind_labels_and_names_are_kept(self) -> None:
        recorder = full_recorder()
        assert [span.label for span in recorder.spans] == ["B", "A", None, None]
        assert recorder.names == {"B": "opus#1", "A": "gpt#2"}

    def test_a_failed_call_of_the_same_seat_gets_no_label(self) -> None:
        recorder = Recorder("m", "p", spans=[Span("member", "a", 1, status="error"), Span("member", "r", 1, reserve=True)])
        recorder.label([Answer(1, "r", "ok", label="A")])
        assert [span.label for span in recorder.spans] == [None, "A"]

    def test_the_analysis_in_the_trace_has_names_in_every_place(self) -> None:
        found = named(ANALYSIS, {"A": "gpt#2", "B": "opus#1"})
        assert found == {
            "consensus": [{"claim": "claim-x", "answers": ["gpt#2", "opus#1"]}],
            "contradictions": [
                {"topic": "topic-x", "stances": [{"answer": "gpt#2", "claim": "stance-x", "evidence": "evidence-x"}]}
            ],
            "partial_coverage": [{"point": "point-x", "answers": ["opus#1"]}],
            "unique_insights": [{"insight": "insight-x", "answer": "gpt#2"}],
            "blind_spots": ["blind-x"],
            "strongest": "opus#1",
        }

    def test_no_strongest_answer_is_null(self) -> None:
        assert named(Analysis(), {})["strongest"] is None


class TestLadder:
    def test_a_step_is_kept_each_time_and_once_only_once(self) -> None:
        recorder = Recorder("m", "p")
        recorder.step("judge", "repair", "a")
        recorder.step("judge", "repair", "a")
        recorder.once("judge", "repair", "a")
        recorder.once("judge", "backup")
        assert recorder.ladder == [Step("judge", "repair", "a")] * 2 + [Step("judge", "backup")]


class TestVisible:
    PRIVATE = ("tag-x", "alias-x", "team-x", "user-x", "email", "jwt", "12.5")
    CONTENT = ("claim-x", "topic-x", "stance-x", "evidence-x", "point-x", "insight-x", "blind-x", "answer-x", "page-x", "url-x",
               "title-x")  # fmt: skip

    def test_the_summary_has_these_names_and_no_others(self) -> None:
        assert list(summary(full_recorder())) == [
            "id", "version", "model", "preset", "route", "rule", "reason", "task", "spans", "ladder", "agreement", "totals",
            "sources",
        ]  # fmt: skip

    def test_the_summary_holds_no_hidden_signal_and_nobodys_text(self) -> None:
        text = json.dumps(summary(full_recorder()))
        assert not [word for word in (*self.PRIVATE, *self.CONTENT) if word in text]

    def test_the_summary_counts_sources_and_names_the_task(self) -> None:
        found = summary(full_recorder())
        assert (found["sources"], found["task"], found["route"]) == (1, "research", "fused")

    def test_off_shows_nothing(self) -> None:
        assert visible(full_recorder(), "off") is None

    def test_summary_shows_the_summary(self) -> None:
        recorder = full_recorder()
        assert visible(recorder, "summary") == summary(recorder)

    def test_full_shows_all_but_who_they_are(self) -> None:
        found = visible(full_recorder(), "full")
        assert found is not None
        assert not HIDDEN & set(found["decision"]["signals"])
        assert found["decision"]["signals"]["task"] == "research"
        assert found["analysis"]["strongest"] == "opus#1"
        assert not [word for word in self.PRIVATE if word in json.dumps(found)]

    def test_what_a_client_sees_takes_nothing_from_the_record(self) -> None:
        recorder = full_recorder()
        visible(recorder, "full")
        assert record(recorder)["decision"]["signals"]["team_id"] == "team-x"
