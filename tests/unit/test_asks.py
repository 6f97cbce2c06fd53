"""What a request asks of fusion: our field, other people's shapes, and what of it is honoured."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion import asks
from litellm_fusion.asks import Ask
from litellm_fusion.config import FIXED_KEYS, FusionConfig, override_paths
from litellm_fusion.errors import OverrideRefused

SLUGS = {"gpt": "gpt", "gemini": "gemini", "opus": "opus", "openai/gpt-5.5": "gpt", "gpt-5.5": "gpt"}
OPEN = {
    "aggregate": True, "limits": True, "progress": True, "client_trace": True, "panel": ["gpt", "gemini"],
    "judge.model": ["gemini"], "judge.criteria": True, "preset": ["research"], "tools": True,
}  # fmt: skip


def fusion_config(**keys: Any) -> FusionConfig:
    return FusionConfig.model_validate({"panel": ["opus", "gpt", "gemini"], **keys})


def asked(body: dict[str, Any], **keys: Any) -> Ask:
    paths, own = asks.take(body)
    return asks.read(paths, own, fusion_config(**keys), SLUGS.get)


def refused(body: dict[str, Any], **keys: Any) -> OverrideRefused:
    with pytest.raises(OverrideRefused) as caught:
        asked(body, **keys)
    return caught.value


class TestNothingAsked:
    @pytest.mark.parametrize("body", [{}, {"fusion": None}, {"fusion": {}}, {"plugins": None}, {"tools": []}])
    def test_a_body_without_wishes_asks_nothing(self, body: dict[str, Any]) -> None:
        assert asked(body) == Ask()

    def test_a_body_without_fusion_shapes_is_left_as_it_is(self) -> None:
        body = {"model": "m", "plugins": [{"id": "web"}], "tools": [{"type": "function"}], "tool_choice": "auto"}
        before = copy.deepcopy(body)
        asks.take(body)
        assert body == before


class TestOurField:
    @pytest.mark.parametrize("value", ["force", [], 1, True, [{"mode": "off"}]])
    def test_a_field_that_is_no_object_is_refused_and_removed(self, value: object) -> None:
        body = {"fusion": value}
        assert refused(body).status == 400
        assert body == {}

    def test_open_keys_become_a_partial_config(self) -> None:
        ask = asked({"fusion": {"aggregate": "vote", "progress": "off", "limits": {"max_cost_usd": 0.1, "quorum": 2}}})
        assert ask.overrides == {"aggregate": "vote", "progress": "off", "limits": {"max_cost_usd": 0.1, "quorum": 2}}

    def test_a_dotted_key_is_the_key_in_its_section(self) -> None:
        assert asked({"fusion": {"limits.max_cost_usd": 0.1}}).overrides == {"limits": {"max_cost_usd": 0.1}}

    def test_a_string_for_the_judge_is_its_model(self) -> None:
        assert asked({"fusion": {"judge": "gemini"}}, overrides=OPEN).overrides == {"judge": {"model": "gemini"}}

    @pytest.mark.parametrize("path", FIXED_KEYS)
    def test_a_key_that_guards_the_operator_is_refused_whatever_is_opened(self, path: str) -> None:
        assert refused({"fusion": {path: True}}, overrides=OPEN).key == path

    @pytest.mark.parametrize(
        "path", [path for path in override_paths() if path.startswith(("judge.", "synthesizer.", "tools"))]
    )
    def test_a_key_that_is_not_opened_is_refused_by_name(self, path: str) -> None:
        error = refused({"fusion": {path: "x"}})
        assert error.key == path
        assert f"fusion.{path}" in error.message

    def test_a_refusal_lists_what_is_open(self) -> None:
        assert "aggregate, limits, progress, client_trace" in refused({"fusion": {"preset": "research"}}).message

    def test_an_unknown_key_is_refused_by_name(self) -> None:
        assert refused({"fusion": {"pannel": ["gpt"]}}).key == "pannel"

    def test_an_unknown_limit_is_refused_by_name(self) -> None:
        assert refused({"fusion": {"limits": {"max_cost": 1}}}).key == "limits.max_cost"

    @pytest.mark.parametrize(("value", "fits"), [("research", True), ("economy", False), (None, False), ([], False)])
    def test_a_listed_key_takes_the_listed_values_only(self, value: object, fits: bool) -> None:
        body = {"fusion": {"preset": value}}
        if fits:
            assert asked(body, overrides=OPEN).overrides == {"preset": value}
        else:
            assert refused(body, overrides=OPEN).key == "preset"

    @pytest.mark.parametrize("value", [5, None, [], "off", True])
    def test_limits_that_are_no_object_are_refused(self, value: object) -> None:
        assert refused({"fusion": {"limits": value}}).key == "limits"

    @pytest.mark.parametrize("value", [5, 0, None, ["web"], "on", True])
    def test_tools_that_are_no_object_are_refused(self, value: object) -> None:
        assert refused({"fusion": {"tools": value}}, overrides=OPEN).key == "tools"

    @pytest.mark.parametrize("value", ["off", False])
    def test_tools_may_be_turned_off(self, value: object) -> None:
        assert asked({"fusion": {"tools": value}}, overrides=OPEN).overrides == {"tools": value}

    @pytest.mark.parametrize("turned", [("tools", "tools.max_calls"), ("tools.max_calls", "tools")])
    def test_a_section_asked_for_twice_does_not_raise(self, turned: tuple[str, str]) -> None:
        values = {"tools": "off", "tools.max_calls": 2}
        ask = asked({"fusion": {key: values[key] for key in turned}}, overrides=OPEN)
        assert set(ask.overrides) == {"tools"}


class TestModes:
    @pytest.mark.parametrize("mode", ["auto", "off", "explain"])
    def test_these_modes_are_always_allowed(self, mode: str) -> None:
        assert asked({"fusion": {"mode": mode}}, overrides={}).mode == mode

    def test_false_is_off(self) -> None:
        assert asked({"fusion": {"mode": False}}).mode == "off"

    def test_a_mode_is_no_override(self) -> None:
        assert asked({"fusion": {"mode": "off"}}).overrides == {}

    @pytest.mark.parametrize("opened", [{"mode": ["force"]}, {"mode": True}])
    def test_force_is_allowed_where_the_operator_opened_it(self, opened: dict[str, Any]) -> None:
        assert asked({"fusion": {"mode": "force"}}, overrides=opened).mode == "force"

    @pytest.mark.parametrize("opened", [{}, {"mode": ["off"]}, {"aggregate": True}])
    def test_force_is_refused_where_it_was_not_opened(self, opened: dict[str, Any]) -> None:
        assert refused({"fusion": {"mode": "force"}}, overrides=opened).key == "mode"

    @pytest.mark.parametrize("mode", ["shadow", "FORCE", None, True, 0, [], {}])
    def test_an_unknown_mode_is_refused(self, mode: object) -> None:
        assert refused({"fusion": {"mode": mode}}, overrides={"mode": True}).key == "mode"


class TestLimitsGoDown:
    @pytest.mark.parametrize(("value", "given"), [(0.5, 0.5), (1.0, 1.0), (1.01, 1.0), (99, 1.0)])
    def test_a_limit_never_goes_above_the_operators(self, value: float, given: float) -> None:
        ask = asked({"fusion": {"limits": {"max_cost_usd": value}}}, limits={"max_cost_usd": 1.0})
        assert ask.overrides == {"limits": {"max_cost_usd": given}}

    def test_under_an_operator_without_a_ceiling_any_number_is_a_way_down(self) -> None:
        ask = asked({"fusion": {"limits": {"max_cost_usd": 99.0}}}, limits={"max_cost_usd": None})
        assert ask.overrides == {"limits": {"max_cost_usd": 99.0}}

    @pytest.mark.parametrize("value", [None, "auto", True, "1", [], {"a": 1}])
    def test_a_limit_needs_a_number_and_null_cannot_lift_it(self, value: object) -> None:
        assert refused({"fusion": {"limits": {"max_cost_usd": value}}}).key == "limits.max_cost_usd"

    @pytest.mark.parametrize("value", [1, 3])
    def test_the_least_number_of_answers_may_go_both_ways(self, value: int) -> None:
        ask = asked({"fusion": {"limits": {"min_answers": value}}}, limits={"min_answers": 2})
        assert ask.overrides == {"limits": {"min_answers": value}}

    @given(st.floats(allow_nan=False), st.floats(min_value=0.01, max_value=1e6))
    def test_no_number_raises_a_ceiling(self, value: float, own: float) -> None:
        ask = asked({"fusion": {"limits": {"max_cost_usd": value}}}, limits={"max_cost_usd": own})
        assert ask.overrides["limits"]["max_cost_usd"] <= own


class TestClientTraceGoesDown:
    LEVELS = ("off", "summary", "full")

    @pytest.mark.parametrize("own", LEVELS)
    @pytest.mark.parametrize("value", LEVELS)
    def test_a_client_sees_no_more_than_the_operator_allows(self, own: str, value: str) -> None:
        seen = asked({"fusion": {"client_trace": value}}, client_trace=own).overrides["client_trace"]
        assert self.LEVELS.index(seen) == min(self.LEVELS.index(own), self.LEVELS.index(value))

    def test_false_is_off(self) -> None:
        assert asked({"fusion": {"client_trace": False}}).overrides == {"client_trace": "off"}

    @pytest.mark.parametrize("value", ["all", None, True, []])
    def test_an_unknown_level_is_refused(self, value: object) -> None:
        assert refused({"fusion": {"client_trace": value}}).key == "client_trace"


class TestModels:
    def test_models_are_named_for_the_keys_own_access_check_once_each(self) -> None:
        ask = asked({"fusion": {"panel": ["gemini", "gpt", "gemini"], "judge": {"model": "gemini"}}}, overrides=OPEN)
        assert ask.models == ("gemini", "gpt")
        assert ask.overrides["panel"] == ["gemini", "gpt", "gemini"]

    @pytest.mark.parametrize("slug", ["gpt", "openai/gpt-5.5", "gpt-5.5"])
    def test_a_slug_becomes_the_model_name_behind_it(self, slug: str) -> None:
        assert asked({"fusion": {"panel": [slug]}}, overrides=OPEN).overrides == {"panel": ["gpt"]}

    @pytest.mark.parametrize("slug", ["opus", "unknown", "", None, 1, {"model": "gpt"}, ["gpt"]])
    def test_a_model_outside_the_list_is_refused(self, slug: object) -> None:
        assert refused({"fusion": {"panel": ["gpt", slug]}}, overrides=OPEN).key == "panel"


class TestOpenRouter:
    PLUGIN: dict[str, Any] = {  # noqa: RUF012 - copied by each test
        "id": "fusion", "analysis_models": ["openai/gpt-5.5", "gemini"], "model": "gemini", "preset": "research",
        "enabled": True, "max_tool_calls": 3, "max_completion_tokens": 500,
    }  # fmt: skip

    def test_the_plugins_keys_become_ours(self) -> None:
        ask = asked({"plugins": [dict(self.PLUGIN)]}, overrides=OPEN)
        assert ask.overrides == {
            "panel": ["gpt", "gemini"],
            "judge": {"model": "gemini"},
            "preset": "research",
            "tools": {"max_calls": 3},
            "limits": {"max_completion_tokens": 500},
        }
        assert ask.ignored == ()

    @pytest.mark.parametrize(("enabled", "mode"), [(False, "off"), (True, "auto"), (None, "auto"), (0, "auto")])
    def test_a_disabled_plugin_is_mode_off(self, enabled: object, mode: str) -> None:
        assert asked({"plugins": [{"id": "fusion", "enabled": enabled}]}).mode == mode

    def test_what_may_not_be_changed_is_ignored_and_named(self) -> None:
        ask = asked({"plugins": [{**self.PLUGIN, "temperature": 0, "reasoning": {}, "tools": []}]})
        assert ask.overrides == {"limits": {"max_completion_tokens": 500}}
        assert set(ask.ignored) == {"panel", "judge.model", "preset", "tools.max_calls", "temperature", "reasoning", "tools"}
        assert ask.models == ()

    def test_a_forced_mode_that_is_not_opened_is_ignored_and_named(self) -> None:
        ask = asked({"plugins": [{"id": "fusion", "mode": "force"}]})
        assert (ask.mode, ask.ignored) == ("auto", ("mode",))

    def test_its_list_of_tools_is_ignored_beside_the_number_of_calls(self) -> None:
        given_ = {"id": "fusion", "tools": [{"type": "web"}], "max_tool_calls": 2}
        ask = asked({"plugins": [given_]}, overrides=OPEN)
        assert (ask.overrides, ask.ignored) == ({"tools": {"max_calls": 2}}, ("tools",))

    def test_other_plugins_stay(self) -> None:
        body = {"plugins": [{"id": "web"}, {"id": "fusion"}, "odd"]}
        asks.take(body)
        assert body == {"plugins": [{"id": "web"}, "odd"]}

    def test_a_list_that_held_only_ours_goes(self) -> None:
        body = {"plugins": [{"id": "fusion"}]}
        asks.take(body)
        assert body == {}

    @pytest.mark.parametrize("tool", [
        {"type": "openrouter:fusion", "parameters": {"analysis_models": ["gpt"]}},
        {"type": "openrouter:fusion", "analysis_models": ["gpt"]},
        {"type": "openrouter:fusion", "parameters": "odd", "analysis_models": ["gpt"]},
    ])  # fmt: skip
    def test_the_tool_asks_like_the_plugin(self, tool: dict[str, Any]) -> None:
        assert asked({"tools": [tool]}, overrides=OPEN).overrides["panel"] == ["gpt"]

    def test_other_tools_and_their_choice_stay(self) -> None:
        body = {"tools": [{"type": "openrouter:fusion"}, {"type": "function"}], "tool_choice": "required"}
        asks.take(body)
        assert body == {"tools": [{"type": "function"}], "tool_choice": "required"}

    def test_a_choice_of_tools_goes_with_the_last_tool(self) -> None:
        body = {"tools": [{"type": "openrouter:fusion"}], "tool_choice": "required"}
        asks.take(body)
        assert body == {}

    def test_a_choice_of_our_tool_goes_even_where_other_tools_stay(self) -> None:
        choice = {"type": "openrouter:fusion"}
        body = {"tools": [{"type": "openrouter:fusion"}, {"type": "function"}], "tool_choice": choice}
        asks.take(body)
        assert body == {"tools": [{"type": "function"}]}

    def test_our_own_field_wins_over_the_plugin(self) -> None:
        ask = asked({"fusion": {"aggregate": "vote"}, "plugins": [{"id": "fusion", "aggregate": "best_of"}]})
        assert ask.overrides == {"aggregate": "vote"}


class TestAnnouncedField:
    def test_its_keys_become_ours(self) -> None:
        given_ = {"models": ["gpt"], "judge": {"model": "gemini", "criteria": "brevity"}, "max_completion_tokens": 9}
        ask = asked({"fusion": given_}, overrides=OPEN)
        assert ask.overrides == {
            "panel": ["gpt"],
            "judge": {"model": "gemini", "criteria": "brevity"},
            "limits": {"max_completion_tokens": 9},
        }

    def test_what_may_not_be_changed_is_ignored_and_named(self) -> None:
        ask = asked({"fusion": {"models": ["gpt"], "judge": {"criteria": "brevity"}, "temperature": 1}})
        assert (ask.overrides, ask.ignored) == ({}, ("panel", "judge.criteria", "temperature"))

    def test_the_same_key_in_our_own_field_is_an_error(self) -> None:
        assert refused({"fusion": {"judge": {"criteria": "brevity"}}}).key == "judge.criteria"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ("mode", "models", "id", "type", "enabled", "analysis_models", "model", "max_tool_calls", "parameters", "judge",
     "synthesizer", "tools", "limits", *override_paths(), *FIXED_KEYS)
)  # fmt: skip
wishes = st.dictionaries(keys, json_values | st.dictionaries(keys, json_values, max_size=3), max_size=5)
plugin = wishes.map(lambda given: {**given, "id": "fusion"})
tool = wishes.map(lambda given: {**given, "type": "openrouter:fusion"})
bodies = st.fixed_dictionaries(
    {},
    optional={
        "fusion": wishes | json_values,
        "plugins": st.lists(plugin | json_values, max_size=3) | json_values,
        "tools": st.lists(tool | json_values, max_size=3) | json_values,
        "tool_choice": json_values,
    },
)


@given(bodies, st.sampled_from([{}, OPEN, {**OPEN, "mode": True}]))
def test_any_body_is_read_or_refused_and_no_fusion_shape_is_left(body: dict[str, Any], opened: dict[str, Any]) -> None:
    try:
        ask = asked(body, overrides=opened)
    except OverrideRefused:
        return
    assert "fusion" not in body
    for shape, mark in (("plugins", ("id", "fusion")), ("tools", ("type", "openrouter:fusion"))):
        items = body.get(shape)
        assert not any(isinstance(i, dict) and i.get(mark[0]) == mark[1] for i in (items if isinstance(items, list) else ()))
    assert set(ask.models) <= {"gpt", "gemini"}
    assert ask.mode != "force" or opened.get("mode")
