"""Two proxies that share a Redis and a Postgres: one bill, one budget, one limit. Nothing of ours is shared."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

import httpx
import pytest
from ask import QUESTION, chat
from bank import environment, key, needs_database, role, rows_of_key, settled, spend_of_key, with_database
from provider import Provider, Reply
from proxy import Proxy, config, free_port, fusion

pytestmark = [needs_database, pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server on the PATH")]
FAST = {"grace_seconds": 0.2}


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    """A Redis of our own, which keeps nothing on disk."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def workers(_provider: Provider, redis_port: int) -> Iterator[tuple[Proxy, Proxy]]:
    models = [
        fusion("fusion/all", limits=FAST), fusion("fusion/direct", direct="solo", policy=[{"use": "direct"}]),
        fusion("fusion/short", limits={**FAST, "max_completion_tokens": 200}),
    ]  # fmt: skip
    shared = {"type": "redis", "host": "127.0.0.1", "port": redis_port, "supported_call_types": []}
    made = with_database(config(_provider.base_url, models, cache=True, cache_params=shared))
    master_key = f"sk-{secrets.token_hex(16)}"
    running: list[Proxy] = []
    for _ in range(2):
        running.append(Proxy(made, environment(), master_key=master_key))
    yield running[0], running[1]
    for proxy in running:
        proxy.stop()


def test_rows_traces_and_key_have_the_same_sum(workers: tuple[Proxy, Proxy], provider: Provider) -> None:
    token = key(workers[0], max_budget=5)
    total, calls = 0.0, 0
    for n in range(24):
        model = ("fusion/all", "fusion/direct", "fusion/short")[n % 3]
        got = chat(workers[n % 2], model, f"{QUESTION} {n}", key=token, stream=n % 4 > 1)
        assert got.status == 200
        if model != "fusion/direct":
            total += got.trace["totals"]["cost_usd"]
            calls += 1 + got.trace["totals"]["calls"]
        else:
            calls += 1
    found = settled(lambda: rows_of_key(token), lambda rows: len(rows) >= calls)
    assert len(found) == calls
    assert len({row["request_id"] for row in found}) == calls
    spent = sum(row["spend"] for row in found)
    direct = sum(row["spend"] for row in found if role(row) == "direct")
    assert spent - direct == pytest.approx(total, abs=1e-9)
    told = settled(lambda: spend_of_key(workers[1], token), lambda told: abs(told - spent) < 1e-9)
    assert told == pytest.approx(spent, abs=1e-9)


def test_one_request_limit_holds_over_both(workers: tuple[Proxy, Proxy], provider: Provider) -> None:
    token = key(workers[0], rpm_limit=4)
    statuses = [chat(workers[n % 2], "fusion/all", key=token).status for n in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]


def test_a_budget_spent_on_one_is_spent_on_the_other(workers: tuple[Proxy, Proxy], provider: Provider) -> None:
    token = key(workers[0], max_budget=1e-9)
    assert chat(workers[0], "m1", key=token).status == 200
    provider.reset()
    assert settled(lambda: chat(workers[1], "fusion/all", key=token).status, lambda status: status == 422) == 422


def test_requests_at_once_on_both_do_not_overshoot_one_budget(workers: tuple[Proxy, Proxy], provider: Provider) -> None:
    text = "It weighs cost, time and risk. " * 20
    for name in ("m1", "m2", "m3", "synth"):
        provider.script(name, Reply(text=f"{name}: {text}", delay_seconds=0.2))
    body = {"model": "fusion/short", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 200}
    price = chat(workers[0], "fusion/short", key=key(workers[0]), max_tokens=200).trace["totals"]["cost_usd"]
    budget = 4 * price
    token = key(workers[0], max_budget=budget)

    async def at_once() -> list[int]:
        async with httpx.AsyncClient(timeout=120, headers={"Authorization": f"Bearer {token}"}) as client:
            urls = [f"{workers[n % 2].base_url}/v1/chat/completions" for n in range(30)]
            got = await asyncio.gather(*(client.post(url, json=body) for url in urls))
            return [response.status_code for response in got]

    statuses = asyncio.run(at_once())
    assert set(statuses) <= {200, 422}
    settled(lambda: spend_of_key(workers[0], token), lambda found: found > 0)
    time.sleep(4)
    assert 0 < spend_of_key(workers[0], token) <= budget + 1e-9
