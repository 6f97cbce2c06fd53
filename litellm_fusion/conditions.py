"""A rule's `when`: CEL compiled once, tried on sample signals, answered true, false or unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

import cel

from litellm_fusion.types import UNLIMITED, Signals

NAMES = tuple(field.name for field in fields(Signals))
HIDDEN = frozenset({"budget_left_usd", "tags", "key_alias", "team_id", "user_id", "pii", "secrets"})
"""Signals whose values no client sees."""

_LOW: Mapping[str, Any] = {
    "task": "chat", "task_confidence": 0.2, "domain": "other", "difficulty": 0.1, "stakes": 0.1, "deliberation": 0.1,
    "verifiable": False, "tokens": 3, "turns": 1, "language": "en", "has_tools": False, "is_tool_turn": False,
    "has_images": False, "wants_json": False, "is_followup": False, "is_retry": False, "dissatisfied": False,
    "pii": [], "secrets": [], "asks_for_panel": False, "forbids_panel": False, "budget_left_usd": 0.01, "tags": [],
    "key_alias": "", "team_id": "", "user_id": "", "preset": "general",
}  # fmt: skip
_HIGH: Mapping[str, Any] = {
    **{name: True for name, value in _LOW.items() if value is False},
    "task": "research", "task_confidence": 0.9, "domain": "law", "difficulty": 0.9, "stakes": 0.9, "deliberation": 0.9,
    "tokens": 90_000, "turns": 9, "language": "de", "pii": ["email"], "secrets": ["jwt"],
    "budget_left_usd": UNLIMITED, "tags": ["a"], "key_alias": "k", "team_id": "t", "user_id": "u", "preset": "research",
}  # fmt: skip
_TYPES = {bool: "true or false", str: "a string", int: "a number", float: "a number", list: "a list of strings"}


class Condition:
    """A compiled `when`. Two conditions are equal when their sources are."""

    __slots__ = ("_disjuncts", "_program", "names", "source")

    def __init__(self, source: str, program: Any) -> None:
        self.source = source
        self._program = program
        self.names = frozenset(program.variables()) & frozenset(NAMES)
        self._disjuncts = _disjuncts(source)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def holds(self, known: Mapping[str, Any]) -> bool | None:
        """True, false, or None when the expression met a signal that is not in `known`."""
        try:
            return bool(self._program.execute(known))
        except Exception:
            # The CEL binding reports an unread name as RuntimeError, and a value of another type than the samples
            # had as TypeError; both mean "this rule can't be decided", and a request must not fail of it.
            return None

    def why(self, known: Mapping[str, Any]) -> str:
        """The part of the expression that was true, its signals with their values: `deliberation 0.83 > 0.6`."""
        if self.names & HIDDEN:
            return "matches what only the operator may see"
        text = self.source
        for part, program in self._disjuncts:
            try:
                if program.execute(known):
                    text = part
                    break
            except Exception:  # noqa: S112 - an undecidable part is simply not the reason
                continue
        return re.sub(r"'[^']*'|\"[^\"]*\"|[A-Za-z_]\w*", lambda found: _with_value(found.group(), known), text)


def _with_value(word: str, known: Mapping[str, Any]) -> str:
    value = known.get(word)
    if value is None or isinstance(value, list):
        return word
    if isinstance(value, bool):
        return word if value else f"{word} (false)"
    return f"{word} {value:.2f}" if isinstance(value, float) else f"{word} {value}"


def _disjuncts(source: str) -> tuple[tuple[str, Any], ...]:
    """The parts between top-level `||`. A part that is no expression by itself shows that the cut was not top-level."""
    parts = [part.strip() for part in source.split("||")]
    try:
        return tuple((part, cel.compile(part)) for part in parts) if len(parts) > 1 else ()
    except ValueError:
        return ()


@lru_cache(maxsize=512)
def compile_condition(source: str) -> Condition:
    """Compile one `when` and try it on sample signals.

    Raises ValueError with the line and column of a syntax error, a misspelt signal or an operation between types that
    do not go together.
    """
    try:
        program = cel.compile(source)
    except ValueError as error:
        raise ValueError(f"no CEL expression: {error}") from None
    bound = set(re.findall(r"\.(?:exists|all|exists_one|filter|map)\(\s*([A-Za-z_]\w*)\s*,", source))
    for name in program.variables():
        if name not in _LOW and name not in bound:
            raise ValueError(f"{name!r} at {_position(source, name)} is no signal; signals: {', '.join(NAMES)}")
    for name, literal in re.findall(r"\b([A-Za-z_]\w*)\s*[=!]=\s*('[^']*'|\"[^\"]*\"|true|false|-?\d[\d.]*)", source):
        if name in _LOW and not _comparable(_LOW[name], literal):
            wanted = _TYPES[type(_LOW[name])]
            raise ValueError(f"{name!r} at {_position(source, name)} is {wanted}, compared with {literal}")
    for sample in (_LOW, _HIGH):
        try:
            result = program.execute(dict(sample))
        except ZeroDivisionError:
            raise ValueError("the expression divides by zero on sample signals") from None
        except (TypeError, RuntimeError) as error:
            raise ValueError(f"types do not fit: {str(error).split('. ')[0]}; {_shapes(source, program)}") from None
        if not isinstance(result, bool):
            raise ValueError(f"the expression gives {type(result).__name__}, not true or false")
    return Condition(source, program)


def _comparable(sample: object, literal: str) -> bool:
    if literal in ("true", "false"):
        return isinstance(sample, bool)
    if literal[0] in "'\"":
        return isinstance(sample, str)
    return isinstance(sample, int | float) and not isinstance(sample, bool)


def _shapes(source: str, program: Any) -> str:
    return ", ".join(
        f"{name} at {_position(source, name)} is {_TYPES[type(_LOW[name])]}" for name in program.variables() if name in _LOW
    )


def _position(source: str, name: str) -> str:
    found = re.search(rf"\b{re.escape(name)}\b", source)
    start = found.start() if found else 0
    return f"line {source.count(chr(10), 0, start) + 1}, column {start - (source.rfind(chr(10), 0, start) + 1) + 1}"
