"""The text of a conversation: what was said in all, and what the user says in their own words.

Own words are what is left of a user's turn without wrappers, attached documents, fenced code and quotations. Only they
may decide what the user wants; everything else is material. All of it is linear in the length of the text.
"""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from litellm_fusion.types import Message

LONG = 3000
"""Own words beyond this many characters hold a paste without marks: only their head and tail are read."""
EDGE = 600
"""Characters of head, and of tail, that are read of a long turn."""
GAP = "\n…\n"
"""Stands in own words where the middle of a long turn was left out."""
_MAX_DEPTH = 12

_TEXT_TYPES = frozenset({"text", "input_text", "output_text"})
_TOOL_RESULT_TYPES = frozenset({"tool_result", "function_call_output"})
# Binary payloads: nothing in them can be read, and scanning megabytes of base64 would only cost time.
_BINARY_KEYS = frozenset({"file_data", "b64_json", "signature", "encrypted_content", "thought_signature"})
_NOT_SAID = frozenset({"role", "type", "id", "tool_call_id", "cache_control"})

_ASK_TAGS = ("user_query", "user_request", "user_question", "question", "query", "task")
_DATA_TAGS = (
    "system-reminder", "context", "documents", "document", "sources", "source", "file", "files", "attachment",
    "attachments", "attached_files", "additional_data", "environment_details", "ide_selection", "chat_history",
    "conversation", "transcript", "article", "email", "quote", "blockquote", "pre", "code", "data", "search_results",
)  # fmt: skip
_WRAPPER = re.compile(
    r"(?:using|based (?:only )?on|given|use|from)\b[^\n.]{0,40}\b(?:context|documents|sources|search results"
    r"|passages)\b"
    r"|context information is below",
    re.I,
)
_LABEL = re.compile(r"^[#*\s]{0,6}(?:user )?(?:question|query)\s*:[*\s]*", re.I | re.M)
_ANSWER_LABEL = re.compile(r"\n[#*\s]{0,6}(?:helpful )?answer\s*:\s*$", re.I)
_QUOTED = re.compile(
    r"\"[^\"\n]{2,400}\"|“[^”\n]{2,400}”|„[^“”\n]{2,400}[“”]|«[^»\n]{2,400}»|「[^」\n]{2,400}」|『[^』\n]{2,400}』"
    r"|(?<!\w)'[^'\n]{2,400}'(?!\w)|(?<!\w)‘[^’\n]{2,400}’(?!\w)"
)
# "Translate into German: ..." — what follows is material, whatever it says.
_WORK_ON = re.compile(
    r"\W{0,3}(?:please |can you |could you |bitte |por favor |请|請)?"
    r"(?:translate|summari[sz]e|proofread|rewrite|rephrase|paraphrase|shorten|classify|extract|correct|"
    r"übersetze?|fasse?|korrigiere?|traduis|traduisez|résume[rz]?|traduce|traduzca|resume|corrige|"
    r"翻译|翻譯|总结|翻訳|要約)[^\n:：]{0,80}(?:[:：]|\n)\s*",
    re.I,
)


def text_of(message: Message) -> str:
    """The readable text of one message: its string, or its text parts joined by newlines; "" where there is none.

    Raises TypeError on a content that is neither text, parts nor empty.
    """
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, Mapping):
        content = (content,)
    if not isinstance(content, list | tuple):
        raise TypeError("content")
    return "\n".join(text for text in map(_part_text, content) if text)


def strings_of(value: Any, depth: int = 0) -> Iterator[str]:
    """Every string in a message or tool: text, tool results, tool call arguments, URLs. Binary payloads are left out.

    Raises TypeError where the nesting is deeper than any client's: unread text must not pass for clean.
    """
    if isinstance(value, str):
        if not value.startswith("data:"):
            yield value
    elif isinstance(value, Mapping):
        if depth > _MAX_DEPTH:
            raise TypeError("nesting")
        is_binary = value.get("type") == "base64" or "format" in value
        for key, item in value.items():
            if key in _BINARY_KEYS or key in _NOT_SAID or (key == "data" and is_binary):
                continue
            if key in ("arguments", "input") and isinstance(item, str):
                # JSON escapes would glue a letter to the number that follows.
                yield item.replace("\\n", "\n").replace("\\t", " ").replace("\\r", " ")
            else:
                yield from strings_of(item, depth + 1)
    elif isinstance(value, list | tuple):
        if depth > _MAX_DEPTH:
            raise TypeError("nesting")
        for item in value:
            yield from strings_of(item, depth + 1)


def is_tool_result(message: Message) -> bool:
    """Whether a message hands back a tool's result, in OpenAI's form or in Anthropic's, and nothing of the user's."""
    if message.get("role") in ("tool", "function") or message.get("type") in _TOOL_RESULT_TYPES:
        return True
    content = message.get("content")
    if not isinstance(content, list | tuple):
        return False
    kinds = [part.get("type") for part in content if isinstance(part, Mapping)]
    # Agents add reminders in tags beside their results; those are not the user's words.
    return any(kind in _TOOL_RESULT_TYPES for kind in kinds) and not _without_blocks(text_of(message)).strip()


def own_words(text: str) -> str:
    """What the user says themselves in one turn: no wrapper, attachment, fence, quoted line or worked-on material.

    A turn that is nothing but a quotation or a fence is taken as it is. At most LONG characters.
    """
    asked = _unwrapped(text)
    words = _without_quoted_lines(_without_fences(_without_blocks(asked))).strip() or asked.strip()
    work = _WORK_ON.match(words)
    if work and work.end() < len(words):
        words = words[: work.end()].strip()
    return _edges(words)


def without_quotations(words: str) -> str:
    """`words` without what stands between quotation marks; as they are when nothing else is left."""
    return _QUOTED.sub(" ", words) if _QUOTED.sub("", words).strip(" .,!?:") else words


def question_of(words: str) -> str:
    """The end of a long turn that asks, when only one does ("Whose text is this?" behind it); else all `words`."""
    head, gap, tail = words.partition(GAP)
    asks_first, asks_last = head.rstrip().endswith(("?", "？", ":", "：")), tail.rstrip().endswith(("?", "？"))
    if not gap or asks_first == asks_last:
        return words
    return head if asks_first else tail


def is_retrieval_wrapper(text: str) -> bool:
    """Whether a turn is a UI's "answer from this context" template around a user's question."""
    head = text[:400]
    return bool(_WRAPPER.search(head)) and ("</context>" in text or "<user_query>" in text or bool(_LABEL.search(text)))


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping) or part.get("type", "text") not in _TEXT_TYPES:
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else ""


def _unwrapped(text: str) -> str:
    for tag in _ASK_TAGS:
        end = text.rfind(f"</{tag}>")
        start = text.rfind(f"<{tag}>", 0, end) if end > 0 else -1
        if start >= 0 and text[start + len(tag) + 2 : end].strip():
            return text[start + len(tag) + 2 : end].strip()
    if not _WRAPPER.search(text[:400]):
        return text
    after = text.rpartition("</context>")[2] if "</context>" in text else ""
    labels = list(_LABEL.finditer(after or text))
    if labels:
        after = (after or text)[labels[-1].end() :]
    return _ANSWER_LABEL.sub("", after).strip() or text


def _without_blocks(text: str) -> str:
    if "</" not in text:
        return text
    for tag in _DATA_TAGS:
        close = f"</{tag}>"
        if close not in text:
            continue
        kept, at = [], 0
        while True:
            start = text.find(f"<{tag}", at)
            end = text.find(close, start) if start >= 0 else -1
            if end < 0:
                break
            kept.append(text[at:start])
            at = end + len(close)
        text = " ".join([*kept, text[at:]])
    return text


def _without_fences(text: str) -> str:
    # Odd pieces are inside; a fence that is never closed runs to the end.
    return " ".join(text.split("```")[::2]) if "```" in text else text


def _without_quoted_lines(text: str) -> str:
    if "\n>" not in text and not text.startswith(">"):
        return text
    return "\n".join(line for line in text.split("\n") if not line.startswith(">"))


def _edges(words: str) -> str:
    """Head and tail of a long text, each the paragraphs that start or end it; the text itself where it is short."""
    if len(words) <= LONG:
        return words
    head, tail = words[:EDGE], words[-EDGE:]
    first = head.find("\n", 20)
    last = tail.rstrip().rfind("\n")
    head = head[:first] if first > 0 else head[: EDGE // 2]
    tail = tail[last + 1 :] if last >= 0 else tail[-EDGE // 2 :]
    return f"{head}{GAP}{tail}"
