"""(Signals, rules) → Decision. Pure: no model is asked, nothing is spent.

This file owns the rules of deciding:
1. Rules are tried in order and the first match wins; none is a direct request.
2. A rule whose expression meets an unknown signal does not match, unless it says `on_unknown: match`. "Meets" is
   CEL's own three-valued logic: `true || unknown` is true, `false && unknown` is false.
3. A request's own `force` or `off` is a rule after those marked `always` and before the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from litellm_fusion.conditions import NAMES
from litellm_fusion.config import Rule
from litellm_fusion.types import Decision, RuleOutcome, Signals


def known(signals: Signals) -> dict[str, Any]:
    """The signals that were read, as CEL values (lists for tuples). Those of no value (no team, ...) are empty text."""
    values: dict[str, Any] = {}
    for name in NAMES:
        value = getattr(signals, name)
        if value is None and name in ("key_alias", "team_id", "user_id"):
            value = ""
        if value is not None:
            values[name] = list(value) if isinstance(value, tuple) else value
    return values


def decide(signals: Signals, rules: Iterable[Rule], ask: Literal["auto", "force", "off"] = "auto") -> Decision:
    """The first rule that matches, with the outcome of every rule. `ask` is the request's own wish."""
    values = known(signals)
    ordered = tuple(rules)
    if ask != "auto":
        always = tuple(rule for rule in ordered if rule.always)
        decision = _first(always, values)
        rest = tuple(RuleOutcome(rule.name, "not_reached") for rule in ordered if not rule.always)
        if any(outcome.outcome == "matched" for outcome in decision.outcomes):
            return replace(decision, outcomes=decision.outcomes + rest)
        reason = f"the request says mode: {ask}"
        outcomes = (*decision.outcomes, RuleOutcome("request", "matched", reason))
        return Decision("fuse" if ask == "force" else "direct", "request", reason, outcomes=outcomes + rest)
    return _first(ordered, values)


def _first(rules: tuple[Rule, ...], values: Mapping[str, Any]) -> Decision:
    decision = Decision("direct", "none", "no rule matched")
    outcomes: list[RuleOutcome] = []
    for position, rule in enumerate(rules):
        held = True if rule.when is None else rule.when.holds(values)
        if held or (held is None and rule.on_unknown == "match"):
            reason = _reason(rule, values, held)
            use = rule.use
            decision = Decision(use.do, rule.name, reason, use.model, use.overrides, use.message)
            outcomes.append(RuleOutcome(rule.name, "matched", reason))
            outcomes += [RuleOutcome(later.name, "not_reached") for later in rules[position + 1 :]]
            break
        outcomes.append(RuleOutcome(rule.name, "unknown" if held is None else "not_matched"))
    return replace(decision, outcomes=tuple(outcomes))


def _reason(rule: Rule, values: Mapping[str, Any], held: bool | None) -> str:
    if rule.when is None:
        return "no rule before it matched"
    if held is None:
        return "a signal that it needs is unknown"
    return rule.when.why(values)
