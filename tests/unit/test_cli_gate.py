"""The commands around a policy: `gate-score`, `policy test`, `shadow-report`. They ask nobody and print no prompt."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from litellm_fusion.cli import app, prompts, score, shadow
from litellm_fusion.cli.example import example_text

run = CliRunner().invoke
DEEP = "Compare hosting our own chat assistant with buying one, weigh the trade-offs and recommend one."
PLAIN = "What is the capital of Mongolia?"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture
def config(tmp_path: Any) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(example_text(), "utf-8")
    return str(path)


class TestGateScore:
    def test_each_line_gives_signals_and_decision_and_no_text(self) -> None:
        out = io.StringIO()
        lines = [json.dumps({"prompt": DEEP}), "", json.dumps({"messages": [{"role": "user", "content": PLAIN}]})]
        assert score.run(None, None, lines, out) == 0
        first, second = map(json.loads, out.getvalue().splitlines())
        assert (first["decision"]["use"], second["decision"]["use"]) == ("fuse", "direct")
        assert 0 <= first["signals"]["deliberation"] <= 1
        assert "Mongolia" not in out.getvalue()

    def test_the_models_own_policy_decides_where_one_is_named(self, config: str) -> None:
        told = run(app, ["gate-score", "-c", config, "-m", "fusion/research"], input=json.dumps({"prompt": DEEP}) + "\n")
        assert told.exit_code == 0
        assert json.loads(told.output)["signals"]["preset"] == "research"

    def test_config_without_a_model_is_refused(self, config: str) -> None:
        assert run(app, ["gate-score", "-c", config], input="{}").exit_code == 1

    @pytest.mark.parametrize(
        "line", ["no json", "{}", '{"prompt": 3}', '{"prompt": "a", "messages": []}', '{"prompt": "a", "x": 1}']
    )
    def test_bad_line_is_named(self, line: str) -> None:
        told = run(app, ["gate-score"], input=line + "\n")
        assert told.exit_code == 1
        assert "line 1" in told.output


class TestPolicyTest:
    def told(self, tmp_path: Any, config: str, entries: list[dict[str, Any]], form: str = "yaml") -> Any:
        path = tmp_path / "cases"
        text = yaml.safe_dump(entries) if form == "yaml" else "\n".join(map(json.dumps, entries))
        path.write_text(text, "utf-8")
        return run(app, ["policy", "test", str(path), "-c", config, "-m", "fusion/research"])

    @pytest.mark.parametrize("form", ["yaml", "lines"])
    def test_all_as_expected_is_exit_code_0(self, tmp_path: Any, config: str, form: str) -> None:
        entries = [{"prompt": DEEP, "route": "fused", "rule": "worth-a-panel"}, {"prompt": PLAIN, "route": "direct"}]
        told = self.told(tmp_path, config, entries, form)
        assert told.exit_code == 0, told.output
        assert "2 as expected, 0 not" in told.output

    def test_what_differs_is_shown_and_is_exit_code_1(self, tmp_path: Any, config: str) -> None:
        told = self.told(tmp_path, config, [{"prompt": PLAIN, "route": "fused"}, {"prompt": DEEP, "route": "fused"}])
        assert told.exit_code == 1
        assert "1 as expected, 1 not" in told.output
        assert "Mongolia" in told.output
        assert "hosting" not in told.output

    def test_rule_is_compared_too(self, tmp_path: Any, config: str) -> None:
        assert self.told(tmp_path, config, [{"prompt": DEEP, "route": "fused", "rule": "otherwise"}]).exit_code == 1
        told = self.told(tmp_path, config, [{"prompt": DEEP, "rule": "no-such-rule"}])
        assert told.exit_code == 1
        assert "worth-a-panel" in told.output

    def test_who_asks_can_be_said(self) -> None:
        entry = {"prompt": PLAIN, "route": "direct", "team_id": "t", "key_alias": "k", "tags": ["a"]}
        caller = prompts.of_entry(entry, "entry 1").request("m", "general").caller
        assert (caller.team_id, caller.key_alias, caller.tags) == ("t", "k", ("a",))

    @pytest.mark.parametrize(
        "text", ["", "a: 1", "- {prompt: x}", "- {prompt: x, route: sideways}", "- 3", "[", '{"prompt": 1}']
    )
    def test_file_without_expectations_is_no_success(self, tmp_path: Any, config: str, text: str) -> None:
        path = tmp_path / "cases"
        path.write_text(text, "utf-8")
        assert run(app, ["policy", "test", str(path), "-c", config, "-m", "fusion/research"]).exit_code == 1


def line(would: str, rule: str, fused: float | None, direct: float | None, **who: str) -> str:
    entry = {"model": "fusion/x", "would": would, "rule": rule, "estimated_cost_usd": fused, "direct_cost_usd": direct, **who}
    return f"08:00:00 - litellm_fusion:INFO: intake.py:60 - fusion.shadow {json.dumps(entry)}"


class TestShadowReport:
    LINES = (
        "08:00:00 - LiteLLM:INFO: something else",
        line("fuse", "worth-a-panel", 0.4, 0.1, team_id="legal", key_alias="k1"),
        line("fuse", "second-opinion", 0.2, 0.1, team_id="sales", key_alias="k2"),
        line("fuse", "worth-a-panel", None, 0.1, team_id="sales", key_alias="k2"),
        line("direct", "otherwise", 0.1, 0.1, team_id="sales", key_alias="k2"),
        "fusion.shadow not json",
    )

    def test_requests_are_summed_by_rule_key_and_team(self) -> None:
        teams = shadow.grouped(shadow.entries(self.LINES), "team_id")
        assert list(teams) == ["legal", "sales"]
        sales = teams["sales"]
        assert (sales.requests, sales.fused, sales.priced, sales.fused_usd, sales.direct_usd) == (3, 2, 1, 0.2, 0.1)

    def test_report_names_the_price_beside_direct(self, tmp_path: Any) -> None:
        path = tmp_path / "proxy.log"
        path.write_text("\n".join(self.LINES), "utf-8")
        told = run(app, ["shadow-report", str(path)])
        assert told.exit_code == 0
        assert "4 requests in shadow mode, 3 would have fused (75%)" in told.output
        assert "fusing them $0.6000, direct $0.2000: x3.0" in told.output
        assert "1 of them use a model without a known price" in told.output

    def test_json_logs_are_read_too(self) -> None:
        wrapped = json.dumps({"level": "INFO", "message": self.LINES[1]})
        assert [entry["rule"] for entry in shadow.entries([wrapped, '{"fusion.shadow ": 1}'])] == ["worth-a-panel"]

    def test_log_without_shadow_lines_is_exit_code_1(self, tmp_path: Any) -> None:
        path = tmp_path / "proxy.log"
        path.write_text("nothing", "utf-8")
        assert run(app, ["shadow-report", str(path)]).exit_code == 1
        assert run(app, ["shadow-report", str(tmp_path / "none")]).exit_code == 1
