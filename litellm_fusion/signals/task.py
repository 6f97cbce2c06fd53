"""What kind of work a request asks for, how hard and grave it is, and whether independent views would help.

A small learned model says it (`model`, trained by `benchmarks/gate/train.py` on prompts written for this project), but
for what is known without one: what UIs and agents send behind the user's back, and the turns of a tool loop. What the
user says about the request itself ("task: research", "this is a simple question") is taken out first: a prompt must not
steer its own routing.
"""

from __future__ import annotations

from dataclasses import dataclass

from litellm_fusion.signals.conversation import Conversation
from litellm_fusion.signals.housekeeping import is_housekeeping
from litellm_fusion.signals.structure import is_tool_turn


@dataclass(frozen=True, slots=True)
class Estimate:
    """The seven signals that go together. All None where there are no words to judge.

    `deliberation` is a probability, calibrated on held-out authors: of the requests with 0.7, a panel is worth its price
    for about seven in ten. `task_confidence` is the model's share for its task. `difficulty` and `stakes` are ordered.
    """

    task: str | None = None
    task_confidence: float | None = None
    domain: str | None = None
    difficulty: float | None = None
    stakes: float | None = None
    deliberation: float | None = None
    verifiable: bool | None = None


HOUSEKEEPING = Estimate("housekeeping", 1.0, "other", 0.0, 0.0, 0.0, False)
_SURE = 0.6
"""Housekeeping is always direct, so the model's word alone must be clear: a user may want a title as well."""
_LOOP_CEILING = 0.05
"""Deliberation of a tool loop's turn: its next step follows from the tool's result."""


def estimate(conversation: Conversation) -> Estimate:
    """What the model says of one request. Nothing but None without a user's words."""
    if is_housekeeping(conversation):
        return HOUSEKEEPING
    # Not at the top: numpy and the weights are read when the first request comes, not when the proxy starts.
    import numpy as np

    from litellm_fusion.signals import features, model

    found = features.of(conversation)
    if found is None:
        return Estimate()
    said = model.load().read(found)
    best = int(said.tasks.argmax())
    if model.TASKS[best] == "housekeeping" and not (said.tasks[best] >= _SURE and _is_framed(conversation)):
        best = int(np.where(np.arange(len(said.tasks)) == best, 0.0, said.tasks).argmax())
    task, confidence, deliberation = model.TASKS[best], float(said.tasks[best]), said.levels["deliberation"]
    if is_tool_turn(conversation):
        task, confidence, deliberation = "agent", 1.0, min(_LOOP_CEILING, deliberation)
    return Estimate(
        task,
        round(confidence, 3),
        model.DOMAINS[int(said.domains.argmax())],
        round(said.levels["difficulty"], 3),
        round(said.levels["stakes"], 3),
        round(deliberation, 3),
        said.levels["verifiable"] > 0.5,
    )


def _is_framed(conversation: Conversation) -> bool:
    """Whether more than a user's first line is there: an errand brings a system prompt, a conversation, or pastes one."""
    return bool(conversation.system) or conversation.has_answer or "\n" in conversation.last_user.strip()
