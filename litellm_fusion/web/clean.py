"""Text from the world, without what nobody can see: control, format, tag and filler characters.

Such characters carry instructions past a human reader, or break a fence, a line of progress or a terminal.
"""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""Needed inside words of Arabic and Indic scripts, and kept only there."""
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0\ufffc")
"""Letters and marks by category that show nothing at all."""
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\n\s*\n\s*\n+")


def cleaned(text: str) -> str:
    """The text as a reader sees it: visible characters, single spaces, at most one empty line in a row."""
    if not text.isascii() or not text.isprintable():
        text = "".join(char for place, char in enumerate(text) if _visible(text, place, char))
    return _LINES.sub("\n\n", _SPACES.sub(" ", text)).strip()


def one_line(text: str, chars: int) -> str:
    """A cleaned text on one line of at most `chars` characters: for titles, progress and the trace."""
    line = " ".join(cleaned(text).split())
    return line if len(line) <= chars else line[: chars - 1] + "…"


def _visible(text: str, place: int, char: str) -> bool:
    if char.isascii():
        return char.isprintable() or char in "\n\t"
    if char in _JOINERS:
        return _letter(text, place - 1) and _letter(text, place + 1)
    # Variation selectors: one may follow a sign, a row of them is a hidden message.
    if "\ufe00" <= char <= "\ufe0f":
        return place > 0 and not "\ufe00" <= text[place - 1] <= "\ufe0f"
    if "\U000e0100" <= char <= "\U000e01ef" or char in _FILLERS:
        return False
    return unicodedata.category(char) not in _HIDDEN


def _letter(text: str, place: int) -> bool:
    return 0 <= place < len(text) and not text[place].isascii() and unicodedata.category(text[place])[0] in "LM"
