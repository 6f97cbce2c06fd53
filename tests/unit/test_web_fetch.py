"""The guarded fetch: nothing private is ever reached, and whatever a server does ends as a typed ToolFailed in time."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listener import Listener, listening, response

from litellm_fusion.config import Tools
from litellm_fusion.errors import ToolFailed
from litellm_fusion.web.fetch import MAX_BYTES, Document, fetch
from litellm_fusion.web.pace import Pace
from litellm_fusion.web.places import PORTS, Places

INSIDE = (
    # The plain ones, and the same address written otherwise.
    "http://127.0.0.1:{port}/", "http://127.0.0.2:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.0.0.1:{port}/", "http://0x7f.1:{port}/",
    "http://017700000001:{port}/", "http://0177.0.0.1:{port}/", "http://0177.0x0.0.1:{port}/", "http://127.0.0.1.:{port}/",
    "http://00127.0.0.1:{port}/", "http://127.0.0.01:{port}/", "http://①②⑦.⓪.⓪.①:{port}/", "http://127。0。0。1:{port}/",
    "http://\uff11\uff12\uff17.0.0.1:{port}/", "http://%31%32%37.0.0.1:{port}/", "http://0:{port}/", "http://0.0.0.0:{port}/",
    # IPv6, and IPv4 inside it.
    "http://[::1]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://[fe80::1%25lo]:{port}/",
    "http://[fe80::1]:{port}/", "http://[fc00::1]:{port}/", "http://[fd00:ec2::254]:{port}/",
    # Private, link-local and otherwise special networks.
    "http://10.0.0.1:{port}/", "http://172.16.0.1:{port}/", "http://192.168.1.1:{port}/", "http://169.254.169.254:{port}/",
    "http://100.100.100.200:{port}/", "http://192.0.0.192:{port}/", "http://198.18.0.1:{port}/", "http://224.0.0.1:{port}/",
    "http://255.255.255.255:{port}/", "http://2852039166:{port}/latest/meta-data/",
    # Names.
    "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://ⓁⓄⒸⒶⓁⒽⓄⓈⓉ:{port}/",
    "http://inside.test:{port}/", "http://both.test:{port}/", "http://mapped.test:{port}/", "http://metadata.test:{port}/",
    # Credentials, and what only looks like a host.
    "http://user:pass@127.0.0.1:{port}/", "http://example.org@127.0.0.1:{port}/", "http://127.0.0.1:{port}@inside.test:{port}/",
    "http://example.org#@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@example.org/", "http://example.org\\@127.0.0.1:{port}/",
    # Other schemes, and white space that a parser may drop.
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "ftp://127.0.0.1:{port}/", "dict://127.0.0.1:{port}/",
    "data:text/html,x", "//127.0.0.1:{port}/", "127.0.0.1:{port}", "http:127.0.0.1:{port}", "http:///127.0.0.1:{port}/", "http://",
    "http://127.0.0.1:{port}\t/", "ht\ntp://127.0.0.1:{port}/", " http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/\r\nx: y",
    "http://127.0.0.1%00.example.org:{port}/", "http://127.0.0.1:{port}:80/", "http://inside.test:99999/", "http://[::1:{port}/",
)  # fmt: skip
"""Every way in that we know of; `{port}` is where the listener waits."""

NAMES = {
    "inside.test": ["127.0.0.1"], "both.test": ["93.184.215.14", "127.0.0.1"], "mapped.test": ["::ffff:127.0.0.1"],
    "metadata.test": ["169.254.169.254"], "open.test": ["93.184.215.14"],
}  # fmt: skip


def resolver(host: Any, port: Any, *rest: Any, **more: Any) -> Iterable[Any]:
    """A name server of our own for `.test`; everything else as the platform has it."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name.rstrip(".") not in NAMES:
        return socket.getaddrinfo(host, port, *rest, **more)
    return [
        (
            socket.AF_INET6 if ":" in ip else socket.AF_INET,
            socket.SOCK_STREAM,
            6,
            "",
            (ip, port, 0, 0) if ":" in ip else (ip, port),
        )
        for ip in NAMES[name.rstrip(".")]
    ]


async def _get(url: str, port: int = 80, tools: Tools | None = None, lookup: Any = resolver, **more: Any) -> Document:
    places = Places(tools or Tools(), lookup, PORTS | {port})
    try:
        return await fetch(url, places, Pace(0.0), **more)
    finally:
        await places.aclose()


async def _page(listener: Listener, path: str = "/", **more: Any) -> Document:
    """A page of a listener that the operator allows."""
    own = Tools(allow_private=(f"127.0.0.1:{listener.port}",))
    return await _get(f"http://127.0.0.1:{listener.port}{path}", tools=own, **more)


def test_the_matrix_is_as_large_as_it_says() -> None:
    assert len(set(INSIDE)) >= 70


@pytest.mark.parametrize("form", INSIDE)
async def test_nothing_private_is_reached_by(form: str) -> None:
    async with listening(hosts=("127.0.0.1", "::1")) as listener:
        with pytest.raises(ToolFailed) as failed:
            await _get(form.format(port=listener.port), listener.port)
        assert failed.value.kind in ("url", "address", "unreachable")
        assert (listener.knocks, listener.paths) == (0, [])


@pytest.mark.parametrize("form", [form for form in INSIDE if "://" in form and form.isprintable()])
async def test_no_redirect_leads_inside(form: str) -> None:
    async with listening(hosts=("127.0.0.1", "::1")) as inside:
        target = form.format(port=inside.port).encode("utf-8").decode("latin-1")

        async def send_away(path: str, writer: asyncio.StreamWriter) -> None:
            writer.write(response(b"", status="302 Found", location=target))

        async with listening(send_away) as outside:
            own = Tools(allow_private=(f"127.0.0.1:{outside.port}",))
            with pytest.raises(ToolFailed):
                await _get(f"http://127.0.0.1:{outside.port}/", inside.port, own)
            assert len(outside.paths) <= 2  # a form may resolve to the outside server itself, as a relative link
        assert inside.knocks == 0


async def test_a_name_that_moves_between_two_lookups_gains_nothing() -> None:
    async with listening() as inside:
        answers = iter([["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]])
        asked = []

        def moving(host: Any, port: Any, *rest: Any, **more: Any) -> Iterable[Any]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in next(answers)]

        places = Places(Tools(), moving, PORTS | {inside.port})
        kinds = []
        for _ in range(2):
            with pytest.raises(ToolFailed) as failed:
                await fetch(f"http://moving.test:{inside.port}/", places, Pace(0.0))
            kinds.append(failed.value.kind)
        await places.aclose()
        # First: the public address was connected to, which these tests refuse. Then: the private one was refused.
        assert kinds == ["unreachable", "address"]
        assert len(asked) == 2
        assert inside.knocks == 0


async def test_a_port_that_is_not_allowed_is_not_asked() -> None:
    async with listening() as listener:
        with pytest.raises(ToolFailed, match=r"port .* is not in") as failed:
            await _get(f"http://open.test:{listener.port}/")
        assert failed.value.kind == "url"


async def test_an_allowed_private_host_opens_that_port_alone() -> None:
    async with listening() as one, listening() as other:
        own = Tools(allow_private=(f"127.0.0.1:{one.port}",))
        assert (await _get(f"http://127.0.0.1:{one.port}/", tools=own)).body == b"secret of the inside"
        with pytest.raises(ToolFailed):
            await _get(f"http://127.0.0.1:{other.port}/", other.port, own)
        with pytest.raises(ToolFailed):
            await _get(f"http://127.0.0.2:{one.port}/", one.port, own)
        assert other.knocks == 0


async def test_an_allowed_private_name_never_means_the_metadata_address() -> None:
    with pytest.raises(ToolFailed) as failed:
        await _get("http://metadata.test:8080/", tools=Tools(allow_private=("metadata.test:8080",)))
    assert failed.value.kind == "address"


async def test_environment_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as proxy, listening() as site:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await _page(site)
        assert (proxy.knocks, site.knocks) == (0, 1)


async def test_the_operators_own_proxy_is_used() -> None:
    async with listening() as proxy:
        got = await _get("http://open.test/x", tools=Tools(proxy=f"http://127.0.0.1:{proxy.port}"))
        assert got.body == b"secret of the inside"
        assert proxy.paths == ["http://open.test/x"]
        with pytest.raises(ToolFailed):
            await _get("http://169.254.169.254/", tools=Tools(proxy=f"http://127.0.0.1:{proxy.port}"))
        assert len(proxy.paths) == 1


@pytest.mark.parametrize(
    ("tools", "host", "allowed"),
    [
        (Tools(deny_domains=("evil.test",)), "evil.test", False),
        (Tools(deny_domains=("evil.test",)), "sub.evil.test", False),
        (Tools(deny_domains=("evil.test",)), "sub.EVIL.test.", False),
        (Tools(deny_domains=("evil.test",)), "notevil.test", True),
        (Tools(allow_domains=("good.test",)), "good.test", True),
        (Tools(allow_domains=("*.good.test",)), "www.good.test", True),
        (Tools(allow_domains=("good.test",)), "good.test.evil.test", False),
        (Tools(allow_domains=("good.test",), deny_domains=("bad.good.test",)), "bad.good.test", False),
        (Tools(allow_domains=("bücher.test",)), "xn--bcher-kva.test", True),
    ],
)
async def test_domain_lists(tools: Tools, host: str, allowed: bool) -> None:
    NAMES[host.lower().rstrip(".")] = ["127.0.0.1"]
    with pytest.raises(ToolFailed) as failed:
        await _get(f"http://{host}/", tools=tools)
    assert failed.value.kind == ("address" if allowed else "domain")


async def test_a_private_host_needs_no_second_listing_and_a_denied_one_stays_denied() -> None:
    async with listening() as site:
        own = f"127.0.0.1:{site.port}"
        both = Tools(allow_private=(own,), allow_domains=("good.test",))
        assert (await _get(f"http://{own}/", tools=both)).body
        with pytest.raises(ToolFailed) as failed:
            await _get(f"http://{own}/", tools=Tools(allow_private=(own,), deny_domains=("127.0.0.1",)))
        assert failed.value.kind == "domain"


async def _failure(handler: Any, **more: Any) -> str:
    async with listening(handler) as listener:
        with pytest.raises(ToolFailed) as failed:
            await _page(listener, **more)
    return failed.value.kind


def _answers(*blocks: bytes, pause_seconds: float = 0.0) -> Any:
    async def handler(path: str, writer: asyncio.StreamWriter) -> None:
        for block in blocks:
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return handler


async def test_a_redirect_loop_ends() -> None:
    async def loop(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", status="302 Found", location="/b" if path == "/a" else "/a"))

    assert await _failure(loop) == "redirects"


async def test_a_chain_of_redirects_ends() -> None:
    async def on(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", status="301 Moved", location=f"/{len(path) * 'x'}"))

    assert await _failure(on) == "redirects"


async def test_a_redirect_is_followed_without_its_cookies() -> None:
    seen: list[str] = []

    async def cookies(path: str, writer: asyncio.StreamWriter) -> None:
        seen.append(path)
        status = "303 See Other" if path == "/" else "200 OK"
        writer.write(response(b"<p>there", status=status, location="/there", set_cookie="id=1; path=/"))

    async with listening(cookies) as listener:
        got = await _page(listener)
    assert (got.url.endswith("/there"), seen) == (True, ["/", "/there"])


async def test_a_page_that_says_that_it_is_too_large_is_not_read() -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {MAX_BYTES + 1}\r\n\r\n".encode()
    assert await _failure(_answers(head)) == "too_large"


async def test_a_page_that_never_says_how_large_it_is_is_cut_off() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n"
    assert await _failure(_answers(head, *[b"x" * 500_000] * 12)) == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_decompression_bomb_is_never_unpacked(encoding: str) -> None:
    zeros = b"\0" * 200_000_000
    packed = gzip.compress(zeros, 9) if encoding == "gzip" else zlib.compress(zeros, 9)
    del zeros
    started = time.monotonic()
    assert await _failure(_answers(response(packed, content_encoding=encoding))) == "too_large"
    assert time.monotonic() - started < 2


async def test_a_bomb_inside_a_bomb_and_unknown_packings_are_refused() -> None:
    twice = gzip.compress(gzip.compress(b"x" * 10_000_000))
    for encoding in ("gzip, gzip", "br", "zstd", "compress", "gzip;q=1"):
        assert await _failure(_answers(response(twice, content_encoding=encoding))) == "encoding"
    assert await _failure(_answers(response(b"no gzip at all", content_encoding="gzip"))) == "encoding"


async def test_a_packed_page_is_unpacked() -> None:
    async with listening(_answers(response(gzip.compress(b"<p>hello"), content_encoding="gzip"))) as listener:
        assert (await _page(listener)).body == b"<p>hello"


async def test_a_slow_drip_ends_with_the_deadline() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n"
    started = time.monotonic()
    assert await _failure(_answers(head, *[b"x"] * 100, pause_seconds=0.1), seconds=0.5) == "timeout"
    assert time.monotonic() - started < 1.5


async def test_headers_that_drip_end_with_the_deadline() -> None:
    assert await _failure(_answers(b"HTTP/1.1 200 OK\r\n", *[b"x: y\r\n"] * 100, pause_seconds=0.1), seconds=0.5) == "timeout"


async def test_endless_headers_are_broken() -> None:
    assert await _failure(_answers(b"HTTP/1.1 200 OK\r\n", *[b"x: " + b"y" * 9_000 + b"\r\n"] * 40)) == "broken"


@pytest.mark.parametrize("kind", ["image/png", "application/zip", "video/mp4", "application/octet-stream", "font/woff2"])
async def test_other_types_are_refused(kind: str) -> None:
    assert await _failure(_answers(response(b"\x89PNG", kind=kind))) == "type"


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "", "application/json"])
async def test_binary_under_a_text_type_is_refused(kind: str) -> None:
    assert await _failure(_answers(response(b"PK\x03\x04\0\0\0\0binary", kind=kind))) == "type"


async def test_a_pdf_that_is_none_is_refused() -> None:
    assert await _failure(_answers(response(b"<html>no", kind="application/pdf"))) == "type"


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "429 Slow", "401 Who", "300 Choose"])
async def test_other_statuses_are_failures(status: str) -> None:
    assert await _failure(_answers(response(b"<p>x", status=status))) == f"http_{status[:3]}"


@pytest.mark.parametrize(
    "raw", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", b"HTTP/1.1 302 Found\r\nlocation: http://[\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 100\r\n\r\ncut"],
)  # fmt: skip
async def test_a_broken_answer_is_a_failure(raw: bytes) -> None:
    assert await _failure(_answers(raw)) in ("broken", "unreachable", "url")


async def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ToolFailed) as failed:
        await _get(f"http://127.0.0.1:{port}/", tools=Tools(allow_private=(f"127.0.0.1:{port}",)))
    assert failed.value.kind == "unreachable"


async def test_a_host_is_asked_at_a_polite_pace_and_others_do_not_wait() -> None:
    pace = Pace(0.1)
    started = time.monotonic()
    await asyncio.gather(*(pace.turn("a") for _ in range(4)), pace.turn("b"))
    assert 0.29 < time.monotonic() - started < 0.6
    with pytest.raises(ToolFailed) as failed:
        await asyncio.gather(*(Pace(20.0).turn("a") for _ in range(1)), *(_crowd(Pace(11.0)) for _ in range(1)))
    assert failed.value.kind == "busy"


async def _crowd(pace: Pace) -> None:
    await pace.turn("a")
    await pace.turn("a")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"https?://[\w.@:\[\]%#?/\\-]{1,60}", fullmatch=True))
def test_whatever_a_url_is_it_is_a_page_or_a_tool_failure(url: str) -> None:
    def nowhere(*query: Any, **more: Any) -> Iterable[Any]:
        raise socket.gaierror("no such name")

    with pytest.raises(ToolFailed):
        asyncio.run(_get(url, lookup=nowhere))
