"""Scripted models behind a real `litellm.Router`: the stages run as they are, only the providers are made up.

`Scripted` is a Router whose inner call is answered from a queue per model. It keeps the arguments of every call.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import litellm
from litellm.llms.base_llm.search.transformation import SearchResponse, SearchResult
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from litellm_fusion.client import Client, Identity, Purse
from litellm_fusion.config import Settings, Tools
from litellm_fusion.layers import resolve
from litellm_fusion.limits import Meter
from litellm_fusion.lineup import line_up
from litellm_fusion.models import Models
from litellm_fusion.run import Run
from litellm_fusion.trace import Recorder
from litellm_fusion.types import Event, Request
from litellm_fusion.web.browser import Browser

LONG = "A thorough answer that weighs cost, time and risk, and then recommends the second option of the two."


@dataclass(frozen=True)
class Say:
    """One reply: a text, an error, or silence."""

    text: str = LONG
    error: BaseException | None = None
    delay_seconds: float = 0.0
    finish_reason: str = "stop"
    error_after: int | None = None
    word_seconds: float = 0.0
    """How long each word of a stream takes."""
    cost: float | None = 0.001
    calls: tuple[tuple[str, Any], ...] = ()
    """Tool calls: the name, and the arguments as a dict or as whatever text the model writes."""
    annotations: tuple[dict[str, Any], ...] = ()


class Scripted(litellm.Router):
    """A router whose models say what they are told, in order; the last reply stays."""

    def __init__(self, *names: str, info: dict[str, dict[str, Any]] | None = None) -> None:
        prices = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
        super().__init__(
            model_list=[
                {
                    "model_name": name,
                    "litellm_params": {"model": f"openai/{name}", "api_key": "none"},
                    "model_info": {**prices, **((info or {}).get(name) or {})},
                }
                for name in names
            ]
        )
        self.script: dict[str, list[Say]] = defaultdict(list)
        self.asked: list[dict[str, Any]] = []
        self.closed: list[str] = []
        self.found: dict[str, list[dict[str, str]] | Exception] = {}
        self.searched: list[dict[str, Any]] = []
        self.search_seconds = 0.0
        self.asearch = self._search  # an attribute of the instance in a Router as well
        self.running = 0

    def says(self, name: str, *replies: Say | str | Exception) -> None:
        """Script a model."""
        self.script[name] = [
            reply if isinstance(reply, Say) else Say(reply) if isinstance(reply, str) else Say(error=reply) for reply in replies
        ]

    async def acompletion(self, model: str, messages: list[Any], stream: bool = False, **kwargs: Any) -> Any:  # type: ignore[override]
        """Answer from the script."""
        self.asked.append({"model": model, "messages": messages, "stream": stream, **kwargs})
        replies = self.script[model] or [Say()]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        self.running += 1
        try:
            await asyncio.sleep(reply.delay_seconds)
        finally:
            self.running -= 1
        if reply.error is not None:
            raise reply.error
        if stream:
            return _Stream(self, model, reply)
        message: dict[str, Any] = {"role": "assistant", "content": reply.text}
        if reply.calls:
            message["content"] = reply.text if reply.text != LONG else None
            message["tool_calls"] = [
                {
                    "id": f"call_{len(self.asked)}_{n}",
                    "type": "function",
                    "function": {"name": name, "arguments": said if isinstance(said, str) else json.dumps(said)},
                }
                for n, (name, said) in enumerate(reply.calls)
            ]
        if reply.annotations:
            message["annotations"] = list(reply.annotations)
        finish = "tool_calls" if reply.calls else reply.finish_reason
        response = litellm.ModelResponse(
            model=f"{model}-2026",
            choices=[{"index": 0, "finish_reason": finish, "message": message}],
            usage={"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
        )
        response._hidden_params["response_cost"] = reply.cost
        return response

    async def _search(self, search_tool_name: str, query: str, **kwargs: Any) -> Any:
        """Answer a search: `found` holds results or an error by query, `*` those of every other."""
        self.searched.append({"tool": search_tool_name, "query": query, **kwargs})
        await asyncio.sleep(self.search_seconds)
        results = self.found.get(query, self.found.get("*", []))
        if isinstance(results, Exception):
            raise results
        response = SearchResponse(results=[SearchResult(**result) for result in results], object="search")
        response._hidden_params = {"response_cost": 0.002}
        return response

    def models_asked(self) -> list[str]:
        """Who was asked, in order."""
        return [call["model"] for call in self.asked]


class _Stream:
    """A provider's stream, which says whether it was closed."""

    def __init__(self, router: Scripted, model: str, reply: Say) -> None:
        self.router, self.model = router, model
        self._chunks = self._make(reply)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._chunks

    async def _make(self, reply: Say) -> AsyncIterator[Any]:
        words = reply.text.split(" ") if reply.text else []
        for n, word in enumerate(words):
            if reply.error_after == n:
                raise litellm.InternalServerError("broke", llm_provider="openai", model=self.model)
            await asyncio.sleep(reply.word_seconds)
            yield self._chunk(Delta(content=word if n == len(words) - 1 else word + " "))
        yield self._chunk(Delta(), reply.finish_reason)

    def _chunk(self, delta: Delta, finish: str | None = None) -> ModelResponseStream:
        choices = [StreamingChoices(index=0, delta=delta, finish_reason=finish)]
        return ModelResponseStream(id="inner", model=self.model, created=1, choices=choices)

    async def aclose(self) -> None:
        self.router.closed.append(self.model)
        await self._chunks.aclose()  # type: ignore[attr-defined]


def run_of(
    router: Scripted,
    config: dict[str, Any],
    *,
    request: Request | None = None,
    stream: bool = False,
    budget_left_usd: float | None = None,
    identity: Identity | None = None,
    purse: Purse | None = None,
    events: list[Event] | None = None,
    browser: Browser | None = None,
    private: bool = False,
) -> Run:
    """A run over scripted models. `events` collects what it emits."""
    layers = resolve(config, ("fusion/test",), Settings())
    request = request or Request("fusion/test", ({"role": "user", "content": "Which option is better?"},), stream=stream)
    models = Models(router)
    recorder = Recorder(model="fusion/test", preset="general", seed=7, route="fused")
    limits = layers.config.limits
    deadline = limits.deadline_seconds if isinstance(limits.deadline_seconds, int | float) else None
    meter = Meter(
        max_cost_usd=limits.max_cost_usd,
        budget_left_usd=budget_left_usd,
        deadline_seconds=deadline,
        refuse_unknown_price=layers.ceiling_written,
    )
    client = Client(router, models, meter, recorder, identity or Identity(), purse=purse)

    async def emit(event: Event) -> None:
        if events is not None:
            events.append(event)

    tools = layers.config.tools if isinstance(layers.config.tools, Tools) and not private else None
    if browser is None and tools is not None:
        browser = Browser(tools)
    return Run(
        request, layers.config, line_up(layers.config, models.provider), meter, recorder, client, models, private,
        tools, browser, emit,
    )  # fmt: skip


def server_error() -> Exception:
    """A provider's 500, with text that must not be passed on."""
    return litellm.InternalServerError("secret-host is down", llm_provider="openai", model="x")


def steps(run: Run) -> list[tuple[str, str]]:
    """The ladder as (stage, step)."""
    return [(step.stage, step.step) for step in run.recorder.ladder]
