"""Who asks, for rules: LiteLLM's own facts about the caller, handed through."""

from __future__ import annotations

from litellm_fusion.signals.conversation import Conversation


def budget_left_usd(conversation: Conversation) -> float | None:
    """US dollars left to the caller; infinite without a budget, None when unread."""
    return conversation.request.caller.budget_left_usd


def tags(conversation: Conversation) -> tuple[str, ...]:
    """The request's tags."""
    return tuple(conversation.request.caller.tags)


def key_alias(conversation: Conversation) -> str | None:
    """The key's alias; None without one."""
    return conversation.request.caller.key_alias


def team_id(conversation: Conversation) -> str | None:
    """The team's id; None without one."""
    return conversation.request.caller.team_id


def user_id(conversation: Conversation) -> str | None:
    """The user's id; None without one."""
    return conversation.request.caller.user_id


def preset(conversation: Conversation) -> str:
    """The fusion model's preset."""
    return conversation.request.preset
