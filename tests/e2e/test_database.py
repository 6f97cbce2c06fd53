"""On a real Postgres: models added at run time."""

from __future__ import annotations

from ask import chat
from bank import key as new_key
from bank import needs_database, once, post
from provider import Provider
from proxy import Proxy

pytestmark = needs_database


def test_a_model_added_at_run_time_serves_a_key_that_may_use_it_alone(stored: Proxy, provider: Provider) -> None:
    own = {"panel": ["m1", "m2"], "judge": "off", "policy": [{"use": "fuse"}], "client_trace": "full"}
    name = once("fusion/added")
    post(stored, "/model/new", model_name=name, litellm_params={"model": "fusion/general", "fusion_config": own})
    key = new_key(stored, models=[name], max_budget=1)
    for stream in (False, True):
        got = chat(stored, name, stream=stream, key=key)
        assert got.headers["x-fusion-route"] == "fused"
        assert "key_alias" not in got.trace["decision"]["signals"]
    assert chat(stored, "m1", key=key).status == 403


def test_a_bad_config_added_at_run_time_is_a_503_when_used(stored: Proxy, provider: Provider) -> None:
    name = once("fusion/bad")
    post(stored, "/model/new", model_name=name, litellm_params={"model": "fusion/general", "fusion_config": {"panle": ["m1"]}})
    got = chat(stored, name)
    assert (got.status, got.error["type"]) == (503, "fusion_config_invalid")
