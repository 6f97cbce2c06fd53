"""The loopback provider's replies as the three APIs and legacy completions put them on the wire, whole and streamed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

SIGNATURE = "signed-by-the-loopback-provider"


@dataclass(frozen=True)
class Reply:
    """What one call gets. `make` computes it from the request's body instead; `until` keeps it waiting until it is true."""

    text: str = ""
    status: int = 200
    retry_after: int | None = None
    delay_seconds: float = 0.0
    until: Callable[[], bool] | None = None
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
    cached: int = 0


def call(name: str, arguments: str, call_id: str = "call_1") -> dict[str, Any]:
    """A tool call in OpenAI's form."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def usage(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """Tokens as this provider counts them: words."""
    prompt, completion = len(json.dumps(body.get("messages", "")).split()), len(reply.text.split())
    made: dict[str, Any] = {
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
    }  # fmt: skip
    if reply.cached:
        made["prompt_tokens_details"] = {"cached_tokens": reply.cached}
    return made


def chat(body: dict[str, Any], reply: Reply) -> Response:
    """OpenAI's chat completions."""
    if reply.raw_body is not None:
        return Response(reply.raw_body, media_type="application/json")
    if body.get("stream"):
        return StreamingResponse(_chunks(body, reply), media_type="text/event-stream")
    if reply.cut_after is not None:
        return StreamingResponse(_cut(json.dumps(_whole(body, reply))), media_type="application/json")
    return JSONResponse(_whole(body, reply))


def completion(body: dict[str, Any], reply: Reply) -> Response:
    """Legacy completions."""
    choice = {"index": 0, "text": reply.text, "finish_reason": "stop", "logprobs": None}
    return JSONResponse({
        "id": f"cmpl-{time.monotonic_ns()}", "object": "text_completion", "created": 1, "model": body["model"],
        "choices": [choice], "usage": usage(body, reply),
    })  # fmt: skip


def response(body: dict[str, Any], reply: Reply) -> Response:
    """OpenAI's Responses API."""
    made = _response(body, reply)
    if not body.get("stream"):
        return JSONResponse(made)
    return StreamingResponse(_numbered(_response_events(made)), media_type="text/event-stream")


def anthropic(body: dict[str, Any], reply: Reply) -> Response:
    """Anthropic's Messages API, which refuses thinking that it did not sign, and tool blocks without tools."""
    problem = _refused(body)
    if problem is not None:
        error = {"type": "invalid_request_error", "message": problem}
        return JSONResponse({"type": "error", "error": error}, 400)
    made = _anthropic(body, reply)
    if not body.get("stream"):
        return JSONResponse(made)
    return StreamingResponse(_anthropic_events(made), media_type="text/event-stream")


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
        "choices": choices, "usage": usage(body, reply),
    }  # fmt: skip


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
    for n, made in enumerate(reply.tool_calls):
        head = {**made, "function": {"name": made["function"]["name"], "arguments": ""}}
        yield line({"tool_calls": [{"index": n, **head}]})
        arguments = made["function"]["arguments"]
        half = len(arguments) // 2
        for part in (arguments[:half], arguments[half:]):
            yield line({"tool_calls": [{"index": n, "function": {"arguments": part}}]})
    yield line({}, _finish(reply))
    if (body.get("stream_options") or {}).get("include_usage"):
        data = {**base, "choices": [], "usage": usage(body, reply)}
        yield f"data: {json.dumps(data)}\n\n".encode()
    yield b"data: [DONE]\n\n"


def _response(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if reply.text or not reply.tool_calls:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        output.append({"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content})
    for n, made in enumerate(reply.tool_calls):
        output.append(
            {"type": "function_call", "id": f"fc_{n}", "call_id": made["id"], "status": "completed", **made["function"]}
        )
    tokens = usage(body, reply)
    return {
        "id": f"resp_{time.monotonic_ns()}", "object": "response", "created_at": 1, "model": body["model"],
        "status": "completed", "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": {"input_tokens": tokens["prompt_tokens"], "output_tokens": tokens["completion_tokens"],
                  "total_tokens": tokens["total_tokens"], "input_tokens_details": {"cached_tokens": reply.cached},
                  "output_tokens_details": {"reasoning_tokens": 0}},
    }  # fmt: skip


def _response_events(made: dict[str, Any]) -> list[dict[str, Any]]:
    begun = {**made, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    for n, item in enumerate(made["output"]):
        where = {"item_id": item["id"], "output_index": n}
        if item["type"] == "message":
            text = item["content"][0]["text"]
            part = {"type": "output_text", "text": "", "annotations": []}
            events += [
                {"type": "response.output_item.added", "output_index": n,
                 "item": {**item, "content": [], "status": "in_progress"}},
                {"type": "response.content_part.added", **where, "content_index": 0, "part": part},
                *({"type": "response.output_text.delta", **where, "content_index": 0, "delta": word, "logprobs": []}
                  for word in text.split(" ") and [text[:5], text[5:]]),
                {"type": "response.output_text.done", **where, "content_index": 0, "text": text, "logprobs": []},
                {"type": "response.content_part.done", **where, "content_index": 0, "part": item["content"][0]},
            ]  # fmt: skip
        else:
            events += [
                {"type": "response.output_item.added", "output_index": n, "item": {**item, "arguments": ""}},
                {"type": "response.function_call_arguments.delta", **where, "delta": item["arguments"]},
                {"type": "response.function_call_arguments.done", **where, "arguments": item["arguments"]},
            ]
        events.append({"type": "response.output_item.done", "output_index": n, "item": item})
    return [*events, {"type": "response.completed", "response": made}]


async def _numbered(events: list[dict[str, Any]]) -> AsyncIterator[bytes]:
    for n, event in enumerate(events):
        yield f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': n})}\n\n".encode()


def _refused(body: dict[str, Any]) -> str | None:
    blocks = [b for m in body["messages"] if isinstance(m["content"], list) for b in m["content"]]
    for block in blocks:
        if block.get("type") == "thinking" and block.get("signature") != f"{SIGNATURE} {body['model']}":
            return "messages.1.content.0: Invalid `signature` in `thinking` block"
        if block.get("type") in ("tool_use", "tool_result") and not body.get("tools"):
            return "Requests which include `tool_use` or `tool_result` blocks must define tools"
    return None


def _anthropic(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        signature = f"{SIGNATURE} {body['model']}"
        content.append({"type": "thinking", "thinking": reply.reasoning, "signature": signature})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for made in reply.tool_calls:
        function = made["function"]
        content.append(
            {"type": "tool_use", "id": made["id"], "name": function["name"], "input": json.loads(function["arguments"])}
        )
    tokens = usage(body, reply)
    return {
        "id": f"msg_{time.monotonic_ns()}", "type": "message", "role": "assistant", "model": body["model"],
        "content": content, "stop_reason": "tool_use" if reply.tool_calls else "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": tokens["prompt_tokens"], "output_tokens": tokens["completion_tokens"],
                  "cache_read_input_tokens": reply.cached, "cache_creation_input_tokens": 0},
    }  # fmt: skip


async def _anthropic_events(made: dict[str, Any]) -> AsyncIterator[bytes]:
    def line(kind: str, **more: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()

    yield line(
        "message_start", message={**made, "content": [], "stop_reason": None, "usage": {**made["usage"], "output_tokens": 0}}
    )
    for n, block in enumerate(made["content"]):
        empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}[block["type"]]
        yield line("content_block_start", index=n, content_block={**block, **empty})
        if block["type"] == "text":
            deltas = [{"type": "text_delta", "text": block["text"][:9]}, {"type": "text_delta", "text": block["text"][9:]}]
        elif block["type"] == "thinking":
            deltas = [{"type": "thinking_delta", "thinking": block["thinking"]},
                      {"type": "signature_delta", "signature": block["signature"]}]  # fmt: skip
        else:
            text = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in (text[:4], text[4:])]
        for delta in deltas:
            yield line("content_block_delta", index=n, delta=delta)
        yield line("content_block_stop", index=n)
    tokens = {"output_tokens": made["usage"]["output_tokens"]}
    yield line("message_delta", delta={"stop_reason": made["stop_reason"], "stop_sequence": None}, usage=tokens)
    yield line("message_stop")
