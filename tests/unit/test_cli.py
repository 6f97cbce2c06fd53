"""The command: what it finds, writes and explains. `check` has its own file; `demo` is tested with a real proxy, in e2e."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from litellm_fusion.cli import app, findings, found, proxy, reading, show
from litellm_fusion.cli import init as init_command
from litellm_fusion.cli.example import example_path, example_text
from litellm_fusion.cli.found import Found
from litellm_fusion.lineup import line_up

run = CliRunner().invoke
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(found, "ollama_models", lambda *given: ())


@pytest.fixture
def write(tmp_path):
    """Write a variation of the example config; gives its path."""

    def write_(change=lambda config: None):
        config = yaml.safe_load(example_text())
        change(config)
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config), "utf-8")
        return str(path)

    return write_


def test_help_does_not_import_litellm():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom litellm_fusion.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = {'litellm', 'openai', 'cel', 'pydantic'} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, env={**os.environ, "PYTHONPATH": str(example_path().parent)}
    )


class TestExplain:
    PROMPT = "Compare hosting our own chat assistant with buying one, weigh the trade-offs and recommend one."

    def test_it_prints_json_without_any_key(self, write):
        result = run(app, ["explain", "--config", write(), "--model", "fusion/research", self.PROMPT])

        told = json.loads(result.stdout)
        assert result.exit_code == 0
        assert told["decision"]["use"] == "fuse"
        assert [call["role"] for call in told["calls"]] == ["member", "member", "member", "judge", "synthesizer"]
        assert 0 < told["estimated_cost_usd"] <= told["worst_case_cost_usd"] <= 3.0

    def test_a_prompt_can_come_from_standard_input(self, write):
        result = run(app, ["explain", "-c", write(), "-m", "fusion/research", "-"], input="What is the capital of Peru?")

        assert json.loads(result.stdout)["decision"]["use"] == "direct"

    def test_force_is_decided_as_a_request_with_force_would_be(self, write):
        result = run(app, ["explain", "-c", write(), "-m", "fusion/research", "--force", "What is the capital of Peru?"])

        assert json.loads(result.stdout)["decision"] | {"reason": ""} == {
            "use": "fuse", "rule": "request", "reason": "", "model": None, "aggregate": "synthesis", "message": None,
        }  # fmt: skip

    def test_an_unknown_model_lists_the_known_ones(self, write):
        result = run(app, ["explain", "-c", write(), "-m", "fusion/x", "hello"])

        assert result.exit_code == 1
        assert "fusion/research, fusion/general, fusion/self" in result.output


class TestInit:
    def test_it_never_overwrites_without_force(self, tmp_path):
        path = tmp_path / "config.yaml"
        path.write_text("mine", "utf-8")

        assert run(app, ["init", str(path)]).exit_code == 1
        assert path.read_text("utf-8") == "mine"
        assert run(app, ["init", str(path), "--force"]).exit_code == 0
        assert path.read_text("utf-8") != "mine"

    @pytest.mark.parametrize("keys", [(), KEYS[:1], KEYS[:2], KEYS[:3], KEYS[3:], KEYS], ids=len)
    def test_what_it_writes_passes_check(self, tmp_path, monkeypatch, keys):
        for key in keys:
            monkeypatch.setenv(key, "k")
        path = tmp_path / "config.yaml"

        assert run(app, ["init", str(path)]).exit_code == 0
        assert "0 errors, 0 warnings" in run(app, ["check", str(path)]).output
        assert path.read_text("utf-8").count(" # ") > 5

    def test_local_models_get_a_price_of_zero(self):
        local = (Found("llama", {"model": "ollama_chat/llama"}, "Ollama", found._FREE),)

        config = yaml.safe_load(init_command.render(local))

        assert config["model_list"][0]["model_info"] == {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}


class TestFound:
    def test_nothing_is_found_without_keys(self):
        assert found.look({}) == ()

    @pytest.mark.parametrize(
        ("keys", "models"),
        [
            (("OPENAI_API_KEY",), ["openai/gpt-5.5"]),
            (("GEMINI_API_KEY", "ANTHROPIC_API_KEY"), ["anthropic/claude-opus-4-8", "gemini/gemini-3.1-pro-preview"]),
            (("OPENROUTER_API_KEY", "OPENAI_API_KEY"), [
                "openai/gpt-5.5", "openrouter/anthropic/claude-opus-4.8", "openrouter/google/gemini-3.1-pro-preview",
            ]),
        ],
    )  # fmt: skip
    def test_each_provider_brings_one_strong_model(self, keys, models):
        assert [model.litellm_params["model"] for model in found.look(dict.fromkeys(keys, "k"))] == models

    def test_one_model_alone_answers_three_times(self):
        assert found.panel(found.look({"OPENAI_API_KEY": "k"})) == [{"model": "gpt", "samples": 3}]

    def test_with_all_three_keys_the_example_stays_as_it_is(self):
        config = yaml.safe_load(example_text())

        assert found.recast(config, found.look(dict.fromkeys(KEYS, "k"))) == config

    @pytest.mark.parametrize("keys", [KEYS[:1], KEYS[1:3], KEYS[3:]], ids=str)
    def test_a_recast_config_names_only_what_is_there(self, tmp_path, keys):
        recast = found.recast(yaml.safe_load(example_text()), found.look(dict.fromkeys(keys, "k")))
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(recast), "utf-8")
        config = reading.read(path)

        served = {entry["model_name"] for entry in config.plain}
        assert len(config.fusion) == 3
        for entry in config.fusion:
            assert set(line_up(config.resolved(entry).config, lambda model: model).models) <= served


class TestProxy:
    def test_a_proxy_that_cannot_start_shows_the_end_of_its_log(self, tmp_path):
        with (
            pytest.raises(proxy.ProxyFailed, match="ended at once") as failed,
            proxy.running({"litellm_settings": {"callbacks": ["no_such_module.at_all"]}}, tmp_path),
        ):
            pass
        assert "no_such_module" in str(failed.value)

    def test_a_log_that_is_not_there_is_no_second_error(self, tmp_path):
        assert proxy.tail(tmp_path / "none") == "(no log)"


class TestShow:
    def test_text_of_models_is_never_markup(self, capsys):
        table = show._table("x")
        table.add_row("a", "[red]b[/nothing]")
        show.out.print(table)

        assert "[red]b[/nothing]" in capsys.readouterr().out

    def test_a_summary_without_analysis_is_shown(self, capsys):
        show.trace({
            "id": "fus_1", "preset": "general", "route": "fused", "rule": "r", "reason": "because", "task": "compare",
            "spans": [], "ladder": [{"stage": "judge", "step": "repair", "why": "x"}], "agreement": None,
            "totals": {
                "calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": None, "direct_cost_usd": None,
                "seconds": 1.0, "first_token_seconds": None,
            },
        })  # fmt: skip

        printed = capsys.readouterr().out
        assert "r: because" in printed
        assert "unknown" in printed
        assert "judge repair" in printed


def test_a_finding_names_its_place():
    assert findings.Finding("note", "a.b", "c").where == "a.b"
