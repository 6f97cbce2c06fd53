"""Inner calls share LiteLLM's clients and their open connections with all other calls of the proxy."""

from __future__ import annotations

import pytest
from ask import chat
from provider import Provider
from proxy import Proxy


@pytest.mark.parametrize("stream", [False, True])
def test_a_second_run_opens_no_connection(proxy: Proxy, provider: Provider, stream: bool) -> None:
    chat(proxy, stream=stream)
    known = {seen.port for seen in provider.requests}
    assert len(provider.requests) == 5
    provider.reset()
    chat(proxy, stream=stream)
    assert len(provider.requests) == 5
    assert {seen.port for seen in provider.requests} <= known
