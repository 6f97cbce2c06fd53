"""What a fused request leaves in the proxy's log: its own line, and no warning of LiteLLM's about it."""

from __future__ import annotations

import pytest
from ask import chat
from provider import Provider
from proxy import Proxy


@pytest.mark.parametrize("stream", [False, True])
def test_a_fused_answer_warns_of_nothing(proxy: Proxy, provider: Provider, stream: bool) -> None:
    before = len(proxy.log())
    got = chat(proxy, stream=stream)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")
    said = proxy.log()[before:]
    assert got.headers["x-fusion-trace-id"] in said
    assert "WARNING" not in said
    assert "ERROR" not in said
