"""The presets: named defaults for fusion_config, as data. Why each rule is there stands beside it.

Sources: open-ended and researched questions gain from a panel, code, maths and single facts do not (Self-MoA
2502.00674; scaling agent systems 2512.08296; DRACO 2602.11685 with OpenRouter's and TrustedRouter's runs), and for
short checkable answers voting gives what a judge gives at half the cost (2508.17536).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What no preset should do otherwise: requests that a person did not write, tool results and plain refusals of a panel.
_FIRST: tuple[Mapping[str, Any], ...] = (
    {"name": "housekeeping", "when": "task == 'housekeeping'", "use": "direct", "always": True},
    {"name": "agent-steps", "when": "is_tool_turn || forbids_panel || is_retry", "use": "direct"},
    {"name": "nearly-out-of-money", "when": "budget_left_usd < 0.25", "use": "direct"},
    {"name": "asked-for-a-panel", "when": "asks_for_panel", "use": "fuse"},
)
# A hard question with a short checkable answer: several independent tries and a vote, no prose to merge.
_VOTE: Mapping[str, Any] = {
    "name": "checkable",
    "when": "verifiable && difficulty > 0.5",
    "use": {"fuse": {"aggregate": "vote"}},
}
# One right answer or one text to transform: a panel costs four times as much and does not help.
_SINGLE: Mapping[str, Any] = {
    "name": "one-model-suffices",
    "when": "task in ['code', 'math', 'translate', 'extract', 'lookup', 'chat', 'agent'] && stakes < 0.7",
    "use": "direct",
}
_LAST: Mapping[str, Any] = {"name": "otherwise", "use": "direct"}


def _worth(deliberation: float, stakes: float) -> tuple[Mapping[str, Any], ...]:
    return (
        {
            "name": "worth-a-panel",
            "when": f"deliberation > {deliberation} || stakes > {stakes}",
            "use": "fuse",
        },
        # Whoever rejected the last answer has shown that one model's view was not enough.
        {"name": "second-opinion", "when": f"dissatisfied && deliberation > {deliberation - 0.2:.2f}", "use": "fuse"},
        _LAST,
    )


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "general": {"policy": [*_FIRST, _VOTE, _SINGLE, *_worth(0.6, 0.7)]},
    "research": {
        "policy": [*_FIRST, _SINGLE, *_worth(0.5, 0.6)],
        "tools": {"max_calls": 8},
        "limits": {"max_cost_usd": 3.00},
        "judge": {"criteria": "Weigh claims by their sources; a cited minority claim outranks an uncited majority."},
    },
    "code": {
        # Agent loops and code writing stay with one model; reviews, designs and hard decisions about code may fuse.
        "policy": [*_FIRST, _SINGLE, *_worth(0.65, 0.8)],
        "judge": {"criteria": "Correctness first: prefer what compiles, runs and covers the edge cases."},
    },
    "critique": {
        "policy": [*_FIRST, _SINGLE, *_worth(0.45, 0.6)],
        "judge": {"criteria": "Keep every distinct flaw that an answer supports with evidence, however few name it."},
    },
    "economy": {
        "policy": [*_FIRST, _VOTE, _SINGLE, *_worth(0.75, 0.85)],
        "judge": "off",
        "limits": {"max_cost_usd": 0.25},
    },
}
