"""Fusion from Python, without a proxy: `register`, then litellm's own `acompletion`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import litellm
import pytest

import litellm_fusion
from litellm_fusion.context import inside
from litellm_fusion.registry import REGISTRY

ANALYSIS = {
    "consensus": [], "contradictions": [], "partial_coverage": [], "unique_insights": [], "blind_spots": [], "strongest": "A",
}  # fmt: skip
TEXT = "The first option is better for a small farm, because it needs less care."
MESSAGES = [{"role": "user", "content": "Compare both options and recommend one."}]


def _model(name: str, said: str) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": "openai/gpt-4o-mini", "api_key": "none", "mock_response": said}}


def _fusion(name: str, **config: Any) -> dict[str, Any]:
    own = {"panel": ["a", "b"], "judge": "j", **config}
    return {"model_name": name, "litellm_params": {"model": name, "fusion_config": own}}


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    before = list(litellm.custom_provider_map)
    litellm_fusion.register(
        [
            _model("a", TEXT), _model("b", TEXT), _model("j", json.dumps(ANALYSIS)),
            _fusion("fusion/research", policy=[{"use": "fuse"}]), _fusion("fusion/general", policy=[{"use": "direct"}]),
            _fusion("fusion/broken", panle=["a"]),
        ]
    )  # fmt: skip
    yield
    REGISTRY.router = None
    litellm.custom_provider_map = before


async def test_a_fused_answer() -> None:
    got = await litellm.acompletion("fusion/research", messages=MESSAGES)
    assert got.choices[0].message.content == TEXT
    summary = got.choices[0].message.provider_specific_fields["fusion"]
    assert (summary["route"], summary["model"]) == ("fused", "fusion/research")
    assert got._hidden_params["response_cost"] == 0.0


async def test_a_fused_stream() -> None:
    stream = await litellm.acompletion("fusion/research", messages=MESSAGES, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_direct_answer_is_made_by_the_provider() -> None:
    got = await litellm.acompletion("fusion/general", messages=MESSAGES)
    assert got.choices[0].message.content == TEXT
    assert got.choices[0].message.provider_specific_fields["fusion"]["route"] == "direct"


async def test_a_bad_config_is_a_typed_error() -> None:
    with pytest.raises(litellm.ServiceUnavailableError, match="fusion_config_invalid"):
        await litellm.acompletion("fusion/broken", messages=MESSAGES)


async def test_a_fusion_model_inside_a_run_is_refused() -> None:
    token = inside.set(True)
    try:
        with pytest.raises(litellm.BadRequestError, match="fusion_nested"):
            await litellm.acompletion("fusion/research", messages=MESSAGES)
    finally:
        inside.reset(token)


async def test_a_model_added_at_run_time_is_found() -> None:
    router = REGISTRY.find_router()
    added = _fusion("fusion/added", policy=[{"use": "fuse"}])
    router.add_deployment(litellm.Deployment(**added))
    got = await litellm.acompletion("fusion/added", messages=MESSAGES)
    assert got.choices[0].message.provider_specific_fields["fusion"]["model"] == "fusion/added"


async def test_a_config_that_turns_bad_keeps_the_last_good_one(caplog: pytest.LogCaptureFixture) -> None:
    await litellm.acompletion("fusion/research", messages=MESSAGES)
    router = REGISTRY.find_router()
    (index,) = router.model_name_to_deployment_indices["fusion/research"]
    params = router.model_list[index]["litellm_params"]
    params["fusion_config"] = {**params["fusion_config"], "panle": ["a"]}
    got = await litellm.acompletion("fusion/research", messages=MESSAGES)
    assert got.choices[0].message.content == TEXT
    assert "the last good config stays: fusion_config.panle: unknown key" in caplog.text


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_of_our_own_leaves_typed_and_without_its_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    def broken(self: object, name: str) -> None:
        raise RuntimeError("secret-host in a traceback")

    async def ask() -> None:
        got = await litellm.acompletion("fusion/research", messages=MESSAGES, stream=stream)
        _ = [chunk async for chunk in got]

    monkeypatch.setattr("litellm_fusion.models.Models.provider", broken)
    with pytest.raises(litellm.exceptions.openai.APIStatusError, match="fusion failed on an error of its own") as caught:
        await ask()
    assert caught.value.status_code == 502
    assert "secret-host" not in str(caught.value)
    ours = "".join(record.getMessage() for record in caplog.records if record.name == "litellm_fusion")
    assert "RuntimeError at lineup.py:" in ours
    assert "secret-host" not in ours
