"""Who gets which client parameter: the contract's table."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_fusion.models import Facts
from litellm_fusion.params import (
    CLIENT,
    CONTRACT,
    LENGTH,
    SAMPLING,
    THINKING,
    for_history,
    for_member,
    for_synthesizer,
    offered,
    unsupported,
    without,
)
from litellm_fusion.types import Request

CLIENTS: dict[str, Any] = {key: f"client's {key}" for key in CLIENT if key not in LENGTH}


class TestMember:
    @pytest.mark.parametrize("key", [*SAMPLING, *THINKING])
    def test_sampling_and_thinking_are_its_own_else_the_clients(self, key: str) -> None:
        assert for_member({}, CLIENTS, None)[0][key] == f"client's {key}"
        assert for_member({key: 0}, CLIENTS, None)[0][key] == 0
        assert for_member({key: None}, CLIENTS, None)[0][key] == f"client's {key}"

    @pytest.mark.parametrize("key", [*CONTRACT, *LENGTH, "user"])
    def test_the_clients_contract_length_and_user_never_reach_it(self, key: str) -> None:
        assert key not in for_member({}, {**CLIENTS, key: 5}, None)[0]

    @pytest.mark.parametrize(("own", "limit", "least"), [
        ({}, None, None), ({}, 100, 100), ({"max_tokens": 50}, 100, 50), ({"max_completion_tokens": 500}, 100, 100),
        ({"max_tokens": 50}, None, 50), ({"max_tokens": 50, "max_completion_tokens": 40}, 100, 40),
        ({"max_tokens": 0}, 100, 100), ({"max_tokens": True}, 100, 100), ({"max_tokens": "50"}, 100, 100),
    ])  # fmt: skip
    def test_it_writes_the_least_of_its_own_and_the_limit(
        self, own: dict[str, Any], limit: int | None, least: int | None
    ) -> None:
        params, found = for_member(own, {"max_tokens": 1}, limit)
        assert found == least
        assert not set(LENGTH) & set(params)


class TestSynthesizer:
    @pytest.mark.parametrize("key", [*SAMPLING, *THINKING, *CONTRACT])
    def test_it_gets_all_that_the_client_asked(self, key: str) -> None:
        assert for_synthesizer(CLIENTS, None)[0][key] == f"client's {key}"

    def test_identity_and_foreign_keys_never_reach_it(self) -> None:
        assert for_synthesizer({"user": "u", "metadata": {}, "stop": None, "n": 1}, None)[0] == {"n": 1}

    @pytest.mark.parametrize(("client", "length"), [
        ({}, 100), ({"max_tokens": 500}, 500), ({"max_completion_tokens": 5}, 5),
        ({"max_tokens": 9, "max_completion_tokens": 8}, 8),
        ({"max_tokens": None}, 100),
    ])  # fmt: skip
    def test_the_clients_length_wins_and_the_limit_fills_in(self, client: dict[str, Any], length: int) -> None:
        assert for_synthesizer(client, 100)[1] == length

    def test_without_either_there_is_no_length(self) -> None:
        assert for_synthesizer({}, None) == ({}, None)


class TestUnsupported:
    FACTS = Facts(params=frozenset({"temperature", "stop"}))

    @pytest.mark.parametrize("facts", [None, Facts(), Facts(params=None)])
    def test_of_an_unknown_model_nothing_is_known(self, facts: Facts | None) -> None:
        assert unsupported({"temperature": 0, "logprobs": True}, facts) == ()

    def test_a_parameter_that_the_model_does_not_take_is_named(self) -> None:
        assert unsupported({"temperature": 0, "logprobs": True, "seed": 1, "stop": []}, self.FACTS) == ("logprobs", "seed")

    @pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens", "tools", "tool_choice", "thinking", "top_k"])
    def test_these_are_never_missing_just_because_litellm_does_not_list_them(self, key: str) -> None:
        assert unsupported({key: 1}, self.FACTS) == ()

    def test_what_is_no_client_parameter_is_not_judged(self) -> None:
        assert unsupported({"drop_params": True, "api_version": "1"}, self.FACTS) == ()


def test_without_leaves_the_rest_and_changes_nothing_in_place() -> None:
    params = {"a": 1, "b": 2}
    assert without(params, ("b", "c")) == {"a": 1}
    assert params == {"a": 1, "b": 2}


TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
CALLED = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "old_tool", "arguments": "{}"}}]}


class TestHistoryWithCalls:
    def test_without_calls_a_member_gets_no_tools(self) -> None:
        assert for_history(Request("m", ({"role": "user", "content": "Hi"},), tools=(TOOL,))) == {}

    def test_with_calls_it_gets_the_clients_tools_and_may_call_none(self) -> None:
        assert for_history(Request("m", (CALLED,), tools=(TOOL,))) == {"tools": [TOOL], "tool_choice": "none"}

    def test_where_the_client_sends_none_any_more_their_names_do(self) -> None:
        made = for_history(Request("m", (CALLED, CALLED)))
        assert [tool["function"]["name"] for tool in made["tools"]] == ["old_tool"]

    @pytest.mark.parametrize("odd", [None, "x", [None], [{"function": None}], [{"function": {"name": 7}}]])
    def test_odd_calls_are_none(self, odd: Any) -> None:
        assert for_history(Request("m", ({"role": "assistant", "tool_calls": odd},))) == {}


@pytest.mark.parametrize(("functions", "count"), [(None, 1), ([], 1), ([{"name": "f"}, "odd"], 2), ("odd", 1)])
def test_legacy_functions_are_offered_like_tools(functions: Any, count: int) -> None:
    assert len(offered(Request("m", (), tools=(TOOL,), params={"functions": functions}))) == count
