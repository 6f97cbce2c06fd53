"""fusion_config and fusion_settings: defaults, shorthands, bounds and refusals."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from litellm_fusion.config import (
    DEFAULT_OVERRIDES,
    FIXED_KEYS,
    MODEL_KEYS,
    Classifier,
    FusionConfig,
    Judge,
    Limits,
    Member,
    Settings,
    Synthesizer,
    Tools,
    override_paths,
)


def _config(**keys: Any) -> FusionConfig:
    return FusionConfig.model_validate({"panel": ["a", "b", "c"], **keys})


DEFAULTS = {
    "preset": "general",
    "reserves": (),
    "judge": Judge(model=None, criteria="", backups=()),
    "synthesizer": Synthesizer(model=None, instructions="", backups=()),
    "direct": None,
    "aggregate": "synthesis",
    "policy": (),
    "tools": "off",
    "limits": Limits(),
    "progress": "auto",
    "client_trace": "summary",
    "trusted_models": (),
    "classifier": None,
    "overrides": {"aggregate": True, "limits": True, "progress": True, "client_trace": True},
    "mode": "auto",
}
SECTION_DEFAULTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "member": (Member(model="a"), {"model": "a", "samples": 1, "params": {}, "instructions": "", "tools": True}),
    "tools": (
        Tools(),
        {
            "web_search": None, "web_fetch": None, "max_calls": 4, "max_page_chars": 20_000, "allow_domains": (),
            "deny_domains": (), "allow_private": (), "proxy": None,
        },
    ),
    "limits": (
        Limits(),
        {
            "max_cost_usd": 1.00, "deadline_seconds": "auto", "panel_seconds": 240, "quorum": "auto", "grace_seconds": "auto",
            "min_answers": 1, "max_completion_tokens": 16_000, "max_answer_chars": 200_000,
        },
    ),
    "classifier": (Classifier(model="a"), {"model": "a", "when": "uncertain", "timeout_seconds": 2.0}),
    "settings": (
        Settings(),
        {
            "mode": "auto", "max_runs": 64, "max_runs_per_key": 8, "when_full": "direct", "store_content": False,
            "defaults": {},
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(DEFAULTS))
def test_a_key_has_its_default(key: str) -> None:
    assert getattr(_config(), key) == DEFAULTS[key]


def test_every_key_but_the_panel_has_a_default() -> None:
    assert set(FusionConfig.model_fields) == {*DEFAULTS, "panel"}
    with pytest.raises(ValidationError, match="panel"):
        FusionConfig.model_validate({})


@pytest.mark.parametrize("section", sorted(SECTION_DEFAULTS))
def test_a_section_has_its_defaults(section: str) -> None:
    value, expected = SECTION_DEFAULTS[section]
    assert value.model_dump() == expected


def test_configs_share_no_default_that_one_could_change() -> None:
    assert _config().overrides is not DEFAULT_OVERRIDES
    assert _config().overrides is not _config().overrides


def test_a_config_is_frozen() -> None:
    config = _config()
    with pytest.raises(ValidationError, match="frozen"):
        config.mode = "off"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        config.limits.max_cost_usd = 9.0  # type: ignore[misc]


def test_a_str_stands_for_its_model() -> None:
    config = _config(panel=["a", {"model": "b", "samples": 2}], judge="j", synthesizer="s", classifier="c")
    assert config.panel == (Member(model="a"), Member(model="b", samples=2))
    assert config.judge == Judge(model="j")
    assert config.synthesizer == Synthesizer(model="s")
    assert config.classifier == Classifier(model="c")


@pytest.mark.parametrize("key", ["judge", "tools", "progress", "client_trace", "mode"])
@pytest.mark.parametrize("written", ["off", "'off'", "false"])
def test_off_may_be_written_as_yaml_reads_it(key: str, written: str) -> None:
    config = FusionConfig.model_validate(yaml.safe_load(f"{{panel: [a, b], {key}: {written}}}"))
    assert getattr(config, key) == "off"


def test_the_settings_mode_may_be_off_as_yaml_reads_it() -> None:
    assert Settings.model_validate(yaml.safe_load("mode: off")).mode == "off"


@pytest.mark.parametrize("key", ["judge", "tools", "progress", "client_trace", "mode"])
@pytest.mark.parametrize("value", [True, 0, None, 3, ["off"]])
def test_nothing_else_means_off(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        _config(**{key: value})


@pytest.mark.parametrize(
    ("key", "taken", "refused"),
    [
        ("aggregate", ["synthesis", "vote", "best_of"], ["merge", "", None]),
        ("progress", ["auto", "reasoning", "off"], ["on", "summary"]),
        ("client_trace", ["off", "summary", "full"], ["auto", "all"]),
        ("mode", ["auto", "shadow", "off"], ["force", "explain"]),
    ],
)
def test_a_key_takes_its_words_and_no_other(key: str, taken: list[str], refused: list[object]) -> None:
    assert [getattr(_config(**{key: word}), key) for word in taken] == taken
    for word in refused:
        with pytest.raises(ValidationError):
            _config(**{key: word})


def test_the_panel_has_one_to_eight_members() -> None:
    assert len(_config(panel=["a"]).panel) == 1
    assert len(_config(panel=["a"] * 8).panel) == 8
    for size in (0, 9):
        with pytest.raises(ValidationError, match="panel"):
            _config(panel=["a"] * size)


def test_the_panel_gives_at_most_sixteen_answers() -> None:
    panel = [{"model": "a", "samples": 8}, {"model": "b", "samples": 8}]
    assert sum(member.samples for member in _config(panel=panel).panel) == 16
    with pytest.raises(ValidationError, match="17 answers; at most 16"):
        _config(panel=[*panel, "c"])
    assert _config(panel=[{"model": "a", "samples": 16}]).panel[0].samples == 16
    for samples in (0, 17):
        with pytest.raises(ValidationError, match="samples"):
            _config(panel=[{"model": "a", "samples": samples}])


@pytest.mark.parametrize("key", ["quorum", "min_answers"])
def test_quorum_and_least_answers_count_samples_and_fit_the_panel(key: str) -> None:
    panel = ["a", {"model": "b", "samples": 2}]
    assert getattr(_config(panel=panel, limits={key: 3}).limits, key) == 3
    with pytest.raises(ValidationError, match=f"limits.{key} is 4, but the panel gives 3 answers"):
        _config(panel=panel, limits={key: 4})
    with pytest.raises(ValidationError):
        _config(panel=panel, limits={key: 0})


@pytest.mark.parametrize(
    ("section", "key", "taken", "refused"),
    [
        ("limits", "max_cost_usd", [0.0001, 5, None], [0, -1, float("inf"), float("nan"), "much"]),
        ("limits", "deadline_seconds", [0.1, "auto", None], [0, "soon"]),
        ("limits", "panel_seconds", [0.1, None], [0, "auto"]),
        ("limits", "grace_seconds", [0, 600, "auto"], [-0.1, 600.1, None]),
        ("limits", "max_completion_tokens", [1, None], [0, 1.5]),
        ("limits", "max_answer_chars", [1000, None], [999]),
        ("tools", "max_calls", [1, 64], [0, 65]),
        ("tools", "max_page_chars", [500, 1_000_000], [499, 1_000_001]),
    ],
)
def test_a_number_has_its_bounds(section: str, key: str, taken: list[object], refused: list[object]) -> None:
    assert [getattr(getattr(_config(**{section: {key: value}}), section), key) for value in taken] == taken
    for value in refused:
        with pytest.raises(ValidationError):
            _config(**{section: {key: value}})


def test_members_have_tools_when_there_is_a_search_or_a_fetch() -> None:
    assert Tools(web_search="exa").on
    assert Tools(web_fetch=True).on
    assert not Tools().on
    assert not Tools(web_fetch=False).on


def test_an_empty_model_name_is_refused_in_every_part() -> None:
    for part in ({"panel": [""]}, {"reserves": [""]}, {"judge": ""}, {"synthesizer": ""}, {"direct": ""}, {"classifier": ""}):
        with pytest.raises(ValidationError):
            _config(**part)


def test_what_may_be_overridden_is_true_or_a_list() -> None:
    overrides = {"mode": ["force"], "preset": ["research"], "judge.criteria": True, "panel": ["a", "b"], "limits.quorum": True}
    assert _config(overrides=overrides).overrides == overrides
    assert _config(overrides={}).overrides == {}
    for value in (False, "research", None, {"a": 1}, 1):
        with pytest.raises(ValidationError, match="true, or a list of the allowed values"):
            _config(overrides={"preset": value})


@pytest.mark.parametrize("path", MODEL_KEYS)
def test_models_are_opened_only_as_a_list(path: str) -> None:
    assert _config(overrides={path: ["a"]}).overrides == {path: ["a"]}
    with pytest.raises(ValidationError, match=f"{path}: models are opened only as a list"):
        _config(overrides={path: True})


@pytest.mark.parametrize("path", FIXED_KEYS)
def test_what_guards_the_operator_can_t_be_opened(path: str) -> None:
    for value in (True, ["a"]):
        with pytest.raises(ValidationError, match=f"{path} can't be opened to requests"):
            _config(overrides={path: value})
    assert path not in override_paths()


@pytest.mark.parametrize("path", ["limitz", "limits.max_cost", "panel.model", "judge.modle", "", "policy.name"])
def test_only_keys_that_exist_can_be_opened(path: str) -> None:
    with pytest.raises(ValidationError, match="is no key of fusion_config; keys that can be opened: mode, "):
        _config(overrides={path: True})


def test_the_keys_that_can_be_opened_are_listed_once() -> None:
    paths = override_paths()
    assert len(paths) == len(set(paths))
    assert {"mode", "preset", "aggregate", "limits", "limits.max_cost_usd", "tools", "tools.max_calls", "panel"} <= set(paths)
    assert {"judge.model", "judge.criteria", "synthesizer.instructions", "progress", "client_trace", "direct"} <= set(paths)


@pytest.mark.parametrize(
    "raw",
    [
        {"max_runs": 0},
        {"max_runs_per_key": 0},
        {"when_full": "queue"},
        {"mode": "force"},
        {"store_content": "maybe"},
        {"defaults": ["a"]},
        {"max_run": 3},
    ],
)
def test_settings_of_another_shape_are_refused(raw: dict[str, Any]) -> None:
    (key,) = raw
    with pytest.raises(ValidationError, match=key):
        Settings.model_validate(raw)


def test_settings_take_their_own_words() -> None:
    assert [Settings(when_full=word).when_full for word in ("direct", "wait", "refuse")] == ["direct", "wait", "refuse"]
    assert Settings(max_runs=1, max_runs_per_key=1).max_runs == 1
