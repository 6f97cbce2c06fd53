"""Who may name which model, by key, team, access group and alias; and where sensitive text may go."""

from __future__ import annotations

from typing import Any

import pytest
from ask import QUESTION, chat
from bank import key, needs_database, once, post
from provider import Provider, Reply
from proxy import Proxy

pytestmark = needs_database
PRIVATE = f"My card is 4111 1111 1111 1111. {QUESTION}"


def _team(stored: Proxy, **settings: Any) -> str:
    team: str = post(stored, "/team/new", team_alias=once("team"), **settings)["team_id"]
    return team


def _named(stored: Proxy, token: str, *panel: str) -> Any:
    return chat(stored, "fusion/named", key=token, fusion={"panel": list(panel)})


def test_a_key_may_use_a_fusion_models_parts_but_not_call_them(stored: Proxy, provider: Provider) -> None:
    token = key(stored, models=["fusion/named"])
    assert chat(stored, "fusion/named", key=token).headers["x-fusion-panel"] == "3/3"
    assert chat(stored, "m1", key=token).status == 403


def test_a_request_may_name_only_models_that_its_key_may_call(stored: Proxy, provider: Provider) -> None:
    token = key(stored, models=["fusion/named", "m1", "m2"])
    assert _named(stored, token, "m1", "m2").headers["x-fusion-panel"] == "2/2"
    provider.reset()
    got = _named(stored, token, "m1", "m3")
    assert (got.status, got.error["type"]) == (403, "fusion_model_forbidden")
    assert "'m3'" in got.error["message"]
    assert provider.requests == []


def test_access_groups_count_as_their_models(stored: Proxy, provider: Provider) -> None:
    token = key(stored, models=["fusion/named", "cheap"])
    assert _named(stored, token, "m1", "m2").headers["x-fusion-panel"] == "2/2"
    assert _named(stored, token, "m1", "m3").status == 403


def test_a_teams_models_bound_its_keys(stored: Proxy, provider: Provider) -> None:
    token = key(stored, team_id=_team(stored, models=["fusion/named", "m1", "m2"]))
    assert _named(stored, token, "m1", "m2").headers["x-fusion-panel"] == "2/2"
    assert _named(stored, token, "m1", "m3").status == 403


def test_a_users_models_bound_their_own_keys(stored: Proxy, provider: Provider) -> None:
    user = once("user")
    post(stored, "/user/new", user_id=user, models=["fusion/named", "m1", "m2"], auto_create_key=False)
    token = key(stored, user_id=user)
    assert _named(stored, token, "m1", "m2").headers["x-fusion-panel"] == "2/2"
    assert _named(stored, token, "m1", "m3").status == 403


def test_a_teams_aliases_name_fusion_models_and_members(stored: Proxy, provider: Provider) -> None:
    token = key(stored, team_id=_team(stored, model_aliases={"smart": "fusion/named", "mine": "m2"}))
    got = chat(stored, "smart", key=token)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")
    provider.reset()
    got = _named(stored, token, "m1", "mine")
    assert (got.status, got.headers["x-fusion-panel"]) == (200, "2/2")
    assert len(provider.asked("m2")) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_sensitive_text_stays_with_trusted_models_when_litellm_would_fall_back(
    stored: Proxy, provider: Provider, stream: bool
) -> None:
    provider.script("frail", Reply(status=500))
    got = chat(stored, "fusion/frail", PRIVATE, stream=stream)
    assert "This is the answer of m2" in got.text
    assert {seen.model for seen in provider.requests} <= {"frail", "m2"}
    assert len(provider.asked("frail")) >= 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_fallback_serves_what_is_not_sensitive(stored: Proxy, provider: Provider, stream: bool) -> None:
    provider.script("frail", Reply(status=500))
    assert chat(stored, "fusion/frail-direct", QUESTION, stream=stream).status == 200
    assert len(provider.asked("m3")) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_no_trusted_model_is_a_503_never_another_model(stored: Proxy, provider: Provider, stream: bool) -> None:
    for name in ("frail", "m2"):
        provider.script(name, Reply(status=500))
    for model in ("fusion/frail", "fusion/frail-direct"):
        got = chat(stored, model, PRIVATE, stream=stream)
        assert "private_model_unavailable" in str(got.error), got
        assert got.status == (200 if stream and model == "fusion/frail" else 503)
    assert {seen.model for seen in provider.requests} <= {"frail", "m2"}
