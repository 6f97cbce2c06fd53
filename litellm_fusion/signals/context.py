"""Where numbers stand in a text, and what is said around them.

A table may hold ten thousand numbers, and an expression tried on each of them takes longer than a request may wait. So a
text is looked at through its shape, one byte for each sign with "0" for every digit and "A" for every capital, in which
the few places where a form can begin are plain substrings, found at the speed of memory.
"""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

CONTEXT_CHARS = 40
"""A word farther from a number than this says nothing about it."""
_RARITY = b"/A-. 0"
_LONGEST = 32
"""No number with its separators is longer."""

_FULL_WIDTH = re.compile("[０-９＋－＠]")
_TO_ASCII = str.maketrans("０１２３４５６７８９＋－＠", "0123456789+-@")
_SHAPE = bytes.maketrans(b"123456789BCDEFGHIJKLMNOPQRSTUVWXYZ", b"0" * 9 + b"A" * 25)
_NO_LETTERS = b"0123456789 \t\r\n.,;:|+-*/=<>()[]{}\"'%$#_"
_OTHER_NUMBER = re.compile(
    r"order|track|invoice|ticket|isbn|issn|imei|sku|serial|\bparts?\b|\bref|version|release|build|\bv\.?\s?$|uuid|"
    r"commit|hash|checksum|timestamp|epoch|bestell|sendung|rechnung|artikel|commande|colis|facture|pedido|envío"
    r"|factura|"
    r"订单|单号|快递|注文|追跡",
    re.I,
)


def half_width(text: str) -> str:
    """`text` with full-width digits, plus, minus and at signs in ASCII, as Japanese and Chinese users write them."""
    return text if text.isascii() or not _FULL_WIDTH.search(text) else text.translate(_TO_ASCII)


def shape_of(text: str) -> bytes:
    """The shape of a text: as many bytes as it has signs; what is not Latin-1 is "?"."""
    return text.encode("latin-1", "replace").translate(_SHAPE)


def lower_of(text: str) -> str:
    """`text` in lower case, each sign where it was."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one if len(one := char.lower()) == 1 else char for char in text)


def letters_of(lower: str) -> bytes:
    """The letters of a lower-case text alone: of a page of figures little is left, and a word is sought there first."""
    return lower.encode("utf-8", "replace").translate(None, _NO_LETTERS)


def places(shape: bytes, literal: bytes) -> Iterator[int]:
    """Every place where `literal` stands in a shape."""
    at = shape.find(literal)
    while at >= 0:
        yield at
        at = shape.find(literal, at + 1)


def at_places(form: re.Pattern[str], text: str, starts: Sequence[int]) -> Iterator[re.Match[str]]:
    """The matches of a form that begin at these places."""
    return (match for at in starts if (match := form.match(text, at)))


def matches(form: re.Pattern[str], text: str, shape: bytes, literals: Sequence[bytes]) -> Iterator[re.Match[str]]:
    """The matches of a form that begins with one of these shapes; of those that overlap in one shape, the first."""
    for literal in literals:
        # Its rarest sign first: one look tells that most tables have no such form.
        at = shape.find(literal) if min(literal, key=_RARITY.find) in shape else -1
        while at >= 0:
            match = form.match(text, at)
            if match:
                yield match
            at = shape.find(literal, match.end() if match else at + 1)


def windows(lower: str, letters: bytes, stems: Sequence[str]) -> list[tuple[int, int]]:
    """The stretches of a text near one of `stems`, in order and apart: only there can a number stand near a word.

    `letters` are those of `lower`.
    """
    reach = CONTEXT_CHARS + _LONGEST
    found: list[tuple[int, int]] = []
    for stem in stems:
        at = lower.find(stem) if stem.encode().translate(None, _NO_LETTERS) in letters else -1
        while at >= 0:
            start, end = max(0, at - reach), at + len(stem) + reach
            found.append((start, end))
            at = lower.find(stem, at + 1)
    found.sort()
    apart: list[tuple[int, int]] = []
    for start, end in found:
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((start, end))
    return apart


def near(words: re.Pattern[str], text: str, match: re.Match[str]) -> bool:
    """Whether one of `words` stands within CONTEXT_CHARS of a match."""
    start, end = match.span()
    window = f"{text[max(0, start - CONTEXT_CHARS) : start]}\n{text[end : end + CONTEXT_CHARS]}"
    return words.search(window) is not None


def suspicious(text: str, match: re.Match[str]) -> bool:
    """Whether the words before a number name another kind of number: an order, a parcel, a version, a hash."""
    return _OTHER_NUMBER.search(text, max(0, match.start() - CONTEXT_CHARS), match.start()) is not None
