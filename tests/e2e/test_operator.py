"""What an operator sets: start-up log, plugin-wide settings, the provider under another name, fusion turned off."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from ask import chat
from provider import Provider, answer
from proxy import Proxy, config, fusion


@pytest.fixture(scope="module")
def hookless(_provider: Provider) -> Iterator[Proxy]:
    """A proxy without the hook, with the provider under another name."""
    models = [
        fusion("fusion/all", limits={"grace_seconds": 0.2}),
        fusion("fusion/never", policy=[{"use": "direct"}], direct="solo"),
    ]
    for model in models:
        model["litellm_params"]["model"] = model["litellm_params"]["model"].replace("fusion/", "blend/")
    made = config(_provider.base_url, models)
    made["litellm_settings"]["custom_provider_map"][0]["provider"] = "blend"
    made["litellm_settings"]["callbacks"] = ["spy.spy"]
    running = Proxy(made)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def turned_off(_provider: Provider) -> Iterator[Proxy]:
    """A proxy on which the environment turns fusion off."""
    settings = {"defaults": {"direct": "solo"}}
    models = [fusion("fusion/all")]
    running = Proxy(config(_provider.base_url, models, fusion_settings=settings), {"LITELLM_FUSION_MODE": "off"})
    yield running
    running.stop()


def test_the_start_up_log_says_what_each_model_resolved_to(proxy: Proxy) -> None:
    log = proxy.log()
    assert "fusion.model fusion/all: preset general, panel [m1, m2, m3], judge judge, synthesizer synth, direct synth" in log
    assert "fusion.config fusion/bad can't be used: fusion_config.panle: unknown key" in log


@pytest.mark.parametrize("stream", [False, True])
def test_without_the_hook_the_provider_decides_by_itself(hookless: Proxy, provider: Provider, stream: bool) -> None:
    fused = chat(hookless, stream=stream)
    assert fused.trace["decision"]["route"] == "fused"
    assert fused.trace["model"] == "fusion/all"
    direct = chat(hookless, "fusion/never", stream=stream)
    assert direct.text == answer("solo")
    assert direct.trace["decision"]["route"] == "direct"


def test_without_the_hook_no_request_changes_anything(hookless: Proxy, provider: Provider) -> None:
    got = chat(hookless, fusion={"panel": ["m1"]}, fusion_config={"panel": ["dear"]})
    assert got.status == 200
    assert sorted(seen.model for seen in provider.requests) == ["judge", "m1", "m2", "m3", "synth"]
    assert all("fusion" not in json.dumps(seen.body) for seen in provider.requests)


def test_without_the_hook_one_warning_says_so(hookless: Proxy) -> None:
    assert hookless.log().count("fusion.hook is not among the callbacks") == 1


@pytest.mark.parametrize("stream", [False, True])
def test_the_environment_turns_fusion_off(turned_off: Proxy, provider: Provider, stream: bool) -> None:
    got = chat(turned_off, stream=stream, fusion={"mode": "force"})
    assert got.headers["x-fusion-route"] == "direct"
    assert got.text == answer("solo")
    assert [seen.model for seen in provider.requests] == ["solo"]
