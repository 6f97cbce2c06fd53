"""The bill of 200 mixed requests on a real Postgres: every cent once, on the right account, in one session."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from ask import QUESTION
from bank import info, key, needs_database, once, post, role, rows_of_key, settled, spend_of_key
from provider import Provider, Reply
from proxy import Proxy

pytestmark = needs_database
REQUESTS, AT_ONCE = 200, 8
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
KINDS = (
    "direct", "direct-stream", "fused", "fused-stream", "vote", "tools", "messages", "responses", "messages-stream",
    "responses-stream", "one-fails", "all-fail", "broken-stream", "leaves", "leaves-early", "explain", "plain-model",
)  # fmt: skip


@dataclass
class Asked:
    """One request and whose it was."""

    kind: str
    caller: Caller
    session: str
    tag: str
    end_user: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def trace_id(self) -> str:
        return self.headers.get("x-fusion-trace-id", "")


@dataclass(frozen=True)
class Caller:
    """A virtual key with its team and user."""

    token: str
    team: str
    user: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.token.encode()).hexdigest()


def _models(provider: Provider) -> None:
    """Models of this test: one answers, one fails, one breaks off in the middle of its stream."""
    for name in ("m1", "m2", "m3", "synth", "solo"):
        provider.script(name, Reply(make=lambda body, name=name: _reply(name, body)))


def _reply(name: str, body: dict[str, Any]) -> Reply:
    text = json.dumps(body["messages"])
    good = f"{name} says: the second option, for its lower running costs and the smaller team that it takes."
    if "ALL-FAIL" in text or ("ONE-FAILS" in text and name == "m2"):
        return Reply(status=500)
    if "BREAK-OFF" in text and name == "synth":
        return Reply(text=good * 5, cut_after=4)
    if "LEAVE" in text and name == "synth":
        return Reply(text="word " * 600, chunk_delay_seconds=0.02)
    if "LEAVE-EARLY" in text:
        return Reply(text=good, delay_seconds=0.6)
    return Reply(text="The answer is 42." if "VOTE" in text else good)


async def _ask(client: httpx.AsyncClient, asked: Asked) -> None:
    headers = {
        "Authorization": f"Bearer {asked.caller.token}", "x-litellm-session-id": asked.session, "x-litellm-tags": asked.tag,
    }  # fmt: skip
    path, body = _body(asked)
    if asked.kind.startswith("leaves"):
        early = asked.kind == "leaves-early"
        async with client.stream("POST", path, json=body, headers=headers) as got:
            asked.status, asked.headers = got.status_code, dict(got.headers)
            async for line in got.aiter_lines():
                if early or '"content":"word' in line.replace(" ", ""):
                    break
        return
    got = await client.post(path, json=body, headers=headers)
    asked.status, asked.headers = got.status_code, dict(got.headers)


def _body(asked: Asked) -> tuple[str, dict[str, Any]]:
    kind = asked.kind
    word = {"one-fails": "ONE-FAILS", "all-fail": "ALL-FAIL", "broken-stream": "BREAK-OFF", "leaves": "LEAVE",
            "leaves-early": "LEAVE-EARLY", "vote": "VOTE"}.get(kind, "")  # fmt: skip
    question = f"{QUESTION} {word} {asked.session}"
    model = {"direct": "fusion/direct", "direct-stream": "fusion/direct", "plain-model": "m1", "vote": "fusion/vote"}
    body: dict[str, Any] = {"model": model.get(kind, "fusion/all")}
    streamed = kind.endswith("stream") or kind.startswith("leaves")
    if kind.startswith("responses"):
        return "/v1/responses", {**body, "input": question, "stream": streamed, "user": asked.end_user}
    body |= {"messages": [{"role": "user", "content": question}], "stream": streamed}
    if kind.startswith("messages"):
        return "/v1/messages", {**body, "max_tokens": 300, "metadata": {"user_id": asked.end_user}}
    body["user"] = asked.end_user
    if kind == "tools":
        body["tools"] = [TOOL]
    if kind == "explain":
        body["fusion"] = {"mode": "explain"}
    return "/v1/chat/completions", body


async def _all(proxy: Proxy, requests: list[Asked]) -> None:
    places = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=proxy.base_url, timeout=60) as client:

        async def one(asked: Asked) -> None:
            async with places:
                await _ask(client, asked)

        await asyncio.gather(*(one(asked) for asked in requests))


@pytest.fixture(scope="module")
def callers(stored: Proxy) -> list[Caller]:
    """Three keys in two teams, each of its own user."""
    teams = [post(stored, "/team/new", team_alias=once("team"), max_budget=50)["team_id"] for _ in range(2)]
    made = []
    for number in range(3):
        user = once("user")
        post(stored, "/user/new", user_id=user, max_budget=20, auto_create_key=False)
        team = teams[number % 2]
        post(stored, "/team/member_add", team_id=team, member={"role": "user", "user_id": user})
        made.append(Caller(key(stored, team_id=team, user_id=user, max_budget=10), team, user))
    return made


def _traces(proxy: Proxy) -> dict[str, dict[str, Any]]:
    """Every finished trace that the proxy's log tells of, by id."""
    lines = re.findall(r"fusion\.run (\{.*\})", proxy.log())
    return {line["id"]: line for line in map(json.loads, lines)}


@dataclass(frozen=True)
class Books:
    """The 200 requests, LiteLLM's rows of them, and the traces that the proxy's log tells of."""

    requests: list[Asked]
    rows: list[dict[str, Any]]
    traces: dict[str, dict[str, Any]]

    def of(self, asked: Asked) -> list[dict[str, Any]]:
        """The rows of one request: its session's, and on the Responses API those that name its trace."""
        kept = [row for row in self.rows if row["session_id"] == asked.session]
        return kept + [row for row in self.rows if row not in kept and asked.trace_id and _trace_of(row) == asked.trace_id]


def _trace_of(row: dict[str, Any]) -> str:
    return str((row["metadata"].get("spend_logs_metadata") or {}).get("fusion_trace_id", ""))


@pytest.fixture(scope="module")
def books(stored: Proxy, _provider: Provider, callers: list[Caller]) -> Books:
    """200 requests of every kind, made at random by three keys, and what was written of them."""
    _models(_provider)
    choose = random.Random(5)  # noqa: S311 - the same mix in every run
    tag, end_user = once("tag"), once("customer")
    requests = [
        Asked(KINDS[n % len(KINDS)], choose.choice(callers), f"{once('s')}-{n}", f"{tag}-{n % 3}", f"{end_user}-{n % 4}")
        for n in range(REQUESTS)
    ]
    asyncio.run(_all(stored, requests))

    def all_rows() -> list[dict[str, Any]]:
        return [row for caller in callers for row in rows_of_key(caller.token)]

    found, before = all_rows(), -1
    while len(found) > before:  # until five seconds bring no more
        before = len(found)
        found = settled(all_rows, lambda rows, least=before: len(rows) > least, seconds=5)
    _provider.reset()
    return Books(requests, found, _traces(stored))


def test_every_request_ends_as_its_kind_should(books: Books) -> None:
    for asked in books.requests:
        assert asked.status == (500 if asked.kind == "all-fail" else 200), asked


def test_no_row_is_missing_and_none_is_double(books: Books) -> None:
    assert len({row["request_id"] for row in books.rows}) == len(books.rows)
    assert sum(len(books.of(asked)) for asked in books.requests) == len(books.rows)
    for asked in books.requests:
        own = Counter(map(role, books.of(asked)))
        if asked.kind in ("plain-model", "explain", "all-fail", "leaves-early"):
            assert own == {"outer": 1}, asked  # a call that failed, or was cancelled before it answered, has no row
        elif asked.kind.startswith("direct"):
            assert own == {"direct": 1}, asked
        else:
            assert own["outer"] == 1, asked
            assert own["member"] >= (2 if asked.kind == "one-fails" else 3) - 1, asked
            assert (own["judge"], own["synthesizer"]) == ((0, 0) if asked.kind == "vote" else (1, 1)), asked


def test_every_row_is_on_the_right_account_and_in_the_right_session(books: Books) -> None:
    for asked in books.requests:
        for row in books.of(asked):
            found = (row["api_key"], row["team_id"], row["user"], row["end_user"])
            assert found == (asked.caller.hash, asked.caller.team, asked.caller.user, asked.end_user), (asked, role(row))
            assert asked.tag in row["request_tags"], (asked, role(row))
            if role(row) not in ("outer", "direct") and asked.kind.startswith("responses"):
                assert row["session_id"] == asked.trace_id  # LiteLLM rebuilds histories from a session's rows
            else:
                assert row["session_id"] == asked.session
            if role(row) != "outer":
                assert _trace_of(row) == asked.trace_id
                assert row["metadata"]["spend_logs_metadata"]["fusion_model"].startswith("fusion/")


def test_outer_rows_cost_nothing_and_carry_the_summary(books: Books) -> None:
    for asked in books.requests:
        if asked.kind == "plain-model":
            continue
        outer = next(row for row in books.of(asked) if role(row) in ("outer", "direct"))
        assert (outer["spend"] > 0) is (role(outer) == "direct"), asked
        if asked.kind != "explain":
            summary = outer["metadata"]["spend_logs_metadata"]["fusion"]
            assert summary["id"] == asked.trace_id, asked
            # A stream's headers leave before its run can degrade.
            assert summary["route"] in (asked.headers["x-fusion-route"], "degraded"), asked


def test_rows_traces_keys_and_teams_have_the_same_sums(books: Books, stored: Proxy, callers: list[Caller]) -> None:
    for asked in books.requests:
        spent = sum(row["spend"] for row in books.of(asked))
        if asked.kind == "plain-model":
            continue
        traced = 0.0 if asked.kind == "explain" else books.traces[asked.trace_id]["cost_usd"]
        assert spent == pytest.approx(traced, abs=1e-9), asked

    def whole(column: str, value: str) -> float:
        return sum(row["spend"] for row in books.rows if row[column] == value)

    for caller in callers:
        spent = whole("api_key", caller.hash)
        told = settled(
            lambda token=caller.token: spend_of_key(stored, token), lambda found, spent=spent: abs(found - spent) < 1e-9
        )
        assert told == pytest.approx(spent, abs=1e-9)
        assert info(stored, "/user/info", "user_info", user_id=caller.user)["spend"] == pytest.approx(spent, abs=1e-9)
    for team in {caller.team for caller in callers}:
        told = info(stored, "/team/info", "team_info", team_id=team)["spend"]
        assert told == pytest.approx(whole("team_id", team), abs=1e-9)
    for customer in {asked.end_user for asked in books.requests}:
        with stored.client() as client:
            told = client.get("/customer/info", params={"end_user_id": customer}).json()["spend"]
        assert told == pytest.approx(whole("end_user", customer), abs=1e-9)
