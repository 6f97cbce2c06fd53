"""A LiteLLM callback inside the proxy of the tests: keeps what LiteLLM logs, and serves it on a route of its own."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from types import AsyncGeneratorType
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.proxy.proxy_server import app

from litellm_fusion import intake, planning

_read_signals, _read_body = planning.signals.read, intake.body.read


def _signals(request: Any) -> Any:
    if "BREAK-SIGNALS" in str(request.messages):
        raise RuntimeError("signals broke, as scripted")
    return _read_signals(request)


def _body(body: Any, *rest: Any) -> Any:
    if "BREAK-HOOK" in str(body.get("messages")):
        raise RuntimeError("the hook broke, as scripted")
    return _read_body(body, *rest)


# A broken piece of ours, at a prompt's word: the tests show that no request fails of it.
planning.signals.read = _signals
intake.body.read = _body


# SearXNG is free in LiteLLM's map; the tests that follow the money give it a price.
if "FUSION_TEST_SEARCH_USD" in os.environ:
    price = float(os.environ["FUSION_TEST_SEARCH_USD"])
    litellm.register_model({"searxng/search": {"input_cost_per_query": price, "litellm_provider": "searxng", "mode": "search"}})

# LiteLLM's streams set context variables when they are collected. Before Python 3.12 that can happen in the middle of
# another such setting, and the process crashes (python/cpython#148891): three times in a day of these tests.
if sys.version_info < (3, 12) and hasattr(CustomStreamWrapper, "__del__"):
    del CustomStreamWrapper.__del__


class Spy(CustomLogger):
    """Rows as LiteLLM's spend log would get them."""

    rows: list[dict[str, Any]] = []  # noqa: RUF012 - one list for however many instances LiteLLM makes

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._keep(kwargs, "success")

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._keep(kwargs, "failure")

    def _keep(self, kwargs: Any, status: str) -> None:
        payload = kwargs.get("standard_logging_object") or {}
        metadata = payload.get("metadata") or {}
        self.rows.append(
            {
                "status": status, "id": payload.get("id"), "model_group": payload.get("model_group"),
                "cost": payload.get("response_cost"), "trace_id": payload.get("trace_id"),
                "spend_logs_metadata": metadata.get("spend_logs_metadata"),
                "prompt_tokens": payload.get("prompt_tokens"), "completion_tokens": payload.get("completion_tokens"),
            }
        )  # fmt: skip


spy = Spy()


@app.get("/spy/rows")
async def rows() -> list[dict[str, Any]]:
    return Spy.rows


@app.get("/spy/tasks")
async def tasks() -> dict[str, int]:
    """How many of our own coroutines and generators are alive."""
    gc.collect()
    names = [str(task.get_coro()) for task in asyncio.all_tasks() if not task.done()]
    ours = sum("litellm_fusion" in name or "ask_panel" in name or "drive" in name or "member" in name for name in names)
    generators = 0
    for item in gc.get_objects():
        if type(item) is AsyncGeneratorType and "litellm_fusion" in item.ag_code.co_filename and item.ag_frame:
            generators += 1
    return {"ours": ours, "generators": generators, "tasks": len(names)}
