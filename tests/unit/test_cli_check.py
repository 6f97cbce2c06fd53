"""`litellm-fusion check`: what is an error, what a warning, and that it says where."""

from __future__ import annotations

import pytest
import yaml
from typer.testing import CliRunner

from litellm_fusion.cli import app, reading, settings
from litellm_fusion.cli.example import example_path, example_text

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")


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


def research(config):
    entry = next(entry for entry in config["model_list"] if entry["model_name"] == "fusion/research")
    return entry["litellm_params"]["fusion_config"]


def lines(result, level):
    return [line for line in result.output.splitlines() if line.startswith(level)]


def test_the_example_has_no_errors_and_no_warnings():
    result = run(app, ["check", str(example_path())])

    assert result.exit_code == 0
    assert "0 errors, 0 warnings" in result.output


def test_roles_prices_and_rules_are_named(write):
    result = run(app, ["check", write(), "--model", "fusion/research"])

    assert "fusion/general" not in result.output.replace("fusion/general:", "")
    for role in ("panel", "judge", "synthesizer", "direct"):
        assert role in result.output
    assert "5.00 / 25.00" in result.output
    assert "worth-a-panel" in result.output


def test_a_misspelt_key_is_an_error_with_its_path(write):
    def misspell(config):
        research(config)["limts"] = {}

    result = run(app, ["check", write(misspell)])

    assert result.exit_code == 1
    assert lines(result, "✗ error") == [
        line for line in result.output.splitlines() if "fusion_config.limts: unknown key; did you mean 'limits'?" in line
    ]


def test_a_bad_rule_is_an_error_with_its_position(write):
    def misspell(config):
        research(config)["policy"] = [{"name": "x", "when": "deliberatoin > 0.5", "use": "fuse"}]

    result = run(app, ["check", write(misspell)])

    assert result.exit_code == 1
    assert "fusion_config.policy[0].when" in result.output
    assert "line 1, column 1" in result.output


def test_a_fusion_model_in_a_panel_is_an_error(write):
    def nest(config):
        research(config)["panel"] = ["opus", "fusion/general"]

    result = run(app, ["check", write(nest)])

    assert result.exit_code == 1
    assert "fusion model itself" in result.output


def test_an_unknown_member_is_a_warning_and_a_panel_of_none_an_error(write):
    def one(config):
        research(config)["panel"] = ["opus", "nobody"]

    def all_of_them(config):
        research(config)["panel"] = ["nobody", "noone"]

    assert run(app, ["check", write(one)]).exit_code == 0
    assert "nobody is no model_name" in run(app, ["check", write(one)]).output
    assert run(app, ["check", write(all_of_them)]).exit_code == 1


def test_models_that_may_be_in_the_database_are_no_error(write):
    def in_database(config):
        research(config)["panel"] = ["nobody", "noone"]
        config["general_settings"]["store_model_in_db"] = True

    assert run(app, ["check", write(in_database), "-m", "fusion/research"]).exit_code == 0


@pytest.mark.parametrize(("samples", "warned"), [(4, False), (5, True)])
def test_more_than_four_answers_are_warned_about(write, samples, warned):
    def many(config):
        research(config)["panel"] = [{"model": "gemini", "samples": samples}]

    result = run(app, ["check", write(many), "-m", "fusion/research"])

    assert (f"gives {samples} answers" in result.output) is warned


def test_an_unknown_price_is_warned_about(write):
    def unpriced(config):
        entry = {"model_name": "own", "litellm_params": {"model": "openai/our-own-model", "api_base": "http://x"}}
        config["model_list"].append(entry)
        research(config)["panel"] = ["opus", "own"]

    result = run(app, ["check", write(unpriced), "-m", "fusion/research"])

    assert "own has no price" in result.output
    assert "refused, because max_cost_usd is written" in result.output


def test_what_web_tools_will_not_do_is_said(write):
    def tools(config):
        research(config)["tools"] = {"web_search": "exa", "proxy": "http://egress:3128"}
        config["model_list"][0].setdefault("model_info", {})["supports_function_calling"] = False

    result = run(app, ["check", write(tools)])

    assert result.exit_code == 0
    assert "not used in this version" not in result.output
    assert "'exa' is none of this config's search_tools" in result.output
    assert "answers without the web" in result.output
    assert "resolves names itself" in result.output


def test_native_search_that_nobody_has_is_said(write):
    def native(config):
        research(config)["tools"] = {"web_search": "native"}
        research(config)["panel"] = ["own", "own"]
        config["model_list"].append({"model_name": "own", "litellm_params": {"model": "openai/own-model-x", "api_key": "x"}})

    assert "no member searches by itself" in run(app, ["check", write(native), "-m", "fusion/research"]).output


def test_a_rule_behind_an_unconditional_one_is_warned_about(write):
    def shadowed(config):
        research(config)["policy"] = [{"name": "all", "use": "fuse"}, {"name": "late", "use": "direct"}]

    assert "policy.late is never reached" in run(app, ["check", write(shadowed)]).output


def test_a_free_fusion_model_is_an_error(write):
    def free(config):
        config["model_list"][-1]["model_info"]["input_cost_per_token"] = 0

    assert run(app, ["check", write(free)]).exit_code == 1


@pytest.mark.parametrize(
    ("section", "key", "level"),
    [
        ("litellm_settings", "custom_provider_map", "error"),
        ("litellm_settings", "callbacks", "warning"),
        ("litellm_settings", "sse_keepalive_ping_interval_seconds", "warning"),
        ("litellm_settings", "drop_params", "note"),
        ("general_settings", "cancel_on_disconnect", "warning"),
        ("general_settings", "health_check_skip_disabled_background_models", "warning"),
    ],
)
def test_every_setting_that_a_fusion_proxy_wants_is_named_when_it_is_missing(write, section, key, level):
    path = write(lambda config: config[section].pop(key))

    told = [(finding.level, finding.where) for finding in settings.of_proxy(reading.read(reading.Path(path)))]

    assert (level, f"{section}.{key}") in told
    assert run(app, ["check", path]).exit_code == (1 if level == "error" else 0)


def test_a_fusion_model_that_health_checks_would_ask_is_warned_about(write):
    path = write(lambda config: config["model_list"][-1].pop("model_info"))

    assert "disable_background_health_check is not true" in run(app, ["check", path]).output


def test_without_the_hook_retries_and_the_cache_are_warned_about(write):
    def bare(config):
        config["litellm_settings"].pop("callbacks")
        config["litellm_settings"]["cache"] = True

    result = run(app, ["check", write(bare)])

    assert "num_retries is not 0" in result.output
    assert "share one cached answer" in result.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "is no YAML"),
        ("- a", "a proxy config is a map"),
        ("{}", "model_list is empty"),
        ("model_list: [{model_name: x}]", "model_list[0] needs"),
    ],
)
def test_a_file_that_is_no_config_is_one_clear_error(tmp_path, text, told):
    path = tmp_path / "config.yaml"
    path.write_text(text, "utf-8")

    result = run(app, ["check", str(path)])

    assert result.exit_code == 1
    assert told in result.output


def test_a_missing_file_and_a_missing_model_are_clear_errors(write, tmp_path):
    assert "No such file" in run(app, ["check", str(tmp_path / "none.yaml")]).output
    assert "has no fusion model 'fusion/x'" in run(app, ["check", write(), "-m", "fusion/x"]).output


def test_bad_fusion_settings_are_an_error(write):
    def bad(config):
        config["litellm_settings"]["fusion_settings"] = {"max_runs": 0}

    result = run(app, ["check", write(bad)])

    assert result.exit_code == 1
    assert "fusion_settings.max_runs" in result.output


def test_included_files_count(tmp_path):
    whole = yaml.safe_load(example_text())
    models = whole.pop("model_list")
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"model_list": models}), "utf-8")
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({**whole, "include": ["models.yaml"]}), "utf-8")

    assert run(app, ["check", str(path)]).exit_code == 0


def test_a_secret_in_a_members_params_is_warned_about(write):
    def secret(config):
        research(config)["panel"] = [{"model": "opus", "params": {"api_key": "x"}}]

    assert "looks like a secret" in run(app, ["check", write(secret)]).output
