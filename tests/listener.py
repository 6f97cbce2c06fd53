"""A raw loopback server for what no well-behaved one would send, and a listener that counts who knocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Handler = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Listener:
    """An open port. `paths` are the request lines it got; `knocks` the connections, whatever was sent on them."""

    port: int = 0
    knocks: int = 0
    paths: list[str] = field(default_factory=list)


@asynccontextmanager
async def listening(handler: Handler | None = None, hosts: tuple[str, ...] = ("127.0.0.1",)) -> AsyncIterator[Listener]:
    """Serve on one free port of every host while the block lasts."""
    listener = Listener()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.knocks += 1
        try:
            while line := await reader.readline():
                path = line.decode("latin-1").split(" ")[1] if b" " in line else ""
                listener.paths.append(path)
                while (await reader.readline()).strip():
                    pass
                if handler is None:
                    writer.write(response(b"secret of the inside"))
                else:
                    await handler(path, writer)
                await writer.drain()
                if handler is not None:
                    break
        except (ConnectionError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    servers = []
    for host in hosts:
        servers.append(await asyncio.start_server(serve, host, listener.port))
        listener.port = servers[0].sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        for server in servers:
            server.close()


def response(body: bytes, *, kind: str = "text/html; charset=utf-8", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP response that closes its connection."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close"]
    if kind:
        lines.append(f"content-type: {kind}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
