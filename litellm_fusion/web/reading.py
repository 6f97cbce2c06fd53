"""Document → Page: its title, its own text as Markdown, its links. In a thread with a time limit, since it blocks."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import logging
import time
from dataclasses import dataclass
from typing import Any

from litellm_fusion.errors import ToolFailed
from litellm_fusion.web.clean import cleaned, one_line
from litellm_fusion.web.decode import decoded
from litellm_fusion.web.fetch import Document
from litellm_fusion.web.urls import canonical

READ_SECONDS = 10.0
MAX_CHARS = 400_000
"""Of one page's text. A member is shown a part of it at a time."""
MAX_HTML = 3_000_000
MAX_PDF_PAGES = 400
MAX_LINKS = 60
TITLE_CHARS = 160
_ENOUGH = 200
"""Less than this from a page's main part, and its whole text is read instead."""
_HIDDEN = (
    "//*[@hidden or @aria-hidden='true' or self::template or self::noscript]"
    " | //*[contains(translate(@style, ' ', ''), 'display:none') or contains(translate(@style, ' ', ''), 'visibility:hidden')"
    " or contains(translate(@style, ' ', ''), 'font-size:0') or contains(translate(@style, ' ', ''), 'opacity:0;')]"
)
"""What a browser would not show: the usual place for words that only a model is meant to read."""
for _library in ("trafilatura", "pypdf"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)  # they complain of pages, in words of those pages
_READERS = concurrent.futures.ThreadPoolExecutor(max_workers=4, thread_name_prefix="fusion-read")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says. `links` are (text, URL), absolute, in the page's order."""

    url: str
    title: str
    text: str
    links: tuple[tuple[str, str], ...] = ()


async def read(document: Document, *, seconds: float = READ_SECONDS) -> Page:
    """The page in a document. Raises ToolFailed when it has no text, can't be read, or takes too long."""
    loop = asyncio.get_running_loop()
    ends = time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds):
            page = await loop.run_in_executor(_READERS, _page, document, ends)
    except TimeoutError:
        raise ToolFailed("unreadable", "The page took too long to read. Try another page.") from None
    except ToolFailed:
        raise
    except Exception:  # a parser meets whatever strangers write: anything it raises means the same here
        raise ToolFailed("unreadable", "The page could not be read. Try another page.") from None
    if not page.text:
        raise ToolFailed("empty", "The page has no text to read; it may need a browser. Try another page.")
    return page


def _page(document: Document, ends: float) -> Page:
    if document.kind == "pdf":
        return _pdf(document, ends)
    text = decoded(document.body, document.charset)
    if document.kind == "text":
        return Page(document.url, one_line(document.url, TITLE_CHARS), cleaned(text[:MAX_CHARS]))
    return _html(document.url, text[:MAX_HTML])


def _html(url: str, text: str) -> Page:
    import trafilatura  # here, since it takes a quarter of a second that a proxy's start need not

    tree: Any = trafilatura.load_html(text)
    if tree is None:
        return Page(url, url, "")
    for element in tree.xpath(_HIDDEN):
        if element.getparent() is not None:
            element.drop_tree()
    tree.make_links_absolute(url, resolve_base_href=True, handle_failures="discard")
    title = one_line(" ".join(tree.xpath("//title[1]//text()")) or " ".join(tree.xpath("//h1[1]//text()")), TITLE_CHARS)
    links: dict[str, str] = {}
    for anchor in tree.iterfind(".//a[@href]"):
        target = canonical(anchor.get("href", ""))
        label = one_line(anchor.text_content(), 80)
        if target is not None and label and target != url:
            links.setdefault(target, label)
        if len(links) == MAX_LINKS:
            break
    best = trafilatura.extract(
        tree, url=url, output_format="markdown", include_links=True, include_comments=False, favor_recall=True
    )
    if best is None or len(best) < _ENOUGH:
        best = max(best or "", trafilatura.html2txt(tree) or "", key=len)
    found = tuple((label, target) for target, label in links.items())
    return Page(url, title or one_line(url, TITLE_CHARS), cleaned(best[:MAX_CHARS]), found)


def _pdf(document: Document, ends: float) -> Page:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(document.body), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise ToolFailed("unreadable", "The PDF is protected by a password. Try another page.")
    parts: list[str] = []
    size = 0
    for number, page in enumerate(reader.pages, 1):
        if number > MAX_PDF_PAGES or size > MAX_CHARS or time.monotonic() > ends:
            break
        parts.append(f"[page {number}]\n{page.extract_text()}")
        size += len(parts[-1])
    said = reader.metadata.title if reader.metadata is not None else None
    title = one_line(str(said or ""), TITLE_CHARS) or one_line(document.url, TITLE_CHARS)
    text = cleaned("\n\n".join(parts)[:MAX_CHARS])
    return Page(document.url, title, text if any(len(part.split("\n", 1)[1].strip()) > 0 for part in parts) else "")
