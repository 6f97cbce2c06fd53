"""What a run says, in LiteLLM's own objects: responses, chunks, errors. Always new ones: an inner object is never changed.

Traps of the host that this file lives with: a stream's usage survives only in the final dict chunk; every chunk needs
the one id and the model; usage with cost 0 on the first chunk keeps a cut stream's outer row at 0.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

import httpx
import litellm
from litellm.router_utils.cooldown_handlers import mark_advisor_orchestration_failure
from litellm.types.utils import Choices, Delta, Message, ModelResponseStream, StreamingChoices, Usage

from litellm_fusion import thinking
from litellm_fusion.errors import FusionError
from litellm_fusion.trace import Recorder
from litellm_fusion.types import Reply

_ERRORS: Mapping[int, type[Exception]] = {
    400: litellm.BadRequestError, 401: litellm.AuthenticationError, 403: litellm.PermissionDeniedError,
    404: litellm.NotFoundError, 408: litellm.Timeout, 422: litellm.UnprocessableEntityError,
    429: litellm.RateLimitError, 500: litellm.InternalServerError, 502: litellm.BadGatewayError,
    503: litellm.ServiceUnavailableError,
}  # fmt: skip

_WITH_RESPONSE = (litellm.PermissionDeniedError, litellm.UnprocessableEntityError)
"""Errors of LiteLLM that can't be made without the response that they came with."""


def fresh_id() -> str:
    """An id of our own: LiteLLM's spend row is keyed by it, and an inner call's id is taken."""
    return f"chatcmpl-fusion-{secrets.token_hex(12)}"


def response(reply: Reply, model: str, prompt_tokens: int, summary: dict[str, Any] | None) -> Any:
    """The whole answer as a ModelResponse that costs nothing itself: its inner calls carry the money."""
    if reply.response is not None:
        choices = [choice.model_copy(deep=True) for choice in reply.response.choices]
        for choice in choices if reply.thinker else ():
            _mark(choice.message, reply.thinker)
    else:
        cited: Any = [dict(annotation) for annotation in reply.annotations] or None
        message = Message(role="assistant", content=reply.text, annotations=cited)
        choices = [Choices(index=0, finish_reason=reply.finish_reason, message=message)]
    if summary is not None and choices:
        message = choices[0].message
        message.provider_specific_fields = {**(message.provider_specific_fields or {}), "fusion": summary}
    made = litellm.ModelResponse(id=fresh_id(), model=model, choices=choices, created=int(time.time()))
    made.usage = _usage(prompt_tokens, reply)  # type: ignore[attr-defined]
    made._hidden_params["response_cost"] = 0.0
    return made


class Speaker:
    """Makes the chunks of one stream: one id, one model name."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = fresh_id()
        self._created = int(time.time())

    def first(self, prompt_tokens: int) -> Any:
        """The role, and a cost of 0 that holds even if the stream never ends."""
        chunk = self._chunk(Delta(role="assistant", content=""))
        chunk.usage = _usage(prompt_tokens, Reply(), cost=0.0)
        return chunk

    def text(self, text: str, index: int = 0) -> Any:
        """A piece of the answer, or of one of several."""
        return self._chunk(Delta(content=text), index)

    def reasoning(self, text: str, index: int = 0) -> Any:
        """A piece of reasoning: stage news, or the synthesizer's own."""
        return self._chunk(Delta(content=None, reasoning_content=text), index)

    def keep_alive(self) -> Any:
        """A chunk that says nothing and leaves nothing in a history."""
        return self._chunk(Delta(content=""))

    def inner(self, chunk: Any, thinker: str = "") -> Any:
        """A model's own chunk under our id; its finish and its usage come at the end."""
        copied = [
            StreamingChoices(
                index=choice.index,
                delta=Delta(**choice.delta.model_dump(exclude_none=True)),
                logprobs=getattr(choice, "logprobs", None),
                finish_reason=None,
            )
            for choice in chunk.choices
        ]
        for choice in copied if thinker else ():
            _mark(choice.delta, thinker)
        return ModelResponseStream(id=self._id, model=self._model, created=self._created, choices=copied)

    def last(self, summary: dict[str, Any] | None, annotations: list[dict[str, Any]]) -> Any:
        """The last delta: the trace's summary, and where the text's citations point to."""
        fields = None if summary is None else {"fusion": summary}
        cited: Any = annotations or None
        return self._chunk(Delta(content="", provider_specific_fields=fields, annotations=cited))

    def end(self, reply: Reply, prompt_tokens: int) -> dict[str, Any]:
        """The final chunk as a dict, the only form in which LiteLLM keeps a custom provider's usage."""
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": reply.usage.completion_tokens,
            "total_tokens": prompt_tokens + reply.usage.completion_tokens,
            # Said, or LiteLLM counts our stage news as reasoning.
            "completion_tokens_details": {"reasoning_tokens": reply.usage.reasoning_tokens},
            "cost": 0.0,
        }
        finish = reply.finish_reason
        return {"text": "", "is_finished": True, "finish_reason": finish, "usage": usage, "index": 0, "tool_use": None}

    def _chunk(self, delta: Delta, index: int = 0) -> Any:
        choices = [StreamingChoices(index=index, delta=delta, finish_reason=None)]
        return ModelResponseStream(id=self._id, model=self._model, created=self._created, choices=choices)


def error(failure: FusionError, model: str, recorder: Recorder | None, retry_after: float | None = None) -> Exception:
    """The failure as LiteLLM's own error of the fitting status. It never cools the fusion deployment down, and once
    money was spent it tells clients not to try again by themselves.
    """
    kind = _ERRORS.get(failure.status, litellm.BadGatewayError if failure.status >= 500 else litellm.BadRequestError)
    told = f"{failure.code}: {failure.message}"
    more: dict[str, Any] = {}
    if kind in _WITH_RESPONSE:
        more["response"] = httpx.Response(failure.status, request=httpx.Request("POST", "http://fusion"))
    made: Any = kind(message=told, model=model, llm_provider="fusion", **more)  # type: ignore[call-arg]
    headers: dict[str, str] = {}
    if recorder is not None:
        headers["x-fusion-trace-id"] = recorder.id
        if recorder.totals()["prompt_tokens"]:
            headers["x-should-retry"] = "false"
    if retry_after is not None:
        headers["retry-after"] = str(int(retry_after))
    made.headers = headers
    mark_advisor_orchestration_failure(made)
    exception: Exception = made
    return exception


def _mark(message: Any, thinker: str) -> None:
    """Mark the signatures of a copied message or delta, in both places where LiteLLM keeps them."""
    if getattr(message, "thinking_blocks", None):
        message.thinking_blocks = thinking.marked(message.thinking_blocks, thinker)
    fields = getattr(message, "provider_specific_fields", None)
    if isinstance(fields, dict) and fields.get("thinking_blocks"):
        message.provider_specific_fields = {**fields, "thinking_blocks": thinking.marked(fields["thinking_blocks"], thinker)}


def _usage(prompt_tokens: int, reply: Reply, cost: float | None = None) -> Any:
    written = reply.usage.completion_tokens
    usage = Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=written,
        total_tokens=prompt_tokens + written,
        completion_tokens_details={"reasoning_tokens": reply.usage.reasoning_tokens},
    )
    if cost is not None:
        usage.cost = cost
    return usage
