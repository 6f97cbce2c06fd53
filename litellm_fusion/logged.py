"""What LiteLLM logs of a request that went direct natively → that request's trace. LiteLLM serves and bills those by
itself; here they get their one span and go to the same sinks as every other request.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from litellm_fusion import sinks
from litellm_fusion.context import recall_logged
from litellm_fusion.outcomes import failure
from litellm_fusion.trace import Span, record


def tell(kwargs: Mapping[str, Any], *, failed: bool) -> None:
    """Complete the trace that a logged call belongs to. Anything but a native direct call is left alone."""
    payload = kwargs.get("standard_logging_object") or {}
    metadata = (payload.get("metadata") or {}).get("spend_logs_metadata") or {}
    plan = recall_logged(metadata.get("fusion_trace_id"))
    if plan is None or metadata.get("fusion_role") != "direct" or plan.decision.use != "direct":
        return
    recorder = plan.recorder
    if any(span.role == "direct" and span.status == "ok" for span in recorder.spans):
        return
    span = Span("direct", str(payload.get("model_group") or plan.lineup.direct), None)
    span.served_by = payload.get("model")
    span.start_seconds = max(0.0, float(payload.get("startTime") or 0.0) - recorder.started_at)
    span.seconds = float(payload.get("endTime") or 0.0) - float(payload.get("startTime") or 0.0)
    if failed:
        # LiteLLM writes no row and bills nothing for a call that failed.
        span.status, span.cost_usd = "error", 0.0
        error = kwargs.get("exception")
        span.error = failure(error).kind if isinstance(error, BaseException) else "bad_gateway"
    else:
        span.status, span.cost_usd = "ok", payload.get("response_cost")
        span.prompt_tokens, span.completion_tokens = payload.get("prompt_tokens"), payload.get("completion_tokens")
        if payload.get("stream") and payload.get("completionStartTime"):
            span.first_token_seconds = max(0.0, float(payload["completionStartTime"]) - recorder.started_at)
            recorder.first_token_seconds = span.first_token_seconds
    recorder.spans.append(span)
    recorder.direct_cost_usd = span.cost_usd
    recorder.seconds = time.monotonic() - recorder.started
    sinks.tell(record(recorder))
