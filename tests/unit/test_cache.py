"""With LiteLLM's cache on, the seats of one model stay independent."""

from __future__ import annotations

from collections.abc import Iterator

import litellm
import pytest
from litellm.caching.caching import Cache
from provider import Provider
from proxy import fusion, member

import litellm_fusion
from litellm_fusion.registry import REGISTRY


@pytest.fixture
def _cached() -> Iterator[None]:
    litellm.cache = Cache()
    before = list(litellm.custom_provider_map)
    yield
    litellm.cache = None
    REGISTRY.router = None
    litellm.custom_provider_map = before


@pytest.mark.usefixtures("_cached")
async def test_three_samples_of_one_model_are_three_calls(provider: Provider) -> None:
    models = [member(name, provider.base_url) for name in ("m1", "judge", "synth")]
    own = fusion("fusion/self", panel=[{"model": "m1", "samples": 3}], overrides={}, limits={"quorum": 3})
    litellm_fusion.register([*models, own])
    messages = [{"role": "user", "content": "Compare both options."}]
    got = await litellm.acompletion("fusion/self", messages=messages)
    assert got.choices[0].message.provider_specific_fields["fusion"]["decision"]["route"] == "fused"
    assert len(provider.asked("m1")) == 3
