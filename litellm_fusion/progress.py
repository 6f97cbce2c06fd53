"""Our progress lines: how they are marked, and how they are taken out of every history again.

Clients replay what they were streamed: as `reasoning_content`, thinking blocks or reasoning items. Providers refuse
thinking that is not theirs, so nothing of ours may ever reach one, whatever model the chat goes on with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MARK = "\u2063fusion:"
"""Begins every progress line: an invisible separator that no model writes, then our name."""
_LINE = re.compile(r"[^\S\n]*\u2063fusion:[^\n]*(?:\n|$)")
_EMPTY_WRAP = re.compile(
    r"<think>\s*</think>\s*|<details[^>]*type=\"reasoning\"[^>]*>\s*(?:<summary>[^<]*</summary>)?(?:\s|&gt;|>)*</details>\s*"
)
_HOLDERS = ("reasoning_content", "reasoning", "thinking", "text", "content", "summary", "output", "thinking_blocks")


def line(text: str) -> str:
    """One progress line."""
    return f"{MARK} {text}\n"


def stripped(text: str) -> str:
    """A text without our lines, and without a wrapper that held nothing else."""
    if MARK not in text:
        return text
    rest = _EMPTY_WRAP.sub("", _LINE.sub("", text.replace(f"> {MARK}", MARK)))
    return rest.replace(MARK[0], "") if MARK in rest else rest  # what was taken out had split another mark


def clean(body: dict[str, Any]) -> bool:
    """Take our progress out of a body's history; true when something was found. Only what holds it is rebuilt.

    A body nested too deep to look through is left as it is: it can't be a history that we wrote into.
    """
    try:
        return _clean(body)
    except RecursionError:
        return False


def _clean(body: dict[str, Any]) -> bool:
    found = False
    for key in ("messages", "input"):
        turns = body.get(key)
        if isinstance(turns, list) and _marked(turns):
            body[key] = [kept for turn in turns if (kept := _turn(turn)) is not None]
            found = True
        elif isinstance(turns, str) and MARK in turns:
            body[key] = stripped(turns)
            found = True
    return found


def _marked(value: list[Any] | dict[str, Any]) -> bool:
    """Whether our mark stands anywhere in a history: the test that every request of the proxy pays for, so it is flat."""
    for item in value if type(value) is list else value.values():  # type: ignore[union-attr]
        kind = type(item)
        if kind is str:
            if MARK in item:
                return True
        elif (kind is dict or kind is list) and _marked(item):
            return True
    return False


def holds(value: object) -> bool:
    """Whether a turn carries progress text in any place where a client may have put it."""
    if isinstance(value, str):
        return MARK in value
    if isinstance(value, list):
        return any(holds(item) for item in value)
    if isinstance(value, Mapping):
        return any(holds(value[key]) for key in _HOLDERS if key in value)
    return False


def _turn(turn: Any) -> Any:
    """A turn without progress. None when the turn was nothing else (a reasoning item of a Responses history)."""
    if not holds(turn) or not isinstance(turn, Mapping):
        return turn
    cleaned = _without(turn)
    return None if turn.get("type") == "reasoning" and not _says(cleaned) else cleaned


def _without(value: Any) -> Any:
    if isinstance(value, str):
        return stripped(value)
    if isinstance(value, list):
        cleaned = [(_without(item) if holds(item) else item, holds(item)) for item in value]
        return [item for item, ours in cleaned if not (ours and not _says(item))]
    if isinstance(value, Mapping):
        result = dict(value)
        for key in _HOLDERS:
            if key in result and holds(result[key]):
                result[key] = _without(result[key])
                if not result[key] and key not in ("content", "text", "thinking", "summary", "output"):
                    del result[key]
        return result
    return value


def _says(value: Any) -> bool:
    """Whether a part still says something once our lines are gone."""
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, list):
        return any(_says(item) for item in value)
    if isinstance(value, Mapping):
        if value.get("encrypted_content"):
            return True
        return any(_says(value.get(key)) for key in _HOLDERS)
    return False
