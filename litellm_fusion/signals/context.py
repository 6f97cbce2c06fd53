"""Where numbers stand in a text, and what is said around them."""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import re
from collections.abc import Sequence

Spans = Sequence[tuple[int, int]]

CONTEXT_CHARS = 40
"""A word farther from a number than this says nothing about it."""

_RUN = re.compile(r"[0-9][0-9 .\-/()\u00a0\u202f]{5,}")
_FULL_WIDTH = re.compile("[０-９＋－＠]")
_TO_ASCII = str.maketrans("０１２３４５６７８９＋－＠", "0123456789+-@")
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


def number_spans(text: str) -> Spans:
    """The stretches of digits and separators in which a number of six or more characters can stand."""
    return [match.span() for match in _RUN.finditer(text)]


def near(words: re.Pattern[str], text: str, match: re.Match[str]) -> bool:
    """Whether one of `words` stands within CONTEXT_CHARS of a match."""
    start, end = match.span()
    window = f"{text[max(0, start - CONTEXT_CHARS) : start]}\n{text[end : end + CONTEXT_CHARS]}"
    return words.search(window) is not None


def suspicious(text: str, match: re.Match[str]) -> bool:
    """Whether the words before a number name another kind of number: an order, a parcel, a version, a hash."""
    return _OTHER_NUMBER.search(text, max(0, match.start() - CONTEXT_CHARS), match.start()) is not None
