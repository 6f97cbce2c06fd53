"""Where a finished trace goes: headers, the log, and sinks that fail."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from litellm_fusion import sinks
from litellm_fusion.sinks import headers, tell
from litellm_fusion.trace import Recorder, Span, record
from litellm_fusion.types import Analysis, Claim, Signals


def recorder(**keys: Any) -> Recorder:
    return Recorder("fusion/x", "general", id="fus_1", **keys)


PANEL = [Span("member", "a", 1, cost_usd=0.01), Span("member", "b", 2, status="error")]


class TestHeaders:
    @pytest.mark.parametrize("finished", [True, False])
    def test_route_rule_and_id_are_always_there(self, finished: bool) -> None:
        found = headers(recorder(route="degraded", rule="r"), finished=finished)
        assert found == {"x-fusion-route": "degraded", "x-fusion-rule": "r", "x-fusion-trace-id": "fus_1"}

    def test_panel_and_cost_come_once_they_are_known(self) -> None:
        found = headers(recorder(spans=PANEL), finished=True)
        assert (found["x-fusion-panel"], found["x-fusion-cost-usd"]) == ("1/2", "0.010000")
        assert not {"x-fusion-panel", "x-fusion-cost-usd"} & set(headers(recorder(spans=PANEL), finished=False))

    def test_an_unknown_cost_is_left_out_not_zero(self) -> None:
        found = headers(recorder(spans=[Span("member", "a", 1, cost_usd=None)]), finished=True)
        assert "x-fusion-cost-usd" not in found
        assert found["x-fusion-panel"] == "1/1"

    def test_a_direct_request_has_a_cost_and_no_panel(self) -> None:
        found = headers(recorder(spans=[Span("direct", "a", cost_usd=0.5)]), finished=True)
        assert found["x-fusion-cost-usd"] == "0.500000"
        assert "x-fusion-panel" not in found

    def test_ignored_keys_are_named(self) -> None:
        found = headers(recorder(ignored=("panel", "judge.model")), finished=False)
        assert found["x-fusion-ignored"] == "panel,judge.model"

    def test_a_clients_odd_key_cannot_break_a_header(self) -> None:
        found = headers(recorder(ignored=("a\r\nset-cookie: x", "é", "ok", "k" * 2_000)), finished=False)["x-fusion-ignored"]
        assert found.startswith("ok,kkk")
        assert len(found) == 500

    def test_every_header_is_a_listed_one(self) -> None:
        assert set(headers(recorder(spans=PANEL, ignored=("a",)), finished=True)) == {
            "x-fusion-route",
            "x-fusion-rule",
            "x-fusion-trace-id",
            "x-fusion-ignored",
            "x-fusion-panel",
            "x-fusion-cost-usd",
        }


class TestLog:
    def test_a_run_is_one_line_without_anyones_text(self, caplog: pytest.LogCaptureFixture) -> None:
        made = recorder(spans=PANEL, signals=Signals(user_id="user-x"), analysis=Analysis(consensus=(Claim("claim-x", ()),)))
        with caplog.at_level(logging.INFO, "litellm_fusion"):
            tell(record(made))
        (line,) = [item.getMessage() for item in caplog.records]
        told = json.loads(line.removeprefix("fusion.run "))
        assert (told["id"], told["model"], told["route"], told["calls"]) == ("fus_1", "fusion/x", "direct", 2)
        assert "claim-x" not in line
        assert "user-x" not in line


class TestTell:
    def test_a_failing_sink_costs_nothing_and_leaks_no_text(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        told: list[dict[str, Any]] = []

        def broken(_: dict[str, Any]) -> None:
            raise RuntimeError("secret text")

        monkeypatch.setattr(sinks, "SINKS", [broken, told.append])
        found = record(recorder())
        tell(found)
        assert told == [found]
        assert "broken failed: RuntimeError" in caplog.text
        assert "secret text" not in caplog.text

    def test_a_failing_sink_without_a_name_costs_nothing_either(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Nameless:
            calls = 0

            def __call__(self, _: dict[str, Any]) -> None:
                Nameless.calls += 1
                raise RuntimeError

        monkeypatch.setattr(sinks, "SINKS", [Nameless()])
        tell(record(recorder()))
        assert Nameless.calls == 1
