"""More of the same: a prompt said otherwise, with the same label. Seeded, so that training twice gives the same weights.

Every change is one that a user, a UI or an agent makes without changing what is wanted: typos, case, lost punctuation,
courtesy, filler, claims about the question ("this is simple"), steering texts, a system prompt, an earlier exchange on
something else, documents around the instruction, a retrieval wrapper.
"""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import phrases
from corpus import Example

Change = Callable[[str, Example, random.Random], str]
_PUNCTUATION = re.compile(r"(?<=\w)[.,!?;:](?=\s|$)|[。，！？、¿¡؟।]")
_MATERIAL = frozenset({"extract", "translate", "critique", "write", "code"})
"""Tasks that work on a text in the prompt: another document beside it would be part of the work."""


def augmented(examples: Sequence[Example], documents: Sequence[str], times: int, seed: int) -> list[Example]:
    """`times` changed copies of every example, in order."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret: the same copies each time
    return [_changed(example, examples, documents, chance) for example in examples for _ in range(times)]


def _changed(example: Example, others: Sequence[Example], documents: Sequence[str], chance: random.Random) -> Example:
    if example.task in ("housekeeping", "agent") or _text(example) is None:
        return _around(_said(example, _light(_text(example), example, chance)), others, chance, systems=0.0)
    text = _light(_text(example), example, chance)
    if text is not None and example.task not in _MATERIAL and chance.random() < 0.4:
        text = _with_document(text, documents, chance)
    return _around(_said(example, text), others, chance, systems=0.3)


def _light(text: str | None, example: Example, chance: random.Random) -> str | None:
    if text is None:
        return None
    for likelihood, change in ((0.35, _typos), (0.25, _bare), (0.3, _polite), (0.1, _steered)):
        if chance.random() < likelihood:
            text = change(text, example, chance)
    return text


def _typos(text: str, example: Example, chance: random.Random) -> str:
    words = text.split(" ")
    for _ in range(max(1, len(words) // 12)):
        at = chance.randrange(len(words))
        word = words[at]
        if len(word) > 3 and word.isalpha():
            place = chance.randrange(1, len(word) - 1)
            swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
            words[at] = chance.choice((swapped, word[:place] + word[place + 1 :], word[:place] + word[place] + word[place:]))
    return " ".join(words)


def _bare(text: str, example: Example, chance: random.Random) -> str:
    return _PUNCTUATION.sub("", text)


def _polite(text: str, example: Example, chance: random.Random) -> str:
    before = phrases.BEFORE.get(example.language, phrases.BEFORE["en"])
    after = phrases.AFTER.get(example.language, phrases.AFTER["en"])
    place = chance.random()
    if place < 0.75:
        text = chance.choice(before) + text
    return text + chance.choice(after) if place > 0.5 else text


def _steered(text: str, example: Example, chance: random.Random) -> str:
    said = chance.choice(phrases.STEERING)
    return said + text if chance.random() < 0.5 else f"{text} {said}"


def _with_document(text: str, documents: Sequence[str], chance: random.Random) -> str:
    paste = "\n\n".join(chance.choice(documents) for _ in range(chance.choice((1, 1, 2, 6, 20))))
    kind = chance.random()
    if kind < 0.6:
        return chance.choice(phrases.WRAPPERS).format(paste=paste, prompt=text)
    return f"{text}\n\n{paste}" if kind < 0.8 else f"{paste}\n\n{text}"


def _around(example: Example, others: Sequence[Example], chance: random.Random, systems: float) -> Example:
    messages: list[dict[str, Any]] = list(example.messages)
    if len(messages) == 1 and len(str(messages[0]["content"])) > 40 and chance.random() < 0.15:
        before = chance.choice(others)
        messages = [
            {"role": "user", "content": before.text[:600]},
            {"role": "assistant", "content": chance.choice(phrases.ANSWERS)},
            *messages,
        ]
    if messages[0]["role"] != "system" and chance.random() < systems:
        messages.insert(0, {"role": "system", "content": chance.choice(phrases.SYSTEMS)})
    return replace(example, messages=tuple(messages))


def _text(example: Example) -> str | None:
    last = example.messages[-1]
    content = last.get("content")
    return content if last["role"] == "user" and isinstance(content, str) else None


def _said(example: Example, text: str | None) -> Example:
    if text is None:
        return example
    return replace(example, messages=(*example.messages[:-1], {**example.messages[-1], "content": text}))
