"""The presets' rules on requests as their signals describe them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest

from litellm_fusion.config import Settings
from litellm_fusion.layers import Layers, resolve
from litellm_fusion.policy import decide
from litellm_fusion.presets import PRESETS
from litellm_fusion.types import UNLIMITED, Signals


def _layers(preset: str) -> Layers:
    return resolve({"panel": ["a", "b", "c"]}, (f"fusion/{preset}",), Settings())


PLAIN = Signals(
    task="explain", task_confidence=0.9, domain="other", difficulty=0.3, stakes=0.1, deliberation=0.2, verifiable=False,
    tokens=50, turns=1, language="en", has_tools=False, is_tool_turn=False, has_images=False, wants_json=False,
    is_followup=False, is_retry=False, dissatisfied=False, pii=(), secrets=(), asks_for_panel=False, forbids_panel=False,
    budget_left_usd=UNLIMITED, tags=(),
)  # fmt: skip
"""An ordinary question: nothing speaks for a panel. Each case changes what it is about."""


@dataclass(frozen=True)
class Case:
    id: str
    preset: str
    signals: dict[str, Any]
    use: str
    rule: str
    ask: Literal["auto", "force", "off"] = "auto"


def _everywhere(name: str, signals: dict[str, Any], use: str, rule: str, ask: Any = "auto") -> list[Case]:
    return [Case(f"{preset}-{name}", preset, signals, use, rule, ask) for preset in PRESETS]


HARD = {"deliberation": 0.95, "stakes": 0.95}
CASES = [
    *_everywhere("plain", {}, "direct", "otherwise"),
    *_everywhere("housekeeping", {"task": "housekeeping", **HARD}, "direct", "housekeeping"),
    *_everywhere("housekeeping-forced", {"task": "housekeeping", **HARD}, "direct", "housekeeping", "force"),
    *_everywhere("plain-forced", {}, "fuse", "request", "force"),
    *_everywhere("tool-turn-forced", {"is_tool_turn": True}, "fuse", "request", "force"),
    *_everywhere("hard-off", HARD, "direct", "request", "off"),
    *_everywhere("tool-turn", {"is_tool_turn": True, **HARD}, "direct", "agent-steps"),
    *_everywhere("forbidden", {"forbids_panel": True, "asks_for_panel": True, **HARD}, "direct", "agent-steps"),
    *_everywhere("retry", {"is_retry": True, **HARD}, "direct", "agent-steps"),
    *_everywhere("no-money", {"budget_left_usd": 0.24, **HARD}, "direct", "nearly-out-of-money"),
    *_everywhere("just-enough-money", {"budget_left_usd": 0.25, "task": "research", **HARD}, "fuse", "worth-a-panel"),
    *_everywhere("asked", {"asks_for_panel": True, "task": "chat"}, "fuse", "asked-for-a-panel"),
    *_everywhere("hard-research", {"task": "research", "deliberation": 0.9}, "fuse", "worth-a-panel"),
    *_everywhere("stakes-alone", {"task": "write", "stakes": 0.9, "deliberation": 0.1}, "direct", "otherwise"),
    *_everywhere("high-stakes-code", {"task": "code", "stakes": 0.9, "deliberation": 0.9}, "direct", "one-model-suffices"),
    *[
        case
        for task in ("code", "math", "translate", "extract", "lookup", "chat", "agent")
        for case in _everywhere(task, {"task": task, "deliberation": 0.95, "stakes": 0.1}, "direct", "one-model-suffices")
    ],
    *[
        Case(f"{preset}-{name}", preset, signals, use, rule)
        for preset in ("general", "economy")
        for name, signals, use, rule in (
            ("checkable", {"task": "math", "verifiable": True, "difficulty": 0.41}, "fuse", "checkable"),
            ("checkable-easy", {"task": "math", "verifiable": True, "difficulty": 0.4}, "direct", "one-model-suffices"),
            ("checkable-dear", {"task": "lookup", "verifiable": True, "stakes": 0.51}, "fuse", "checkable"),
            ("checkable-cheap", {"task": "lookup", "verifiable": True, "stakes": 0.5}, "direct", "one-model-suffices"),
            ("no-vote-on-views", {"task": "decide", "verifiable": True, "difficulty": 0.9, "deliberation": 0.9},
             "fuse", "worth-a-panel"),
            ("hard-but-open", {"task": "math", "verifiable": False, "difficulty": 0.9}, "direct", "one-model-suffices"),
        )
    ],
    *[
        Case(
            f"{preset}-no-vote", preset, {"task": "math", "verifiable": True, "difficulty": 0.9},
            "direct", "one-model-suffices",
        )
        for preset in ("research", "code", "critique")
    ],
    *[
        case
        for preset, deliberation in (
            ("general", 0.5), ("research", 0.35), ("code", 0.6), ("critique", 0.4), ("economy", 0.75),
        )
        for case in (
            Case(f"{preset}-at-deliberation", preset, {"deliberation": deliberation}, "direct", "otherwise"),
            Case(f"{preset}-above-deliberation", preset, {"deliberation": deliberation + 0.01}, "fuse", "worth-a-panel"),
            Case(
                f"{preset}-dear", preset, {"stakes": 0.51, "deliberation": deliberation - 0.14}, "fuse", "high-stakes",
            ),
            Case(
                f"{preset}-not-so-dear", preset, {"stakes": 0.5, "deliberation": deliberation - 0.14},
                "direct", "otherwise",
            ),
            Case(
                f"{preset}-dear-but-closed", preset, {"stakes": 0.9, "deliberation": deliberation - 0.16},
                "direct", "otherwise",
            ),
            Case(
                f"{preset}-dissatisfied", preset, {"dissatisfied": True, "deliberation": deliberation - 0.14},
                "fuse", "second-opinion",
            ),
            Case(
                f"{preset}-dissatisfied-little", preset, {"dissatisfied": True, "deliberation": deliberation - 0.16},
                "direct", "otherwise",
            ),
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_a_preset_decides(case: Case) -> None:
    decision = decide(replace(PLAIN, **case.signals), _layers(case.preset).config.policy, case.ask)
    assert (decision.use, decision.rule) == (case.use, case.rule)
    assert decision.overrides == ({"aggregate": "vote"} if case.rule == "checkable" else {})


def test_the_presets_are_those_of_the_contract() -> None:
    assert set(PRESETS) == {"general", "research", "code", "critique", "economy"}


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_is_a_whole_policy_by_itself(preset: str) -> None:
    config = _layers(preset).config
    assert config.preset == preset
    names = [rule.name for rule in config.policy]
    assert len(names) == len(set(names))
    assert names[0] == "housekeeping"
    assert [rule.name for rule in config.policy if rule.when is None] == ["otherwise"] == names[-1:]
    assert [rule.name for rule in config.policy if rule.always] == ["housekeeping"]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_request_of_which_nothing_is_known_goes_direct(preset: str) -> None:
    decision = decide(Signals(), _layers(preset).config.policy)
    assert (decision.use, decision.rule) == ("direct", "otherwise")


@pytest.mark.parametrize(
    ("preset", "usd"), [("general", 1.0), ("research", 3.0), ("code", 1.0), ("critique", 1.0), ("economy", 0.25)]
)
def test_a_preset_has_its_ceiling(preset: str, usd: float) -> None:
    assert _layers(preset).config.limits.max_cost_usd == usd


def test_only_economy_skips_the_judge() -> None:
    assert [name for name in PRESETS if _layers(name).config.judge == "off"] == ["economy"]
