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
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

ANALYSIS = {
    "consensus": [{"claim": "Both agree on the main point.", "answers": ["A", "B"]}],
    "contradictions": [],
    "partial_coverage": [{"point": "Costs.", "answers": ["A"]}],
    "unique_insights": [{"insight": "Timing matters.", "answer": "B"}],
    "blind_spots": ["Regional differences."],
    "strongest": "A",
}


@dataclass(frozen=True)
class Reply:
    """What one call gets. `make` computes it from the request's body instead."""

    text: str = ""
    status: int = 200
    retry_after: int | None = None
    delay_seconds: float = 0.0
    hang: bool = False
    cut_after: int | None = None
    error_after: int | None = None
    finish_reason: str = "stop"
    refusal: str | None = None
    raw_body: bytes | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    annotations: tuple[dict[str, Any], ...] = ()
    reasoning: str = ""
    choices: int = 1
    chunk_delay_seconds: float = 0.0
    make: Callable[[dict[str, Any]], Reply] | None = None


@dataclass
class Seen:
    """One request as it came."""

    model: str
    body: dict[str, Any]
    at: float
    done: bool = False


@dataclass
class Provider:
    """The scripts and the history. `base_url` is what `api_base` of a deployment wants."""

    base_url: str = ""
    requests: list[Seen] = field(default_factory=list)
    open: int = 0
    _scripts: dict[str, list[Reply]] = field(default_factory=dict)
    _used: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def script(self, model: str, *replies: Reply | str) -> None:
        """The replies of one model, in order; the last one stays."""
        self._scripts[model] = [Reply(text=reply) if isinstance(reply, str) else reply for reply in replies]
        self._used[model] = 0

    def reset(self) -> None:
        """Forget scripts and history."""
        self.requests.clear()
        self._scripts.clear()
        self._used.clear()

    def asked(self, model: str) -> list[dict[str, Any]]:
        """The bodies that one model was sent."""
        return [seen.body for seen in self.requests if seen.model == model]

    def next(self, model: str, body: dict[str, Any]) -> Reply:
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


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A tool call as an OpenAI-compatible provider makes it."""
    made = next(_CALLS)
    return {"id": f"call_{made}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


_CALLS = itertools.count(1)


def usage(body: dict[str, Any], text: str) -> dict[str, int]:
    """Tokens as this provider counts them: words."""
    prompt, completion = len(json.dumps(body.get("messages", "")).split()), len(text.split())
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """In a thread, signals belong to the tests."""


def start(provider: Provider) -> Callable[[], None]:
    """Serve on a free loopback port; gives the function that stops it."""

    async def chat(request: Request) -> Response:
        body = await request.json()
        seen = Seen(body["model"], body, time.monotonic())
        provider.requests.append(seen)
        reply = provider.next(body["model"], body)
        provider.open += 1
        try:
            if reply.hang:
                while not await request.is_disconnected():  # noqa: ASYNC110 - Starlette has no event for it
                    await asyncio.sleep(0.02)
                return Response(status_code=499)
            await asyncio.sleep(reply.delay_seconds)
            if reply.status != 200:
                headers = {"retry-after": str(reply.retry_after)} if reply.retry_after is not None else None
                error = {"message": f"secret-host.internal says {reply.status}", "type": "x", "code": str(reply.status)}
                return JSONResponse({"error": error}, reply.status, headers)
            if reply.raw_body is not None:
                return Response(reply.raw_body, media_type="application/json")
            if reply.cut_after is not None and not body.get("stream"):
                return StreamingResponse(_cut(json.dumps(_whole(body, reply))), media_type="application/json")
            if body.get("stream"):
                return StreamingResponse(_chunks(body, reply), media_type="text/event-stream")
            return JSONResponse(_whole(body, reply))
        finally:
            provider.open -= 1
            seen.done = True

    async def other(request: Request) -> Response:
        body = await request.json()
        provider.requests.append(Seen(body["model"], body, time.monotonic(), done=True))
        reply = provider.next(body["model"], body)
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


def _message(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.refusal:
        message["refusal"] = reply.refusal
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.annotations:
        message["annotations"] = list(reply.annotations)
    if reply.tool_calls:
        message["tool_calls"] = list(reply.tool_calls)
    return message


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.tool_calls else reply.finish_reason


def _whole(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    choices = [{"index": n, "message": _message(reply), "finish_reason": _finish(reply)} for n in range(reply.choices)]
    return {
        "id": f"chatcmpl-{time.monotonic_ns()}", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": choices, "usage": usage(body, reply.text),
    }  # fmt: skip


def _completion(body: dict[str, Any], reply: Reply) -> Response:
    choice = {"index": 0, "text": reply.text, "finish_reason": "stop", "logprobs": None}
    return JSONResponse({
        "id": f"cmpl-{time.monotonic_ns()}", "object": "text_completion", "created": 1, "model": body["model"],
        "choices": [choice], "usage": usage(body, reply.text),
    })  # fmt: skip


def _response(body: dict[str, Any], reply: Reply) -> Response:
    content = [{"type": "output_text", "text": reply.text, "annotations": []}]
    item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content}
    tokens = usage(body, reply.text)
    return JSONResponse({
        "id": f"resp_{time.monotonic_ns()}", "object": "response", "created_at": 1, "model": body["model"],
        "status": "completed", "output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": {"input_tokens": tokens["prompt_tokens"], "output_tokens": tokens["completion_tokens"],
                  "total_tokens": tokens["total_tokens"]},
    })  # fmt: skip


def _anthropic(body: dict[str, Any], reply: Reply) -> Response:
    """Anthropic's API, which refuses thinking blocks that it did not sign."""
    blocks = [b for m in body["messages"] if isinstance(m["content"], list) for b in m["content"]]
    if any(block.get("type") == "thinking" and block.get("signature") != SIGNATURE for block in blocks):
        error = {"type": "invalid_request_error", "message": "Invalid `signature` in `thinking` block"}
        return JSONResponse({"type": "error", "error": error}, 400)
    tokens = usage(body, reply.text)
    return JSONResponse({
        "id": f"msg_{time.monotonic_ns()}", "type": "message", "role": "assistant", "model": body["model"],
        "content": [{"type": "text", "text": reply.text}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": tokens["prompt_tokens"], "output_tokens": tokens["completion_tokens"]},
    })  # fmt: skip


SIGNATURE = "signed-by-the-loopback-provider"
_OTHERS = {"/v1/completions": _completion, "/v1/responses": _response, "/v1/messages": _anthropic}


async def _cut(text: str) -> AsyncIterator[bytes]:
    """Half a body, then a dropped connection."""
    yield text[: len(text) // 2].encode()
    await asyncio.sleep(0.02)
    raise ConnectionError("cut, as scripted")


async def _chunks(body: dict[str, Any], reply: Reply) -> AsyncIterator[bytes]:
    base = {"id": f"chatcmpl-{time.monotonic_ns()}", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

    def line(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return f"data: {json.dumps({**base, 'choices': choices, **more})}\n\n".encode()

    yield line({"role": "assistant", "content": ""})
    if reply.reasoning:
        yield line({"reasoning_content": reply.reasoning})
    words = reply.text.split(" ")
    pieces = [word if n == len(words) - 1 else word + " " for n, word in enumerate(words)] if reply.text else []
    for n, piece in enumerate(pieces):
        if reply.cut_after is not None and n >= reply.cut_after:
            raise ConnectionError("cut, as scripted")
        if reply.error_after is not None and n >= reply.error_after:
            yield b'data: {"error": {"message": "secret-host.internal broke", "type": "server_error", "code": 500}}\n\n'
            return
        yield line({"content": piece})
        await asyncio.sleep(reply.chunk_delay_seconds)
    for n, call in enumerate(reply.tool_calls):
        head = {**call, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield line({"tool_calls": [{"index": n, **head}]})
        yield line({"tool_calls": [{"index": n, "function": {"arguments": call["function"]["arguments"]}}]})
    yield line({}, _finish(reply))
    if (body.get("stream_options") or {}).get("include_usage"):
        data = {**base, "choices": [], "usage": usage(body, reply.text)}
        yield f"data: {json.dumps(data)}\n\n".encode()
    yield b"data: [DONE]\n\n"
