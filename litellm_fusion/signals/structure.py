"""What the shape of a request says: its size, its turns, its tools, its images, and whether it repeats or refers "
"back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from litellm_fusion.signals.conversation import Conversation, plain
from litellm_fusion.signals.text import LONG, is_tool_result, text_of
from litellm_fusion.types import Message

__all__ = [
    "has_images", "has_tools", "is_followup", "is_retry", "is_tool_turn", "text_of", "tokens", "turns", "wants_json",
]  # fmt: skip

CHARS_PER_TOKEN = 4.0
"""ASCII text. Other alphabets take about half of it, Chinese, Japanese and Korean about one token a character."""
MESSAGE_TOKENS = 4
IMAGE_TOKENS = 800
"""A medium image; providers charge from 85 to some 1600."""

FOLLOWUP_CHARS = 240
"""A longer turn states its question by itself."""

_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+")
_IMAGE_TYPES = frozenset({"image_url", "image", "input_image"})
_REFERS_BACK = re.compile(
    r" (?:it|its|that|this|these|those|they|them|one|ones|above|same|again|instead|former|latter|previous|earlier|"
    r"shorter|longer|more|else|another|first|second|last|you said|your answer|das|dies|diese[rsn]?|davon|dazu|"
    r"dabei|stattdessen|oben|ca|cela|celui|celle|ceux|precedent|eso|esto|esa|ese|anterior|otra vez) "
)
_OPENS_BACK = re.compile(
    r" (?:and|but|so|then|also|or|why|how so|what about|how about|what if|und|aber|also|warum|wieso|was ist mit|et"
    r"|mais|"
    r"pourquoi|alors|y|pero|por que|entonces|continue|go on|weiter|continua|sigue) "
)
_CJK_BACK = re.compile("^(?:那|那么|所以|但是|可是|为什么|继续|还有|再|这|它|それ|これ|その|じゃあ|では|でも|なぜ|もっと|続け)")
_BACKWARD_WORDS = 4
"""So few words after an answer can only be understood through it ("in German?")."""

# Said again, these move a conversation on; they do not ask the same thing twice.
_GOING_ON = frozenset({
    "continue", "go on", "next", "more", "yes", "no", "ok", "okay", "thanks", "thank you", "weiter", "ja", "nein",
    "danke", "oui", "non", "merci", "si", "gracias", "继续", "好", "好的", "是", "続けて", "はい",
})  # fmt: skip
_REGENERATE = re.compile(
    r" (?:please )?(?:regenerate|retry|try again|again|redo|do it again|answer again|regenerate (?:the |your |this )?"
    r"(?:response|answer)|nochmal|noch mal|noch einmal|versuch s nochmal|reessaie|recommence|otra vez|intentalo de "
    r"nuevo|"
    r"重新生成|再试一次|重试|もう一度|再生成)(?: please| bitte)? "
)
_POLITE = frozenset({"please", "again", "bitte", "nochmal", "por", "favor", "de", "nuevo", "encore"})
_TURNING = frozenset({"not", "no", "without", "nicht", "kein", "keine", "ohne", "pas", "sans", "sin"})
_NEAR_WORDS = 12
"""Near-equality is judged from this many words on; below it one word can turn the meaning."""


def tokens(conversation: Conversation) -> int:
    """The size of the whole conversation, estimated from its characters without a tokenizer. A few percent to 30 % "
    "off."""
    text = conversation.everything
    count = MESSAGE_TOKENS * len(conversation.messages) + IMAGE_TOKENS * _images(conversation)
    if text.isascii():
        return count + round(len(text) / CHARS_PER_TOKEN)
    ascii_chars = len(text.encode("ascii", "ignore"))
    cjk_chars = sum(len(run) for run in _CJK.findall(text))
    other_chars = len(text) - ascii_chars - cjk_chars
    return count + round(ascii_chars / CHARS_PER_TOKEN + cjk_chars + other_chars * 2 / CHARS_PER_TOKEN)


def turns(conversation: Conversation) -> int:
    """How many turns the user has taken; tool results are none."""
    return len(conversation.user_turns)


def has_tools(conversation: Conversation) -> bool:
    """Whether the client brings tools of its own."""
    params = conversation.request.params
    return len(conversation.request.tools) > 0 or bool(params.get("tools")) or bool(params.get("functions"))


def is_tool_turn(conversation: Conversation) -> bool:
    """Whether the request continues a tool loop: its last message is a tool result (reminders behind it aside)."""
    for message in reversed(conversation.messages):
        if message.get("role") not in ("system", "developer"):
            return is_tool_result(message)
    return False


def has_images(conversation: Conversation) -> bool:
    """Whether an image stands anywhere in the conversation, tool results included."""
    return _images(conversation) > 0


def wants_json(conversation: Conversation) -> bool:
    """Whether the client asks for JSON by parameter: `response_format`, or `text.format` of the Responses API.

    A schema class in place of a mapping (the SDK takes one) counts too.
    """
    params = conversation.request.params
    wanted = params.get("response_format")
    if wanted is None:
        text = params.get("text")
        wanted = text.get("format") if isinstance(text, Mapping) else None
    if wanted is None or isinstance(wanted, type):
        return wanted is not None
    kind = wanted if isinstance(wanted, str) else wanted["type"]
    return kind in ("json_object", "json_schema", "json")


def is_followup(conversation: Conversation) -> bool:
    """Whether the last turn leans on the answer before it: short, and referring back or too short to stand alone."""
    words = conversation.words
    if not conversation.has_answer or not words or len(words) > FOLLOWUP_CHARS:
        return False
    if _CJK.match(words):
        return len(words) <= 2 * _BACKWARD_WORDS or _CJK_BACK.match(words) is not None
    text = plain(words)
    if len(text.split()) <= _BACKWARD_WORDS:
        return True
    return _OPENS_BACK.match(text) is not None or _REFERS_BACK.search(text) is not None


def is_retry(conversation: Conversation) -> bool:
    """Whether the last turn asks an earlier one again: the same words, nearly the same, or a bare "regenerate"."""
    text = conversation.last_user
    last = plain(text[: FOLLOWUP_CHARS * 2]).strip()
    if not last or (len(text) <= FOLLOWUP_CHARS and last in _GOING_ON):
        return False
    if conversation.has_answer and len(text) <= FOLLOWUP_CHARS and _REGENERATE.fullmatch(f" {last} "):
        return True
    # The latest turns are where a retry stands; a long history is not worth the time.
    return any(_same(conversation.user_turns[-1], earlier) for earlier in conversation.user_turns[-9:-1])


def _same(message: Message, other: Message) -> bool:
    one, two = text_of(message), text_of(other)
    if _images_in(message.get("content"), 0) and message.get("content") != other.get("content"):
        return False
    if one.split() == two.split():
        return True
    if max(len(one), len(two)) > LONG:
        return False
    words, before = plain(one).split(), plain(two).split()
    if [w for w in words if w not in _POLITE] == [w for w in before if w not in _POLITE]:
        return True
    apart = set(words) ^ set(before)
    if min(len(words), len(before)) < _NEAR_WORDS or len(apart) > 2 or apart & _TURNING:
        return False
    # Another number or another word is another question; a mended typo is not.
    if any(char.isdigit() for word in apart for char in word):
        return False
    return len(apart) < 2 or SequenceMatcher(a=min(apart), b=max(apart)).ratio() >= 0.8


def _images(conversation: Conversation) -> int:
    return sum(_images_in(message.get("content"), 0) for message in conversation.messages)


def _images_in(content: Any, depth: int) -> int:
    if not isinstance(content, list | tuple) or depth > 3:
        return 0
    parts = [part for part in content if isinstance(part, Mapping)]
    return sum(part.get("type") in _IMAGE_TYPES or _images_in(part.get("content"), depth + 1) for part in parts)
