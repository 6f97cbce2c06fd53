"""What a run says in LiteLLM's own objects."""

from __future__ import annotations

import pytest

from litellm_fusion import outlet
from litellm_fusion.errors import CallFailed, FusionError, RequestRefused, RunFailed


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504])
def test_every_status_of_a_direct_model_can_leave_as_litellms_own_error(status: int) -> None:
    made = outlet.error(RunFailed(CallFailed("bad_gateway", status), ""), "fusion/x", None)
    assert isinstance(made, Exception)
    known = getattr(made, "status_code", None)
    assert known == (status if status in outlet._ERRORS else 400 if status < 500 else 502)
    assert "fusion_failed: the direct model failed: bad_gateway" in str(made)


def test_a_refusal_is_a_403() -> None:
    assert getattr(outlet.error(RequestRefused("not for you"), "fusion/x", None), "status_code", None) == 403


def test_anything_else_of_ours_is_a_bad_gateway() -> None:
    assert getattr(outlet.error(FusionError("x"), "fusion/x", None), "status_code", None) == 502
