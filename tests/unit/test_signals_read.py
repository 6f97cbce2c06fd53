"""`signals.read` as a whole: it never raises, and what it cannot read is unknown and harms nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_fusion import signals
from litellm_fusion.signals.conversation import Conversation
from litellm_fusion.types import Caller, Request, Signals

PERSONAL = "Compare the two offers for jane.doe@firma.de, please."


def ask(*messages: Any, **options: Any) -> Request:
    turns = tuple({"role": "user", "content": m} if isinstance(m, str) else m for m in messages)
    return Request(model="fusion/x", messages=turns, **options)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "text", "content", "image_url", "data", "input", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
_MESSAGES = st.one_of(
    _ANYTHING,
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "developer", "x"]) | _ANYTHING},
        optional={"content": _ANYTHING, "tool_calls": _ANYTHING, "type": _ANYTHING, "name": _ANYTHING},
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages=st.lists(_MESSAGES, max_size=5), params=_ANYTHING, tools=_ANYTHING)
def test_read_never_raises_whatever_the_messages_look_like(messages: list[Any], params: Any, tools: Any) -> None:
    found = signals.read(Request(model="m", messages=tuple(messages), params=params, tools=tools))
    assert isinstance(found, Signals)
    assert found.preset == "general"


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=400))
def test_numbers_stay_between_zero_and_one_whatever_the_text(text: str) -> None:
    found = signals.read(ask(text))
    for value in (found.task_confidence, found.difficulty, found.stakes, found.deliberation):
        assert value is None or 0.0 <= value <= 1.0
    assert found.tokens is not None
    assert found.pii is not None
    assert found.secrets is not None


def test_every_signal_has_a_reader() -> None:
    conversation = Conversation(ask("hello"))
    named = set(signals.READERS) | {name for group in signals.GROUPS for name in group(conversation)}
    assert named == {field.name for field in fields(Signals)}


@pytest.mark.parametrize("broken", sorted(signals.READERS))
def test_broken_reader_leaves_its_signal_unknown_and_the_others_intact(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    request = ask(PERSONAL, caller=Caller(key_alias="k", team_id="t", user_id="u", tags=("a",), budget_left_usd=1.0))
    whole = signals.read(request)

    def fail(_: Conversation) -> Any:
        raise RuntimeError(PERSONAL)

    monkeypatch.setitem(signals.READERS, broken, fail)
    with caplog.at_level(logging.DEBUG):
        found = signals.read(request)
    assert getattr(found, broken) is None
    for field in fields(Signals):
        if field.name != broken:
            assert getattr(found, field.name) == getattr(whole, field.name)
    assert "RuntimeError" in caplog.text
    assert "firma" not in caplog.text


def test_broken_group_leaves_its_signals_unknown_and_the_others_intact(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Conversation) -> Mapping[str, Any]:
        raise ValueError

    monkeypatch.setattr(signals, "GROUPS", (fail,))
    found = signals.read(ask(PERSONAL))
    assert (found.task, found.deliberation, found.verifiable) == (None, None, None)
    assert found.pii == ("email",)


def test_unreadable_content_is_unknown_and_never_clean() -> None:
    found = signals.read(ask({"role": "user", "content": 7}, caller=Caller(team_id="t")))
    assert found.task is None
    assert found.team_id == "t"
    found = signals.read(ask("hello", 5.0))
    assert (found.pii, found.secrets, found.turns, found.task) == (None, None, None, None)


def test_too_deep_nesting_is_unknown_and_never_clean() -> None:
    deep: Any = "jane.doe@firma.de"
    for _ in range(40):
        deep = [deep]
    assert signals.read(ask({"role": "tool", "content": deep})).pii is None


def test_unreadable_parameters_leave_only_their_signals_unknown() -> None:
    found = signals.read(ask(PERSONAL, params=None))
    assert (found.wants_json, found.has_tools) == (None, None)
    assert found.pii == ("email",)


def test_no_words_mean_no_task_rather_than_a_guess() -> None:
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.y/z.png"}}]}
    for request in (ask(), ask(""), ask(image)):
        found = signals.read(request)
        assert (found.task, found.deliberation, found.difficulty, found.verifiable) == (None, None, None, None)


def test_caller_is_handed_through() -> None:
    caller = Caller(key_alias="k", team_id=None, user_id="u", tags=("a", "b"), budget_left_usd=None)
    found = signals.read(ask("hi", caller=caller, preset="research"))
    assert (found.key_alias, found.team_id, found.user_id) == ("k", None, "u")
    assert (found.tags, found.budget_left_usd, found.preset) == (("a", "b"), None, "research")
    assert signals.read(ask("hi")).budget_left_usd == float("inf")


def test_sensitive_text_is_found_wherever_it_stands() -> None:
    mail, key = "jane.doe@firma.de", "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
    places: list[Request] = [
        ask({"role": "system", "content": f"{mail} {key}"}, "hi"),
        ask(f"{mail} {key}", {"role": "assistant", "content": "ok"}, "thanks"),
        ask("hi", {"role": "tool", "tool_call_id": "1", "content": f"{mail} {key}"}),
        ask("hi",
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": f"{mail} {key}"}]}]}),
        ask("hi", {"role": "assistant", "content": None, "tool_calls": [
            {"type": "function", "function": {"name": "f", "arguments": f'{{"to":"\\n{mail}","key":"{key}"}}'}}]}),
        ask("hi", {"role": "assistant", "content": [{"type": "tool_use", "input": {"to": mail, "key": key}}]}),
        ask({"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": f"{mail} {key}"}}]}),
    ]  # fmt: skip
    for request in places:
        found = signals.read(request)
        assert found.pii == ("email",)
        assert found.secrets == ("github_token",)


def test_secrets_in_tool_descriptions_are_found_and_contact_addresses_there_are_not_the_users() -> None:
    tool = {
        "type": "function",
        "function": {"name": "f", "description": "key ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2 + " a@firma.de"},
    }
    found = signals.read(ask("hi", tools=(tool,)))
    assert found.secrets == ("github_token",)
    assert found.pii == ()


def test_binary_payloads_are_not_scanned() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "4111111111111111 " * 3}}
    assert signals.read(ask({"role": "user", "content": [image]})).pii == ()


@pytest.mark.parametrize(
    "piece",
    ["A) B) ", "1 - ", "generate title ", "search query ", "this is very ", "ask several ", "“", "'a ", "```", "\n>",
    "<context>", "</", "Question: ", "a"],
)  # fmt: skip
def test_adversarial_turn_is_read_in_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        request = ask("a", {"role": "assistant", "content": "b"}, (piece * size)[:size])
        start = time.perf_counter()
        signals.read(request)
        return time.perf_counter() - start

    seconds(1000)
    assert seconds(200_000) < 40 * seconds(20_000) + 1.0
