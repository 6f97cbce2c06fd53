"""The second opinion: asked only where it can matter and may see the text; its word counts; it fails open."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from fakes import Say, Scripted, server_error
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion import planning, second
from litellm_fusion.asks import Ask
from litellm_fusion.client import Identity
from litellm_fusion.config import Settings
from litellm_fusion.context import Plan
from litellm_fusion.layers import resolve
from litellm_fusion.models import Models
from litellm_fusion.types import Request, Signals

RULES = [{"name": "worth-a-panel", "when": "deliberation > 0.5", "use": "fuse"}, {"name": "rest", "use": "direct"}]
CONFIG: dict[str, Any] = {"panel": ["a", "b", "c"], "policy": RULES, "classifier": {"model": "cheap", "timeout_seconds": 0.3}}
READ = Signals(task="decide", deliberation=0.4, pii=(), secrets=(), is_tool_turn=False)
REQUEST = Request("fusion/test", ({"role": "user", "content": "Which of the two should we take?"},))


def _plan(router: Scripted, read: Signals = READ, *, ask: Ask | None = None, mode: str = "auto", **config: Any) -> Plan:
    layers = resolve({**CONFIG, **config}, ("fusion/test",), Settings())
    first = planning.plan(layers, REQUEST, Models(router), ask or Ask(), mode)
    return planning.plan(layers, REQUEST, Models(router), ask or Ask(), mode, again=(first.recorder, read))


def _router() -> Scripted:
    return Scripted("a", "b", "c", "cheap")


async def _opinion(router: Scripted, plan: Plan) -> Signals | None:
    return await second.opinion(plan, REQUEST, router, Identity({"user_api_key": "k"}), None)


def _steps(plan: Plan) -> list[str]:
    return [step.step for step in plan.recorder.ladder]


@pytest.mark.parametrize(
    ("read", "asked"),
    [
        (READ, True),
        (replace(READ, deliberation=0.25), True),
        (replace(READ, deliberation=0.2), False),
        (replace(READ, deliberation=0.8), False),
        (replace(READ, deliberation=None), False),
        (replace(READ, is_tool_turn=True), False),
        (replace(READ, task="housekeeping"), False),
        (replace(READ, task="agent"), False),
        (replace(READ, pii=("email",)), False),
        (replace(READ, secrets=("api_key",)), False),
        (replace(READ, pii=None), False),
        (replace(READ, secrets=None), False),
    ],
)
def test_it_is_asked_only_in_doubt_and_never_about_sensitive_text(read: Signals, asked: bool) -> None:
    assert second.worth_asking(_plan(_router(), read), REQUEST, "auto") is asked


def test_always_asks_outside_of_the_doubt_too() -> None:
    always = {"classifier": {"model": "cheap", "when": "always"}}
    sure = replace(READ, deliberation=0.95)
    assert second.worth_asking(_plan(_router(), sure, **always), REQUEST, "auto")
    assert not second.worth_asking(_plan(_router(), replace(sure, task="housekeeping"), **always), REQUEST, "auto")


def test_a_trusted_classifier_may_see_sensitive_text() -> None:
    plan = _plan(_router(), replace(READ, pii=("email",)), trusted_models=["cheap", "a"])
    assert second.worth_asking(plan, REQUEST, "auto")


@pytest.mark.parametrize("ask", ["force", "off"])
def test_what_the_request_decides_is_not_asked(ask: Any) -> None:
    assert not second.worth_asking(_plan(_router(), ask=Ask(ask)), REQUEST, "auto")


def test_what_the_operator_decides_is_not_asked() -> None:
    assert not second.worth_asking(_plan(_router(), mode="off"), REQUEST, "off")
    assert second.worth_asking(_plan(_router(), mode="shadow"), REQUEST, "shadow")


def test_nothing_is_asked_where_no_rule_can_change() -> None:
    settled = [{"name": "by-task", "when": "task == 'decide'", "use": "direct"}, *RULES]
    assert not second.worth_asking(_plan(_router(), policy=settled), REQUEST, "auto")
    assert not second.worth_asking(_plan(_router(), classifier=None), REQUEST, "auto")


async def test_its_word_counts() -> None:
    router = _router()
    router.says("cheap", Say('{"deliberation": 0.9}'))
    plan = _plan(router)
    assert plan.decision.use == "direct"
    read = await _opinion(router, plan)
    assert read is not None
    assert read.deliberation == 0.9
    again = planning.plan(plan.layers, REQUEST, Models(router), Ask(), "auto", again=(plan.recorder, read))
    assert (again.decision.use, again.decision.rule) == ("fuse", "worth-a-panel")
    assert again.recorder is plan.recorder
    (span,) = again.recorder.spans
    assert (span.role, span.model, span.status, span.cost_usd) == ("classifier", "cheap", "ok", 0.001)
    assert _steps(again) == ["second_opinion"]


async def test_it_is_called_on_the_callers_account_with_the_text_as_data() -> None:
    router = _router()
    router.says("cheap", Say('{"deliberation": 0.1}'))
    await _opinion(router, _plan(router))
    (call,) = router.asked
    assert call["metadata"]["user_api_key"] == "k"
    assert call["metadata"]["spend_logs_metadata"]["fusion_role"] == "classifier"
    assert "<<<request " in call["messages"][1]["content"]
    assert "Which of the two should we take?" in call["messages"][1]["content"]


@pytest.mark.parametrize(
    "reply",
    [
        server_error(), Say(delay_seconds=5), "", "I think so.", "{}", '{"deliberation": 7}', '{"deliberation": true}',
        '{"deliberation": "NaN"}', "[" * 10_000, RuntimeError("boom"),
    ],
)  # fmt: skip
async def test_whatever_goes_wrong_the_local_verdict_stands(reply: Any) -> None:
    router = _router()
    router.says("cheap", reply)
    plan = _plan(router)
    assert await _opinion(router, plan) is None
    assert _steps(plan) == ["no_second_opinion"]


async def test_leaving_while_it_is_asked_is_leaving() -> None:
    router = _router()
    router.says("cheap", Say(delay_seconds=5))
    task = asyncio.create_task(_opinion(router, _plan(router, classifier={"model": "cheap", "timeout_seconds": 9})))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert router.running == 0


@given(st.text(max_size=60))
def test_any_reply_is_a_number_between_0_and_1_or_none(text: str) -> None:
    for said in (text, '{"deliberation": ' + text, json.dumps({"deliberation": text})):
        value = second.read_number(said)
        assert value is None or 0.0 <= value <= 1.0


def test_explain_tells_who_would_be_asked_and_asks_nobody() -> None:
    router = _router()
    told = second.pending(_plan(router), REQUEST)
    assert told == {"model": "cheap", "would_be_asked": True}
    assert router.asked == []
