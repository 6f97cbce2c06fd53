"""What all tests share. No test reaches anything but loopback."""

from __future__ import annotations

import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
# readline puts these there for the workers of pytest-xdist; tests set their own width.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import provider as loopback
import web as loopback_web
from proxy import Proxy, config

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if isinstance(address, tuple) and host not in ("127.0.0.1", "::1", "localhost"):
        raise PermissionError(f"tests reach loopback only, not {host}")
    _connect(self, address)


socket.socket.connect = _loopback_only  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first."""
    items.sort(key=lambda item: ("e2e" in item.path.parts) + 2 * ("chaos" in item.path.parts))


@pytest.fixture(scope="session")
def _provider() -> Iterator[loopback.Provider]:
    served = loopback.Provider()
    stop = loopback.start(served)
    yield served
    stop()


@pytest.fixture
def provider(_provider: loopback.Provider) -> Iterator[loopback.Provider]:
    """The loopback provider, with an empty script and history."""
    _provider.reset()
    yield _provider
    _provider.reset()


@pytest.fixture(scope="session")
def _web() -> Iterator[loopback_web.Web]:
    served = loopback_web.start()
    yield served
    served.stop()


@pytest.fixture
def web(_web: loopback_web.Web) -> Iterator[loopback_web.Web]:
    """The loopback web, without visitors yet."""
    _web.reset()
    yield _web
    _web.reset()


@pytest.fixture(scope="session")
def proxy(_provider: loopback.Provider) -> Iterator[Proxy]:
    """One real proxy for the whole session."""
    running = Proxy(config(_provider.base_url))
    yield running
    running.stop()
