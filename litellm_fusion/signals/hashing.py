"""Words and characters of a text as hashed features: numbers that are the same on every machine and in every run.

Words give themselves and their pairs, letters every run of 1 to RUN signs, which serves scripts without spaces and
languages that join or bend their words. All of it is arithmetic on arrays, linear in the text.
"""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]

BITS = 22
"""Features live in a space of 2^BITS numbers; the weights keep those that said something in training."""

# Marks of Devanagari and its neighbours, of Arabic and Hebrew are no letters for `\w`, yet belong to their word.
_TOKEN = re.compile(
    "[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0eff]+|"
    "(?:[^\\W\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0eff]|[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0900-\u0dff])+"
    "|[?？]"
)
_FOLDED = {
    **dict(zip("áàâäãåéèêëíìîïóòôöõúùûüñç", "aaaaaaeeeeiiiiooooouuuunc", strict=True)),
    "ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "\u0301": "", "\u0308": "", "’": "'", "？": "?", "أ": "ا", "إ": "ا", "آ": "ا",
    "ى": "ي", "ة": "ه",
}  # fmt: skip
_FOLD = str.maketrans(_FOLDED)
_DIGITS = re.compile("[0-9]+(?:[.,][0-9]+)*")
UNSPACED = "\u2e80"
"""Signs from here on stand in scripts that set no spaces between words."""
_SPACE = re.compile(r"\s+")
_ZERO, _NINE = np.uint64(ord("0")), np.uint64(ord("9"))
RUN = 5

_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(64 - BITS)
_HALF = np.uint64(29)
_NONE: Ids = np.zeros(0, np.uint64)


def tokens(text: str) -> list[str]:
    """The words of a text in lower case without accents; a run of unspaced script is one; numbers are "0", "00", ..."""
    folded = _DIGITS.sub(_number, text.lower().translate(_FOLD))
    return _TOKEN.findall(folded)


def _number(match: re.Match[str]) -> str:
    # What matters is that a number stands here, and whether it is a digit, a figure or a long one.
    return "0" * min(4, len(match[0]))


def words(found: list[str], field: str) -> Ids:
    """Words and neighbouring pairs. A run of unspaced script counts as the pairs of its signs."""
    if not found:
        return _NONE
    if any(word[0] >= UNSPACED for word in found):
        found = [piece for word in found for piece in _pieces(word)]
    ids = np.array([crc32(word.encode("utf-8", "replace")) for word in found], np.uint64)
    pairs = ids[:-1] * _ODD[1] + ids[1:] * _ODD[2]
    return spread(np.concatenate([ids * _ODD[0], pairs]), field)


def _pieces(word: str) -> list[str]:
    if word[0] < UNSPACED or len(word) < 3:
        return [word]
    return [word[at : at + 2] for at in range(len(word) - 1)]


def words_once(found: list[str], field: str) -> Ids:
    """Each of these texts as one feature, neighbours apart."""
    return spread(np.array([crc32(word.encode("utf-8", "replace")) for word in found], np.uint64), field)


def letters(text: str, field: str) -> Ids:
    """Every run of 1 to RUN signs, in lower case without accents, white space as one space, each digit as "0"."""
    folded = _SPACE.sub(" ", f" {text} ").lower().translate(_FOLD)
    codes = np.frombuffer(folded.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    codes[(codes >= _ZERO) & (codes <= _NINE)] = _ZERO
    runs = codes * _ODD[0]
    parts = [runs]
    for n in range(2, min(RUN, len(codes)) + 1):
        runs = (runs[:-1] ^ (runs[:-1] >> _HALF)) * _MIX + codes[n - 1 :] * _ODD[n - 1]
        parts.append(runs)
    return spread(np.concatenate(parts), field)


def spread(ids: Ids, field: str) -> Ids:
    """`ids` as features of one field: the same word in another field is another feature."""
    mixed = (ids ^ (ids >> _HALF)) * _MIX + _salt(field)
    mixed = (mixed ^ (mixed >> _HALF)) * _MIX
    return np.unique(mixed >> _SHIFT)


@lru_cache(maxsize=512)
def named(name: str) -> int:
    """The feature of a fact that has a name ("has_tools")."""
    return int(spread(np.array([crc32(name.encode())], np.uint64), "fact")[0])


@lru_cache
def _salt(field: str) -> np.uint64:
    return np.uint64(crc32(field.encode()) * 0x9E3779B1)
