"""What the hook hands to the provider, in a ContextVar: no client can forge it, and no log ever sees it.

LiteLLM calls both in one context (measured on chat, responses and messages, plain and streamed). This lives in a
module of its own because `plugin.py` may be executed twice.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from litellm_fusion.asks import Ask
from litellm_fusion.config import FusionConfig
from litellm_fusion.layers import Layers
from litellm_fusion.lineup import Lineup
from litellm_fusion.trace import Recorder
from litellm_fusion.types import Api, Caller, Decision


@dataclass(slots=True)
class Plan:
    """One request's decision on its way to the provider, and what became of it.

    `failure` is the outcome of a run that failed: a retry by LiteLLM's router gets it again, never a second panel.
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
    explained: dict[str, Any] | None = None
    forwarded: dict[str, Any] = field(default_factory=dict)
    entered: bool = False
    failure: BaseException | None = None


current: ContextVar[Plan | None] = ContextVar("litellm_fusion_plan", default=None)
inside: ContextVar[bool] = ContextVar("litellm_fusion_inside", default=False)
"""True in everything that a fused run calls: a fusion model reached from there is refused."""
