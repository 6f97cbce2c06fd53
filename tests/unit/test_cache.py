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
async def test_the_samples_of_one_model_are_cached_apart(provider: Provider) -> None:
    said = [f"View {n}: the first option, for reason number {n}, which is a good one." for n in (1, 2, 3)]
    provider.script("m1", *said)
    models = [member(name, provider.base_url) for name in ("m1", "judge", "synth")]
    own = fusion("fusion/self", panel=[{"model": "m1", "samples": 3}], overrides={}, limits={"quorum": 3})
    litellm_fusion.register()
    litellm_fusion.register(litellm.Router(model_list=[*models, own], cache_responses=True))
    messages = [{"role": "user", "content": "Compare both options."}]
    for _ in range(2):
        await litellm.acompletion("fusion/self", messages=messages, cache={"no-cache": True})
    assert len(provider.asked("m1")) == 3
    first, second = (str(body) for body in provider.asked("judge"))
    for text in said:
        assert text in first
        assert text in second
