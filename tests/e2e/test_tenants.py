"""Two tenants' prompts never meet: each team's own sink, requests without a log, redacted requests."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest
from ask import chat
from bank import key, needs_database, once, post, rows_of_key, settled
from provider import Provider
from proxy import Proxy
from sink import Sink, start

pytestmark = needs_database
MODELS = ("fusion/all", "fusion/vote", "fusion/direct")


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    kept = Sink()
    stop = start(kept)
    yield kept
    stop()


def _team(stored: Proxy, sink: Sink, name: str, **more: str) -> str:
    variables = {
        "langsmith_api_key": f"ls-{name}", "langsmith_project": name, "langsmith_base_url": f"{sink.base_url}/{name}",
        **more,
    }  # fmt: skip
    logging = [{"callback_name": "langsmith", "callback_type": "success", "callback_vars": variables}]
    team: str = post(stored, "/team/new", team_alias=once(name), metadata={"logging": logging})["team_id"]
    return team


def test_each_teams_prompts_reach_its_own_sink_and_no_other(stored: Proxy, provider: Provider, sink: Sink) -> None:
    words = {}
    for name in ("a", "b"):
        token = key(stored, team_id=_team(stored, sink, name))
        words[name] = f"word-{secrets.token_hex(8)}"
        for model in MODELS:
            for stream in (False, True):
                assert (
                    chat(stored, model, f"Compare two options. {words[name]} {model} {stream}", key=token, stream=stream).status
                    == 200
                )
    calls = 2 * (6 + 5 + 1)  # outer, three members, judge, synthesizer; a vote has no synthesizer; direct is one

    def heard() -> list[int]:
        return [sink.text(name).count(words[name]) for name in words]

    assert settled(heard, lambda counts: min(counts) >= calls) == [calls, calls]
    for name, other in (("a", "b"), ("b", "a")):
        assert words[other] not in sink.text(name)
        logged = sink.text(name)
        for model in MODELS:
            assert logged.count(f"{words[name]} {model}") > 0, model


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("choice", ["header", "team"])
def test_a_redacted_request_leaves_no_prompt_in_any_row(
    stored: Proxy, provider: Provider, sink: Sink, model: str, choice: str
) -> None:
    by_team = {"team_id": _team(stored, sink, "hushed", turn_off_message_logging="true")} if choice == "team" else {}
    by_header = {"x-litellm-enable-message-redaction": "true"} if choice == "header" else {}
    token = key(stored, **by_team)
    word = f"word-{secrets.token_hex(8)}"
    body = {"model": model, "messages": [{"role": "user", "content": f"Compare two options. {word}"}]}
    with stored.client() as client:
        got = client.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {token}", **by_header})
    assert got.status_code == 200, got.text
    least = {"fusion/all": 6, "fusion/vote": 4, "fusion/direct": 1}[model]
    found = settled(lambda: rows_of_key(token), lambda rows: len(rows) >= least)
    assert len(found) >= least
    for row in found:
        assert word not in json.dumps(row), row
        assert "This is the answer of" not in json.dumps(row), row
    assert word not in sink.text("hushed")


def test_a_prompt_is_in_the_rows_of_a_request_that_asked_for_no_redaction(stored: Proxy, provider: Provider) -> None:
    token = key(stored)
    word = f"word-{secrets.token_hex(8)}"
    chat(stored, "fusion/all", f"Compare two options. {word}", key=token)
    found = settled(lambda: rows_of_key(token), lambda rows: len(rows) >= 6)
    assert all(word in json.dumps([row["messages"], row["proxy_server_request"]]) for row in found)


@pytest.mark.parametrize("model", MODELS)
def test_a_request_without_a_log_reaches_no_sink(stored: Proxy, provider: Provider, sink: Sink, model: str) -> None:
    token = key(stored, team_id=_team(stored, sink, "quiet"))
    word, told = f"word-{secrets.token_hex(8)}", f"told-{secrets.token_hex(8)}"
    assert chat(stored, model, f"Compare two options. {word}", key=token, **{"no-log": True}).status == 200
    assert chat(stored, model, f"Compare two options. {told}", key=token).status == 200
    assert settled(lambda: sink.text("quiet").count(told) > 0, bool)
    assert word not in sink.text("quiet")
