"""LiteLLM with a Postgres: keys, teams and users to be made, rows and spend to be read."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import httpx
import pytest
from proxy import Proxy

ENV_FILE = os.environ.get("FUSION_TEST_DATABASE_ENV", "")
needs_database = pytest.mark.skipif(not ENV_FILE, reason="FUSION_TEST_DATABASE_ENV names no environment with a Postgres")
PRICE = {"prompt": 1e-6, "completion": 2e-6}
"""US dollars per token of the loopback members."""


@cache
def environment() -> dict[str, str]:
    """The variables of the environment file that LiteLLM and psql need."""
    printed = subprocess.run(["/bin/bash", "-c", f". {ENV_FILE}; env -0"], capture_output=True, check=True).stdout.decode()
    env = dict(line.split("=", 1) for line in printed.split("\0") if "=" in line)
    wanted = {key: env[key] for key in env if key.startswith(("PRISMA_", "DATABASE_", "DISABLE_SCHEMA")) or key == "PATH"}
    return {**wanted, "PROXY_BATCH_WRITE_AT": "1"}


def with_database(config: dict[str, Any], **general: Any) -> dict[str, Any]:
    """A proxy config that keeps models, prompts and spend in the database."""
    config["general_settings"] |= {
        "store_model_in_db": True, "disable_prisma_schema_update": True, "store_prompts_in_spend_logs": True, **general,
    }  # fmt: skip
    return config


def once(name: str) -> str:
    """A name that an earlier run on the same database cannot have taken."""
    return f"{name}-{secrets.token_hex(4)}"


def post(proxy: Proxy, path: str, **body: Any) -> dict[str, Any]:
    """A management call; its answer."""
    with proxy.client() as client:
        response = client.post(path, json=body)
        assert response.status_code == 200, response.text
        return dict(response.json())


def key(proxy: Proxy, **settings: Any) -> str:
    """A new virtual key."""
    made: str = post(proxy, "/key/generate", **{"key_alias": once("key"), **settings})["key"]
    return made


def info(proxy: Proxy, path: str, field: str, **params: Any) -> Any:
    """One management object as LiteLLM tells it."""
    with proxy.client() as client:
        response: httpx.Response = client.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()[field]


def spend_of_key(proxy: Proxy, token: str) -> float:
    """What LiteLLM has written to a key, in US dollars."""
    return float(info(proxy, "/key/info", "info", key=token)["spend"])


def hashed(token: str) -> str:
    """A key as LiteLLM stores it."""
    return hashlib.sha256(token.encode()).hexdigest()


def execute(sql: str) -> str:
    """Run SQL; what psql printed."""
    env = {**os.environ, **environment()}
    done = subprocess.run(["psql", env["DATABASE_URL"], "-qAt", "-c", sql], env=env, capture_output=True, check=True, text=True)
    return done.stdout


def query(sql: str) -> list[dict[str, Any]]:
    """Rows of a SELECT, as objects."""
    rows: list[dict[str, Any]] = json.loads(execute(f"select coalesce(json_agg(t), '[]') from ({sql}) t"))
    return rows


def rows(where: str) -> list[dict[str, Any]]:
    """Spend rows by an SQL condition, oldest first."""
    return query(f'select * from "LiteLLM_SpendLogs" where {where} order by "startTime"')


def rows_of_key(token: str) -> list[dict[str, Any]]:
    """Every spend row of a key."""
    return rows(f"api_key = '{hashed(token)}'")


def settled(read: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 60) -> Any:
    """What `read` gives once it is good, or in the end: LiteLLM writes spend in batches."""
    ends = time.monotonic() + seconds
    found = read()
    while not good(found) and time.monotonic() < ends:
        time.sleep(0.5)
        found = read()
    return found


def role(row: Mapping[str, Any]) -> str:
    """The part that a row's call played in a run; `outer` for the client's own request."""
    kept = row["metadata"].get("spend_logs_metadata") or {}
    return str(kept.get("fusion_role", "outer"))
