"""Texts to paste around an instruction: this repository's own prose, and answers from the corpus's conversations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from corpus import Example

ROOT = Path(__file__).resolve().parents[2]
_FILES = ("README.md", "CHANGELOG.md", "LICENSE", "benchmarks/README.md")
_LEAST, _MOST = 80, 1500


def documents(examples: Iterable[Example]) -> list[str]:
    """Paragraphs, each once, in a fixed order."""
    texts = [part for name in _FILES for part in (ROOT / name).read_text("utf-8").split("\n\n")]
    for example in examples:
        texts += [m["content"] for m in example.messages if m["role"] == "assistant" and isinstance(m.get("content"), str)]
    return sorted({text.strip()[:_MOST] for text in texts if len(text.strip()) >= _LEAST})
