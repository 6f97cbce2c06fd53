"""Sources: what one member found and read, and one numbering of all of it before anybody compares answers. Pure.

Each member cites by its own numbers, so that none learns of the others; `numbered` gives every page one number of the
run and rewrites the members' citations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from litellm_fusion.types import Answer, Source
from litellm_fusion.web.clean import one_line
from litellm_fusion.web.urls import canonical, literal, page_key

CITATION = re.compile(r"[\[【]\^?(\d{1,3}(?:\s?[,;]\s?\d{1,3}){0,19})(?:†[^\]】\n]{0,40})?[\]】]")
"""`[3]`, `[1, 4]`, `[^2]`, and the brackets of some models."""
_CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.DOTALL)
PASSAGE_CHARS = 600
_TITLE_CHARS = 160


class Notes:
    """One member's sources, numbered from 1 as it meets them."""

    def __init__(self, member: int, now: Callable[[], str]) -> None:
        self._member = member
        self._now = now
        self._sources: list[Source] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def take(self, url: str, title: str, passage: str, *, fetched: bool) -> int:
        """Note a page that the member is shown, and give its number. The same page keeps its number."""
        key = page_key(url) or url
        title = one_line(title, _TITLE_CHARS)
        n = self._numbers.get(key)
        if n is None:
            self._sources.append(Source(canonical(url) or url, title, self._member, fetched, self._now(), (passage,)))
            self._numbers[key] = n = len(self._sources)
            return n
        own = self._sources[n - 1]
        passages = own.passages if passage in own.passages else (*own.passages, passage)
        self._sources[n - 1] = replace(own, title=own.title or title, fetched=own.fetched or fetched, passages=passages)
        return n

    @property
    def sources(self) -> tuple[Source, ...]:
        """What was noted; the n-th one has the number n."""
        return tuple(self._sources)


@dataclass(frozen=True, slots=True)
class Numbered:
    """Answers that cite by the run's numbers, the run's sources, and how many citations pointed to nothing."""

    answers: tuple[Answer, ...]
    sources: tuple[Source, ...]
    dropped: int


def numbered(answers: Sequence[Answer]) -> Numbered:
    """One numbering over all answers: first what is cited, in the answers' order, then what was read, then what was found."""
    order: dict[str, Source] = {}
    dropped = 0

    def number(source: Source) -> int:
        key = page_key(source.url) or source.url
        own = order.get(key)
        if own is None:
            order[key] = replace(source, n=len(order) + 1)
            return len(order)
        merged = tuple(dict.fromkeys((*own.passages, *source.passages)))
        order[key] = replace(own, fetched=own.fetched or source.fetched, title=own.title or source.title, passages=merged)
        return own.n

    if not any(answer.sources for answer in answers):
        return Numbered(tuple(answers), (), 0)
    rewritten = []
    for answer in answers:
        text, lost = _recited(answer, number)
        dropped += lost
        rewritten.append(replace(answer, text=text))
    for fetched in (True, False):
        for answer in answers:
            for source in answer.sources:
                if source.fetched is fetched:
                    number(source)
    return Numbered(tuple(rewritten), tuple(order.values()), dropped)


def _recited(answer: Answer, number: Callable[[Source], int]) -> tuple[str, int]:
    """An answer's text with the run's numbers, and how many of its citations pointed to nothing."""
    lost = 0
    by_key = {page_key(source.url): source for source in answer.sources}

    def rewrite(match: re.Match[str]) -> str:
        nonlocal lost
        made = []
        for own in numbers_in(match):
            if 0 < own <= len(answer.sources):
                made.append(f"[{number(answer.sources[own - 1])}]")
            else:
                lost += 1
        return "".join(dict.fromkeys(made))

    text = "".join(part if code else CITATION.sub(rewrite, part) for code, part in prose(answer.text))
    for url in literal(text):  # a source may be cited by its link alone
        source = by_key.get(page_key(url))
        if source is not None:
            number(source)
    return text, lost


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """A text in parts: whether the part is code, in which brackets mean something else, and the part."""
    for place, part in enumerate(_CODE.split(text)):
        if part:
            yield place % 2 == 1, part


def numbers_in(match: re.Match[str]) -> list[int]:
    """The numbers of one citation."""
    return [int(part) for part in re.split(r"[,;]", match.group(1))]


def listed(sources: Sequence[Source], answers: Sequence[Answer], *, passages: bool, chars: int = 60_000) -> str:
    """The sources that the answers cite or that were read, a line or two each, as judge and synthesizer see them.

    Of what does not fit into `chars`, passages go first, then the last sources.
    """
    if not sources:
        return ""
    cited = {n for answer in answers for code, part in prose(answer.text) if not code
             for match in CITATION.finditer(part) for n in numbers_in(match)}  # fmt: skip
    lines = []
    for source in sources:
        if source.n in cited or source.fetched:
            lines.append(f"[{source.n}] {source.title} {source.url}")
            if passages and source.n in cited and source.passages:
                lines.append(f"    {one_line(' … '.join(source.passages)[: 2 * PASSAGE_CHARS], PASSAGE_CHARS)}")
    whole = "\n".join(lines)
    if len(whole) <= chars:
        return whole
    return listed(sources, answers, passages=False, chars=chars) if passages else whole[:chars].rpartition("\n")[0]


def annotated(text: str, annotations: Sequence[Any], notes: Notes) -> str:
    """A text whose provider searched by itself: its annotations become sources, and citations where it has no links."""
    places: list[tuple[int, int]] = []
    for annotation in annotations:
        cited = annotation.get("url_citation") if isinstance(annotation, Mapping) else None
        if not isinstance(cited, Mapping) or canonical(str(cited.get("url", ""))) is None:
            continue
        url = str(cited["url"])
        start, end = (cited.get(name) for name in ("start_index", "end_index"))
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
            start = end = 0
        n = notes.take(url, str(cited.get("title") or ""), text[start:end], fetched=False)
        if end and url not in text[start : end + len(url) + 4]:
            places.append((end, n))
    for end, n in sorted(dict.fromkeys(places), reverse=True):
        text = f"{text[:end]}[{n}]{text[end:]}"
    return text
