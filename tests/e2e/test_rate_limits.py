"""Requests and tokens per minute of a key: LiteLLM's limits trip exactly where a hand count says."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from ask import Got, chat
from bank import environment, key, needs_database, with_database
from provider import Provider
from proxy import Proxy, config, fusion

pytestmark = needs_database


@pytest.fixture(scope="module")
def stored(_provider: Provider) -> Iterator[Proxy]:
    """A proxy for this file alone: LiteLLM keeps its counters in a cache of 200 entries, without a Redis."""
    made = [
        fusion("fusion/all", limits=FAST), fusion("fusion/vote", aggregate="vote", limits=FAST),
        fusion("fusion/nojudge", judge="off", limits=FAST), fusion("fusion/best", aggregate="best_of", limits=FAST),
        fusion("fusion/direct", direct="solo", policy=[{"use": "direct"}]),
    ]  # fmt: skip
    running = Proxy(with_database(config(_provider.base_url, made)), environment())
    yield running
    running.stop()


LEFT = "x-ratelimit-api_key-remaining-tokens"
LIMIT = 100_000
FAST = {"grace_seconds": 0.2}


def _tokens(got: Got) -> int:
    """What one plain request counts: the outer usage, and every inner call but the synthesizer's, which the outer usage
    repeats.
    """
    inner = sum(
        span["prompt_tokens"] + span["completion_tokens"]
        for span in got.trace.get("spans", ())
        if span["role"] != "synthesizer" and span["prompt_tokens"]
    )
    return int(got.body["usage"]["total_tokens"]) + inner


@pytest.mark.parametrize("model", ["m1", "fusion/direct", "fusion/all", "fusion/vote", "fusion/nojudge", "fusion/best"])
def test_a_request_counts_its_inner_tokens_once(stored: Proxy, provider: Provider, model: str) -> None:
    token = key(stored, tpm_limit=LIMIT)
    first = chat(stored, model, key=token)
    time.sleep(1)
    second = chat(stored, model, key=token)
    assert int(first.headers[LEFT]) - int(second.headers[LEFT]) == _tokens(first)


def _streamed_over_plain(stored: Proxy, model: str) -> int:
    """What a plain request and a streamed one count together, less twice what the plain one should."""
    token = key(stored, tpm_limit=LIMIT)
    plain = chat(stored, model, key=token)
    time.sleep(1)
    assert chat(stored, model, key=token, stream=True).status == 200
    time.sleep(1)
    return int(plain.headers[LEFT]) - int(chat(stored, model, key=token).headers[LEFT]) - 2 * _tokens(plain)


def test_a_streamed_run_counts_as_a_plain_one(stored: Proxy, provider: Provider) -> None:
    # LiteLLM keeps the estimate that it holds for a streamed request, whatever the model; fusion adds nothing to that.
    assert _streamed_over_plain(stored, "fusion/all") == _streamed_over_plain(stored, "m1")


def test_the_token_limit_trips_where_a_hand_count_says(stored: Proxy, provider: Provider) -> None:
    spent = _tokens(chat(stored, "fusion/all", key=key(stored, tpm_limit=LIMIT)))
    limit = 6 * spent
    token = key(stored, tpm_limit=limit)
    first = chat(stored, "fusion/all", key=token)
    held = limit - int(first.headers[LEFT])  # LiteLLM holds an estimate while a request runs: a share of the limit
    expected = (limit - held) // spent + 1
    time.sleep(0.7)
    statuses = [first.status]
    while len(statuses) < expected + 2:
        statuses.append(chat(stored, "fusion/all", key=token).status)
        time.sleep(0.7)
    assert 3 <= expected <= 6
    assert statuses == [200] * expected + [429, 429]


def test_a_fused_request_is_one_request_per_minute(stored: Proxy, provider: Provider) -> None:
    token = key(stored, rpm_limit=3)
    statuses = [chat(stored, name, key=token).status for name in ("fusion/all", "fusion/vote", "fusion/direct", "fusion/all")]
    assert statuses == [200, 200, 200, 429]
    assert len(provider.asked("m1")) == 2


def test_a_refused_request_spends_nothing(stored: Proxy, provider: Provider) -> None:
    token = key(stored, rpm_limit=1)
    assert chat(stored, "m1", key=token).status == 200
    provider.reset()
    for stream in (False, True):
        assert chat(stored, "fusion/all", key=token, stream=stream).status == 429
    assert provider.requests == []
