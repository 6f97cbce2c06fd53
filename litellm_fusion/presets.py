"""The presets: named defaults for fusion_config, as data. Why each rule is there stands beside it.

Sources: open-ended and researched questions gain from a panel, code, maths and single facts do not (Self-MoA
2502.00674; scaling agent systems 2512.08296; DRACO 2602.11685 with OpenRouter's and TrustedRouter's runs), and for
short checkable answers voting gives what a judge gives at half the cost (2508.17536). The thresholds are read off the
gate's held-out prompts (benchmarks/README.md): recall is the share of prompts worth a panel that a threshold lets
through, false fuses the share of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FIRST: tuple[Mapping[str, Any], ...] = (
    # What a person did not write is nobody's question; `always`, as a client's own `force` does not know of it.
    {"name": "housekeeping", "when": "task == 'housekeeping'", "use": "direct", "always": True},
    # The next step of a loop follows from the last (up to -70 % on sequential work, 2512.08296); a refused panel and the
    # same words again speak for themselves.
    {"name": "agent-steps", "when": "is_tool_turn || forbids_panel || is_retry", "use": "direct"},
    # A panel that ends for lack of money has cost what it cost and answers nothing.
    {"name": "nearly-out-of-money", "when": "budget_left_usd < 0.25", "use": "direct"},
    {"name": "asked-for-a-panel", "when": "asks_for_panel", "use": "fuse"},
)
# A short checkable answer that is hard, or dear to get wrong: several independent tries and a vote, no prose to merge
# (2508.17536). Nine in ten of the trivial sums stay at or below this difficulty, and of what passes
# 88 % has a checkable answer; a decision is not voted on.
_VOTE: Mapping[str, Any] = {
    "name": "checkable",
    "when": "verifiable && deliberation < 0.5 && (difficulty > 0.4 || stakes > 0.5)",
    "use": {"fuse": {"aggregate": "vote"}},
}
# One right answer, or one text to transform: synthesis does not help and may wash the right answer out (one fact: 87
# alone, 63 fused, TrustedRouter; code: SWE-bench Verified, 2512.08296). Whatever is at stake: more prose is no safer.
_SINGLE: Mapping[str, Any] = {
    "name": "one-model-suffices",
    "when": "task in ['code', 'math', 'translate', 'extract', 'lookup', 'chat', 'agent']",
    "use": "direct",
}
_LAST: Mapping[str, Any] = {"name": "otherwise", "use": "direct"}
RAISED = 0.15
"""How much less likely a panel's worth may be where a wrong answer is dear, or the last one was rejected."""


def _worth(deliberation: float) -> tuple[Mapping[str, Any], ...]:
    raised = f"{deliberation - RAISED:.2f}"
    return (
        {"name": "worth-a-panel", "when": f"deliberation > {deliberation}", "use": "fuse"},
        # Stakes alone ask for care, not for views (a letter of notice is one text); they tip what is nearly worth it. Above
        # 0.5 stand 41 % of the prompts labelled dear and 3 % of the harmless.
        {"name": "high-stakes", "when": f"stakes > 0.5 && deliberation > {raised}", "use": "fuse"},
        # Whoever rejected the last answer has shown that one model's view was not enough.
        {"name": "second-opinion", "when": f"dissatisfied && deliberation > {raised}", "use": "fuse"},
        _LAST,
    )


PRESETS: Mapping[str, Mapping[str, Any]] = {
    # More likely than not worth it: recall 0.86 at 0.06 false fuses.
    "general": {"policy": [*_FIRST, _VOTE, _SINGLE, *_worth(0.5)]},
    "research": {
        # Whoever picks it expects a panel: recall 0.92 at 0.12 false fuses. No vote: its answers are texts.
        "policy": [*_FIRST, _SINGLE, *_worth(0.35)],
        "tools": {"max_calls": 8},
        "limits": {"max_cost_usd": 3.00},
        "judge": {"criteria": "Weigh claims by their sources; a cited minority claim outranks an uncited majority."},
    },
    "code": {
        # Agent loops and code writing stay with one model; reviews, designs and hard decisions about code may fuse.
        # Most of its traffic is direct, so fewer of the fused ones are worth it: recall 0.80 at 0.04 false fuses.
        "policy": [*_FIRST, _SINGLE, *_worth(0.6)],
        "judge": {"criteria": "Correctness first: prefer what compiles, runs and covers the edge cases."},
    },
    "critique": {
        # Missing a flaw costs more than a panel: recall 0.90 at 0.10 false fuses.
        "policy": [*_FIRST, _SINGLE, *_worth(0.4)],
        "judge": {"criteria": "Keep every distinct flaw that an answer supports with evidence, however few name it."},
    },
    "economy": {
        # Only what is surely worth it: precision 0.97, recall 0.67 at 0.02 false fuses.
        "policy": [*_FIRST, _VOTE, _SINGLE, *_worth(0.75)],
        "judge": "off",
        "limits": {"max_cost_usd": 0.25},
    },
}
