"""URLs as they stand in texts, and when two of them are the same page. Pure; nothing is asked of the network."""

from __future__ import annotations

import re
from collections.abc import Iterable

import httpx

MAX_URL_CHARS = 2_000
_URL = re.compile(r"https?://[^\s<>\"`\\^{|}\x00-\x20]+", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![\w@/.:-])((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}(?::\d{2,5})?(?:/[^\s<>\"`\\^{|}]*)?)", re.I
)
_TRAILING = ".,;:!?'*_~"
_PAIRS = {")": "(", "]": "["}


def canonical(url: str) -> str | None:
    """One spelling per page: scheme and host in lower case, no default port, no fragment. None for what is no http(s)
    URL, or carries credentials.
    """
    if len(url) > MAX_URL_CHARS or any(char.isspace() or not char.isprintable() for char in url):
        return None
    try:
        parsed = httpx.URL(url)
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
            return None
        return str(parsed.copy_with(fragment=None))
    except (httpx.InvalidURL, ValueError, TypeError):
        return None


def page_key(url: str) -> str | None:
    """What two spellings of one page have in common: the canonical form, with or without a last slash."""
    found = canonical(url)
    return None if found is None else found.rstrip("/")


def _keys(urls: Iterable[str]) -> Iterable[str]:
    return (url.rstrip("/") for url in urls)


def host_of(url: str) -> str:
    """The host of a URL, in lower case and as it is sent; empty for what is no URL."""
    try:
        return httpx.URL(url).raw_host.decode("ascii", "replace").strip("[]").lower()
    except (httpx.InvalidURL, ValueError, TypeError):
        return ""


def literal(text: str) -> Iterable[str]:
    """Every http(s) URL that stands in a text, in canonical form. Where punctuation follows one, both readings count."""
    for match in _URL.finditer(text):
        for candidate in _readings(match.group()):
            found = canonical(candidate)
            if found is not None:
                yield found


def written(text: str) -> Iterable[str]:
    """As `literal`, and also what a person writes without a scheme: `docs.python.org/3/`."""
    yield from literal(text)
    for match in _BARE.finditer(text):
        for candidate in _readings(match.group(1)):
            for scheme in ("https", "http"):
                found = canonical(f"{scheme}://{candidate}")
                if found is not None:
                    yield found


def _readings(found: str) -> Iterable[str]:
    """A match as it is, without what a Markdown link puts after a URL, and without the punctuation of a sentence: a few
    readings, however much punctuation there is.
    """
    cut = re.split(r"\)\s*[\[(,;]|\]\(", found[: 2 * MAX_URL_CHARS], maxsplit=1)[0]
    end = len(cut)
    while end and (cut[end - 1] in _TRAILING or (cut[end - 1] in _PAIRS and not _even(cut[:end], cut[end - 1]))):
        end -= 1
    bare = cut[:end].rstrip(f"{_TRAILING})]")
    return dict.fromkeys((found, cut, cut.rstrip(_TRAILING), cut[:end], bare))


def _even(text: str, closing: str) -> bool:
    return text.count(closing) <= text.count(_PAIRS[closing])


class Known:
    """The URLs that one member may fetch: those that it was shown, never one that it composed."""

    def __init__(self, conversation: Iterable[str] = ()) -> None:
        self._urls: set[str] = set()
        for text in conversation:
            self._urls.update(_keys(written(text)))

    def show(self, text: str) -> None:
        """Take in every URL that stands in a text which the member was shown."""
        self._urls.update(_keys(literal(text)))

    def add(self, url: str) -> None:
        """Take in one URL that the member was shown by itself."""
        found = page_key(url)
        if found is not None:
            self._urls.add(found)

    def __contains__(self, url: str) -> bool:
        found = page_key(url)
        return found is not None and found in self._urls
