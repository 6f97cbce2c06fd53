"""Every error that fusion raises, and nothing else.

    FusionError                     base: a typed `code`, an HTTP `status`, a message that is safe to show a client
    ├── ConfigInvalid      503      a fusion model's config cannot be used (the details go to the log and to `check`)
    ├── OverrideRefused    400      a request changes a key that it may not change, or gives it a wrong value
    ├── ModelForbidden     403      a request names a model that its key may not call
    ├── RequestRefused     403      a policy rule said `refuse`
    ├── RequestInvalid     400      a conversation of a form that no model takes, on which LiteLLM itself would fail
    ├── HistoryMissing     400      a `previous_response_id` whose turns LiteLLM has not stored
    ├── NestedFusion       400      a fusion model was reached from inside a fused run
    ├── PrivateModelUnavailable 503 sensitive text, and no trusted model answered
    ├── Overloaded         429      `when_full: refuse` and every place is taken
    ├── CallFailed         502      one inner call failed; `kind` says how. A value inside the panel, an error elsewhere
    ├── RunFailed   the direct model's  panel and direct model have both failed; carries the direct model's CallFailed
    ├── StreamBroken       none     the answer's stream failed after content had been sent; its code is the typed cause
    ├── ToolFailed         none     a member's web tool gave nothing; `kind` says how, the message is told to the member
    └── LimitExceeded      none     a call that a limit of the request forbids; carries type, value, limit and whose it is

Messages never hold keys, hosts, stack traces or a provider's own text: those stay behind `client.complete`.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath


def origin(error: BaseException) -> str:
    """What an unforeseen error may say in a log: its type, and the place in this package where it came up. Never its
    text, nor a stack: those may hold what a provider, a client or a page said.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames if "litellm_fusion" in frame.filename]
    return f"{type(error).__name__} at {ours[-1]}" if ours else type(error).__name__


class FusionError(Exception):
    """Base of the tree. `code` is stable and typed, `status` the HTTP status that fits, the message client-safe."""

    code = "fusion_error"
    status = 502

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigInvalid(FusionError):
    """A fusion_config that cannot be used. `problems` name the key's path, what was found and what is allowed."""

    code = "fusion_config_invalid"
    status = 503

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join((self.message, *self.problems))


class OverrideRefused(FusionError):
    """A request's `fusion` field asks for what the operator does not allow; `key` is the path that was refused."""

    code = "fusion_override_refused"
    status = 400

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"fusion.{key}: {message}" if key else message)
        self.key = key


class ModelForbidden(FusionError):
    """A request names a model that its key may not call."""

    code = "fusion_model_forbidden"
    status = 403


class RequestRefused(FusionError):
    """A policy rule with `use: {refuse: ...}` matched; the message is the operator's."""

    code = "fusion_request_refused"
    status = 403


class RequestInvalid(FusionError):
    """A conversation that LiteLLM would answer with a 500 of its own: said as what it is, the request's fault."""

    code = "invalid_request_error"
    status = 400


class HistoryMissing(FusionError):
    """A request goes on from a fused answer by `previous_response_id`, and LiteLLM has not stored that conversation."""

    code = "fusion_history_missing"
    status = 400

    def __init__(self) -> None:
        super().__init__(
            "previous_response_id: the turns before are not stored on this proxy (LiteLLM keeps them with a database and "
            "store_prompts_in_spend_logs); send them in `input`"
        )


class NestedFusion(FusionError):
    """A fusion model inside a fused run: by alias, by a panel entry or by LiteLLM's own fallbacks."""

    code = "fusion_nested"
    status = 400


class PrivateModelUnavailable(FusionError):
    """Sensitive text may go to `trusted_models` only, and none of them answered."""

    code = "private_model_unavailable"
    status = 503


class Overloaded(FusionError):
    """Every run's place is taken and the operator chose to refuse."""

    code = "fusion_overloaded"
    status = 429


class CallFailed(FusionError):
    """One inner call failed. `kind` is one typed word (`rate_limited`, `timeout`, ...), `call_status` its HTTP status.

    `retry_after` is seconds, when the provider said so. `unsupported` names the client parameter that the model
    refused, when that was the cause. The original exception is the `__cause__`, for the log of LiteLLM only.
    """

    code = "fusion_call_failed"

    def __init__(self, kind: str, call_status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.call_status = call_status
        self.retry_after = retry_after


class RunFailed(FusionError):
    """Panel and direct model have both failed. `cause` is the direct model's failure; the members' stand in the text."""

    code = "fusion_failed"

    def __init__(self, cause: CallFailed, members: str) -> None:
        told = f"; panel: {members}" if members else ""
        super().__init__(f"the direct model failed: {cause.kind}{told}")
        self.cause = cause
        self.status = cause.call_status or 502


class StreamBroken(FusionError):
    """The answer's stream failed after content had been sent; `code` is the typed cause."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the answer's stream ended early: {kind}")
        self.code = kind


class ToolFailed(FusionError):
    """A web tool gave nothing. `kind` is one typed word for the trace, the message a sentence that the member can act on.

    It never leaves a run.
    """

    code = "fusion_tool_failed"

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class LimitExceeded(FusionError):
    """A call that may not be made. `limit` is the key under `limits` (or `budget_left_usd`), `whose` its owner."""

    code = "over_limit"

    def __init__(self, limit: str, value: float | None, allowed: float, whose: str = "request") -> None:
        found = "an unknown amount" if value is None else f"{value:.6g}"
        super().__init__(f"{limit}: {found} against {allowed:.6g} ({whose})")
        self.limit = limit
        self.value = value
        self.allowed = allowed
        self.whose = whose
