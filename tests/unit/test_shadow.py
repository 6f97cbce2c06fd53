"""Shadow mode: every request goes direct, and one line without text says what would have been."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from litellm_fusion.asks import Ask
from litellm_fusion.cli import shadow
from litellm_fusion.config import Settings
from litellm_fusion.layers import resolve
from litellm_fusion.limits import Price
from litellm_fusion.models import Facts, Models
from litellm_fusion.planning import plan, tell_shadow
from litellm_fusion.types import Caller, Request

SECRET = "the merger with Halden"
FACTS = Facts(provider="p", price=Price(1e-6, 10e-6), window=100_000)


class KnownModels(Models):
    def __init__(self) -> None:
        pass

    def facts(self, name: str) -> Facts:
        return FACTS

    def provider(self, name: str) -> str | None:
        return FACTS.provider

    def price(self, name: str) -> Price | None:
        return FACTS.price


def planned(rule: dict[str, Any], mode: str) -> Any:
    layers = resolve({"panel": ["a", "b", "c"], "policy": [rule]}, ("fusion/x",), Settings())
    caller = Caller(key_alias="k1", team_id="legal")
    request = Request(model="fusion/x", messages=({"role": "user", "content": SECRET},), caller=caller)
    return plan(layers, request, KnownModels(), Ask(), mode)


@pytest.mark.parametrize("use", ["fuse", "direct"])
def test_line_tells_rule_key_team_and_both_prices_and_no_text(use: str, caplog: pytest.LogCaptureFixture) -> None:
    made = planned({"name": "all", "use": use}, "shadow")
    assert made.decision.use == "direct"
    with caplog.at_level(logging.INFO, logger="litellm_fusion"):
        tell_shadow(made)
    assert SECRET not in caplog.text
    (line,) = shadow.entries([f"INFO:litellm_fusion:{record.getMessage()}" for record in caplog.records])
    assert (line["would"], line["rule"], line["key_alias"], line["team_id"]) == (use, "all", "k1", "legal")
    if use == "fuse":
        assert line["estimated_cost_usd"] > line["direct_cost_usd"] > 0
    else:
        assert line["estimated_cost_usd"] == line["direct_cost_usd"] > 0
    assert json.loads(json.dumps(line)) == line


def test_other_modes_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    for mode in ("auto", "off"):
        with caplog.at_level(logging.INFO, logger="litellm_fusion"):
            tell_shadow(planned({"name": "all", "use": "fuse"}, mode))
    assert not shadow_lines(caplog)


def shadow_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if shadow.MARK in record.getMessage()]
