"""A loopback server that keeps what logging integrations send it, by the first part of the path."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class Sink:
    """`kept["a"]` holds the bodies sent to `base_url + "/a/..."`."""

    base_url: str = ""
    kept: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def text(self, name: str) -> str:
        """Everything one part was sent, as text."""
        return json.dumps(self.kept[name])


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """In a thread, signals belong to the tests."""


def start(sink: Sink) -> Callable[[], None]:
    """Serve on a free loopback port; gives the function that stops it."""

    async def keep(request: Request) -> Response:
        body = await request.body()
        name = request.url.path.strip("/").partition("/")[0]
        sink.kept[name].append(json.loads(body) if body else None)
        return JSONResponse({})

    app = Starlette(routes=[Route("/{path:path}", keep, methods=["GET", "POST", "PUT"])])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    sink.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = _Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)

    def stop() -> None:
        server.should_exit = True
        thread.join(10)

    return stop
