"""Pages as members get them: their own text, visible characters only, absolute links, and one read for everybody."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_fusion.errors import ToolFailed
from litellm_fusion.web.clean import cleaned, one_line
from litellm_fusion.web.decode import decoded
from litellm_fusion.web.fetch import Document
from litellm_fusion.web.reading import MAX_CHARS, MAX_LINKS, Page, read
from litellm_fusion.web.shared import MAX_ITEMS, Shared
from litellm_fusion.web.urls import Known, canonical, literal, page_key

PARAGRAPHS = "".join(
    f"<p>Point {n}: a heat pump of this size delivered about {n + 2} times what it drew, in the tests of that winter.</p>"
    for n in range(4)
)
PARAGRAPH = "<p>Heat pumps move heat instead of making it, which is why they deliver about three times what they draw.</p>"


def _html(body: str, head: str = "<title>Heat pumps</title>") -> Document:
    page = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return Document("https://energy.test/a/page", "html", page.encode())


def _pdf(*texts: str) -> bytes:
    """A small PDF, written by hand: one page per text."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for text in texts:
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        content = len(objects) + 1
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        kids.append(f"{content + 1} 0 R")
        font = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {content} 0 R /Resources {font} >>")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out = b"%PDF-1.4\n"
    places = []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    return out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()


async def test_a_page_is_its_title_its_own_text_and_its_links() -> None:
    menu = "<nav><a href='/home'>Home</a><a href='/shop'>Shop</a></nav><script>alert(1)</script>"
    page = await read(_html(f"{menu}<article><h1>Pumps</h1>{PARAGRAPHS}<p>See <a href='b#x'>more</a>.</p></article>"))
    assert (page.title, page.url) == ("Heat pumps", "https://energy.test/a/page")
    assert "about 3 times" in page.text
    assert "alert" not in page.text
    assert "[more](https://energy.test/a/b" in page.text
    assert ("more", "https://energy.test/a/b") in page.links
    assert ("Home", "https://energy.test/home") in page.links


async def test_relative_links_follow_the_pages_base() -> None:
    page = await read(_html(f"{PARAGRAPHS}<p><a href='x'>there</a></p>", "<base href='https://other.test/deep/'>"))
    assert ("there", "https://other.test/deep/x") in page.links


async def test_what_a_browser_hides_is_not_read() -> None:
    hidden = [
        "<p style='display: none'>SECRET-ORDER</p>", "<div hidden>SECRET-ORDER</div>", "<p aria-hidden='true'>SECRET-ORDER</p>",
        "<span style='font-size:0px'>SECRET-ORDER</span>", "<!-- SECRET-ORDER -->", "<template>SECRET-ORDER</template>",
        "<p style='visibility:hidden'>SECRET-ORDER</p>", "<noscript>SECRET-ORDER</noscript>",
    ]  # fmt: skip
    page = await read(_html(f"<article>{PARAGRAPHS}{''.join(hidden)}{PARAGRAPH}</article>"))
    assert "SECRET-ORDER" not in page.text
    assert "three times" in page.text


async def test_a_short_page_is_read_whole() -> None:
    assert "Opening hours: 9 to 5" in (await read(_html("<div>Opening hours: 9 to 5</div>"))).text


async def test_links_are_bounded_and_only_http() -> None:
    anchors = "".join(f"<a href='/p{n}'>p{n}</a>" for n in range(500))
    odd = "<a href='javascript:x()'>js</a><a href='mailto:a@b.c'>mail</a><a href='http://u:p@h.test/'>login</a><a href='http://['>x</a>"
    page = await read(_html(f"{PARAGRAPH}{odd}{anchors}"))
    assert len(page.links) == MAX_LINKS
    assert all(url.startswith("https://energy.test/p") for _, url in page.links)


TAGS = st.sampled_from([
    "<p>", "</p>", "<div hidden>", "<a href='", "'>", "</a>", "<table><tr><td>", "<title>", "</title>", "<base href='//[",
    "<!--", "-->", "<svg>", "<math>", "<template>", "&#0;", "&#xD800;", "<meta charset=utf-16>", "<style>",
    "<p style='display:none'>", "<body>", "</html>",
])  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(TAGS | st.text(max_size=20), max_size=30).map("".join))
def test_any_html_is_a_page_or_a_tool_failure(html: str) -> None:
    document = Document("https://energy.test/a", "html", html.encode("utf-8", "surrogatepass"))
    with suppress(ToolFailed):
        page = asyncio.run(read(document))
        assert page.text == cleaned(page.text)
        assert all(canonical(url) == url for _, url in page.links)


@pytest.mark.parametrize("body", ["", "<script>only()</script>", "<img src='x.png'>"])
async def test_a_page_without_text_says_so(body: str) -> None:
    with pytest.raises(ToolFailed) as failed:
        await read(_html(body, head=""))
    assert failed.value.kind in ("empty", "unreadable")


async def test_a_pdf_is_read_page_by_page() -> None:
    page = await read(Document("https://energy.test/a.pdf", "pdf", _pdf("First page on pumps", "Second page on prices")))
    assert page.text.splitlines()[0] == "[page 1]"
    assert "First page on pumps" in page.text
    assert "[page 2]\nSecond page on prices" in page.text


@pytest.mark.parametrize("body", [b"%PDF-1.7", b"%PDF-1.4\n" + b"<<" * 5_000, _pdf("x")[:200], _pdf()])
async def test_a_broken_pdf_is_a_failure_of_the_tool(body: bytes) -> None:
    with pytest.raises(ToolFailed) as failed:
        await read(Document("https://energy.test/a.pdf", "pdf", body))
    assert failed.value.kind in ("unreadable", "empty")


async def test_a_locked_pdf_says_so() -> None:
    writer = pypdf.PdfWriter(io.BytesIO(_pdf("secret")))
    writer.encrypt("password", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(ToolFailed, match="password"):
        await read(Document("https://energy.test/a.pdf", "pdf", out.getvalue()))


async def test_reading_has_a_time_limit_and_leaves_the_loop_free() -> None:
    long = "".join(
        f"<p>Paragraph {n} of a page that nobody will ever want to read to its end, by <b>far</b>.</p>" for n in range(30_000)
    )
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    started = time.monotonic()
    with pytest.raises(ToolFailed, match="too long"):
        await read(_html(long), seconds=0.15)
    took = time.monotonic() - started
    ticking.cancel()
    assert took < 2
    assert ticks >= 3


async def test_plain_text_and_json_are_read_as_they_are() -> None:
    page = await read(Document("https://energy.test/d.json", "text", b'{"cop": 3}'))
    assert page.text == '{"cop": 3}'
    long = await read(Document("https://energy.test/t", "text", b"word " * MAX_CHARS))
    assert len(long.text) <= MAX_CHARS


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("Grüße".encode(), None, "Grüße"),
        ("Grüße".encode(), "iso-8859-1", "Grüße"),  # the server is wrong, the bytes are right
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), None, "Grüße"),
        ("“quoted”".encode("cp1252"), "iso-8859-1", "“quoted”"),
        (b'<meta charset="koi8-r">' + "Привет".encode("koi8-r"), None, '<meta charset="koi8-r">Привет'),
        ("こんにちは".encode("iso2022_jp"), "iso-2022-jp", "こんにちは"),
        ("こんにちは".encode("shift_jis"), "Shift_JIS", "こんにちは"),
        ("Grüße".encode("utf-16"), "utf-16", "Grüße"),
        ("Grüße".encode("utf-16"), None, "Grüße"),
        ("\ufeffGrüße".encode(), None, "Grüße"),
        (b"+ADw-script+AD4-", "utf-7", "+ADw-script+AD4-"),
        (b"uryyb", "rot13", "uryyb"),
        (b"\\x41", "unicode_escape", "\\x41"),
        (b"xn--a-ecp.ru", "idna", "xn--a-ecp.ru"),
        (b"aGVsbG8=", "base64", "aGVsbG8="),
        (b"caf\xc3", "utf-8", "caf\ufffd"),
        (b"x", "no-such-charset; rm", "x"),
        (b"x", "u" * 10_000, "x"),
    ],
)
def test_charsets_and_their_traps(body: bytes, charset: str | None, text: str) -> None:
    assert decoded(body, charset) == text


@settings(max_examples=200)
@given(st.binary(max_size=300), st.none() | st.text(max_size=30) | st.sampled_from(["utf-16", "gbk", "iso-2022-jp", "utf-7"]))
def test_any_bytes_become_text(body: bytes, charset: str | None) -> None:
    assert isinstance(decoded(body, charset), str)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u200bb\u2060c\ufeffd", "abcd"),  # zero width
        ("\u202eevil\u202c", "evil"),  # turned around
        ("".join(chr(0xE0000 + ord(char)) for char in "ignore") + "ok", "ok"),  # tags: invisible ASCII
        ("a\u2063fusion: b", "afusion: b"),  # our own progress mark
        ("x\ufe01\ufe02\ufe03y", "x\ufe01y"),  # bytes hidden in variation selectors
        ("x\U000e0101\U000e0102y", "xy"),
        ("\u3164\u115f\u2800 ok", "ok"),  # fillers
        ("bell\x07 esc\x1b[31m null\x00", "bell esc[31m null"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627", "\u0645\u06cc\u200c\u062e\u0648\u0627"),  # a joiner that Persian needs
        ("a\u200cb", "ab"),
        ("👍\ufe0f ok", "👍\ufe0f ok"),
        ("a\n\n\n\n\nb \t c", "a\n\nb c"),
        ("\ud800 lone", "lone"),
        ("\ue000private", "private"),
    ],
)
def test_nobody_can_hide_in_a_text(text: str, seen: str) -> None:
    assert cleaned(text) == seen


@given(st.text())
def test_cleaning_is_done_once(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    assert not any(char in once for char in "\u200b\u2063\u202e\x00\x1b\ufeff")
    assert "\n" not in one_line(text, 50)
    assert len(one_line(text, 50)) <= 50


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://a.test/x.", {"https://a.test/x"}),
        ("(https://a.test/x)", {"https://a.test/x"}),
        ("[t](https://a.test/x_(y))", {"https://a.test/x_(y)"}),
        ("[t](https://a.test/x) and [u](https://b.test/)", {"https://a.test/x", "https://b.test"}),
        ("https://A.Test:443/X#frag", {"https://a.test/X"}),
        ("<https://a.test/?q=1&r=2>", {"https://a.test/?q=1&r=2"}),
        ("ftp://a.test/ http://u:p@a.test/", set()),
    ],
)
def test_urls_that_stand_in_a_text(text: str, urls: set[str]) -> None:
    assert urls <= {url.rstrip("/") if url.endswith("/") and url.rstrip("/") in urls else url for url in literal(text)}
    if not urls:
        assert not set(literal(text))


@pytest.mark.parametrize(
    ("shown", "asked", "known"),
    [
        ("read https://a.test/x please", "https://a.test/x", True),
        ("read https://a.test/x please", "https://a.test/x/", True),
        ("read https://a.test/x please", "https://a.test/x#part", True),
        ("read https://a.test/x please", "https://a.test/x?data=secret", False),
        ("read https://a.test/x please", "https://a.test/xsecret", False),
        ("read https://a.test/x please", "https://a.test/", False),
        ("read https://a.test/x please", "http://a.test/x", False),
        ("what does docs.example.org/guide say?", "https://docs.example.org/guide", True),
        ("mail me at joe@docs.example.org", "https://docs.example.org", False),
        ("the file is at C:/x.py", "https://x.py", False),
        ("nothing here", "https://a.test/x", False),
    ],
)
def test_only_what_was_shown_is_known(shown: str, asked: str, known: bool) -> None:
    assert (asked in Known([shown])) is known


@given(st.text(max_size=60), st.text(alphabet="abcdefghij0123456789-_=&", min_size=1, max_size=30))
def test_no_composed_url_is_known(text: str, secret: str) -> None:
    known = Known(["Compare https://a.test/x and https://b.test/y?z=1 for me.", text])
    known.show("1. [A page](https://c.test/found)")
    if secret not in text:
        assert f"https://evil.test/?d={secret}" not in known
        assert f"https://a.test/x?d={secret}" not in known
        assert f"https://c.test/found{secret}" not in known


@given(st.text(max_size=100))
def test_one_spelling_per_page(url: str) -> None:
    found = canonical(url)
    if found is not None:
        assert canonical(found) == found
        assert page_key(found) == page_key(url)


class Pages:
    """A shared cache of pages, as a browser has it."""

    def __init__(self, read_one: Callable[[str], Awaitable[Page]]) -> None:
        self.cache: Shared[Page] = Shared(lambda page: len(page.text))
        self.aclose = self.cache.aclose
        self._read_one = read_one

    async def read(self, url: str) -> tuple[Page, bool]:
        return await self.cache.get(page_key(url) or url, lambda: self._read_one(url))


async def test_three_members_and_one_page_are_one_read() -> None:
    asked = []

    async def slowly(url: str) -> Page:
        asked.append(url)
        await asyncio.sleep(0.02)
        return Page(url, "t", "text")

    pages = Pages(slowly)
    got = await asyncio.gather(*(pages.read(f"https://A.test/x{end}") for end in ("", "#a", "/")))
    await pages.read("https://a.test/x")
    assert [shared for _, shared in got] == [False, True, True]
    assert len(asked) == 1


async def test_a_member_that_leaves_takes_nobodys_page_along() -> None:
    async def slowly(url: str) -> Page:
        await asyncio.sleep(0.05)
        return Page(url, "t", "text")

    pages = Pages(slowly)
    first, second = asyncio.create_task(pages.read("https://a.test/")), asyncio.create_task(pages.read("https://a.test/"))
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second)[0].text == "text"
    await pages.aclose()


async def test_a_failure_is_everybodys_and_closing_ends_what_still_reads() -> None:
    asked = []

    async def failing(url: str) -> Page:
        asked.append(url)
        if "hang" in url:
            await asyncio.sleep(60)
        raise ToolFailed("http_404", "gone")

    pages = Pages(failing)
    got = await asyncio.gather(pages.read("https://a.test/"), pages.read("https://a.test/"), return_exceptions=True)
    assert [type(error) for error in got] == [ToolFailed, ToolFailed]
    assert len(asked) == 1
    hanging = asyncio.create_task(pages.read("https://a.test/hang"))
    await asyncio.sleep(0.01)
    await pages.aclose()
    with pytest.raises(asyncio.CancelledError):
        await hanging


async def test_the_cache_is_bounded() -> None:
    async def at_once(url: str) -> Page:
        return Page(url, "t", "x" * 1_000)

    pages = Pages(at_once)
    for n in range(MAX_ITEMS * 2):
        await pages.read(f"https://a.test/{n}")
    assert len(pages.cache) <= MAX_ITEMS
    _, shared = await pages.read("https://a.test/0")
    assert not shared
