"""On whose account inner calls are made: the caller's identity, tags, session and logging choices, and nothing else.

The caller's budget reservation never goes along: an inner call that saw it would settle the outer request's money.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm.litellm_core_utils.internal_call_metadata import (
    effective_turn_off_message_logging,
    sanitize_user_api_key_auth,
)

from litellm_fusion.client import Identity
from litellm_fusion.context import Plan

_KEPT = ("tags", "litellm_parent_otel_span", "requester_ip_address", "user_agent", "spend_logs_metadata")
_RESERVATION = "user_api_key_budget_reservation"
CHOICES = (
    "cache", "no-log", "turn_off_message_logging", "litellm_disabled_callbacks", "litellm_trusted_callback_vars",
)  # fmt: skip
"""The caller's choices on a request's data: caching, the variables of key and team callbacks, redaction, no log at all."""

_LOGGING_HEADERS = (
    "litellm-enable-message-redaction", "x-litellm-enable-message-redaction", "litellm-disable-message-redaction",
    "x-litellm-disable-callbacks",
)  # fmt: skip
"""The only headers of a client that go with its inner calls: what LiteLLM may log of it, and where."""


def identity(litellm_params: Mapping[str, Any], plan: Plan) -> Identity:
    """The identity behind the provider's `litellm_params`. `plan.forwarded` holds what the hook kept of the body."""
    metadata: dict[str, Any] = {}
    for key in ("metadata", "litellm_metadata"):
        metadata |= litellm_params.get(key) or {}
    kept = {
        key: value
        for key, value in metadata.items()
        if (key.startswith("user_api_key") and key != _RESERVATION) or key in _KEPT
    }
    if "user_api_key_auth" in kept:
        kept["user_api_key_auth"] = sanitize_user_api_key_auth(kept["user_api_key_auth"])
    headers = metadata.get("headers")
    if isinstance(headers, Mapping):
        kept["headers"] = {name: headers[name] for name in _LOGGING_HEADERS if name in headers}
    return Identity(kept, {**_session(litellm_params, plan), **plan.forwarded})


def choices(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the hook keeps of a request's data for its inner calls: caching and logging, with their variables."""
    kept = {key: data[key] for key in CHOICES if data.get(key) is not None}
    if effective_turn_off_message_logging(dict(data)):  # in the body, its metadata, or the key's and team's settings
        kept["turn_off_message_logging"] = True
    variables = data.get("litellm_trusted_callback_vars")
    if isinstance(variables, Mapping):
        kept |= {key: data[key] for key in variables if key in data}
    return kept


def _session(litellm_params: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """One session for outer and inner rows. On the Responses API inner rows have one of their own: LiteLLM rebuilds a
    `previous_response_id` history from every row of a session.
    """
    if plan.api == "responses":
        return {"litellm_trace_id": plan.recorder.id}
    keys = ("litellm_trace_id", "litellm_session_id")
    return {key: litellm_params[key] for key in keys if isinstance(litellm_params.get(key), str)}
