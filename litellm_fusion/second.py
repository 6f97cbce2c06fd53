"""A second opinion on a request: another model of the same proxy says whether a panel is worth it, where the local one is
in doubt.

Rules that this file owns:
1. It is asked only where its word can change the decision: not for what a request or an operator has decided, not inside
   a tool loop, not for what UIs send behind the user's back, and with `when: uncertain` only between UNCERTAIN.
2. Sensitive text goes to it only if it is a trusted model; what could not be read is sensitive.
3. It fails open: whatever goes wrong, the local verdict stands, and the ladder says why.
4. Its call passes the one door to LiteLLM like every other: on the caller's key, in the trace, under the limits.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from typing import Any

import json_repair

from litellm_fusion import policy, prompts
from litellm_fusion.client import Client, Identity, Purse
from litellm_fusion.config import AUTO
from litellm_fusion.context import Plan, inside
from litellm_fusion.errors import CallFailed, LimitExceeded, origin
from litellm_fusion.limits import Meter
from litellm_fusion.models import Models
from litellm_fusion.planning import sensitive
from litellm_fusion.types import Call, Request, Signals

log = logging.getLogger("litellm_fusion")
UNCERTAIN = (0.25, 0.75)
"""Where the local model is in doubt: of the requests that it gives 0.25 about one in four is worth a panel."""
ANSWER_TOKENS = 1_000
"""Room for a model that thinks before it says a number."""
_ERRANDS = ("housekeeping", "agent")


def worth_asking(plan: Plan, request: Request, mode: str) -> bool:
    """Whether this request's plan should be put to its classifier. `mode` is the operator's."""
    own, read = plan.config.classifier, plan.recorder.signals
    if own is None or read.deliberation is None:
        return False
    if mode == "off" or plan.ask.mode in ("force", "off") or request.api == "completions":
        return False
    if read.is_tool_turn or read.task in _ERRANDS:
        return False
    if sensitive(read) and own.model not in plan.config.trusted_models:
        return False
    if own.when == "uncertain" and not UNCERTAIN[0] <= read.deliberation <= UNCERTAIN[1]:
        return False
    rules = plan.layers.changed(plan.ask.overrides).policy
    no, yes = (policy.decide(replace(read, deliberation=value), rules) for value in (0.0, 1.0))
    return (no.use, no.rule) != (yes.use, yes.rule)


async def opinion(plan: Plan, request: Request, router: Any, identity: Identity, purse: Purse | None) -> Signals | None:
    """The signals with the classifier's word for `deliberation`, or None when it gave none. Never raises."""
    own, read = plan.config.classifier, plan.recorder.signals
    if own is None:
        return None
    token = inside.set(True)
    try:
        said = await _asked(plan, request, router, identity, purse)
    except (CallFailed, LimitExceeded) as error:
        why = error.kind if isinstance(error, CallFailed) else error.limit
        plan.recorder.step("policy", "no_second_opinion", f"{own.model}: {why}")
        return None
    except Exception as error:
        log.error("fusion.second_opinion failed: %s", origin(error))
        plan.recorder.step("policy", "no_second_opinion", type(error).__name__)
        return None
    finally:
        inside.reset(token)
    if said is None:
        plan.recorder.step("policy", "no_second_opinion", f"{own.model}: no number in its answer")
        return None
    plan.recorder.step("policy", "second_opinion", f"{own.model}: deliberation {said:.2f}, {read.deliberation:.2f} by itself")
    return replace(read, deliberation=said)


async def _asked(plan: Plan, request: Request, router: Any, identity: Identity, purse: Purse | None) -> float | None:
    own = plan.config.classifier
    assert own is not None  # noqa: S101 - its caller has looked
    limits, budget = plan.config.limits, plan.caller.budget_left_usd
    meter = Meter(
        max_cost_usd=limits.max_cost_usd, budget_left_usd=budget, deadline_seconds=None,
        refuse_unknown_price=plan.layers.ceiling_written,
    )  # fmt: skip
    client = Client(router, Models(router), meter, plan.recorder, identity, private=plan.private, purse=purse)
    facts = client.models.facts(own.model)
    params: dict[str, Any] = {"temperature": 0, "drop_params": True}
    if facts is not None and facts.schema:
        params["response_format"] = prompts.CLASSIFIER_FORMAT
    messages = prompts.classifier_messages(request.messages, secrets.token_hex(8))
    completion = await client.complete(Call(
        "classifier", own.model, messages, params,
        timeout_seconds=own.timeout_seconds, max_completion_tokens=ANSWER_TOKENS,
    ))  # fmt: skip
    return read_number(completion.text)


def read_number(text: str) -> float | None:
    """The deliberation in a classifier's reply, or None."""
    start = text.find("{")
    try:
        found = json_repair.loads(text[start:]) if start >= 0 else None
    except (RecursionError, ValueError):  # nested without end, or numbers of absurd length
        return None
    value = found.get("deliberation") if isinstance(found, dict) else None
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0
    return float(value) if usable else None  # type: ignore[arg-type]


def pending(plan: Plan, request: Request, mode: str = AUTO) -> dict[str, Any] | None:
    """For an explanation: which model would be asked too, and whether for this request. None without a classifier."""
    own = plan.config.classifier
    return None if own is None else {"model": own.model, "would_be_asked": worth_asking(plan, request, mode)}
