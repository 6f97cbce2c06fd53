"""What leaves after a run that read the web: citations become links, links to elsewhere become text, images go.

A page can talk a model into writing `![](https://elsewhere/?what=the+user+said)`, and a chat UI into fetching it. So a
URL leaves only if it is a source of the run or stands in the conversation. Of a stream at most one unclosed `[…](`, tag
or URL is held back.

Code in fences is left alone, and only what every Markdown reader sees as a fence counts as one. A piece of Markdown that
is too long to be held is taken apart, so that it links nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from litellm_fusion import markup
from litellm_fusion.sources import CITATION, numbers_in
from litellm_fusion.types import Source
from litellm_fusion.web.urls import page_key

REMOVED = "(link removed)"


class Outflow:
    """Filters one text as it is written. `feed` gives what may leave now, `end` the rest.

    `linked` says whether citations become links: not in a format that links would break, nor in reasoning.
    """

    def __init__(self, sources: Sequence[Source], conversation: Iterable[str], *, linked: bool = True) -> None:
        self._sources = {source.n: source for source in sources}
        self._by_key = {page_key(source.url): source for source in sources}
        self._conversation = frozenset(filter(None, map(page_key, conversation)))
        self._linked = linked
        self._held = ""
        self._sent = 0
        self._line = ""  # the beginning of the last line that has left: for what only a line's start means
        self._last = ""  # a backslash that left last: it takes its meaning from the next backtick
        self._ticks = 0  # backticks in it: an odd number opens a code span
        self._fence = ""
        self._tags = False  # since the last empty line: a fence after them may be none
        self.annotations: list[dict[str, Any]] = []
        self.dropped_citations = 0
        self.dropped_links = 0

    def feed(self, text: str) -> str:
        """Take a piece of the text, and give what of it may leave."""
        out = []
        for place in range(0, len(text), markup.LOOK_CHARS):
            self._held += text[place : place + markup.LOOK_CHARS]
            out.append(self._flow(final=False))
        return "".join(out)

    def end(self) -> str:
        """What was held back to the end."""
        return self._flow(final=True)

    def whole(self, text: str) -> str:
        """A text that is there at once."""
        return self.feed(text) + self.end()

    def _flow(self, *, final: bool) -> str:
        out: list[str] = []
        while self._held:
            code = bool(self._fence)
            text, rest = self._code(final=final) if code else self._step(final=final)
            if not text and rest == self._held:
                break
            self._held = rest
            if text:
                out.append(text)
                self._left(text, code=code)
        return "".join(out)

    def _left(self, text: str, *, code: bool) -> None:
        """Note what has left: its length, its last line, and whether a tag stands before the next empty line."""
        self._sent += len(text)
        lines = text.split("\n")
        lines[0] = self._line + lines[0]
        if not code:
            for place, line in enumerate(lines):
                self._tags = "<" in line or (self._tags and (bool(line.strip()) or place == len(lines) - 1))
        before = self._last if len(lines) == 1 else ""
        self._ticks = (self._ticks if len(lines) == 1 else 0) + len(markup.TICKS.findall(before + text.rpartition("\n")[2]))
        self._last = text[-1] if text[-1] == "\\" else ""
        self._line = lines[-1][:8]

    def _code(self, *, final: bool) -> tuple[str, str]:
        """Lines inside a fence, up to the one that closes it."""
        line, newline, rest = self._held.partition("\n")
        closes = re.fullmatch(rf"[ ]{{0,3}}{re.escape(self._fence[0])}{{{len(self._fence)},}}[ \t]*", line)
        if not newline and not final:
            may_close = not self._line and re.fullmatch(r"[ ]{0,3}[`~]*[ \t]*", line)
            return ("", self._held) if may_close else (self._held, "")
        if closes and not self._line:
            self._fence = ""
        return line + newline, rest

    def _step(self, *, final: bool) -> tuple[str, str]:
        """The next piece that may leave, and the rest. Nothing and everything: it has to wait."""
        held = self._held
        start = markup.STARTS.search(held)
        if start is not None and start.start() > 0:
            cut = start.start()
            return held[:cut], held[cut:]
        if start is None:
            keep = 0 if final else self._beginning(held)
            return (held[: len(held) - keep], held[len(held) - keep :]) if keep < len(held) else ("", held)
        sign = held[0]
        if sign in "[!【":
            return self._bracket(final=final)
        if sign == "]":
            if held.startswith("]("):
                return "] (", held[2:]  # belongs to no link that was seen whole: taken apart
            return ("", held) if len(held) == 1 and not final else ("]", held[1:])
        if sign == "<":
            return self._angle(final=final)
        if sign in "`~ ":
            return self._opens(final=final)
        return self._url(final=final)

    def _beginning(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of something."""
        found = markup.URL_BEGINS.search(text)
        line = text.rpartition("\n")[2]
        own = line if "\n" in text else self._line + line
        fence = len(line) if own and not own.strip(" `~") and len(own) - len(own.lstrip()) <= 3 and own.strip() else 0
        return max(len(found.group()) if found else 0, fence)

    def _opens(self, *, final: bool) -> tuple[str, str]:
        """A line that may open a fence."""
        line, newline, rest = self._held.partition("\n")
        if not newline and not final:
            return "", self._held
        opened = markup.FENCE.fullmatch(self._line + line)
        if opened is None or self._tags:
            marks = re.match(r"[ ]*[`~]+", line)
            cut = marks.end() if marks else 1
            return self._held[:cut], self._held[cut:]
        self._fence = opened.group(1)
        self._line = ""
        return line + newline, rest

    def _bracket(self, *, final: bool) -> tuple[str, str]:
        held = self._held
        if held[0] == "!" and not held.startswith("!["):
            return ("", held) if len(held) == 1 and not final else ("!", held[1:])
        waits = not final and "\n\n" not in held
        if held[0] == "【":
            cited = CITATION.match(held)
            if cited is not None:
                return self._cited(cited), held[cited.end() :]
            return ("", held) if waits and len(held) < 200 and "】" not in held else ("【", held[1:])
        closing = markup.closing(held)
        if closing is None:
            return ("", held) if waits and len(held) <= markup.HOLD_CHARS else (held[0], held[1:])
        end = closing + 1
        if end == len(held) and waits:
            return "", held
        following = held[end : end + 1]
        if following == "(":
            target = markup.TARGET.match(held[: end + markup.HOLD_URL_CHARS].partition("\n\n")[0], end)
            if target is not None:
                return self._link(held[:end], target.group(1)), held[target.end() :]
            if waits and len(held) - end < markup.HOLD_URL_CHARS and held.count("(", end) > held.count(")", end):
                return "", held
            return held[0], held[1:]
        if following == ":":
            return self._definition(end, final=final)
        cited = CITATION.match(held)
        if cited is not None and cited.end() == end:
            return self._cited(cited), held[end:]
        return held[0], held[1:]

    def _link(self, bracket: str, target: str) -> str:
        """A whole `[text](target)`: as it is, or its text alone; of an image nothing."""
        image = "!" if bracket[0] == "!" else ""
        inner = Outflow((), (), linked=False)
        inner._conversation, inner._by_key = self._conversation, self._by_key
        shown = inner.whole(bracket[len(image) + 1 : -1])
        self.dropped_links += inner.dropped_links
        url = self._allowed(target.strip("<>"))
        if url is None:
            self.dropped_links += 1
            return "" if image else shown
        source = self._by_key.get(page_key(url))
        made = f"{image}[{shown}]({url})"
        if source is not None and not image:
            self._annotate(source, made)
        return made

    def _definition(self, end: int, *, final: bool) -> tuple[str, str]:
        """`[label]: target`, which makes links of every `[label]` in a text; or a bracket before a colon."""
        held = self._held
        gap = markup.GAP.match(held, end)
        start = end if gap is None else gap.end()
        token = markup.TOKEN.match(held[: end + markup.HOLD_URL_CHARS], start)
        ends = start if token is None else token.end()
        if ends >= len(held) and not final and len(held) - end < markup.HOLD_URL_CHARS and "\n\n" not in held[end:]:
            return "", held
        target = "" if token is None else token.group().strip("<>")
        if markup.ELSEWHERE.match(html.unescape(target)):
            if self._allowed(target) is None:
                self.dropped_links += 1
                return "", held[ends:]
            return held[:ends], held[ends:]
        cited = CITATION.match(held)
        if cited is not None and cited.end() == end:
            return self._cited(cited), held[end:]
        return held[0], held[1:]

    def _cited(self, cited: re.Match[str]) -> str:
        if not self._linked or not self._sources or self._ticks % 2:
            return cited.group()
        made = ""
        for n in dict.fromkeys(numbers_in(cited)):
            source = self._sources.get(n)
            if source is None:
                self.dropped_citations += 1
                continue
            link = f"[[{n}]]({source.url.replace('(', '%28').replace(')', '%29')})"
            self._annotate(source, link, len(made))
            made += link
        return made

    def _annotate(self, source: Source, link: str, offset: int = 0) -> None:
        start = self._sent + offset
        cited = {"start_index": start, "end_index": start + len(link), "title": source.title, "url": source.url}
        self.annotations.append({"type": "url_citation", "url_citation": cited})

    def _angle(self, *, final: bool) -> tuple[str, str]:
        held = self._held
        head = held[: markup.HOLD_CHARS + 1].partition("\n\n")[0]
        autolink = markup.AUTOLINK.match(head)
        if autolink is not None:
            url = self._allowed(autolink.group(1))
            self.dropped_links += url is None
            return (REMOVED if url is None else f"<{url}>"), held[autolink.end() :]
        tag = markup.TAG.match(head)
        if tag is not None:
            plain = (tag.group(1) or "").lower() in markup.PLAIN_TAGS and not (tag.group(2) or "").strip(" /\n")
            self.dropped_links += not plain and "=" in (tag.group(2) or "")
            return (tag.group() if plain else ""), held[tag.end() :]
        if len(held) > 1 and not (held[1].isalpha() or held[1] in "/!?"):
            return "<", held[1:]
        if not final and len(held) <= markup.HOLD_CHARS and "\n\n" not in held:
            return "", held
        return "&lt;" if len(held) > 1 else "<", held[1:]

    def _url(self, *, final: bool) -> tuple[str, str]:
        held = self._held
        match = (markup.URL if self._linked else markup.QUOTED_URL).match(held)
        if match is None:
            return held[0], held[1:]
        found = match.group()
        if match.end() == len(held) and not final:
            if len(found) <= markup.HOLD_URL_CHARS:
                return "", held
            return "", found[: markup.HOLD_URL_CHARS]  # no URL that anybody may have is as long as this
        if self._ticks % 2:
            line, newline, _ = held.partition("\n")
            tick = markup.TICK.search(line)
            if tick is not None and (tick.end() < len(held) or final):
                return found.partition("`")[0], held[len(found.partition("`")[0]) :]  # inside a code span that is closed
            if not newline and not final and len(line) <= markup.HOLD_URL_CHARS:
                return "", held
        url, rest = found, ""
        while url:
            allowed = self._allowed(url if "://" in url else f"https://{url}") or self._allowed(f"http://{url}")
            if allowed is not None:
                return (url if "#" not in url else allowed), rest + held[match.end() :]
            if url[-1] not in markup.TRAILING:
                break
            url, rest = url[:-1], url[-1] + rest
        # What stands behind a bracket or a quote may be no part of it to us, but is to those who make links of text.
        self.dropped_links += 1
        return REMOVED, rest + held[match.end() :]

    def _allowed(self, target: str) -> str | None:
        """The target if it may leave, else None. A fragment goes unless the target is one alone."""
        said = html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", target))
        if said.startswith("#"):
            return target
        key = page_key(said)
        if key is None or (key not in self._conversation and key not in self._by_key):
            return None
        return target.partition("#")[0]
