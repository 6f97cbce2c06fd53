"""Request → Plan: signals, policy, who takes part. Nothing is spent here, and nothing here may fail a request."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from litellm_fusion import policy, signals
from litellm_fusion.asks import Ask
from litellm_fusion.config import AUTO, FusionConfig
from litellm_fusion.context import Plan
from litellm_fusion.errors import ConfigInvalid, origin
from litellm_fusion.estimate import estimate
from litellm_fusion.layers import Layers
from litellm_fusion.lineup import Lineup, line_up, only
from litellm_fusion.models import Models
from litellm_fusion.params import offered
from litellm_fusion.thinking import loop_start
from litellm_fusion.trace import Recorder
from litellm_fusion.types import Decision, Request, Signals

log = logging.getLogger("litellm_fusion")
STREAMED_SECONDS, PLAIN_SECONDS = 540.0, 290.0


def plan(
    layers: Layers, request: Request, models: Models, ask: Ask, mode: str, *, elsewhere: bool = False,
    again: tuple[Recorder, Signals] | None = None,
) -> Plan:  # fmt: skip
    """The decision for one request, with everything that a run of it needs. `elsewhere`: the turns before it are kept by
    a direct model's provider, and only it can go on. `again` decides a second time, in the same trace and on these signals.
    """
    config = layers.changed(ask.overrides)
    request = replace(request, preset=config.preset)
    recorder = again[0] if again else Recorder(model=request.model, preset=config.preset, ignored=ask.ignored)
    read, decision = _decide(config, request, ask, recorder, again[1] if again else None)
    if decision.use == "fuse" and decision.overrides:
        config, decision = _ruled(layers, ask, config, decision, recorder)
    wanted = decision
    if mode != AUTO and decision.use == "fuse":
        decision = replace(decision, use="direct", reason=f"mode {mode}; would have fused: {decision.reason}", model=None)
    if decision.use == "fuse" and request.api == "completions":
        decision = replace(decision, use="direct", rule="api", reason="this API is served by one model", model=None)
    if decision.use == "fuse" and elsewhere:
        why = "the turns before are kept by the model that answered them directly"
        decision = replace(decision, use="direct", rule="previous-response", reason=why, model=None)
    recorder.decided(decision, read)
    recorder.limits = {**config.limits.model_dump(), "deadline_seconds": _deadline(layers, config, ask, request)}
    lineup = line_up(config, models.provider)
    private = bool(config.trusted_models) and sensitive(read)
    if private:
        lineup = only(lineup, frozenset(config.trusted_models))
    lineup = replace(lineup, direct=_direct(lineup, config, decision, request, private=private))
    made = Plan(layers, config, lineup, decision, recorder, request.api, ask, request.caller, private)
    if mode == "shadow":
        made.shadow = _shadow(made, wanted, request, models)
    return made


def _deadline(layers: Layers, config: FusionConfig, ask: Ask, request: Request) -> float | None:
    """The request's deadline in seconds: plain clients give up sooner than streaming ones. A request's own wish goes
    down only, from the derived one too.
    """
    derived = STREAMED_SECONDS if request.stream else PLAIN_SECONDS
    own = config.limits.deadline_seconds
    if own == AUTO:
        return derived
    asked = "deadline_seconds" in ask.overrides.get("limits", {})
    bounded = asked and layers.config.limits.deadline_seconds == AUTO
    return derived if bounded and (own is None or own > derived) else own


def _decide(
    config: FusionConfig, request: Request, ask: Ask, recorder: Recorder, known: Signals | None
) -> tuple[Signals, Decision]:
    """Signals and decision. Whatever goes wrong here makes the request direct, with the error in trace and log."""
    wish = ask.mode if ask.mode in ("force", "off") else "auto"
    read = known or Signals()
    try:
        read = known or signals.read(request)
        return read, policy.decide(read, config.policy, wish)
    except Exception as error:
        log.error("fusion.decide failed, the request goes direct: %s", origin(error))
        recorder.step("policy", "failed", type(error).__name__)
        return read, Decision("direct", "error", "deciding failed")


def _ruled(
    layers: Layers, ask: Ask, config: FusionConfig, decision: Decision, recorder: Recorder
) -> tuple[FusionConfig, Decision]:
    """The config with the rule's own overrides below the request's."""
    try:
        both: dict[str, Any] = dict(decision.overrides)
        for key, value in ask.overrides.items():
            below = both.get(key)
            both[key] = {**below, **value} if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        return layers.changed(both), decision
    except ConfigInvalid as error:
        log.error("fusion.rule %s can't be used: %s", decision.rule, "; ".join(error.problems))
        recorder.step("policy", "failed", "the rule's overrides don't fit")
        return config, replace(decision, use="direct", reason="the rule's overrides don't fit", overrides={})


def sensitive(read: Signals) -> bool:
    """Whether a request's text is sensitive. Unknown counts as sensitive: a detector that failed opens no door."""
    return read.pii is None or read.secrets is None or bool(read.pii or read.secrets)


def _direct(lineup: Lineup, config: FusionConfig, decision: Decision, request: Request, *, private: bool) -> str:
    """Who answers if the request does not fuse: the rule's model; with client tools, or inside a tool loop, the
    synthesizer, so that the loop has one model on every turn; else the direct model.
    """
    if decision.use == "direct" and decision.model and (not private or decision.model in config.trusted_models):
        return decision.model
    agent = bool(offered(request)) or loop_start(request.messages) < len(request.messages)
    if agent and lineup.synthesizers:
        return lineup.synthesizers[0]
    return lineup.direct


def tell_shadow(made: Plan) -> None:
    """Log what shadow mode found of one request that is really served; nothing in other modes."""
    if made.shadow is not None:
        log.info("fusion.shadow %s", json.dumps(made.shadow))


def _shadow(made: Plan, wanted: Decision, request: Request, models: Models) -> dict[str, Any]:
    """The line for `litellm-fusion shadow-report`: who would have gone which way, and the price of both. Never text."""
    told = estimate(made.config, made.lineup, wanted, request, models)
    return {
        "model": made.recorder.model, "would": wanted.use, "rule": wanted.rule,
        "key_alias": request.caller.key_alias, "team_id": request.caller.team_id,
        "estimated_cost_usd": told.estimated_cost_usd, "worst_case_cost_usd": told.worst_case_cost_usd,
        "direct_cost_usd": told.direct_cost_usd,
    }  # fmt: skip
