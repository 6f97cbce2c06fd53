"""What one inner call's outcome is called."""

from __future__ import annotations

from typing import Any

import httpx
import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.router import RouterRateLimitError, RouterRateLimitErrorBasic

from litellm_fusion.errors import CallFailed
from litellm_fusion.outcomes import _REFUSAL_CHARS, failure, refuses, status_of

SECRET = "sk-secret at https://host.internal said no"
RESPONSE = httpx.Response(403, request=httpx.Request("POST", "https://host.internal"))
ABOUT: dict[str, Any] = {"message": SECRET, "model": "m", "llm_provider": "openai"}

FAILURES: list[tuple[BaseException, str]] = [
    (RouterRateLimitError(model="m", cooldown_time=5, enable_pre_call_checks=False, cooldown_list=[]), "cooldown"),
    (RouterRateLimitErrorBasic(model="m"), "cooldown"),
    (litellm.ContextWindowExceededError(**ABOUT), "context_window"),
    (litellm.ContentPolicyViolationError(**ABOUT), "refused"),
    (litellm.UnsupportedParamsError(**ABOUT), "unsupported_params"),
    (litellm.Timeout(**ABOUT), "timeout"),
    (TimeoutError(SECRET), "timeout"),
    (litellm.RateLimitError(**ABOUT), "rate_limited"),
    (litellm.AuthenticationError(**ABOUT), "unauthorized"),
    (litellm.PermissionDeniedError(**ABOUT, response=RESPONSE), "forbidden"),
    (litellm.NotFoundError(**ABOUT), "not_found"),
    (litellm.BudgetExceededError(current_cost=1.0, max_budget=1.0), "budget_exceeded"),
    (litellm.ServiceUnavailableError(**ABOUT), "unavailable"),
    (litellm.BadRequestError(**ABOUT), "bad_request"),
    (litellm.APIConnectionError(**ABOUT), "bad_gateway"),
    (litellm.InternalServerError(**ABOUT), "server_error"),
    (litellm.BadGatewayError(**ABOUT), "bad_gateway"),
    (ValueError(SECRET), "bad_gateway"),
]


class TestStatus:
    @pytest.mark.parametrize(("text", "finish_reason", "status"), [
        ("42", "stop", "ok"), ("42", "length", "truncated"), ("42", "content_filter", "refused"), ("42", "refusal", "refused"),
        ("", "stop", "empty"), (" \n", "length", "empty"), ("", "content_filter", "refused"),
        ("I cannot help with that.", "length", "refused"), ("42", "tool_calls", "ok"), ("42", "", "ok"),
    ])  # fmt: skip
    def test_it_follows_from_what_was_said_and_why_it_stopped(self, text: str, finish_reason: str, status: str) -> None:
        assert status_of(text, finish_reason) == status

    def test_tool_calls_without_text_are_an_answer(self) -> None:
        assert status_of("", "tool_calls", tool_calls=1) == "ok"
        assert status_of("", "tool_calls", tool_calls=0) == "empty"

    def test_a_refusal_field_is_a_refusal_whatever_else_was_said(self) -> None:
        assert status_of("42", "stop", refusal="No.") == "refused"
        assert status_of("42", "stop", refusal="") == "ok"


class TestRefuses:
    @pytest.mark.parametrize("text", [
        "I'm sorry, but I can't help with that.", "I’m sorry, I cannot assist.", "I am unable to help with this request.",
        "I'm sorry, but I'm unable to comply.", "I'm very sorry but I cannot do that.", "I can't assist with that.",
        "I won't provide this.", "I must decline to answer.", "As an AI language model, I cannot do that.", "**I can’t help.**",
        "Es tut mir leid, aber ich kann dabei nicht helfen.", "Es tut mir leid, dabei helfe ich nicht.",
        "Je suis désolé, je ne peux pas vous aider.", "Je ne peux pas répondre à cette demande.",
        "Lo siento, pero no puedo ayudar.",
        "Lo siento, no puedo.", "抱歉，我无法提供帮助。", "抱歉，我不能回答。", "申し訳ありませんが、お手伝いできません。",
        "申し訳ございませんが、できません。",
    ])  # fmt: skip
    def test_refusals_of_several_languages_are_known(self, text: str) -> None:
        assert refuses(text)

    @pytest.mark.parametrize("text", [
        "I'm sorry to hear that. Try a restart.", "I'm sorry, I can see the slip now: it is 42.",
        "I'm sorry, but I can only say 42.",
        "I can't help but agree: take the second option.", "I can help with that.", "You can't help them.",
        "The model refused.",
        "I cannot overstate how good this is.", "As an AI engineer, you need patience.", "Sorry state of affairs: 42.",
        "Es tut mir leid, das zu hören. Versuchen Sie es morgen.", "Lo siento mucho por su pérdida.", "抱歉，答案是 42。",
        "42", "",
        'The phrase "I cannot help with that" is a refusal.',
    ])  # fmt: skip
    def test_look_alikes_are_answers(self, text: str) -> None:
        assert not refuses(text)

    @pytest.mark.parametrize(("length", "refused"), [(_REFUSAL_CHARS, True), (_REFUSAL_CHARS + 1, False)])
    def test_only_a_short_text_is_a_refusal(self, length: int, refused: bool) -> None:
        assert refuses("I cannot help with that.".ljust(length, ".")) is refused

    @given(st.text())
    def test_any_text_has_a_status(self, text: str) -> None:
        assert status_of(text, "stop") in ("ok", "empty", "refused")


class TestFailure:
    @pytest.mark.parametrize(
        ("error", "kind"), FAILURES, ids=lambda value: value if isinstance(value, str) else type(value).__name__
    )
    def test_each_exception_has_its_word_and_leaves_no_text(self, error: BaseException, kind: str) -> None:
        found = failure(error)
        assert found.kind == found.message == str(found) == kind
        told = f"{found!r} {found.args} {vars(found)}"
        assert "secret" not in told
        assert "host.internal" not in told

    def test_the_status_is_kept_when_it_is_a_number(self) -> None:
        assert failure(litellm.RateLimitError(**ABOUT)).call_status == 429
        assert failure(ValueError()).call_status is None
        odd = ValueError()
        odd.status_code = "429"  # type: ignore[attr-defined]
        assert failure(odd).call_status is None

    def test_a_typed_failure_stays_itself(self) -> None:
        typed = CallFailed("timeout", 408, 3.0)
        assert failure(typed) is typed


class TestRetryAfter:
    def error(self, place: str, value: Any) -> Exception:
        error = ValueError()
        headers = {"retry-after": value}
        if place == "response":
            error.response = httpx.Response(429, headers=headers)  # type: ignore[attr-defined]
        else:
            setattr(error, place, headers)
        return error

    @pytest.mark.parametrize("place", ["litellm_response_headers", "response", "headers"])
    def test_it_is_read_from_each_place_where_litellm_keeps_it(self, place: str) -> None:
        assert failure(self.error(place, "7.5")).retry_after == 7.5

    def test_httpx_headers_of_any_case_are_read(self) -> None:
        error = ValueError()
        error.litellm_response_headers = httpx.Headers({"Retry-After": "3"})  # type: ignore[attr-defined]
        assert failure(error).retry_after == 3.0

    def test_an_unusable_one_does_not_hide_the_next_place(self) -> None:
        error = self.error("litellm_response_headers", "Wed, 21 Oct 2026 07:28:00 GMT")
        error.headers = {"retry-after": 4}  # type: ignore[attr-defined]
        assert failure(error).retry_after == 4.0

    @pytest.mark.parametrize("value", ["soon", "", None, "inf", "nan", "-1", []])
    def test_what_is_no_number_of_seconds_is_unknown(self, value: Any) -> None:
        assert failure(self.error("headers", value)).retry_after is None

    def test_zero_seconds_is_a_number(self) -> None:
        assert failure(self.error("headers", "0")).retry_after == 0.0

    @pytest.mark.parametrize("headers", [None, "retry-after", [], {}])
    def test_odd_headers_say_nothing(self, headers: Any) -> None:
        error = ValueError()
        error.headers = headers  # type: ignore[attr-defined]
        assert failure(error).retry_after is None
