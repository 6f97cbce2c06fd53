"""What LiteLLM tells of a fusion model: context, tools, images, mode, prices; and that a health check is no run."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import litellm
import pytest
from ask import chat
from bank import key, needs_database, once, post, settled
from litellm.utils import custom_llm_setup
from provider import Provider, Reply
from proxy import Proxy

from litellm_fusion.derived import register


def _group(proxy: Proxy, name: str) -> dict[str, Any]:
    with proxy.client() as client:
        groups = client.get("/model_group/info", params={"model_group": name}).json()["data"]
    return dict(groups[0]) if groups else {}


def _info(proxy: Proxy, name: str) -> dict[str, Any]:
    with proxy.client() as client:
        models = client.get("/model/info").json()["data"]
    return dict(next(model["model_info"] for model in models if model["model_name"] == name))


def _priced(proxy: Proxy, name: str) -> dict[str, Any]:
    return dict(settled(lambda: _group(proxy, name), lambda group: group.get("input_cost_per_token"), seconds=25))


def test_a_fusion_model_has_its_direct_models_price_and_its_synthesizers_abilities(proxy: Proxy) -> None:
    group = _priced(proxy, "fusion/small")
    assert (group["input_cost_per_token"], group["output_cost_per_token"]) == (1e-6, 2e-6)
    assert (group["mode"], group["max_input_tokens"]) == ("chat", 200)
    assert (group["supports_vision"], group["supports_function_calling"]) == (True, True)
    info = _info(proxy, "fusion/small")
    assert (info["input_cost_per_token"], info["mode"], info["supports_function_calling"]) == (1e-6, "chat", True)
    with proxy.client() as client:
        listed = {model["id"]: model for model in client.get("/v1/models").json()["data"]}
    assert "fusion/small" in listed
    assert listed["fusion/small"].get("max_input_tokens", 200) == 200


def test_litellms_library_knows_a_fusion_model_by_name() -> None:
    class Handler(litellm.CustomLLM):
        pass

    before = litellm.custom_provider_map
    litellm.custom_provider_map = [{"provider": "fusion", "custom_handler": Handler()}]
    try:
        custom_llm_setup()
        price = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "mode": "chat", "max_input_tokens": 9}
        register(object(), ("fusion/by-name",), price, provider="fusion")
        info = litellm.get_model_info("fusion/by-name")
        assert (info["input_cost_per_token"], info["max_input_tokens"], info["mode"]) == (1e-6, 9, "chat")
    finally:
        litellm.custom_provider_map = before


def test_a_fusion_model_is_never_priced_at_zero(proxy: Proxy) -> None:
    _priced(proxy, "fusion/all")
    with proxy.client() as client:
        groups = client.get("/model_group/info").json()["data"]
    fusions = [group for group in groups if group["model_group"].startswith("fusion/") and group["model_group"] != "fusion/bad"]
    assert len(fusions) > 20
    for group in fusions:
        prices = (group["input_cost_per_token"], group["output_cost_per_token"])
        assert prices == (None, None) or (prices[0] or 0) + (prices[1] or 0) > 0, group


def test_a_health_check_runs_no_panel(proxy: Proxy, provider: Provider) -> None:
    with proxy.client() as client:
        told = client.get("/health", params={"model": "fusion/all"}, timeout=60).json()
    assert (told["healthy_count"], told["unhealthy_count"]) == (1, 0)
    assert provider.requests == []


@needs_database
def test_a_direct_request_is_refused_no_sooner_than_on_the_direct_model(stored: Proxy, provider: Provider) -> None:
    _priced(stored, "fusion/direct")
    more = {"max_tokens": 1000}
    for name in ("solo", "fusion/direct"):
        provider.script("solo", Reply(text="It is the second option.", delay_seconds=1.5))
        token = key(stored, max_budget=0.0035)  # LiteLLM reserves 0.002 a call: one and a half fit
        with ThreadPoolExecutor() as pool:
            calls = []
            for _ in range(4):
                calls.append(pool.submit(chat, stored, name, key=token, **more))
                time.sleep(0.2)
            assert [call.result().status for call in calls] == [200, 200, 422, 422], name


@needs_database
def test_a_model_added_at_run_time_is_priced_too(stored: Proxy, provider: Provider) -> None:
    name = f"fusion/{once('priced')}"
    own = {"panel": ["m1", "m2"], "direct": "as-dear"}
    post(stored, "/model/new", model_name=name, litellm_params={"model": "fusion/general", "fusion_config": own})
    group = settled(lambda: _group(stored, name), lambda group: group.get("input_cost_per_token") == 16e-6, seconds=25)
    assert (group["input_cost_per_token"], group["supports_function_calling"]) == (pytest.approx(16e-6), True)
