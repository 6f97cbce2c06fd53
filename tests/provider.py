"""A loopback provider that speaks OpenAI's chat API and misbehaves on demand, per model name.

`provider.script("m1", Reply(status=500))` makes every call of m1 fail; several replies are given one after the other,
the last one from then on. Every request is kept in `provider.requests`. One server thread per test session.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
import wires
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from wires import SIGNATURE, Reply

__all__ = ["ANALYSIS", "SIGNATURE", "Provider", "Reply", "Seen", "answer", "start"]

_OTHERS = {"/v1/completions": wires.completion, "/v1/responses": wires.response, "/v1/messages": wires.anthropic}
ANALYSIS = {
    "consensus": [{"claim": "Both agree on the main point.", "answers": ["A", "B"]}],
    "contradictions": [],
    "partial_coverage": [{"point": "Costs.", "answers": ["A"]}],
    "unique_insights": [{"insight": "Timing matters.", "answer": "B"}],
    "blind_spots": ["Regional differences."],
    "strongest": "A",
}


@dataclass
class Seen:
    """One request as it came."""

    model: str
    body: dict[str, Any]
    at: float
    done: bool = False
    port: int = 0
    """The caller's end of the connection."""


@dataclass
class Provider:
    """The scripts and the history. `base_url` is what `api_base` of a deployment wants."""

    base_url: str = ""
    requests: list[Seen] = field(default_factory=list)
    open: int = 0
    caches: bool = False
    hits: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _prompts: dict[str, list[list[str]]] = field(default_factory=lambda: defaultdict(list))
    _scripts: dict[str, list[Reply]] = field(default_factory=dict)
    _used: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def script(self, model: str, *replies: Reply | str) -> None:
        """The replies of one model, in order; the last one stays."""
        self._scripts[model] = [Reply(text=reply) if isinstance(reply, str) else reply for reply in replies]
        self._used[model] = 0

    def reset(self) -> None:
        """Forget scripts and history."""
        self.requests.clear()
        self.caches = False
        self._prompts.clear()
        self.hits.clear()
        self._scripts.clear()
        self._used.clear()

    def asked(self, model: str) -> list[dict[str, Any]]:
        """The bodies that one model was sent."""
        return [seen.body for seen in self.requests if seen.model == model]

    def next(self, model: str, body: dict[str, Any]) -> Reply:
        """What this call gets; with `caches`, the tokens that it shares with an earlier prompt count as cached."""
        reply = self._next(model, body)
        if not self.caches:
            return reply
        prompt = _pieces(body)
        cached = max((_shared(prompt, earlier) for earlier in self._prompts[model]), default=0)
        self._prompts[model].append(prompt)
        self.hits[model].append(cached)
        return replace(reply, cached=cached)

    def _next(self, model: str, body: dict[str, Any]) -> Reply:
        """The scripted reply, or a plain answer with the model's name."""
        replies = self._scripts.get(model)
        if not replies:
            return Reply(text=json.dumps(ANALYSIS)) if model == "judge" else Reply(text=answer(model))
        reply = replies[min(self._used[model], len(replies) - 1)]
        self._used[model] += 1
        return reply.make(body) if reply.make else reply


def answer(model: str) -> str:
    """An ordinary answer, long enough to be no near-empty one."""
    return f"This is the answer of {model}: it weighs cost, time and risk, and recommends the second option."


def _pieces(body: dict[str, Any]) -> list[str]:
    """A prompt as a provider caches it, whichever API it came by: tools, system, then every block of every message."""
    tools = [tool.get("function", tool) for tool in body.get("tools") or ()]
    pieces = [json.dumps([[tool["name"], tool.get("parameters", tool.get("input_schema"))] for tool in tools], sort_keys=True)]
    pieces += [json.dumps(body[key]) for key in ("system", "instructions") if body.get(key)]
    given = body.get("messages") or body.get("input") or []
    for message in given if isinstance(given, list) else [{"role": "user", "content": given}]:
        content = message.get("content", message.get("output"))
        calls = [[made["id"], made["function"]] for made in message.get("tool_calls") or ()]
        if message.get("type") == "function_call":
            calls = [[message["call_id"], {"arguments": message["arguments"], "name": message["name"]}]]
        for block in content if isinstance(content, list) and content else [content]:
            if isinstance(block, dict):
                block = {key: value for key, value in block.items() if key != "cache_control"}
                block = block["text"] if block.get("type") in ("text", "input_text", "output_text") else block
            role = "tool" if "output" in message else "assistant" if calls else message.get("role")
            pieces.append(json.dumps([role, block, calls], sort_keys=True))
    return pieces


def _shared(prompt: list[str], earlier: list[str]) -> int:
    """How many words two prompts begin with together, piece by piece."""
    words = 0
    for one, other in zip(prompt, earlier, strict=False):
        if one != other:
            break
        words += len(one.split())
    return words


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A tool call as an OpenAI-compatible provider makes it."""
    made = next(_CALLS)
    return {"id": f"call_{made}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


_CALLS = itertools.count(1)


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """In a thread, signals belong to the tests."""


def start(provider: Provider) -> Callable[[], None]:
    """Serve on a free loopback port; gives the function that stops it."""

    async def chat(request: Request) -> Response:
        body = await request.json()
        seen = Seen(body["model"], body, time.monotonic(), port=request.client.port if request.client else 0)
        provider.requests.append(seen)
        reply = provider.next(body["model"], body)
        provider.open += 1
        try:
            if reply.hang:
                while not await request.is_disconnected():  # noqa: ASYNC110 - Starlette has no event for it
                    await asyncio.sleep(0.02)
                return Response(status_code=499)
            await asyncio.sleep(reply.delay_seconds)
            while reply.until and not reply.until():  # noqa: ASYNC110 - set from the thread of a test
                await asyncio.sleep(0.02)
            if reply.status != 200:
                headers = {"retry-after": str(reply.retry_after)} if reply.retry_after is not None else None
                error = {"message": f"secret-host.internal says {reply.status}", "type": "x", "code": str(reply.status)}
                return JSONResponse({"error": error}, reply.status, headers)
            return wires.chat(body, reply)
        finally:
            provider.open -= 1
            seen.done = True

    async def other(request: Request) -> Response:
        body = await request.json()
        provider.requests.append(Seen(body["model"], body, time.monotonic(), done=True))
        reply = provider.next(body["model"], body)
        if reply.status != 200:
            error = {"message": f"secret-host.internal says {reply.status}", "type": "api_error", "code": str(reply.status)}
            return JSONResponse({"type": "error", "error": error}, reply.status)
        return _OTHERS[request.url.path](body, reply)

    routes = [Route("/v1/chat/completions", chat, methods=["POST"])]
    app = Starlette(routes=[*routes, *(Route(path, other, methods=["POST"]) for path in _OTHERS)])
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, name="provider", daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    provider.base_url = f"http://127.0.0.1:{port}/v1"

    def stop() -> None:
        server.should_exit = True
        server.force_exit = True
        thread.join(5)

    return stop
