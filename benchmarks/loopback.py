"""A provider lean enough not to be the bottleneck: one process, one event loop, no framework.

    python benchmarks/loopback.py '{"m1": {"seconds": 1.0}, "m2": {"median": 0.5, "sigma": 0.6, "hung": 0.1}}'

Prints its base URL and serves until its standard input ends. A model's plan: `seconds`, or `median` and `sigma` of a
lognormal; `hung`, the share of its calls that never answer; `text`. What a call gets depends on the seed, the model and
the run (`[run 17]` in the prompt) alone, so that every contestant meets the same luck. OpenAI's chat completions (whole,
streamed, several choices) and Anthropic's messages (whole). `GET /seen` tells every call since `POST /reset`.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import resource
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

_RUN = re.compile(rb"\[run (\w+)\]")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n"
HUNG = -1.0


def text_of(model: str) -> str:
    """An ordinary answer."""
    return f"This is the answer of {model}: it weighs cost, time and risk, and recommends the second option."


class Calls:
    """What was asked, and what each model does."""

    def __init__(self, plans: dict[str, dict[str, Any]], seed: int) -> None:
        self.plans, self.seed = plans, seed
        self.seen: list[list[Any]] = []
        self.connections = 0

    def seconds(self, model: str, run: str) -> float:
        """How long a call takes; HUNG when it never ends."""
        plan = self.plans.get(model, {})
        luck = random.Random(f"{self.seed}:{model}:{run}")  # noqa: S311 - made-up latencies
        hangs = luck.random() < plan.get("hung", 0.0)
        drawn = plan["median"] * luck.lognormvariate(0.0, plan["sigma"]) if "median" in plan else plan.get("seconds", 0.0)
        return HUNG if hangs else drawn

    def told(self) -> dict[str, Any]:
        """Every call as [run, model, start, end or null], the connections opened, and this process's CPU seconds."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {"calls": self.seen, "connections": self.connections, "cpu": used.ru_utime + used.ru_stime}


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self, calls: Calls) -> None:
        self.calls, self.buffer = calls, b""
        self.timer: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.calls.connections += 1
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """A caller who is gone gets no answer, and the call stays without an end."""
        self.transport = None
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self.buffer += data
        head, mark, rest = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        found = _LENGTH.search(head)
        size = int(found[1]) if found else 0
        if len(rest) < size:
            return
        self.buffer = rest[size:]
        self._take(head.split(b" ", 2)[1].decode(), rest[:size])

    def _take(self, path: str, raw: bytes) -> None:
        if path == "/reset":
            self.calls.seen, self.calls.connections = [], 0
            self._send("application/json", "{}")
        elif path == "/seen":
            self._send("application/json", json.dumps(self.calls.told()))
        elif not raw:
            listed = [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in self.calls.plans]
            self._send("application/json", json.dumps({"object": "list", "data": listed}))
        else:
            body = json.loads(raw)
            found = _RUN.search(raw)
            run = found[1].decode() if found else ""
            call = [run, body["model"], time.monotonic(), None]
            self.calls.seen.append(call)
            seconds = self.calls.seconds(body["model"], run)
            if seconds != HUNG:
                loop = asyncio.get_running_loop()
                self.timer = loop.call_later(seconds, self._answer, path, body, len(raw), call)

    def _answer(self, path: str, body: dict[str, Any], size: int, call: list[Any]) -> None:
        call[3] = time.monotonic()
        model = body["model"]
        text = self.calls.plans.get(model, {}).get("text") or text_of(model)
        made = {"id": f"x-{time.monotonic_ns()}", "model": model, "created": 1}
        prompt, completion = size // 4, len(text) // 4
        if path.endswith("/messages"):
            usage = {"input_tokens": prompt, "output_tokens": completion}
            content = [{"type": "text", "text": text}]
            more = {"type": "message", "role": "assistant", "stop_reason": "end_turn", "stop_sequence": None}
            self._send("application/json", json.dumps({**made, **more, "content": content, "usage": usage}))
            return
        counted = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text}
            choices = [{"index": n, "message": message, "finish_reason": "stop"} for n in range(body.get("n") or 1)]
            made = {**made, "object": "chat.completion", "choices": choices, "usage": counted}
            self._send("application/json", json.dumps(made))
            return
        made["object"] = "chat.completion.chunk"
        deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in re.findall(r"\S+\s*", text)]
        chunks = [{**made, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        chunks.append({**made, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        chunks.append({**made, "choices": [], "usage": counted})
        self._send("text/event-stream", "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n")

    def _send(self, kind: str, text: str) -> None:
        if self.transport is not None:
            raw = text.encode()
            self.transport.write(_HEAD.format(kind, len(raw)).encode() + raw)


class Loopback:
    """The process, seen from the benchmark that starts it."""

    def __init__(self, plans: dict[str, dict[str, Any]], seed: int = 1) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), json.dumps(plans), str(seed)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None  # noqa: S101
        self.root = self.process.stdout.readline().strip()
        self.base_url = f"{self.root}/v1"

    def reset(self) -> None:
        """Forget the calls so far."""
        urllib.request.urlopen(f"{self.root}/reset", data=b"{}").close()

    def seen(self) -> dict[str, Any]:
        """The calls since the last reset, and the CPU seconds of the process."""
        with urllib.request.urlopen(f"{self.root}/seen") as response:
            told: dict[str, Any] = json.load(response)
        return told

    def stop(self) -> None:
        """End the process, by its pid."""
        self.process.terminate()
        self.process.wait(10)


async def post(
    url: str, body: dict[str, Any], key: str, timeout_seconds: float = 300, heard: Callable[[bytes], None] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """A lean client, so that it takes little of the machine: status, headers and body of one request. `heard` is called
    with each piece of a stream as it comes.
    """
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    raw = json.dumps(body).encode()
    async with asyncio.timeout(timeout_seconds):
        reader, writer = await asyncio.open_connection(name, int(port))
        try:
            writer.write(
                f"POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
                f"content-type: application/json\r\ncontent-length: {len(raw)}\r\n\r\n".encode()
                + raw
            )
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
            size = headers.get("content-length")
            answer = b"" if size is None else await reader.readexactly(int(size))
            while size is None and (piece := await reader.read(65_536)):
                answer += piece
                if heard is not None:
                    heard(piece)
        finally:
            writer.close()
    return int(lines[0].split(" ")[1]), headers, answer


async def _serve(calls: Calls) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(calls), "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def watch() -> None:
        sys.stdin.read()  # whoever started this process holds the other end
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Calls(json.loads(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
