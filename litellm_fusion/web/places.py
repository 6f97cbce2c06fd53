"""Which places may be read: domain lists, ports, and the operator's own private hosts. Tools config → a guarded client.

The guard itself is ssrfguard's: it checks the URL, resolves once, checks every address, connects to what it checked.
"""

from __future__ import annotations

import concurrent.futures
import socket
import ssl
from collections.abc import Callable, Iterable
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address, ip_network
from typing import Any

import httpx
from ssrfguard import Policy
from ssrfguard.httpx import AsyncClient

from litellm_fusion import __version__
from litellm_fusion.config import Tools, endpoint
from litellm_fusion.errors import ToolFailed
from litellm_fusion.web.urls import MAX_URL_CHARS

PORTS = frozenset({80, 443})
LOOKUP_SECONDS = 5.0
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 10.0
HEADERS = {
    "user-agent": f"litellm-fusion/{__version__} (reads single pages for a user's question)",
    "accept": "text/html, application/xhtml+xml, application/pdf, text/*;q=0.9, application/json;q=0.8",
    # Unpacked by ourselves, bounded: a library's decoder unpacks a whole block before anyone can count it.
    "accept-encoding": "gzip",
}
_INTRANET = tuple(
    ip_network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7")
)
"""Where a name in `allow_private` may point to. Link-local addresses, and with them cloud metadata, stay closed."""
_LOOKUPS = concurrent.futures.ThreadPoolExecutor(max_workers=16, thread_name_prefix="fusion-lookup")

Resolver = Callable[..., Iterable[Any]]


def look_up(*query: Any, **more: Any) -> Iterable[Any]:
    """`socket.getaddrinfo` with an end to it: a hostile name server may stall the platform's own for minutes."""
    try:
        return _LOOKUPS.submit(socket.getaddrinfo, *query, **more).result(LOOKUP_SECONDS)
    except concurrent.futures.TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "the name server did not answer in time") from None


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class Places:
    """The clients of one run: one for the public web, one per private host that the operator allows. Open until closed."""

    def __init__(self, tools: Tools, resolver: Resolver = look_up, ports: frozenset[int] = PORTS) -> None:
        self._allow = tuple(_domain(item) for item in tools.allow_domains)
        self._deny = tuple(_domain(item) for item in tools.deny_domains)
        self._private = {endpoint(item) for item in tools.allow_private}
        self._proxy = tools.proxy
        self._resolver = resolver
        self._ports = ports
        self._clients: dict[tuple[str, int] | None, AsyncClient] = {}

    def client(self, url: httpx.URL) -> AsyncClient:
        """The client for one hop. Raises ToolFailed where the operator's domain lists forbid it."""
        if not self.allows(url):
            raise ToolFailed("domain", "The operator does not allow this site. Use another source.")
        key = _endpoint(url) if self.is_private(url) else None
        if key not in self._clients:
            self._clients[key] = self._open(key)
        return self._clients[key]

    def allows(self, url: httpx.URL) -> bool:
        """Whether the operator's lists let a URL pass; a domain stands for its subdomains too. Who allows a private host
        need not list it once more; who denies a domain denies it in every case.
        """
        host, _ = _endpoint(url)
        if any(_under(host, domain) for domain in self._deny):
            return False
        return not self._allow or self.is_private(url) or any(_under(host, domain) for domain in self._allow)

    def is_private(self, url: httpx.URL) -> bool:
        """Whether a URL names one of the operator's own hosts, which need no polite pace."""
        return _endpoint(url) in self._private

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    def _open(self, own: tuple[str, int] | None) -> AsyncClient:
        if own is None:
            policy = Policy(allowed_ports=self._ports, max_url_length=MAX_URL_CHARS, allow_proxy=self._proxy is not None)
        else:
            host, port = own
            try:
                networks: tuple[Any, ...] = (ip_network(ip_address(host)),)
            except ValueError:
                networks = _INTRANET
            policy = Policy(
                allowed_ports=frozenset({port}), allowed_hosts=frozenset({host}), allowed_networks=networks,
                max_url_length=MAX_URL_CHARS,
            )  # fmt: skip
        return AsyncClient(
            policy=policy,
            resolver=self._resolver,
            proxy=self._proxy if own is None else None,
            trust_env=False,
            verify=_tls(),
            follow_redirects=False,
            headers=HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
        )


def _endpoint(url: httpx.URL) -> tuple[str, int]:
    host = url.raw_host.decode("ascii", "replace").strip("[]").lower().rstrip(".")
    return host, url.port or (443 if url.scheme == "https" else 80)


def _domain(item: str) -> str:
    return item.lower().removeprefix("*.").strip(".").encode("idna").decode()


def _under(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
