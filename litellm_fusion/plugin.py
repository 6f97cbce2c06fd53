"""What a proxy's config names: `fusion_llm` for `custom_provider_map`, `fusion_hook` for `callbacks`.

Stateless adapters: LiteLLM may execute this file twice. The only file that knows the proxy's and the callbacks' types.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import HTTPException
from litellm import CustomLLM
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import ProxyException
from litellm.proxy.auth.auth_checks import can_key_call_model, can_token_call_search_tool

from litellm_fusion import intake, provider, seams, sinks, watch
from litellm_fusion.config import Tools
from litellm_fusion.context import Plan, recall, recall_failed
from litellm_fusion.errors import ConfigInvalid, FusionError, ModelForbidden, OverrideRefused, PrivateModelUnavailable, origin
from litellm_fusion.registry import REGISTRY
from litellm_fusion.toolcalls import NATIVE
from litellm_fusion.types import UNLIMITED, Caller

log = logging.getLogger("litellm_fusion")
REGISTRY.missing = seams.missing()
if REGISTRY.missing:
    log.error("fusion.off: this LiteLLM lacks %s; every request goes direct", ", ".join(REGISTRY.missing))


_CALLERS_OWN = (400, 413, 422)
"""Statuses that say something about the request itself, not about the model."""


class FusionLLM(CustomLLM):
    """The provider behind `fusion/*` deployments."""

    is_fusion = True

    async def acompletion(self, model: str, messages: list[Any], **given: Any) -> Any:  # type: ignore[override]
        """The plain answer."""
        return await provider.complete(model, messages, given)

    async def astreaming(self, model: str, messages: list[Any], **given: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        """The streamed answer."""
        stream = provider.stream(model, messages, given)
        try:
            async for chunk in stream:
                yield chunk
        finally:
            await stream.aclose()  # type: ignore[attr-defined]


class FusionHook(CustomLogger):
    """Decides each request for a fusion model before LiteLLM serves it, and tells the client in headers what it did."""

    is_fusion_hook = True

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any) -> Any:
        """The request's data, changed to go direct or to the provider. Any other model's request passes untouched."""
        entry = intake.wanted(data)
        if entry is None:
            return data
        try:
            plan = intake.take(entry, data, str(getattr(call_type, "value", call_type)), _caller(user_api_key_dict, data))
            await _check_access(plan.ask.models, user_api_key_dict)
            await _check_search(plan, user_api_key_dict)
        except FusionError as failure:
            raise _refusal(failure) from None
        except Exception as error:
            # A request never fails because fusion was added: the provider decides by itself, without overrides.
            log.error("fusion.hook failed: %s", origin(error))
            intake.forget(data)
        return data

    async def async_post_call_success_hook(self, data: dict[str, Any], user_api_key_dict: Any, response: Any) -> Any:
        """On plain Responses calls, whose bridge drops it, the summary is put back on the response."""
        plan = recall(data.get("litellm_logging_obj"))
        if plan is not None and plan.api == "responses" and plan.recorder.seconds is not None:
            provider.put_summary(plan, response)
        return response

    async def async_post_call_failure_hook(
        self, request_data: dict[str, Any], original_exception: Exception, *rest: Any, **more: Any
    ) -> Any:
        """When no trusted model answers a sensitive request that went direct, the client is told so, typed."""
        plan = recall_failed(request_data)
        status = getattr(original_exception, "status_code", None)
        if plan is None or not plan.private or plan.decision.use != "direct" or status in _CALLERS_OWN:
            return None
        failure = PrivateModelUnavailable(f"{plan.lineup.direct or 'no model'} did not answer")
        return HTTPException(status_code=failure.status, detail=f"{failure.code}: {failure.message}")

    async def async_post_call_response_headers_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any, *rest: Any, **more: Any
    ) -> dict[str, str] | None:
        """The x-fusion headers of a request that a plan was made for."""
        plan = recall(data.get("litellm_logging_obj"))
        if plan is None:
            return None
        return sinks.headers(plan.recorder, finished=plan.recorder.seconds is not None)


async def _check_access(models: tuple[str, ...], auth: Any) -> None:
    """A model that a request itself names must be one that its key may call."""
    for model in models:
        try:
            await can_key_call_model(model=model, llm_model_list=None, valid_token=auth, llm_router=REGISTRY.find_router())
        except ProxyException:
            raise ModelForbidden(f"this key may not call {model!r}") from None


async def _check_search(plan: Plan, auth: Any) -> None:
    """A search tool that LiteLLM closes to this key is closed to its members too; the request goes on without it."""
    tools = plan.config.tools
    named = tools.web_search if isinstance(tools, Tools) else None
    if plan.decision.use != "fuse" or named in (None, NATIVE):
        return
    try:
        await can_token_call_search_tool(search_tool_name=str(named), valid_token=auth)
    except Exception as error:  # a check that fails opens no door
        plan.search_refused = True
        plan.recorder.step("tools", "search_refused", str(named))
        if not isinstance(error, ProxyException):
            log.error("fusion.search_access failed: %s", origin(error))


def _caller(auth: Any, data: dict[str, Any]) -> Caller:
    metadata = {**(data.get("metadata") or {}), **(data.get("litellm_metadata") or {})}
    tags = metadata.get("tags")
    return Caller(
        key_alias=getattr(auth, "key_alias", None),
        team_id=getattr(auth, "team_id", None),
        user_id=getattr(auth, "user_id", None),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        budget_left_usd=_budget_left(auth),
    )


def _budget_left(auth: Any) -> float | None:
    """The least that key, team and user have left, in US dollars; infinite when none of them has a budget."""
    pairs = (("max_budget", "spend"), ("team_max_budget", "team_spend"), ("user_max_budget", "user_spend"))
    left = [
        float(budget) - float(getattr(auth, spent, 0.0) or 0.0)
        for limit, spent in pairs
        if (budget := getattr(auth, limit, None)) is not None
    ]
    return min(left, default=UNLIMITED)


def _refusal(failure: FusionError) -> ProxyException:
    if isinstance(failure, ConfigInvalid):
        log.error("fusion.config: %s", failure)
    key = failure.key if isinstance(failure, OverrideRefused) else ""
    param = f"fusion.{key}" if key else None
    return ProxyException(message=failure.message, type=failure.code, param=param, code=failure.status)


fusion_llm = FusionLLM()
fusion_hook = FusionHook()
watch.start()
