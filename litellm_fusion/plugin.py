"""What a proxy's config names: `fusion_llm` for `custom_provider_map`, `fusion_hook` for `callbacks`.

Stateless adapters: LiteLLM may execute this file twice. With `budgets.py` the only file that knows the proxy's own types.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import HTTPException
from litellm import BudgetExceededError, CustomLLM
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import ProxyErrorTypes, ProxyException
from litellm.proxy.auth.auth_checks import (
    can_key_call_model,
    can_team_access_model,
    can_token_call_search_tool,
    can_user_call_model,
)
from litellm.proxy.common_utils.encrypt_decrypt_utils import decrypt_value_helper

from litellm_fusion import budgets, intake, logged, provider, seams, sinks, watch
from litellm_fusion.config import Tools
from litellm_fusion.context import Plan, recall, recall_failed
from litellm_fusion.errors import (
    ConfigInvalid,
    FusionError,
    HistoryMissing,
    ModelForbidden,
    OverrideRefused,
    PrivateModelUnavailable,
    origin,
)
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
            purse = await budgets.account(user_api_key_dict, data)
            caller = _caller(user_api_key_dict, data, await _budget_left(user_api_key_dict, purse))
            kind = str(getattr(call_type, "value", call_type))
            plan = await intake.take(entry, data, kind, caller, _previous(data), _aliases(user_api_key_dict), purse)
            if plan.resumes is not None and not _has_database():
                raise HistoryMissing
            await _check_access(plan.ask.models, user_api_key_dict, purse)
            await _check_search(plan, user_api_key_dict)
            plan.purse = purse
            plan.forwarded |= _callbacks(user_api_key_dict, data)
            if purse is not None and plan.explained is None:
                await (purse.hand_over() if data["model"] == entry.name else purse.check_model(data["model"]))
        except FusionError as failure:
            raise _refusal(failure) from None
        except BudgetExceededError as error:
            spent = ProxyErrorTypes.budget_exceeded
            raise ProxyException(message=error.message, type=spent, param=None, code=error.status_code) from None
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
        # LiteLLM's own cache answered: no run was made, and a priced model would be told its price.
        cached = (getattr(response, "_hidden_params", None) or {}).get("cache_hit") is True
        return sinks.headers(plan.recorder, finished=plan.recorder.seconds is not None, cached=cached)

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A request that went direct natively gets its trace from what LiteLLM logs of it."""
        logged.tell(kwargs, failed=False)

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """The same for one that failed."""
        logged.tell(kwargs, failed=True)


async def _check_access(models: tuple[str, ...], auth: Any, purse: budgets.Account | None) -> None:
    """A model that a request itself names must be one that its key, its team and its user may call."""
    router = REGISTRY.find_router()
    for model in models:
        try:
            await can_key_call_model(model=model, llm_model_list=None, valid_token=auth, llm_router=router)
            if purse is not None and purse.team is not None:
                await can_team_access_model(model=model, team_object=purse.team, llm_router=router)
            if purse is not None and purse.user is not None and purse.team is None:
                await can_user_call_model(model=model, llm_router=router, user_object=purse.user)
        except ProxyException:
            raise ModelForbidden(f"this key may not call {model!r}") from None


def _aliases(auth: Any) -> dict[str, str]:
    return {**(getattr(auth, "team_model_aliases", None) or {}), **(getattr(auth, "aliases", None) or {})}


def _previous(data: dict[str, Any]) -> str | None:
    """The response that a Responses request goes on from. LiteLLM seals ids per user, and opens them behind this hook."""
    previous = data.get("previous_response_id")
    if not isinstance(previous, str) or not previous:
        return None
    sealed = previous.removeprefix("resp_")
    opened = decrypt_value_helper(value=sealed, key="response_id", return_original_value=True) or ""
    return opened.partition("response_id:")[2].partition(";")[0] or previous


def _has_database() -> bool:
    from litellm.proxy.proxy_server import prisma_client  # late: it is set while the proxy starts

    return prisma_client is not None


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


def _caller(auth: Any, data: dict[str, Any], budget_left_usd: float | None) -> Caller:
    metadata = {**(data.get("metadata") or {}), **(data.get("litellm_metadata") or {})}
    tags = metadata.get("tags")
    return Caller(
        key_alias=getattr(auth, "key_alias", None),
        team_id=getattr(auth, "team_id", None),
        user_id=getattr(auth, "user_id", None),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        budget_left_usd=budget_left_usd,
    )


def _callbacks(auth: Any, data: dict[str, Any]) -> dict[str, Any]:
    """The logging callbacks of the caller's key or team, by name: LiteLLM has taken them out of the data by now."""
    logging_obj = data.get("litellm_logging_obj")
    if not any(getattr(logging_obj, f"dynamic_{event}_callbacks", None) for event in ("success", "async_success", "failure")):
        return {}
    from litellm.proxy.litellm_pre_call_utils import get_dynamic_logging_metadata
    from litellm.proxy.proxy_server import proxy_config  # no earlier than a proxy runs: the SDK has none

    settings = get_dynamic_logging_metadata(user_api_key_dict=auth, proxy_config=proxy_config)
    kept = {} if settings is None else {name: getattr(settings, name) for name in ("success_callback", "failure_callback")}
    return {name: list(callbacks) for name, callbacks in kept.items() if callbacks}


async def _budget_left(auth: Any, purse: budgets.Account | None) -> float | None:
    """US dollars that the caller has left, by LiteLLM's spend counters; without those by the key itself. None: unknown."""
    if purse is None:
        budget = getattr(auth, "max_budget", None)
        return UNLIMITED if budget is None else float(budget) - float(getattr(auth, "spend", 0.0) or 0.0)
    try:
        return await purse.left()
    except Exception as error:
        log.warning("fusion.budgets can't be read: %s", origin(error))
        return None


def _refusal(failure: FusionError) -> ProxyException:
    if isinstance(failure, ConfigInvalid):
        log.error("fusion.config: %s", failure)
    key = failure.key if isinstance(failure, OverrideRefused) else ""
    param = f"fusion.{key}" if key else None
    return ProxyException(message=failure.message, type=failure.code, param=param, code=failure.status)


fusion_llm = FusionLLM()
fusion_hook = FusionHook()
watch.start()
