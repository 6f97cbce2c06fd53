"""One request as the signal readers see it: each view of its messages is computed at most once, when first needed."""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from litellm_fusion.signals.text import is_tool_result, own_words, strings_of, text_of, without_quotations
from litellm_fusion.types import Message, Request

# Accents are folded so that "cual es mejor" and "cuál es mejor" are one phrase; CJK is left as it is.
_FOLD = str.maketrans(
    dict(zip("áàâäãåéèêëíìîïóòôöõúùûüñç", "aaaaaaeeeeiiiiooooouuuunc", strict=True))
    | {"ß": "ss", "œ": "oe", "\u0301": "", "\u0308": ""}
)
_WORD = re.compile(r"\w+")
_CLAUSE = re.compile(r"[.!?;,:\n。！？；，、：]|\bbut\b|\baber\b|\bmais\b|\bpero\b|\bsondern\b|但是|但")


def plain(text: str) -> str:
    """Lower-case words without accents and punctuation, one space between and around them: " what s the best "."""
    return f" {' '.join(_WORD.findall(text.lower().translate(_FOLD)))} "


class Conversation:
    """Views of one request. A view that cannot be read raises, and with it only the signals that need it."""

    def __init__(self, request: Request) -> None:
        self.request = request

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages in order. TypeError when one is not a mapping."""
        if not all(isinstance(message, Mapping) for message in self.request.messages):
            raise TypeError("message")
        return tuple(self.request.messages)

    @cached_property
    def everything(self) -> str:
        """All text of the conversation: system prompts, every turn, tool results and tool call arguments."""
        return "\n".join(text for message in self.messages for text in strings_of(message))

    @cached_property
    def everything_and_tools(self) -> str:
        """`everything`, and what the client's tools say of themselves."""
        described = "\n".join(text for tool in self.request.tools for text in strings_of(tool))
        return f"{self.everything}\n{described}" if described else self.everything

    @cached_property
    def user_turns(self) -> tuple[Message, ...]:
        """The user's own turns, oldest first; tool results in user messages are none."""
        return tuple(m for m in self.messages if m.get("role") == "user" and not is_tool_result(m))

    @cached_property
    def last_user(self) -> str:
        """The text of the last user turn, as sent; "" without one."""
        return text_of(self.user_turns[-1]) if self.user_turns else ""

    @cached_property
    def words(self) -> str:
        """The user's own words in their last turn, without quotations."""
        return without_quotations(own_words(self.last_user))

    @cached_property
    def clauses(self) -> tuple[str, ...]:
        """The clauses of `words`, in lower case, a space before each."""
        return tuple(f" {clause}" for clause in _CLAUSE.split(self.words.lower()))

    @cached_property
    def earlier_words(self) -> str:
        """The user's own words in the turn before the last; "" without one."""
        return without_quotations(own_words(text_of(self.user_turns[-2]))) if len(self.user_turns) > 1 else ""

    @cached_property
    def has_answer(self) -> bool:
        """Whether an assistant message stands before the last user turn."""
        if not self.user_turns:
            return False
        for message in self.messages:
            if message is self.user_turns[-1]:
                return False
            if message.get("role") == "assistant":
                return True
        return False

    @cached_property
    def system(self) -> str:
        """The text of the first system or developer message; "" without one."""
        return next((text_of(m) for m in self.messages if m.get("role") in ("system", "developer")), "")
