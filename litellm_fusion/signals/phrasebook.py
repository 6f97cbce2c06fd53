"""Phrases found in a text all at once: one pass over its words, whatever the number of phrases."""

from __future__ import annotations

from collections import defaultdict

Phrases = frozenset[str]
"""Phrases in the form in which they stand in a `plain` text; see `Phrasebook.phrases`."""


class Phrasebook:
    """All phrases that anyone asks for. Fill it with `phrases` at import; `found` then reads a text in linear time."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._beginnings: set[str] = set()
        self._by_first: dict[str, set[str]] = defaultdict(set)
        self._anywhere: set[str] = set()
        self._shortest = 99

    def phrases(self, listed: str) -> Phrases:
        """The phrases of a list separated by ";". "trade offs" stands whole, "compar*" begins a word.

        Phrases in other scripts than Latin, which set no spaces, stand anywhere.
        """
        found = set()
        for piece in filter(None, (part.strip() for part in listed.split(";"))):
            phrase = piece if not piece.isascii() else f" {piece[:-1]}" if piece.endswith("*") else f" {piece} "
            found.add(phrase)
            first = piece.split()[0]
            if not piece.isascii():
                self._anywhere.add(phrase)
            elif first != piece:
                self._by_first[first].add(phrase)
            elif piece.endswith("*"):
                self._beginnings.add(phrase)
                self._shortest = min(self._shortest, len(phrase))
            else:
                self._words.add(phrase)
        return frozenset(found)

    def found(self, text: str) -> Phrases:
        """Every phrase of the book that stands in `text`, which is `plain`."""
        words = set(text.split())
        found = {f" {word} " for word in words} & self._words
        found |= {
            beginning for word in words for n in range(self._shortest, len(word) + 2)
            if (beginning := f" {word}"[:n]) in self._beginnings
        }  # fmt: skip
        for first in words & self._by_first.keys():
            found |= {phrase for phrase in self._by_first[first] if phrase in text}
        if not text.isascii():
            found |= {phrase for phrase in self._anywhere if phrase in text}
        return frozenset(found)
