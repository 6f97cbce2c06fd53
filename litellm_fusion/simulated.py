"""A small scripted provider on loopback, for trying the product without any key. Every answer says that it is simulated.

It speaks OpenAI's chat API, plain and streamed, and reads just enough of a request to play member, judge and synthesizer.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

LABEL = "[simulated]"
_ANSWER = re.compile(r"^<<<answer (\w+) [0-9a-f]+>>>$", re.MULTILINE)
_VIEWS = (
    ("cost", "the first year's costs decide: count licences, set-up and the hours of the people who run it"),
    ("risk", "the risk of being locked in decides: write down how you would leave before you sign anything"),
    ("time", "time decides: whatever ships a quarter earlier pays for many small shortcomings"),
)
_WORD_SECONDS = 0.012


class SimulatedProvider:
    """A running provider. `url` is what `api_base` wants; `stop` ends it and waits until it is gone."""

    def __init__(self) -> None:
        routes = [Route("/v1/chat/completions", _chat, methods=["POST"]), Route("/v1/models", _models)]
        config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="critical", lifespan="off")
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, name="simulated-provider", daemon=True)
        self._thread.start()
        ends = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > ends:
                raise RuntimeError("the simulated provider did not start")
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}/v1"

    def stop(self) -> None:
        """End the server and its thread."""
        self._server.should_exit = True
        self._thread.join(5)


@contextmanager
def serve() -> Iterator[SimulatedProvider]:
    """The provider on a free loopback port, while the block lasts."""
    provider = SimulatedProvider()
    try:
        yield provider
    finally:
        provider.stop()


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """In a thread, signals belong to the command that started it."""


def reply_to(body: Mapping[str, Any]) -> str:
    """What this provider says to one request: an analysis, a synthesis, or one model's view."""
    last = _text(body["messages"][-1])
    labels = _ANSWER.findall(last)
    if labels and "Compare answers" in last:
        return json.dumps(_analysis(labels))
    question = next((_text(m) for m in body["messages"] if m.get("role") == "user"), "")[:200]
    if labels:
        return (
            f"{LABEL} You asked: {question}\n\nThree views agree that the first year should be planned in writing. They "
            "differ on what decides: cost, the risk of lock-in, or time. Start with the cheapest option that you can "
            "leave within a quarter, and set a date to look again."
        )
    name, view = _VIEWS[sum(map(ord, str(body.get("model", "")))) % len(_VIEWS)]
    return f'{LABEL} Looking at {name}: on the question "{question}", {view}. Plan the first year in writing.'


def _analysis(labels: list[str]) -> dict[str, Any]:
    stances = [{"answer": label, "claim": f"{LABEL} view {label} decides", "evidence": ""} for label in labels]
    return {
        "consensus": [{"claim": f"{LABEL} Plan the first year in writing.", "answers": labels}],
        "contradictions": [{"topic": f"{LABEL} What decides", "stances": stances}],
        "partial_coverage": [{"point": f"{LABEL} First year's costs", "answers": labels[:1]}],
        "unique_insights": [{"insight": f"{LABEL} Write down how to leave.", "answer": labels[-1]}],
        "blind_spots": [f"{LABEL} Who will run it."],
        "strongest": labels[0],
    }


async def _models(request: Request) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": "simulated", "object": "model"}]})


async def _chat(request: Request) -> Response:
    body = await request.json()
    text = reply_to(body)
    await asyncio.sleep(0.3 + 0.2 * (len(str(body.get("model", ""))) % 3))
    if body.get("stream"):
        return StreamingResponse(_chunks(body, text), media_type="text/event-stream")
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return JSONResponse(
        {
            "id": f"sim-{time.monotonic_ns()}", "object": "chat.completion", "created": int(time.time()),
            "model": body.get("model"), "choices": [choice], "usage": _usage(body, text),
        }
    )  # fmt: skip


async def _chunks(body: Mapping[str, Any], text: str) -> AsyncIterator[str]:
    base = {
        "id": f"sim-{time.monotonic_ns()}", "object": "chat.completion.chunk", "created": int(time.time()),
        "model": body.get("model"),
    }  # fmt: skip

    def line(delta: dict[str, Any], finish: str | None = None) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return f"data: {json.dumps({**base, 'choices': choices})}\n\n"

    yield line({"role": "assistant", "content": ""})
    for piece in re.findall(r"\S+\s*", text):
        yield line({"content": piece})
        await asyncio.sleep(_WORD_SECONDS)
    yield line({}, "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield f"data: {json.dumps({**base, 'choices': [], 'usage': _usage(body, text)})}\n\n"
    yield "data: [DONE]\n\n"


def _usage(body: Mapping[str, Any], text: str) -> dict[str, int]:
    prompt = sum(len(_text(message)) for message in body["messages"]) // 4 + 1
    completion = len(text) // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
