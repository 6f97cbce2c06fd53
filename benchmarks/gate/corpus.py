"""The labelled prompts in `data/`, as `data/GUIDE.md` describes them: read, checked, split by author and style."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litellm_fusion.signals.model import DOMAINS, TASKS
from litellm_fusion.types import Request

DATA = Path(__file__).with_name("data")
HELD_OUT = frozenset({
    ("a", "en", "chatty"), ("a", "en", "terse"),
    ("b", "*", "work"),
    ("c", "en", "wrapper"), ("c", "*", "multiturn"),
    ("d", "en", "forum"), ("d", "en", "executive"), ("d", "en", "nonnative"), ("d", "*", "forum"),
})  # fmt: skip
"""(author, language, style) that the shipped weights never see; `*` stands for every language but English."""

_ESCAPE = re.compile(r"\\(.)")
_PLAIN = {"n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled request. Levels are 0..4 as in the guide."""

    author: str
    language: str
    style: str
    task: str
    domain: str
    difficulty: int
    stakes: int
    deliberation: int
    verifiable: bool
    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] = field(default=())

    @property
    def source(self) -> str:
        """Where it comes from, as `author/language.style`."""
        return f"{self.author}/{self.language}.{self.style}"

    @property
    def held_out(self) -> bool:
        """Whether the shipped weights never see it."""
        own = (self.author, self.language, self.style)
        return own in HELD_OUT or (self.language != "en" and (self.author, "*", self.style) in HELD_OUT)

    @property
    def request(self) -> Request:
        """The request that a client would send."""
        return Request(model="fusion/general", messages=self.messages, tools=self.tools)

    @property
    def text(self) -> str:
        """The text of the last user turn."""
        content = next((m["content"] for m in reversed(self.messages) if m["role"] == "user"), "")
        if isinstance(content, str):
            return content
        return "\n".join(part.get("text", "") for part in content or () if isinstance(part, dict))


def read(folder: Path = DATA) -> list[Example]:
    """Every example of every author, in a fixed order; the same prompt twice counts once. ValueError names a bad line."""
    seen: set[str] = set()
    found = []
    for path in sorted([*folder.glob("?/*.tsv"), *folder.glob("?/*.jsonl")]):
        for example in _of_file(path):
            key = json.dumps(example.messages, sort_keys=True, ensure_ascii=False)
            if key not in seen:
                seen.add(key)
                found.append(example)
    return found


def _of_file(path: Path) -> Iterator[Example]:
    author = path.parent.name
    language, style, _ = path.name.split(".")
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if path.suffix == ".tsv":
                labels, _, prompt = line.partition("\t")
                messages: list[dict[str, Any]] = [{"role": "user", "content": _unescaped(prompt)}]
                tools: list[dict[str, Any]] = []
            else:
                entry = json.loads(line)
                labels, messages, tools = entry["labels"], entry["messages"], entry.get("tools", [])
            yield _example((author, language, style), labels, messages, tools)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path}:{number}: {error}") from error


def _example(place: tuple[str, str, str], labels: str, messages: Any, tools: Any) -> Example:
    task, domain, *levels = labels.split()
    difficulty, stakes, deliberation, verifiable = map(int, levels)
    if task not in TASKS or domain not in DOMAINS or not all(0 <= level <= 4 for level in (difficulty, stakes, deliberation)):
        raise ValueError(f"labels {labels!r}")
    return Example(*place, task, domain, difficulty, stakes, deliberation, bool(verifiable), tuple(messages), tuple(tools))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _PLAIN.get(match[1], match[1]), text)
