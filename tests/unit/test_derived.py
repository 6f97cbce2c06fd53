"""What a fusion model is priced at and can do: from its parts, never 0 for both directions, the operator's word first."""

from __future__ import annotations

from typing import Any

import litellm
import pytest
from fakes import Scripted

from litellm_fusion import derived
from litellm_fusion.config import Settings
from litellm_fusion.layers import resolve
from litellm_fusion.lineup import line_up
from litellm_fusion.models import Models


def _derived(info: dict[str, dict[str, Any]], written: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    router = Scripted("da", "db", "dc", info=info)  # names of their own: LiteLLM keeps what it learns of a name
    layers = resolve({"panel": ["da", "db"], **config}, ("fusion/test",), Settings())
    models = Models(router)
    return derived.derived(line_up(layers.config, models.provider), models, written or {})


PRICED = {"input_cost_per_token": 3e-6, "output_cost_per_token": 9e-6}


def test_the_price_is_the_direct_models() -> None:
    made = _derived({"dc": PRICED}, direct="dc")
    assert (made["input_cost_per_token"], made["output_cost_per_token"]) == (3e-6, 9e-6)


@pytest.mark.parametrize("price", [{"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}])
def test_a_free_direct_model_gives_no_price_at_all(price: dict[str, Any]) -> None:
    made = _derived({"dc": price}, direct="dc")
    assert "input_cost_per_token" not in made
    assert "output_cost_per_token" not in made


def test_one_direction_may_be_free() -> None:
    made = _derived({"dc": {"input_cost_per_token": 0.0, "output_cost_per_token": 1e-6}}, direct="dc")
    assert (made["input_cost_per_token"], made["output_cost_per_token"]) == (0.0, 1e-6)


def test_the_window_is_the_least() -> None:
    assert _derived({"da": {"max_input_tokens": 9000}, "db": {"max_input_tokens": 400}})["max_input_tokens"] == 400


@pytest.mark.parametrize("able", [True, False])
def test_abilities_are_the_synthesizers(able: bool) -> None:
    made = _derived(
        {"da": {"supports_vision": not able}, "db": {"supports_vision": able, "supports_function_calling": able}},
        synthesizer="db",
    )
    assert (made["supports_vision"], made["supports_function_calling"]) == (able, able)


def test_the_operators_word_stands() -> None:
    made = _derived({"dc": PRICED}, {"input_cost_per_token": 5e-6, "max_input_tokens": 7}, direct="dc")
    assert (made["input_cost_per_token"], made["max_input_tokens"]) == (5e-6, 7)


def test_a_name_that_is_somebody_elses_keeps_its_price() -> None:
    before = dict(litellm.model_cost["gpt-4o"])
    derived.register(object(), ("gpt-4o", "id-of-a-test", "fusion/gpt-4o"), PRICED, provider="fusion")
    assert litellm.model_cost["gpt-4o"] == before
    assert litellm.model_cost["id-of-a-test"]["input_cost_per_token"] == 3e-6
    derived.register(object(), ("id-of-a-test",), {"mode": "chat"}, provider="fusion")
    assert "input_cost_per_token" not in litellm.model_cost["id-of-a-test"]
