"""A panel with little time: what its members had written is used, billed and told, on a real proxy."""

from __future__ import annotations

import time

import pytest
from ask import chat
from bank import key, needs_database, role, rows_of_key, settled
from provider import Provider, Reply
from proxy import Proxy

STORY = " ".join(f"Point {n} of this answer weighs cost, time and risk." for n in range(200))
LITTLE = {"limits": {"panel_seconds": 1.5, "deadline_seconds": 60}}


def _slow(provider: Provider, *models: str) -> None:
    for name in models:
        provider.script(name, Reply(text=STORY, chunk_delay_seconds=0.01))


@pytest.mark.parametrize("stream", [False, True])
def test_a_panel_that_runs_out_of_time_is_fused_from_what_it_had(proxy: Proxy, provider: Provider, stream: bool) -> None:
    _slow(provider, "m1", "m2", "m3")
    got = chat(proxy, stream=stream, fusion=LITTLE)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")
    assert "synth" in got.text
    assert got.status_of("member") == ["cancelled"] * 3
    assert ("panel", "salvaged") in got.steps
    (asked,) = provider.asked("synth")
    assert "Point 9 of this answer" in str(asked["messages"])
    assert "Point 199 of this answer" not in str(asked["messages"])


def test_a_late_members_draft_is_not_mixed_with_whole_answers(proxy: Proxy, provider: Provider) -> None:
    _slow(provider, "m3")
    got = chat(proxy, fusion=LITTLE)
    assert (got.status, got.headers["x-fusion-route"]) == (200, "fused")
    assert "Point 9 of this answer" not in str(provider.asked("synth"))
    assert ("panel", "salvaged") not in got.steps


@needs_database
def test_what_a_cut_member_wrote_is_billed_once(stored: Proxy, provider: Provider) -> None:
    _slow(provider, "m1", "m2", "m3")
    token = key(stored)
    got = chat(stored, key=token, fusion=LITTLE)
    assert ("panel", "salvaged") in got.steps
    rows = settled(lambda: rows_of_key(token), lambda found: len(found) == 6)
    assert sorted(role(row) for row in rows) == ["judge", "member", "member", "member", "outer", "synthesizer"]
    assert all(row["spend"] > 0 for row in rows if role(row) == "member")
    assert sum(row["spend"] for row in rows) == pytest.approx(got.trace["totals"]["cost_usd"], abs=1e-9)


@pytest.mark.parametrize("stream", [False, True])
def test_the_direct_model_instead_of_a_panel_keeps_the_runs_deadline(proxy: Proxy, provider: Provider, stream: bool) -> None:
    for name in ("m1", "m2", "m3"):
        provider.script(name, Reply(status=500))
    provider.script("synth", Reply(hang=True))
    started = time.monotonic()
    got = chat(proxy, stream=stream, fusion={"limits": {"deadline_seconds": 3}})
    assert time.monotonic() - started < 10
    assert got.error
    assert "fusion_failed" in str(got.error)
