"""What one inner call's outcome is called: statuses from texts, typed words from LiteLLM's exceptions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import litellm
from litellm.types.router import RouterRateLimitError, RouterRateLimitErrorBasic

from litellm_fusion.errors import CallFailed
from litellm_fusion.types import Status

# A refusal is short and begins like one; a long answer that begins so has something to say.
_REFUSAL_CHARS = 400
_SORRY = r"i[’']?m (?:really |very |so )?sorry[,.]? (?:but )?"
_REFUSAL = re.compile(
    rf"\W*(?:{_SORRY}i (?:cannot|can[’']?t)\b|(?:{_SORRY})?i(?:[’']m| am) (?:unable|not able) to "
    rf"(?:help|assist|comply|provide|answer)|(?:{_SORRY})?i (?:can(?:no|[’'])t|won[’']t|must decline to) "
    r"(?:help(?! but\b)|assist|comply|provide|answer|discuss|fulfill)|as an ai\b[^.]{0,60}\b"
    r"(?:cannot|can[’']t|unable)|es tut mir leid, (?:aber )?(?:ich kann|dabei)"
    r"|je (?:suis désolée?|ne peux pas)[^.]{0,40}(?:aider|répondre)|lo siento, (?:pero )?no puedo|抱歉，?我(?:无法|不能)"
    r"|申し訳(?:ありません|ございません)が)",
    re.IGNORECASE,
)

_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (RouterRateLimitError, "cooldown"),
    (RouterRateLimitErrorBasic, "cooldown"),
    (litellm.ContextWindowExceededError, "context_window"),
    (litellm.ContentPolicyViolationError, "refused"),
    (litellm.UnsupportedParamsError, "unsupported_params"),
    (litellm.Timeout, "timeout"),
    (TimeoutError, "timeout"),
    (litellm.RateLimitError, "rate_limited"),
    (litellm.AuthenticationError, "unauthorized"),
    (litellm.PermissionDeniedError, "forbidden"),
    (litellm.NotFoundError, "not_found"),
    (litellm.BudgetExceededError, "budget_exceeded"),
    (litellm.ServiceUnavailableError, "unavailable"),
    (litellm.BadRequestError, "bad_request"),
    (litellm.APIConnectionError, "bad_gateway"),
    (litellm.InternalServerError, "server_error"),
)


def status_of(text: str, finish_reason: str, tool_calls: int = 0, refusal: str | None = None) -> Status:
    """`ok`, `empty`, `refused` or `truncated`, from what a model said and why it stopped."""
    if refusal or finish_reason in ("content_filter", "refusal"):
        return "refused"
    if not text.strip():
        return "ok" if tool_calls else "empty"
    if refuses(text):
        return "refused"
    return "truncated" if finish_reason == "length" else "ok"


def refuses(text: str) -> bool:
    """Whether a short text begins like a refusal."""
    return len(text) <= _REFUSAL_CHARS and bool(_REFUSAL.match(text))


def failure(error: BaseException) -> CallFailed:
    """The typed failure behind an exception from LiteLLM. Nothing of its text is kept."""
    if isinstance(error, CallFailed):
        return error
    kind = next((word for kind_, word in _KINDS if isinstance(error, kind_)), "bad_gateway")
    status = getattr(error, "status_code", None)
    return CallFailed(kind, status if isinstance(status, int) else None, _retry_after(error))


def _retry_after(error: BaseException) -> float | None:
    """Seconds until another try, when the provider said so: LiteLLM keeps its headers in one of three places."""
    response: Any = getattr(error, "response", None)
    for headers in (
        getattr(error, "litellm_response_headers", None), getattr(response, "headers", None), getattr(error, "headers", None),
    ):  # fmt: skip
        if isinstance(headers, Mapping) and "retry-after" in headers:
            with suppress(TypeError, ValueError):
                seconds = float(headers["retry-after"])
                if math.isfinite(seconds) and seconds >= 0:
                    return seconds
    return None
