"""Making texts fit: token estimates, and cutting the longest answers in the middle until everything has room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from litellm_fusion.types import Answer, Message

BYTES_PER_TOKEN = 3.5
"""A careful estimate for windows: English has about 4 bytes a token, Chinese about 3, code less."""
IMAGE_TOKENS = 1_000
_MEDIA = {
    "image_url": "image", "image": "image", "input_image": "image", "file": "pdf", "input_file": "pdf", "document": "pdf",
    "input_audio": "audio", "audio": "audio",
}  # fmt: skip
MEDIA = {"image": "an image", "pdf": "a file", "audio": "a recording"}
"""What messages carry besides text, and what a reader who can't take it is told instead."""
_MARK = "\n[… {n} characters left out …]\n"
_MARK_CHARS = len(_MARK.format(n=10**9))
_LEAST = 400


def tokens_of(text: str) -> int:
    """An estimate, on the high side, of a text's tokens."""
    return int((len(text) if text.isascii() else len(text.encode("utf-8", "replace"))) / BYTES_PER_TOKEN) + 1


def text_of(message: Message) -> str:
    """The text of one message: its content, or the text parts of it."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Iterable):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def has_image(message: Message) -> bool:
    """Whether a message carries an image."""
    return "image" in media(message)


def medium(part: object) -> str | None:
    """What a part of a message is besides text: `image`, `pdf` (any file), `audio`, or None."""
    return _MEDIA.get(str(part.get("type"))) if isinstance(part, dict) else None


def media(message: Message) -> frozenset[str]:
    """What a message carries besides text."""
    content = message.get("content")
    parts = content if isinstance(content, list | tuple) else ()
    return frozenset(found for part in parts if (found := medium(part)))


def readable(messages: Sequence[Message], unreadable: frozenset[str]) -> tuple[Message, ...]:
    """The messages with a line of text in place of each part that the reader is known not to take."""
    if not unreadable:
        return tuple(messages)
    return tuple(_readable(message, unreadable) if media(message) & unreadable else message for message in messages)


def _readable(message: Message, unreadable: frozenset[str]) -> Message:
    parts = [
        {"type": "text", "text": f"[{MEDIA[kind]}]"} if (kind := medium(part)) in unreadable and kind else part
        for part in message["content"]
    ]
    return {**message, "content": parts}


def conversation_tokens(messages: Sequence[Message], tools: Sequence[Any] = ()) -> int:
    """An estimate of what a conversation takes in a prompt, images and tool descriptions counted."""
    total = sum(tokens_of(str(tool)) for tool in tools)
    for message in messages:
        total += tokens_of(text_of(message)) + 4 + IMAGE_TOKENS * len(media(message))
        total += sum(tokens_of(str(call)) for call in calls_of(message))
    return total


def calls_of(message: Message) -> tuple[Any, ...]:
    """The tool calls of one message; a client may send anything there."""
    calls = message.get("tool_calls")
    return tuple(calls) if isinstance(calls, list | tuple) else ()


def cut(text: str, chars: int) -> str:
    """The text with its middle left out, marked, so that about `chars` characters remain."""
    if len(text) <= chars:
        return text
    keep = max(chars, 40)
    head = keep * 2 // 3
    mark = _MARK.format(n=len(text) - keep)
    return text[:head] + mark + text[len(text) - (keep - head) :]


def fitted(answers: Sequence[Answer], chars: int) -> tuple[str, ...] | None:
    """The answers' texts, the longest cut first, so that together they take at most `chars` characters.

    None when not even `_LEAST` characters each would fit.
    """
    texts = [answer.text for answer in answers]
    if sum(map(len, texts)) <= chars:
        return tuple(texts)
    if chars < _LEAST * len(texts):
        return None
    bound = _level([len(text) for text in texts], chars - len(texts) * _MARK_CHARS)
    return tuple(cut(text, bound) if len(text) > bound else text for text in texts)


def _level(lengths: Sequence[int], total: int) -> int:
    """The length to which the longest are cut so that all together take at most `total`."""
    rest, left = total, len(lengths)
    for length in sorted(lengths):
        if length * left >= rest:
            break
        rest -= length
        left -= 1
    return max(rest // max(left, 1), 1)


def recent(messages: Sequence[Message], chars: int) -> tuple[tuple[Message, ...], int]:
    """The newest messages whose text fits into `chars`, and how many older ones were left out. The system prompt
    stays, the last message always does.
    """
    first = 1 if messages and messages[0].get("role") in ("system", "developer") else 0
    kept: list[Message] = []
    used = sum(len(text_of(message)) for message in messages[:first])
    for message in reversed(messages[first:]):
        used += len(text_of(message))
        if kept and used > chars:
            break
        kept.append(message)
    left_out = len(messages) - first - len(kept)
    return (*messages[:first], *reversed(kept)), left_out
