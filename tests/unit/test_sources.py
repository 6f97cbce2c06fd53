"""Sources: one number per page over the whole run, members' citations rewritten, citations to nothing dropped."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.sources import CITATION, Notes, annotated, listed, numbered
from litellm_fusion.types import Answer, Source


def notes(member: int, *urls: str) -> Notes:
    made = Notes(member, lambda: "2026-11-23T10:00:00+00:00")
    for url in urls:
        made.take(url, f"Title of {url}", f"passage of {url}", fetched=False)
    return made


def answer(member: int, text: str, *urls: str, status: str = "ok") -> Answer:
    return Answer(member, f"m{member}", status, text, sources=notes(member, *urls).sources)  # type: ignore[arg-type]


def test_a_page_keeps_its_number_and_remembers_what_was_read() -> None:
    made = notes(1, "https://a.test/1", "https://a.test/2")
    assert made.take("https://A.test/1#part", "", "more of it", fetched=True) == 1
    assert made.take("https://a.test/1/", "", "more of it", fetched=False) == 1
    first = made.sources[0]
    assert (first.title, first.fetched, first.at) == ("Title of https://a.test/1", True, "2026-11-23T10:00:00+00:00")
    assert first.passages == ("passage of https://a.test/1", "more of it")


def test_members_numbers_become_the_runs() -> None:
    made = numbered([
        answer(1, "One [2]. Two [1, 2].", "https://a.test/1", "https://b.test/2"),
        answer(2, "Three [1] and [2][3].", "https://b.test/2", "https://c.test/3", "https://d.test/4"),
    ])  # fmt: skip
    assert [source.url for source in made.sources] == [
        "https://b.test/2",
        "https://a.test/1",
        "https://c.test/3",
        "https://d.test/4",
    ]
    assert [source.n for source in made.sources] == [1, 2, 3, 4]
    assert [each.text for each in made.answers] == ["One [1]. Two [2][1].", "Three [1] and [3][4]."]
    assert made.dropped == 0


def test_a_citation_to_nothing_is_dropped_and_counted() -> None:
    made = numbered([answer(1, "One [1]. Two [5]. Three [0, 1].", "https://a.test/1"), answer(2, "No sources here [1].")])
    assert [each.text for each in made.answers] == ["One [1]. Two . Three [1].", "No sources here ."]
    assert made.dropped == 3


def test_code_and_years_are_no_citations() -> None:
    text = "In [2024] `a[1]`:\n```\nb[1]\n```\nDone [1]."
    made = numbered([answer(1, "x [1]", "https://z.test/"), answer(2, text, "https://a.test/1")])
    assert made.answers[1].text == "In [2024] `a[1]`:\n```\nb[1]\n```\nDone [2]."


def test_without_any_source_texts_stay_as_they_are() -> None:
    made = numbered([answer(1, "A list [1]."), answer(2, "x")])
    assert ([each.text for each in made.answers], made.sources, made.dropped) == (["A list [1].", "x"], (), 0)


def test_cited_sources_come_first_then_the_read_ones() -> None:
    one = notes(1, "https://found.test/", "https://cited.test/")
    one.take("https://read.test/", "Read", "text", fetched=True)
    made = numbered([Answer(1, "m", "ok", "So [2].", sources=one.sources)])
    assert [source.url for source in made.sources] == ["https://cited.test/", "https://read.test/", "https://found.test/"]
    shown = listed(made.sources, made.answers, passages=True)
    assert shown.splitlines()[0] == "[1] Title of https://cited.test/ https://cited.test/"
    assert "passage of https://cited.test/" in shown
    assert "[2] Read https://read.test/" in shown
    assert "found.test" not in shown


def test_a_source_may_be_cited_by_its_link() -> None:
    made = numbered([answer(1, "As [they say](https://b.test/2).", "https://a.test/1", "https://b.test/2")])
    assert [source.url for source in made.sources] == ["https://b.test/2", "https://a.test/1"]


def test_annotations_of_a_provider_become_citations() -> None:
    own = Notes(1, str)
    text = "Fact one. Fact two (https://b.test/)."

    def cited(url: object, start: object, end: object) -> dict[str, object]:
        return {"type": "url_citation", "url_citation": {"url": url, "title": "T", "start_index": start, "end_index": end}}

    odd = [cited("javascript:x", 0, 3), cited("https://c.test/", "x", None), cited(5, 0, 1), {"type": "x"}, "nonsense", None]
    made = annotated(text, [cited("https://a.test/", 0, 9), cited("https://b.test/", 10, 18), *odd], own)
    assert made == "Fact one.[1] Fact two (https://b.test/)."
    assert [source.url for source in own.sources] == ["https://a.test/", "https://b.test/", "https://c.test/"]


@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.lists(st.integers(0, 12), max_size=4), st.integers(0, 6)), min_size=1, max_size=4
    )
)
def test_every_citation_that_is_left_has_its_source(made: list[tuple[str, list[int], int]]) -> None:
    answers = [
        answer(n, text + "".join(f" claim [{own}]" for own in cited), *(f"https://s{(n + k) % 5}.test/" for k in range(count)))
        for n, (text, cited, count) in enumerate(made, 1)
    ]  # fmt: skip
    result = numbered(answers)
    numbers = {source.n for source in result.sources}
    assert numbers == set(range(1, len(result.sources) + 1))
    assert len({source.url for source in result.sources}) == len(result.sources)
    if result.sources:
        for before, after in zip(answers, result.answers, strict=True):
            for match in CITATION.finditer(re.sub(r"`[^`\n]+`|```.*", "", after.text, flags=re.DOTALL)):
                assert {int(part) for part in re.split("[,;]", match.group(1))} <= numbers or "`" in before.text


def test_a_source_is_a_frozen_value() -> None:
    assert Source("https://a.test/", "T", 1, False).n == 0


def test_a_long_list_loses_passages_first_then_its_end() -> None:
    made = numbered([answer(1, "".join(f"x [{n}]" for n in range(1, 41)), *(f"https://s{n}.test/" for n in range(40)))])
    whole = listed(made.sources, made.answers, passages=True)
    assert "passage of" in whole
    shorter = listed(made.sources, made.answers, passages=True, chars=len(whole) - 1)
    assert "passage of" not in shorter
    assert len(shorter.splitlines()) == 40
    shortest = listed(made.sources, made.answers, passages=True, chars=500)
    assert len(shortest) <= 500
    assert shortest.splitlines() == shorter.splitlines()[: len(shortest.splitlines())]
