"""Markdown and HTML as far as links go: the forms in which a text may point somewhere, and how far each may reach.

Each pattern ends where its form first is whole, and none looks further than a bound, so that a stream and a whole text
are read alike, and hostile ones in no time.
"""

from __future__ import annotations

import re

HOLD_CHARS = 1_000
"""Of an unclosed bracket or tag; CommonMark's own labels end there."""
HOLD_URL_CHARS = 2_200
LOOK_CHARS = 2 * (HOLD_CHARS + HOLD_URL_CHARS)
DEPTH = 3
DEST = r"<[^<>()\n]*>|[^\s<>()]*(?:\((?:[^\s<>()]|\([^\s<>()]*\))*\)[^\s<>()]*)*"
TARGET = re.compile(rf"\(\s*({DEST})\s*(?:\"[^\"()]*\"|'[^'()]*')?\s*\)", re.DOTALL)
"""Ends where its brackets are even for the first time, so that a stream and a whole text are read alike."""
GAP = re.compile(r":[ \t]*\n?[ \t]*")
TOKEN = re.compile(r"<[^<>\n]*>?|[^\s<]\S*")
ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S|/|\\")
AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*)>")
TAG = re.compile(r"<(?:!--.*?-->|/?([A-Za-z][A-Za-z0-9-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>)", re.DOTALL)
PLAIN_TAGS = frozenset({"b", "br", "code", "del", "em", "i", "ins", "kbd", "mark", "s", "strong", "sub", "sup", "u"})
URL = re.compile(r"(?:https?://|www\.)[^\s<]*", re.IGNORECASE)
QUOTED_URL = re.compile(r"(?:https?://|www\.)[^\s<\"\\]*", re.IGNORECASE)
"""Where citations are not linked, as in JSON, a URL ends with its string."""
URL_BEGINS = re.compile(r"(?:h|ht|htt|https?|https?:|https?:/|w|ww|www)\Z", re.IGNORECASE)
TICK = re.compile(r"(?<![`\\])`(?!`)")
TICKS = re.compile(r"(?<!\\)`")
STARTS = re.compile(r"[\[!<【\]]|(?:https?://|www\.)|^[ ]{0,3}(?:`{3,}|~{3,})", re.IGNORECASE | re.MULTILINE)
FENCE = re.compile(r"[ ]{0,3}(`{3,}(?=[^`\n]*$)|~{3,})[^\n]*$", re.MULTILINE)
TRAILING = "?!.,:;*_~'\")]}>|\\\u3002\uff0c\u3001\uff1b\uff1a\uff01\uff1f\uff09\u3011\u300d\u201d\u2019\u2026"


def closing(held: str) -> int | None:
    """Where the bracket that a text begins with is closed, within HOLD_CHARS; None where it is not."""
    depth, escaped = 0, False
    for place, char in enumerate(held[: HOLD_CHARS + 1].partition("\n\n")[0]):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "[":
            depth += 1
            if depth > DEPTH:
                return None
        elif char == "]":
            depth -= 1
            if depth == 0:
                return place
    return None
