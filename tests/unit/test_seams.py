"""The places where the plugin holds on to LiteLLM."""

from __future__ import annotations

import pytest

from litellm_fusion.seams import _SEAMS, missing


def test_no_seam_is_missing_in_the_litellm_under_test() -> None:
    assert missing() == ()


@pytest.mark.parametrize(("module", "name"), [
    ("litellm.no_such_module", "anything"), ("litellm", "no_such_name"), ("litellm.router", "Router.no_such_method"),
    ("no_such_package", "x"),
])  # fmt: skip
def test_a_missing_seam_is_named(module: str, name: str) -> None:
    assert missing(((module, name), ("litellm", "CustomLLM"))) == (f"{module}.{name}",)


def test_several_missing_seams_are_named_in_order() -> None:
    assert missing((("litellm", "b"), ("litellm", "a"))) == ("litellm.b", "litellm.a")


def test_a_seam_that_litellm_takes_away_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("litellm.stream_chunk_builder")
    assert missing() == ("litellm.stream_chunk_builder",)


def test_every_seam_is_listed_once() -> None:
    assert len(set(_SEAMS)) == len(_SEAMS) > 0
