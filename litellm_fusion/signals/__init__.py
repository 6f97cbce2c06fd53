"""Request → Signals. Pure: no network, no model, no tokenizer, nothing kept between two requests.

Each reader gives one signal (or one group) and stands alone: what it cannot read stays None, unknown, and the others
are read all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from litellm_fusion.signals import identity, language, phrases, pii, secrets, structure, task
from litellm_fusion.signals.conversation import Conversation
from litellm_fusion.types import Request, Signals

_log = logging.getLogger(__name__)

Reader = Callable[[Conversation], Any]


def _estimate(conversation: Conversation) -> Mapping[str, Any]:
    estimate = task.estimate(conversation)
    return {field.name: getattr(estimate, field.name) for field in fields(estimate)}


READERS: dict[str, Reader] = {
    "tokens": structure.tokens,
    "turns": structure.turns,
    "has_tools": structure.has_tools,
    "is_tool_turn": structure.is_tool_turn,
    "has_images": structure.has_images,
    "wants_json": structure.wants_json,
    "is_followup": structure.is_followup,
    "is_retry": structure.is_retry,
    "language": language.language,
    "pii": lambda conversation: pii.kinds(conversation.everything),
    "secrets": lambda conversation: secrets.kinds(conversation.everything_and_tools),
    "asks_for_panel": phrases.asks_for_panel,
    "forbids_panel": phrases.forbids_panel,
    "dissatisfied": phrases.dissatisfied,
    "budget_left_usd": identity.budget_left_usd,
    "tags": identity.tags,
    "key_alias": identity.key_alias,
    "team_id": identity.team_id,
    "user_id": identity.user_id,
    "preset": identity.preset,
}
GROUPS: tuple[Callable[[Conversation], Mapping[str, Any]], ...] = (_estimate,)
"""Readers of several signals at once: name → value."""


def read(request: Request) -> Signals:
    """The facts of one request. Never raises; a signal that could not be read is None.

    PII and secrets are sought in all text of the conversation, tool results and arguments included, secrets also in the
    client's tool descriptions. What the user wants is read from their last turn. Images and files are not looked into.
    """
    conversation = Conversation(request)
    values: dict[str, Any] = {}
    for name, reader in READERS.items():
        values[name] = _safely(name, reader, conversation)
    for group in GROUPS:
        values |= _safely("task", group, conversation) or {}
    return Signals(**values)


def _safely(name: str, reader: Reader, conversation: Conversation) -> Any:
    try:
        return reader(conversation)
    except Exception as error:  # any failure of a reader leaves its signal unknown
        # The type only: a message may quote the user's text.
        _log.debug("signal %s could not be read: %s", name, type(error).__name__)
        return None
