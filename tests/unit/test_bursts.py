"""Bursts: what came at once is joined, and says the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from litellm.types.utils import Delta as Piece
from litellm.types.utils import ModelResponseStream, StreamingChoices

from litellm_fusion.bursts import joined, mere_text
from litellm_fusion.types import Delta, Event, News, Reply

CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def _chunk(index: int = 0, finish: str | None = None, **delta: Any) -> ModelResponseStream:
    return ModelResponseStream(choices=[StreamingChoices(index=index, delta=Piece(**delta), finish_reason=finish)])


def _told(event: Event) -> list[str]:
    """What an event says, piece by piece."""
    if isinstance(event, News):
        return [f"news {line}" for line in event.text.split("\n")]
    if isinstance(event, Delta):
        return list(event.text) if event.text is not None else [f"chunk {id(event.chunk)}"]
    return ["reply"]


def _said(event: Event) -> list[str]:
    if isinstance(event, Delta) and (text := mere_text(event.chunk)) is not None:
        return list(text)
    return _told(event)


EVENTS = st.one_of(
    st.text("ab", max_size=3).map(News),
    st.text("ab ", min_size=1, max_size=3).map(lambda text: Delta(_chunk(content=text), "m")),
    st.sampled_from([{"reasoning_content": "hm"}, {"tool_calls": [CALL]}, {"content": ""}]).map(
        lambda delta: Delta(_chunk(**delta), "m")
    ),
    st.text("ab", min_size=1, max_size=2).map(lambda text: Delta(_chunk(1, content=text), "m")),
)


@given(st.lists(EVENTS, max_size=12))
def test_joined_events_say_the_same_in_the_same_order(events: list[Event]) -> None:
    events = [*events, Reply()]
    assert [piece for event in joined(events) for piece in _told(event)] == [
        piece for event in events for piece in _said(event)
    ]


def test_neighbours_become_one() -> None:
    pieces: list[Event] = [Delta(_chunk(content=text), "m") for text in ("a ", "b ", "c")]
    news: list[Event] = [News("one"), News("two")]
    said = list(joined([*news, *pieces, News(), News("three"), *pieces]))
    assert [event.text for event in said if isinstance(event, Delta | News)] == ["one\ntwo", "a b c", "", "three", "a b c"]


def test_mere_text_is_a_first_choices_text_and_nothing_else() -> None:
    assert mere_text(_chunk(content="a", role="assistant")) == "a"
    assert mere_text(_chunk(content="a", finish="stop")) == "a"
    assert mere_text(_chunk(content="a", provider_specific_fields={"refusal": None})) == "a"
    assert mere_text(_chunk(1, content="a")) is None
    assert mere_text(_chunk(content="")) is None
    assert mere_text(_chunk(content="a", reasoning_content="hm")) is None
    assert mere_text(_chunk(content="a", tool_calls=[CALL])) is None
    assert mere_text(_chunk(content="a", provider_specific_fields={"citation": "x"})) is None
    assert mere_text(ModelResponseStream(choices=[])) is None
