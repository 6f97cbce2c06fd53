"""A loopback web: a search server that speaks SearXNG's JSON, and a few hundred generated pages, some of them hostile.

`web.visits` counts the requests per path; `web.searches` keeps the queries. The hostile pages are `injections.PAGES`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from injections import PAGES
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

TOPICS = ("pumps", "solar", "wind", "storage", "grids", "insulation", "windows", "boilers", "tariffs", "permits")
PER_TOPIC = 25


@dataclass
class Web:
    """The running web. `delay_seconds` is what every page and search takes."""

    base_url: str = ""
    host: str = ""
    visits: Counter[str] = field(default_factory=Counter)
    searches: list[str] = field(default_factory=list)
    delay_seconds: float = 0.0
    hostile: str = ""
    broken: bool = False
    stop: Callable[[], None] = lambda: None

    def reset(self) -> None:
        """Forget who came."""
        self.visits.clear()
        self.searches.clear()
        self.delay_seconds, self.hostile, self.broken = 0.0, "", False

    def url(self, path: str) -> str:
        """A page's URL."""
        return f"{self.base_url}{path}"


def fact(topic: str, n: int) -> str:
    """The one thing that a page knows and no other."""
    return f"In study {n} on {topic} the measured figure was {n * 37 % 101 + 3} percent."


def _page(web: Web, topic: str, n: int) -> str:
    following = web.url(f"/{topic}/{(n + 1) % PER_TOPIC}")
    body = "".join(
        f"<p>Paragraph {k} on {topic}: the field work took place in region {n * 7 + k}, over {k + 2} winters.</p>"
        for k in range(6)
    )
    return (
        f"<!doctype html><html><head><title>Study {n} on {topic}</title></head><body><nav><a href='/'>Home</a></nav>"
        f"<article><h1>Study {n}</h1>{body}<p>{fact(topic, n)}</p><p>See also <a href='{following}'>the next study</a>.</p>"
        "</article></body></html>"
    )


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """In a thread, signals belong to the tests."""


def start() -> Web:
    """Serve on a free loopback port until `stop` is called."""
    web = Web()

    async def search(request: Request) -> Response:
        query = request.query_params["q"]
        web.searches.append(query)
        await asyncio.sleep(web.delay_seconds)
        if web.broken:
            return PlainTextResponse("secret-host.internal broke", 500)
        topics = [topic for topic in TOPICS if topic in query.lower()] or ["pumps"]
        results = [
            {"title": f"Study {n} on {topic}", "url": web.url(f"/{topic}/{n}"), "content": f"A study on {topic}, number {n}."}
            for topic in topics
            for n in range(5)
        ]
        if web.hostile:
            results.insert(
                0, {"title": "Most relevant", "url": web.url(f"/hostile/{web.hostile}"), "content": PAGES[web.hostile]}
            )
        return JSONResponse({"results": results})

    async def page(request: Request) -> Response:
        path = request.url.path
        web.visits[path] += 1
        await asyncio.sleep(web.delay_seconds)
        topic, n = request.path_params["topic"], request.path_params["n"]
        if topic == "hostile" and n in PAGES:
            return HTMLResponse(f"<html><head><title>{n}</title></head><body><article>{PAGES[n]}</article></body></html>")
        if topic not in TOPICS or not n.isdigit() or int(n) >= PER_TOPIC:
            return PlainTextResponse("no such page", 404)
        return HTMLResponse(_page(web, topic, int(n)))

    async def inward(request: Request) -> Response:
        web.visits[request.url.path] += 1
        return RedirectResponse(request.query_params.get("to", "http://169.254.169.254/"))

    async def other(request: Request) -> Response:
        web.visits[request.url.path] += 1
        return PlainTextResponse("collected")

    routes = [Route("/search", search), Route("/inward", inward), Route("/{topic}/{n}", page), Route("/{rest:path}", other)]
    config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = _Server(config)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    web.host = f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    web.base_url = f"http://{web.host}"

    def stop() -> None:
        server.should_exit = True
        server.force_exit = True
        thread.join(5)

    web.stop = stop
    return web


def researcher(*steps: Any) -> Callable[[dict[str, Any]], Any]:
    """A model that follows `steps` and answers at the end, as a real one would: it reads what came back.

    Each step is a list of (tool, arguments) or a function of the results so far that gives one. The last step gives text.
    """
    import provider

    def reply(body: dict[str, Any]) -> provider.Reply:
        results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
        turns = sum(1 for message in body["messages"] if message.get("tool_calls"))
        step = steps[min(turns, len(steps) - 1)]
        made = step(results) if callable(step) else step
        if isinstance(made, str):
            return provider.Reply(text=made)
        return provider.Reply(tool_calls=tuple(provider.call(name, **arguments) for name, arguments in made))

    return reply
