"""One URL → one Document, or a ToolFailed that says why. Every hop is checked; size, time and form are bounded."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from email.message import Message

import httpx
from ssrfguard import BlockedAddressError, BlockedURLError, SSRFGuardError

from litellm_fusion.errors import ToolFailed
from litellm_fusion.web.pace import Pace
from litellm_fusion.web.places import Places

FETCH_SECONDS = 20.0
"""For everything, redirects and the last byte included: a slow drip ends here."""
MAX_BYTES = 5_000_000
"""Of a page, unpacked."""
MAX_REDIRECTS = 5
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = frozenset({
    "application/json", "application/ld+json", "application/xml", "application/rss+xml", "application/atom+xml",
    "application/yaml", "application/javascript", "application/x-ndjson",
})  # fmt: skip
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Document:
    """What one URL gave. `kind` is `html`, `text` or `pdf`; `url` the last hop's; `charset` as the server named it."""

    url: str
    kind: str
    body: bytes
    charset: str | None = None


async def fetch(url: str, places: Places, pace: Pace, *, seconds: float = FETCH_SECONDS) -> Document:
    """Read one URL. Raises ToolFailed; only cancellation passes through."""
    try:
        async with asyncio.timeout(seconds):
            return await _follow(url, places, pace)
    except TimeoutError:
        raise ToolFailed("timeout", f"The page did not come within {seconds:.0f} seconds.") from None
    except BlockedURLError as error:
        if isinstance(error.__cause__, BlockedAddressError):
            raise _inside() from None
        raise ToolFailed("url", f"This URL can't be read: it {error.reason}") from None
    except SSRFGuardError:
        raise _inside() from None
    except httpx.InvalidURL:
        raise ToolFailed("url", "This is no URL that can be read.") from None
    except httpx.TimeoutException:
        raise ToolFailed("timeout", "The site did not answer in time.") from None
    except (httpx.ConnectError, OSError):
        raise ToolFailed("unreachable", "The site could not be reached.") from None
    except (httpx.HTTPError, httpx.StreamError, ValueError):  # ValueError: headers or a redirect that nobody can read
        raise ToolFailed("broken", "The site's answer could not be read.") from None


async def _follow(url: str, places: Places, pace: Pace) -> Document:
    seen: set[str] = set()
    request: httpx.Request | None = None
    address = httpx.URL(url)
    for _ in range(MAX_REDIRECTS + 1):
        client = places.client(address)
        # As it was written, before any client reads it its own way.
        client.policy.check_url(url if request is None else str(address))
        if str(address) in seen:
            raise ToolFailed("redirects", "The page redirects to itself.")
        seen.add(str(address))
        if not places.is_private(address):
            await pace.turn(address.host)
        request = client.build_request("GET", address)
        response = await client.send(request, stream=True)
        try:
            following = response.next_request if response.status_code in _REDIRECTS else None
            if following is None:
                return await _document(response)
        finally:
            await response.aclose()
        address = following.url.copy_with(fragment=None)
    raise ToolFailed("redirects", f"More than {MAX_REDIRECTS} redirects.")


async def _document(response: httpx.Response) -> Document:
    if response.status_code != 200:
        told = f"The site answered {response.status_code} {response.reason_phrase[:40]}".rstrip()
        raise ToolFailed(f"http_{response.status_code}", f"{told}. Try another page.")
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BYTES:
        raise _too_large()
    declared, charset = _declared(response.headers.get("content-type", ""))
    kind = _kind(declared)
    if declared and kind is None:
        raise ToolFailed("type", f"The page is {declared[:60]}, not text. Try another page.")
    body = await _body(response)
    if body.startswith(b"%PDF-"):
        kind = "pdf"
    elif kind is None:
        kind = "html" if body.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html")) else "text"
    elif kind == "pdf":
        raise ToolFailed("type", "The page says that it is a PDF and is none.")
    if (
        kind != "pdf"
        and not body.startswith((b"\xff\xfe", b"\xfe\xff"))
        and b"\0" in body[:2_000]
        and "16" not in (charset or "")
    ):
        raise ToolFailed("type", "The page is binary, not text. Try another page.")
    return Document(str(response.url), kind, body, charset)


async def _body(response: httpx.Response) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise ToolFailed("encoding", "The page is packed in a way that can't be unpacked.")
    packed = encoding not in ("identity", "")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its header
    body = bytearray()
    raw = 0
    async for block in response.aiter_raw():
        raw += len(block)
        if not packed:
            body += block
        else:
            try:
                body += unpack.decompress(block, MAX_BYTES + 1 - len(body))
            except zlib.error:
                raise ToolFailed("encoding", "The page is packed in a way that can't be unpacked.") from None
        if raw > MAX_BYTES or len(body) > MAX_BYTES or unpack.unconsumed_tail:
            raise _too_large()
    return bytes(body)


def _inside() -> ToolFailed:
    return ToolFailed("address", "This address may not be read: it is not on the public internet.")


def _too_large() -> ToolFailed:
    return ToolFailed("too_large", f"The page is larger than {MAX_BYTES // 1_000_000} MB. Try another page.")


def _declared(header: str) -> tuple[str, str | None]:
    """A Content-Type's type and charset, both in lower case."""
    message = Message()
    message["content-type"] = header[:300].encode("ascii", "ignore").decode().replace("\n", " ").replace("\r", " ")
    charset = message.get_param("charset")
    return (message.get_content_type() if "/" in header else ""), charset.strip().lower() if isinstance(charset, str) else None


def _kind(declared: str) -> str | None:
    if declared in _HTML:
        return "html"
    if declared == "application/pdf":
        return "pdf"
    return "text" if declared.startswith("text/") or declared in _TEXT or declared.endswith(("+json", "+xml")) else None
