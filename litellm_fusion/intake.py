"""The hook's side: a proxy request's data → a Plan, and the data as LiteLLM should go on with it."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import litellm
from litellm.responses.utils import ResponsesAPIRequestUtils

from litellm_fusion import asks, body, explain, identity, planning, progress, second, thinking
from litellm_fusion.asks import Ask
from litellm_fusion.client import Purse
from litellm_fusion.context import Plan, remember
from litellm_fusion.errors import ConfigInvalid, OverrideRefused, RequestInvalid, RequestRefused
from litellm_fusion.layers import Layers
from litellm_fusion.lineup import sole
from litellm_fusion.models import Models
from litellm_fusion.params import CLIENT
from litellm_fusion.registry import REGISTRY, Entry
from litellm_fusion.trace import summary
from litellm_fusion.types import Caller

log = logging.getLogger("litellm_fusion")


def wanted(data: dict[str, Any]) -> Entry | None:
    """The fusion model that a request asks for, or None. Takes our progress out of every request's history, and the
    thinking of fused turns out of those of other models.
    """
    entry = REGISTRY.find(data.get("model"))
    if "messages" in data or "input" in data:
        progress.clean(data)
        if entry is None:
            thinking.clean(data, thinking.Reader(str(data.get("model"))))
    return entry


async def take(
    entry: Entry,
    data: dict[str, Any],
    call_type: str,
    caller: Caller,
    previous: str | None = None,
    aliases: Mapping[str, str] | None = None,
    purse: Purse | None = None,
) -> Plan:
    """Read one request for a fusion model and decide. Changes `data` to what LiteLLM should serve: the direct model, or
    the fusion model with the plan in the ContextVar. `previous` is the response that it goes on from, by its real id;
    `aliases` are the key's and the team's own names of models; `purse` pays for a second opinion.

    Raises ConfigInvalid, OverrideRefused, ModelForbidden or RequestRefused.
    """
    if "fusion_config" in data:
        raise OverrideRefused("", "a request can't carry `fusion_config`; what may change goes into `fusion`")
    layers = REGISTRY.layers(entry)
    api = body.APIS.get(call_type, "completions")
    problem = body.unservable(data, api)
    if problem is not None:
        raise RequestInvalid(problem)
    paths, own = asks.take(data)
    ask = _asked(paths, own, layers, aliases or {})
    mode = REGISTRY.mode(layers)
    models = Models(REGISTRY.find_router())
    request = body.read(data, api, layers.config.preset, caller)
    history = _history(previous)
    elsewhere = history == "elsewhere"
    plan = planning.plan(layers, request, models, ask, mode, elsewhere=elsewhere)
    if plan.config.classifier is not None and ask.mode != "explain" and second.worth_asking(plan, request, mode):
        plan.forwarded = identity.choices(data)
        payer = identity.identity(data, plan)
        read = await second.opinion(plan, request, REGISTRY.find_router(), payer, purse)
        if read is not None:
            plan = planning.plan(layers, request, models, ask, mode, elsewhere=elsewhere, again=(plan.recorder, read))
    if ask.mode == "explain":
        plan.explained = explain.explain(layers, request, models, overrides=ask.overrides, mode=mode)
    if plan.explained is None:
        planning.tell_shadow(plan)
    if plan.decision.use == "refuse" and plan.explained is None:
        raise RequestRefused(plan.decision.message)
    plan.forwarded = identity.choices(data)
    plan.resumes = sum(message.get("role") == "user" for message in request.messages) if history == "here" else None
    remember(plan, data)
    if plan.private:
        data["disable_fallbacks"] = True  # LiteLLM's own would leave the trusted models
    if plan.decision.use == "direct" and plan.explained is None and history != "here":
        _go_direct(plan, data, models)
    else:
        _go_fused(plan, data)
    return plan


def _asked(paths: dict[str, Any], own: frozenset[str], layers: Layers, aliases: Mapping[str, str]) -> Ask:
    """What the request asks for, once its values are seen to fit. What doesn't is the request's fault, not the operator's:
    an error in our own field; in the other shapes all of theirs is ignored.
    """
    resolve = _slugs(aliases)
    ask = asks.read(paths, own, layers.config, resolve)
    try:
        layers.changed(ask.overrides)
        return ask
    except ConfigInvalid:
        mine = asks.read({path: value for path, value in paths.items() if path in own}, own, layers.config, resolve)
    try:
        layers.changed(mine.overrides)
    except ConfigInvalid as error:
        path, _, told = error.problems[0].partition(": ")
        raise OverrideRefused(path.removeprefix("fusion_config."), told) from None
    others = tuple(path for path in paths if path not in own and path != "mode")
    return replace(mine, mode=ask.mode, ignored=others)


def forget(data: dict[str, Any]) -> None:
    """Take every fusion shape out of a request that could not be read, and any plan for it."""
    for key in ("fusion", "fusion_config"):
        data.pop(key, None)
    remember(None, data)


def _history(previous: str | None) -> str | None:
    """Where the turns before this request are kept, when a `previous_response_id` names them: `here`, in LiteLLM's log of
    a fusion model's own answers, or `elsewhere`, at the provider of a model that answered directly.
    """
    if previous is None:
        return None
    made_by = ResponsesAPIRequestUtils.get_model_id_from_response_id(previous)
    return "elsewhere" if REGISTRY.by_id(made_by) is None else "here"


def _go_direct(plan: Plan, data: dict[str, Any], models: Models) -> None:
    model = plan.lineup.direct
    if not model:
        return  # nobody may see this text: the provider says so
    data["model"] = model
    thinking.clean(data, models.reader(model, sole=sole(plan.config, plan.lineup, model)))
    key = "litellm_metadata" if "litellm_metadata" in data else "metadata"
    metadata = data.setdefault(key, {})
    metadata["spend_logs_metadata"] = {
        **(metadata.get("spend_logs_metadata") or {}),
        "fusion_model": plan.recorder.model,
        "fusion_trace_id": plan.recorder.id,
        "fusion_role": "direct",
        "fusion": summary(plan.recorder),
    }


def _go_fused(plan: Plan, data: dict[str, Any]) -> None:
    data["num_retries"] = 0
    data["allowed_openai_params"] = [key for key in CLIENT if key not in ("max_tokens", "user")]
    if litellm.cache is not None and plan.explained is None:
        config = plan.config.model_dump(mode="json", exclude={"policy"})
        digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode()).hexdigest()[:24]
        cache = data.get("cache") if isinstance(data.get("cache"), dict) else {}
        data["cache"] = {**(cache or {}), "namespace": f"fusion-{digest}"}


def _slugs(aliases: Mapping[str, str]) -> Any:
    """Finds the model_name behind a slug: itself, the caller's alias of it, else the one whose provider model it names."""
    router = REGISTRY.find_router()

    def resolve(slug: str) -> str | None:
        slug = aliases.get(slug, slug)
        if router.model_name_to_deployment_indices.get(slug):
            return slug
        for deployment in router.model_list:
            inner = str(deployment["litellm_params"]["model"])
            if slug in (inner, inner.partition("/")[2]):
                name: str = deployment["model_name"]
                return name
        return None

    return resolve
