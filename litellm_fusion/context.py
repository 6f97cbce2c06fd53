"""What the hook hands to the provider: no client can forge it, and no log ever sees it.

It rides on the request's own logging object, which LiteLLM hands to hook and provider alike on every API, and in a
ContextVar for the places that do not get that object. The ContextVar alone is not enough: with
`sse_keepalive_ping_interval_seconds` set, LiteLLM runs the hook in a task of its own and reads a stream outside of it.
This lives in a module of its own because `plugin.py` may be executed twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from litellm_fusion.asks import Ask
from litellm_fusion.config import FusionConfig
from litellm_fusion.layers import Layers
from litellm_fusion.lineup import Lineup
from litellm_fusion.trace import Recorder
from litellm_fusion.types import Api, Caller, Decision


@dataclass(slots=True, weakref_slot=True)
class Plan:
    """One request's decision on its way to the provider, and what became of it.

    `purse` holds the caller's budgets, where the proxy keeps any. `shadow` is what shadow mode logs of it. `resumes` is
    set when LiteLLM is to put the stored turns of a `previous_response_id` before the request's own: how many user turns
    it brings itself. `failure` is the outcome of a run that failed: a retry by LiteLLM's router gets it again, never a
    second panel.
    """

    layers: Layers
    config: FusionConfig
    lineup: Lineup
    decision: Decision
    recorder: Recorder
    api: Api = "chat"
    ask: Ask = field(default_factory=Ask)
    caller: Caller = field(default_factory=Caller)
    private: bool = False
    search_refused: bool = False
    explained: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    forwarded: dict[str, Any] = field(default_factory=dict)
    purse: Any = None
    failure: BaseException | None = None
    resumes: int | None = None


current: ContextVar[Plan | None] = ContextVar("litellm_fusion_plan", default=None)
_ON_LOGGING = "litellm_fusion_plan"
_by_call: WeakValueDictionary[str, Plan] = WeakValueDictionary()
_by_trace: WeakValueDictionary[str, Plan] = WeakValueDictionary()


def remember(plan: Plan | None, data: Mapping[str, Any]) -> None:
    """Hand a plan on with its request; None takes it back."""
    current.set(plan)
    logging = data.get("litellm_logging_obj")
    if logging is not None:
        setattr(logging, _ON_LOGGING, plan)
    if plan is not None:
        _by_trace[plan.recorder.id] = plan
    if plan is not None and isinstance(data.get("litellm_call_id"), str):
        _by_call[data["litellm_call_id"]] = plan


def recall(logging: object) -> Plan | None:
    """The plan that came with a request, by its logging object where there is one."""
    found: Plan | None = getattr(logging, _ON_LOGGING, None)
    return current.get() if found is None else found


def recall_failed(data: Mapping[str, Any]) -> Plan | None:
    """The plan of a request that failed, whose data LiteLLM has taken the logging object out of. Found by LiteLLM's id of
    the call, which a client can choose: good enough to word an error, for nothing else.
    """
    return recall(data.get("litellm_logging_obj")) or _by_call.get(str(data.get("litellm_call_id")))


def recall_logged(trace_id: object) -> Plan | None:
    """The plan behind a call that LiteLLM logs, by the trace's id, as long as the request lives."""
    return _by_trace.get(trace_id) if isinstance(trace_id, str) else None


inside: ContextVar[bool] = ContextVar("litellm_fusion_inside", default=False)
"""True in everything that a fused run calls: a fusion model reached from there is refused."""
