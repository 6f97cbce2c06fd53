"""Prompts in files: JSON lines or YAML, each a `prompt` or `messages`, with who asks and what is expected where given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from litellm_fusion.types import Caller, Message, Request

ROUTES = ("direct", "fused")
_KNOWN = frozenset({"prompt", "messages", "tools", "route", "rule", "key_alias", "team_id", "user_id", "tags"})


class BadPrompt(Exception):
    """An entry that can't be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One entry: what is asked, by whom, and the route and rule that are expected of it, if any."""

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    caller: Caller = field(default_factory=Caller)
    route: str | None = None
    rule: str | None = None

    def request(self, model: str, preset: str) -> Request:
        """The request that a client would send for it."""
        return Request(model=model, messages=self.messages, preset=preset, tools=self.tools, caller=self.caller)

    @property
    def opening(self) -> str:
        """The first words of its last message, on one line."""
        content = self.messages[-1].get("content") if self.messages else ""
        text = " ".join(content.split()) if isinstance(content, str) else "(parts)"
        return text if len(text) <= 60 else f"{text[:59]}…"


def of_lines(lines: Iterable[str]) -> Iterator[Prompt]:
    """The prompts of JSON lines, as they come. Raises BadPrompt."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                entry = json.loads(line)
            except ValueError:
                raise BadPrompt(f"line {number} is no JSON") from None
            yield of_entry(entry, f"line {number}")


def of_file(text: str) -> list[Prompt]:
    """The prompts of a whole file: JSON lines, or YAML with a list of entries. Raises BadPrompt."""
    if text.lstrip().startswith("{"):
        return list(of_lines(text.splitlines()))
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadPrompt(f"neither JSON lines nor YAML: {error}") from None
    if not isinstance(entries, list):
        raise BadPrompt("a list of entries is needed, each with `prompt` or `messages` and `route`")
    return [of_entry(entry, f"entry {number}") for number, entry in enumerate(entries, 1)]


def of_entry(entry: object, where: str) -> Prompt:
    """One entry. Raises BadPrompt, which begins with `where`."""
    if not isinstance(entry, Mapping) or ("prompt" in entry) == ("messages" in entry):
        raise BadPrompt(f"{where}: a map with either `prompt` or `messages` is needed")
    unknown = sorted(str(key) for key in entry if key not in _KNOWN)
    if unknown:
        raise BadPrompt(f"{where}: unknown key {unknown[0]!r}; known: {', '.join(sorted(_KNOWN))}")
    if entry.get("route", ROUTES[0]) not in ROUTES:
        raise BadPrompt(f"{where}: route is one of {', '.join(ROUTES)}")
    messages = entry.get("messages", ({"role": "user", "content": entry.get("prompt")},))
    if not isinstance(messages, list | tuple) or not all(isinstance(message, Mapping) for message in messages):
        raise BadPrompt(f"{where}: messages are a list of maps")
    if "prompt" in entry and not isinstance(entry["prompt"], str):
        raise BadPrompt(f"{where}: prompt is text")
    caller = Caller(entry.get("key_alias"), entry.get("team_id"), entry.get("user_id"), tuple(entry.get("tags") or ()))
    return Prompt(tuple(messages), tuple(entry.get("tools") or ()), caller, entry.get("route"), entry.get("rule"))
