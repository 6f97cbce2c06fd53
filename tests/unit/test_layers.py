"""How the layers become one config, and what a config error says."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_fusion.config import FusionConfig, Judge, Settings, Tools
from litellm_fusion.errors import ConfigInvalid
from litellm_fusion.layers import Layers, merged, read_settings, resolve
from litellm_fusion.presets import PRESETS


def _layers(
    own: dict[str, Any] | None = None, *, defaults: dict[str, Any] | None = None, name: str = "fusion/general"
) -> Layers:
    return resolve({"panel": ["a", "b", "c"], **(own or {})}, (name,), Settings(defaults=defaults or {}))


def _problems(own: object, **keys: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigInvalid) as caught:
        resolve(own, ("fusion/x",), Settings(**keys))
    return caught.value.problems


def _problem(**own: Any) -> str:
    (problem,) = _problems({"panel": ["a", "b", "c"], **own})
    return problem


def test_later_layers_win_key_by_key() -> None:
    own: dict[str, Any] = {}
    defaults: dict[str, Any] = {}

    def usd() -> float | None:
        return _layers(own, defaults=defaults, name="fusion/research").config.limits.max_cost_usd

    assert usd() == 3.0
    defaults["limits"] = {"max_cost_usd": 2.0, "panel_seconds": 99}
    assert usd() == 2.0
    own["limits"] = {"max_cost_usd": 1.5}
    layers = _layers(own, defaults=defaults, name="fusion/research")
    assert (layers.config.limits.max_cost_usd, layers.config.limits.panel_seconds) == (1.5, 99)
    rule = {"limits": {"max_cost_usd": 0.5}}
    assert layers.changed(rule).limits.max_cost_usd == 0.5
    request = {"limits": {"max_cost_usd": 0.1}}
    assert layers.changed(merged(rule, request)).limits.max_cost_usd == 0.1
    assert layers.changed(merged(rule, request)).limits.panel_seconds == 99
    assert layers.config.limits.max_cost_usd == 1.5


def test_a_str_above_a_section_sets_its_model_only() -> None:
    assert merged({"judge": {"criteria": "x"}}, {"judge": "j"}) == {"judge": {"criteria": "x", "model": "j"}}
    assert merged({"judge": "j"}, {"judge": {"criteria": "x"}}) == {"judge": {"model": "j", "criteria": "x"}}
    research = _layers({"judge": "j"}, name="fusion/research").config.judge
    assert isinstance(research, Judge)
    assert research.model == "j"
    assert research.criteria == PRESETS["research"]["judge"]["criteria"]


@pytest.mark.parametrize("off", ["off", False])
def test_off_replaces_a_section_and_a_section_replaces_off(off: object) -> None:
    assert _layers({"judge": off}, name="fusion/research").config.judge == "off"
    assert _layers({"tools": off}, defaults={"tools": {"web_search": "exa"}}).config.tools == "off"
    assert _layers({"judge": {"model": "j"}}, name="fusion/economy").config.judge == Judge(model="j")
    assert _layers({"judge": "j"}, defaults={"judge": off}).config.judge == Judge(model="j")


def test_lists_and_overrides_replace() -> None:
    layers = _layers({"overrides": {"mode": ["force"]}, "policy": [{"use": "fuse"}]}, defaults={"reserves": ["r"]})
    assert layers.config.overrides == {"mode": ["force"]}
    assert [rule.name for rule in layers.config.policy] == ["otherwise"]
    assert layers.config.reserves == ("r",)
    assert layers.changed({"reserves": ["s"]}).reserves == ("s",)
    assert [member.model for member in layers.changed({"panel": ["z"]}).panel] == ["z"]


def test_merging_changes_no_layer() -> None:
    below, above = {"limits": {"quorum": 1}}, {"limits": {"min_answers": 1}}
    assert merged(below, above) == {"limits": {"quorum": 1, "min_answers": 1}}
    assert (below, above) == ({"limits": {"quorum": 1}}, {"limits": {"min_answers": 1}})


def test_nothing_changed_is_the_config_itself() -> None:
    layers = _layers()
    assert layers.changed({}) is layers.config


@pytest.mark.parametrize(
    ("own", "defaults", "names", "preset"),
    [
        ({}, {}, ("fusion/research",), "research"),
        ({}, {}, ("council/code",), "code"),
        ({}, {}, ("fusion/my-own",), "general"),
        ({}, {}, ("research",), "general"),
        ({}, {}, ("fusion/my-own", "fusion/critique"), "critique"),
        ({}, {"preset": "economy"}, ("fusion/research",), "economy"),
        ({"preset": "code"}, {"preset": "economy"}, ("fusion/research",), "code"),
        ({}, {}, (), "general"),
    ],
)
def test_the_preset_is_what_is_written_else_what_the_name_says(
    own: dict[str, Any], defaults: dict[str, Any], names: tuple[str, ...], preset: str
) -> None:
    layers = resolve({"panel": ["a", "b"], **own}, names, Settings(defaults=defaults))
    assert layers.config.preset == preset
    assert [rule.name for rule in layers.config.policy] == [rule["name"] for rule in PRESETS[preset]["policy"]]


def test_another_preset_changes_the_lowest_layer_only() -> None:
    layers = _layers({"limits": {"panel_seconds": 7}}, name="fusion/general")
    config = layers.changed({"preset": "research"})
    assert (config.preset, config.limits.max_cost_usd, config.limits.panel_seconds) == ("research", 3.0, 7)
    written = _layers({"limits": {"max_cost_usd": 0.5}}, name="fusion/general")
    assert written.changed({"preset": "research"}).limits.max_cost_usd == 0.5


@pytest.mark.parametrize("preset", ["nope", "", 3, None, ["research"]])
def test_a_preset_that_does_not_exist_is_refused_with_those_that_do(preset: object) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        _layers().changed({"preset": preset})
    (problem,) = caught.value.problems
    assert problem.startswith("fusion_config.preset: no preset of that name")
    assert problem.endswith("allowed: general, research, code, critique, economy")


@pytest.mark.parametrize(
    ("name", "tools", "fetch"),
    [
        ("fusion/research", {"web_search": "exa"}, True),
        ("fusion/research", {"web_search": "exa", "web_fetch": None}, True),
        ("fusion/research", {"web_search": "exa", "web_fetch": False}, False),
        ("fusion/research", {"max_page_chars": 900}, None),
        ("fusion/general", {"web_search": "exa"}, None),
        ("fusion/general", {"web_search": "exa", "web_fetch": True}, True),
    ],
)
def test_research_reads_pages_as_soon_as_a_search_is_set(name: str, tools: dict[str, Any], fetch: bool | None) -> None:
    found = _layers({"tools": tools}, name=name).config.tools
    assert isinstance(found, Tools)
    assert found.web_fetch is fetch
    assert found.max_calls == (8 if name == "fusion/research" else 4)


def test_research_reads_pages_too_when_a_rule_or_a_request_chose_it() -> None:
    layers = _layers({"tools": {"web_search": "exa"}}, name="fusion/general")
    tools = layers.changed({"preset": "research"}).tools
    assert isinstance(tools, Tools)
    assert (tools.web_fetch, tools.max_calls) == (True, 8)
    tools = _layers(name="fusion/research").changed({"tools": {"web_search": "exa"}}).tools
    assert isinstance(tools, Tools)
    assert tools.web_fetch is True
    kept_off = _layers({"tools": {"web_search": "exa", "web_fetch": False}}).changed({"preset": "research"}).tools
    assert isinstance(kept_off, Tools)
    assert kept_off.web_fetch is False


@pytest.mark.parametrize("name", ["fusion/general", "fusion/research"])
def test_without_a_search_members_have_no_tools(name: str) -> None:
    tools = _layers(name=name).config.tools
    assert tools == "off" or not tools.on


@pytest.mark.parametrize(
    ("own", "defaults", "written"),
    [
        ({}, {}, False),
        ({"limits": {"quorum": 1}}, {"limits": {"quorum": 1}}, False),
        ({"limits": {"max_cost_usd": 1.0}}, {}, True),
        ({}, {"limits": {"max_cost_usd": 1.0}}, True),
    ],
)
def test_a_ceiling_is_written_when_an_operator_wrote_it(own: dict[str, Any], defaults: dict[str, Any], written: bool) -> None:
    for name in ("fusion/general", "fusion/research", "fusion/economy"):
        assert _layers(own, defaults=defaults, name=name).ceiling_written is written


@pytest.mark.parametrize(
    ("own", "path", "hint"),
    [
        ({"polcy": []}, "fusion_config.polcy", "did you mean 'policy'?"),
        ({"Panel": ["a"]}, "fusion_config.Panel", "did you mean 'panel'?"),
        ({"client-trace": "full"}, "fusion_config.client-trace", "did you mean 'client_trace'?"),
        ({"limits": {"max_cost": 1}}, "fusion_config.limits.max_cost", "did you mean 'max_cost_usd'?"),
        ({"limits": {"maxCostUsd": 1}}, "fusion_config.limits.maxCostUsd", "allowed: max_cost_usd, "),
        ({"judge": {"critera": "x"}}, "fusion_config.judge.critera", "did you mean 'criteria'?"),
        ({"synthesizer": {"modle": "x"}}, "fusion_config.synthesizer.modle", "did you mean 'model'?"),
        ({"tools": {"websearch": "x"}}, "fusion_config.tools.websearch", "did you mean 'web_search'?"),
        ({"classifier": {"model": "a", "whn": "x"}}, "fusion_config.classifier.whn", "did you mean 'when'?"),
        ({"panel": ["a", {"model": "b", "smples": 2}]}, "fusion_config.panel[1].smples", "did you mean 'samples'?"),
        ({"policy": [{"use": "fuse", "wen": "is_retry"}]}, "fusion_config.policy[0].wen", "did you mean 'when'?"),
        ({"zzzzzz": 1}, "fusion_config.zzzzzz", "unknown key; allowed: preset, panel, "),
    ],
)
def test_an_unknown_key_is_refused_with_its_path_and_a_suggestion(own: dict[str, Any], path: str, hint: str) -> None:
    problem = _problem(**own)
    assert problem.startswith(f"{path}: unknown key; ")
    assert hint in problem


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"limits": {"max_cost_usd": 0}}, "fusion_config.limits.max_cost_usd: Input should be greater than 0 (found 0)"),
        ({"limits": {"quorum": 4}}, "limits.quorum is 4, but the panel gives 3 answers"),
        ({"panel": ["a"] * 9}, "fusion_config.panel: "),
        ({"policy": [{"use": "dirct"}]}, "fusion_config.policy[0].use: use is one of: direct, "),
        ({"policy": [{"name": "two words", "use": "fuse"}]}, "fusion_config.policy[0].name: a rule's name goes into headers"),
        ({"policy": [{"when": "delib > 1.0", "use": "fuse"}]}, "policy[0].when: 'delib' at line 1, column 1 is no signal"),
        ({"policy": [{"when": "task > 3", "use": "fuse"}]}, "task at line 1, column 1 is a string"),
        ({"policy": [{"name": "r"}]}, "fusion_config.policy[0].use: required, and not there"),
        ({"overrides": {"panel": True}}, "fusion_config.overrides: panel: models are opened only as a list"),
    ],
)
def test_a_problem_names_path_found_and_allowed(own: dict[str, Any], said: str) -> None:
    assert said in _problem(**own)


def test_every_problem_is_named_at_once() -> None:
    found = _problems({"panel": [], "polcy": [], "limits": {"quorum": 0}})
    assert [problem.partition(":")[0] for problem in found if "quorum" not in problem] == [
        "fusion_config.panel",
        "fusion_config.polcy",
    ]
    assert any(problem.startswith("fusion_config.limits.quorum: ") for problem in found)


@pytest.mark.parametrize(("own", "found"), [(None, "nothing"), (["a"], "list"), ("opus", "str")])
def test_a_config_that_is_no_map_is_refused(own: object, found: str) -> None:
    assert _problems(own) == (f"fusion_config: found {found}, a map is needed",)


def test_a_missing_panel_is_named() -> None:
    assert _problems({}) == ("fusion_config.panel: required, and not there",)


def test_a_bad_default_is_refused_where_it_is_used() -> None:
    assert _problems({"panel": ["a"]}, defaults={"limitz": {}})[0].startswith("fusion_config.limitz: unknown key; did you mean")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"agregate": "vote"}, ".agregate: unknown key; did you mean 'aggregate'?"),
        ({"limits": {"quorum": 4}}, ": limits.quorum is 4, but the panel gives 3 answers"),
        ({"limits": {"max_cost": 1}}, ".limits.max_cost: unknown key"),
        ({"aggregate": "merge"}, ".aggregate: "),
        ({"preset": "nope"}, ".preset: no preset of that name"),
    ],
)
def test_a_rule_s_overrides_are_checked_at_load_under_the_rule_s_name(overrides: dict[str, Any], said: str) -> None:
    problem = _problem(policy=[{"use": "direct", "when": "is_retry"}, {"name": "mine", "use": {"fuse": overrides}}])
    assert problem.startswith(f"fusion_config.policy[mine].use.fuse{said}")


def test_a_rule_s_overrides_that_fit_are_taken() -> None:
    use = {"fuse": {"aggregate": "vote", "limits": {"quorum": 3}, "preset": "research"}}
    (rule,) = _layers({"policy": [{"name": "r", "use": use}]}).config.policy
    assert rule.use.overrides == use["fuse"]


def test_settings_that_are_not_there_are_the_defaults() -> None:
    assert read_settings(None) == read_settings({}) == Settings()
    assert read_settings({"max_runs": 3, "mode": False}) == Settings(max_runs=3, mode="off")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"max_run": 3}, "fusion_settings.max_run: unknown key; did you mean 'max_runs'? allowed: mode, max_runs, "),
        ({"StoreContent": True}, "fusion_settings.StoreContent: unknown key; "),
        ({"max_runs": 0}, "fusion_settings.max_runs: Input should be greater than or equal to 1 (found 0)"),
        ({"when_full": "queue"}, "fusion_settings.when_full: "),
        ({"defaults": ["a"]}, "fusion_settings.defaults: "),
        (["a"], "fusion_settings: "),
    ],
)
def test_bad_settings_are_refused_with_their_path(raw: object, said: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_settings(raw)
    (problem,) = caught.value.problems
    assert problem.startswith(said)
    assert said in str(caught.value)


def test_a_resolved_config_validates_again() -> None:
    layers = _layers(name="fusion/research")
    assert FusionConfig.model_validate(layers.raw) == layers.config
