"""Signals of a request's shape."""

# ruff: noqa: RUF001 - users write in full-width signs too
from __future__ import annotations

from typing import Any

import pytest

from litellm_fusion import signals
from litellm_fusion.signals.structure import text_of
from litellm_fusion.types import Request, Signals


def read(*messages: Any, **options: Any) -> Signals:
    turns = tuple({"role": "user", "content": m} if isinstance(m, str) else m for m in messages)
    return signals.read(Request(model="m", messages=turns, **options))


def said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        (
            [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {}},
                {"type": "input_text", "text": "b"},
            ],
            "a\nb",
        ),
        ([{"type": "output_text", "text": "c"}], "c"),
        (["bare"], "bare"),
        ({"type": "text", "text": "single"}, "single"),
        ([{"type": "text", "text": None}], ""),
    ],
)
def test_text_of_reads_strings_and_text_parts_only(content: Any, text: str) -> None:
    assert text_of({"role": "user", "content": content}) == text


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("word " * 800, 800, 1200), ("比较这两种方案。" * 100, 700, 1000), ("Привет, как дела сегодня? " * 40, 350, 700)],
)
def test_tokens_are_estimated_by_script(text: str, least: int, most: int) -> None:
    tokens = read(text).tokens
    assert tokens is not None
    assert least <= tokens <= most


def test_tokens_count_the_whole_conversation_and_its_images() -> None:
    one = read("hello").tokens
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}
    more = read({"role": "system", "content": "x" * 4000}, image, "hello").tokens
    assert one is not None
    assert more is not None
    assert more >= one + 1000 + 700


def test_turns_count_the_users_and_not_tool_results() -> None:
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "ok"}]}
    assert read("a", said("b"), result, said("c"), "d").turns == 2
    assert read().turns == 0


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"role": "tool", "tool_call_id": "1", "content": "42"}, True),
        ({"role": "function", "name": "f", "content": "42"}, True),
        ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "42"}]}, True),
        (
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "42"},
                {"type": "text", "text": "<system-reminder>todo list is empty</system-reminder>"},
            ]},
            True,
        ),
        (
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "42"},
                {"type": "text", "text": "Stop. Do B instead."}
            ]},
            False,
        ),
        ({"role": "user", "content": "thanks"}, False),
        ({"role": "assistant", "content": "42"}, False),
    ],
)  # fmt: skip
def test_tool_turn_is_one_whose_last_message_is_a_tool_result(last: dict[str, Any], expected: bool) -> None:
    assert read("go", said(""), last).is_tool_turn is expected


def test_system_reminder_behind_a_tool_result_does_not_end_the_tool_turn() -> None:
    tool = {"role": "tool", "tool_call_id": "1", "content": "42"}
    assert read("go", tool, {"role": "system", "content": "be brief"}).is_tool_turn is True
    assert read("go", tool, "and now?").is_tool_turn is False


def test_has_tools_needs_a_tool() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    assert read("hi", tools=(tool,)).has_tools is True
    assert read("hi", params={"functions": [{"name": "f"}]}).has_tools is True
    assert read("hi", params={"tools": []}).has_tools is False


@pytest.mark.parametrize("kind", ["image_url", "image", "input_image"])
def test_images_are_seen_anywhere_in_the_conversation(kind: str) -> None:
    assert read({"role": "user", "content": [{"type": kind}]}, said("a cat"), "really?").has_images is True
    nested = {"role": "user", "content": [{"type": "tool_result", "content": [{"type": kind}]}]}
    assert read("look", nested).has_images is True
    assert read("an image_url is a part type").has_images is False


class Schema:
    pass


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"response_format": {"type": "json_object"}}, True),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, True),
        ({"response_format": {"type": "text"}}, False),
        ({"response_format": Schema}, True),
        ({"text": {"format": {"type": "json_schema"}}}, True),
        ({"text": {"format": {"type": "text"}}}, False),
        ({"text": {"verbosity": "low"}}, False),
        ({}, False),
        ({"response_format": {}}, None),
    ],
)
def test_json_is_wanted_by_parameter_only(params: dict[str, Any], expected: bool | None) -> None:
    assert read("answer as json", params=params).wants_json is expected


@pytest.mark.parametrize(
    "text",
    ["and for Germany?", "What about the second one?", "why?", "Make it shorter", "Und was ist mit Österreich?",
    "Can you explain that more?",
     "et pour la France ?", "¿y en España?", "那德国呢？", "それはなぜですか？"],
)  # fmt: skip
def test_followup_is_short_and_leans_on_the_answer(text: str) -> None:
    assert read("Compare A and B", said("A wins"), text).is_followup is True
    assert read(text).is_followup is False


@pytest.mark.parametrize(
    "text",
    ["Write a Python function for merging sorted lists in linear time",
    "What year did the Berlin wall fall, please tell me now",
     "Now for something new. " + "Describe the water cycle in every detail. " * 10,
     "请详细写一篇关于人工智能对教育行业影响的文章"],
)  # fmt: skip
def test_question_that_stands_alone_is_no_followup(text: str) -> None:
    assert read("Compare A and B", said("A wins"), text).is_followup is False


LONG_QUESTION = "Please explain in plain words how the heat pump in our new house moves warmth from outside to inside in winter"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("Who wrote Hamlet?", "Who wrote Hamlet?"),
        ("Who wrote Hamlet?", "who wrote  hamlet"),
        ("Who wrote Hamlet?", "Please, who wrote Hamlet?"),
        (LONG_QUESTION, LONG_QUESTION.replace("warmth", "warmht")),
        ("Anything at all", "Try again"),
        ("Anything at all", "regenerate the response"),
        ("Irgendetwas", "Noch einmal bitte"),
        ("任何问题", "重新生成"),
    ],
)
def test_retry_asks_the_same_again(first: str, again: str) -> None:
    assert read(first, said("..."), again).is_retry is True


def test_retry_is_seen_when_the_client_drops_the_answer() -> None:
    assert read("Who wrote Hamlet?", "Who wrote Hamlet?").is_retry is True


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Sales in 2023?", "Sales in 2024?"),
        ("continue", "continue"),
        ("yes", "Yes."),
        (LONG_QUESTION, LONG_QUESTION.replace("inside", "outside").replace("winter", "summer")),
        (LONG_QUESTION, LONG_QUESTION.replace("explain", "not explain")),
        ("Is A better than B?", "Is B better than A?"),
        ("Summarize this:\n" + "alpha " * 2000, "Summarize this:\n" + "beta " * 2000),
    ],
)
def test_another_question_is_no_retry(first: str, then: str) -> None:
    assert read(first, said("..."), then).is_retry is False


def test_same_words_under_another_image_are_no_retry() -> None:
    def look(url: str) -> dict[str, Any]:
        return {
            "role": "user",
            "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}],
        }

    assert read(look("https://a/1"), said("a cat"), look("https://a/2")).is_retry is False
    assert read(look("https://a/1"), said("a cat"), look("https://a/1")).is_retry is True


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the best way to learn the piano?", "en"),
        ("Was ist der beste Weg, um Klavier zu lernen?", "de"),
        ("Quelle est la meilleure façon d'apprendre le piano ?", "fr"),
        ("¿Cuál es la mejor manera de aprender el piano?", "es"),
        ("Qual é a melhor maneira de aprender piano para uma criança?", "pt"),
        ("Qual è il modo migliore per imparare il pianoforte?", "it"),
        ("Wat is de beste manier om piano te leren?", "nl"),
        ("学习钢琴的最好方法是什么？", "zh"),
        ("ピアノを学ぶ最良の方法は何ですか？", "ja"),
        ("피아노를 배우는 가장 좋은 방법은 무엇인가요?", "ko"),
        ("पियानो सीखने का सबसे अच्छा तरीका क्या है?", "hi"),
        ("ما هي أفضل طريقة لتعلم البيانو؟", "ar"),
        ("Как лучше всего научиться играть на пианино?", "ru"),
        ("Який найкращий спосіб навчитися грати?", "uk"),
        ("xyzzy plugh", None),
        ("42", None),
        ("SELECT a FROM b", None),
    ],
)
def test_language_is_guessed_from_script_and_function_words(text: str, language: str | None) -> None:
    assert read(text).language == language


def test_language_is_that_of_the_question_and_not_of_the_pasted_text() -> None:
    pasted = "```\nThe quick brown fox and the lazy dog are in the house of the man\n```"
    assert read(f"Was ist an diesem Text nicht richtig?\n{pasted}").language == "de"
