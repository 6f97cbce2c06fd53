"""What fusion would do with a request, as JSON: signals, every rule with its outcome, decision, calls, cost.

Nothing is asked and nothing is spent: prices and abilities are what LiteLLM knows of the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from litellm_fusion import planning, second
from litellm_fusion.asks import Ask
from litellm_fusion.conditions import HIDDEN
from litellm_fusion.config import AUTO
from litellm_fusion.estimate import EXPECTED_TOKENS, estimate
from litellm_fusion.layers import Layers
from litellm_fusion.models import Models
from litellm_fusion.trace import signal_values
from litellm_fusion.types import Request


def explain(
    layers: Layers,
    request: Request,
    models: Models,
    ask_mode: Literal["auto", "force", "off"] = "auto",
    overrides: Mapping[str, Any] | None = None,
    *,
    mode: str = AUTO,
    for_operator: bool = False,
) -> dict[str, Any]:
    """The explanation as plain JSON values; money is US dollars, null where a price is unknown.

    `ask_mode` and `overrides` are the request's wishes, already checked; `mode` is the operator's. Signals about who
    asks, their budget and what their text gives away are left out unless `for_operator`.
    """
    plan = planning.plan(layers, request, models, Ask(ask_mode, dict(overrides or {})), mode)
    decision, config = plan.decision, plan.config
    told = estimate(config, plan.lineup, decision, request, models)
    signals = signal_values(plan.recorder.signals)
    whens = {rule.name: None if rule.when is None else rule.when.source for rule in config.policy}
    return {
        "model": request.model,
        "preset": config.preset,
        "mode": {"operator": mode, "request": ask_mode},
        "signals": {name: value for name, value in signals.items() if for_operator or name not in HIDDEN},
        "rules": [
            {"rule": item.rule, "outcome": item.outcome, "why": item.why or None}
            | ({"when": whens.get(item.rule)} if for_operator else {})
            for item in decision.outcomes
        ],
        "decision": {
            "use": decision.use,
            "rule": decision.rule,
            "reason": decision.reason,
            "model": plan.lineup.direct if decision.use == "direct" else None,
            "aggregate": config.aggregate if decision.use == "fuse" else None,
            "message": decision.message or None,
        },
        "second_opinion": second.pending(plan, request, mode),
        "calls": [_rounded(asdict(call)) for call in told.calls],
        "left_out": [{"model": model, "why": why} for model, why in told.left_out],
        "estimated_cost_usd": _money(told.estimated_cost_usd),
        "worst_case_cost_usd": _money(told.worst_case_cost_usd),
        "direct_cost_usd": _money(told.direct_cost_usd),
        "assumed_completion_tokens": EXPECTED_TOKENS,
        "limits": dict(plan.recorder.limits),
    }


def _rounded(call: dict[str, Any]) -> dict[str, Any]:
    return {key: _money(value) if key.endswith("_usd") else value for key, value in call.items()}


def _money(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
