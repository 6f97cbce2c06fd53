"""What is wrong or doubtful about one fusion model: pure functions of its config, each giving Findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from litellm_fusion.cli.reading import Entry, ProxyConfig
from litellm_fusion.config import Judge, Tools
from litellm_fusion.layers import Layers
from litellm_fusion.limits import FLOOR_TOKENS, PANEL_SHARE, fitting
from litellm_fusion.lineup import Lineup
from litellm_fusion.models import Models
from litellm_fusion.toolcalls import NATIVE
from litellm_fusion.toolcalls import names as function_tools

MANY_ANSWERS = 4
SAMPLE_PROMPT_TOKENS = 1_000
_RESELLERS = frozenset({None, "openrouter", "bedrock", "vertex_ai", "azure_ai", "ollama", "ollama_chat"})
"""Providers of many vendors' models: the same provider says nothing about the family."""
_LOOKS_SECRET = frozenset({"api_key", "authorization", "password", "secret", "token", "extra_headers", "headers"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: an `error` stops the model, a `warning` changes what happens, a `note` is advice."""

    level: Literal["error", "warning", "note"]
    where: str
    text: str


def of_model(config: ProxyConfig, entry: Entry, layers: Layers, lineup: Lineup, models: Models) -> Iterator[Finding]:
    """What is wrong or doubtful about one fusion model whose config has a valid shape."""
    name, own = entry.name, layers.config
    fusion_names = {other.name for other in config.fusion}
    for model in lineup.models:
        if model in fusion_names:
            yield Finding("error", f"{name}: {model}", "is a fusion model itself; a fusion model can't take part in one")
    yield from _unknown_models(config, name, layers, lineup, models, fusion_names)
    yield from _prices(name, layers, lineup, models)
    answers = len(lineup.seats)
    if answers > MANY_ANSWERS:
        yield Finding(
            "warning",
            f"{name}: panel",
            f"gives {answers} answers: cost grows with each, published runs gain little beyond {MANY_ANSWERS}",
        )
    if isinstance(own.judge, Judge) and lineup.judges and answers > 1:
        families = {models.provider(lineup.judges[0]), models.provider(lineup.synthesizers[0])}
        if len(families) == 1 and lineup.judges[0] != lineup.synthesizers[0] and not families & _RESELLERS:
            yield Finding("note", f"{name}: judge", "and synthesizer share a provider; judges favour their own family's text")
    for info in ("input_cost_per_token", "output_cost_per_token"):
        if entry.model_info.get(info) == 0 or entry.litellm_params.get(info) == 0:
            yield Finding(
                "error",
                f"{name}: {info}",
                "is 0: LiteLLM skips all budget checks for a model that costs "
                "nothing; leave it out, inner calls carry the money",
            )
    if entry.model_info.get("disable_background_health_check") is not True:
        yield Finding(
            "warning",
            f"{name}: model_info.disable_background_health_check",
            "is not true: background health checks ask this model too; the plugin answers by itself, without a panel",
        )
    yield from _tools(config, name, layers, lineup, models)
    yield from _rules(name, layers)
    for seat in {seat.model: seat for seat in lineup.seats}.values():
        for key in _LOOKS_SECRET & {str(key).lower() for key in seat.params}:
            yield Finding(
                "warning",
                f"{name}: panel.{seat.model}.params.{key}",
                "looks like a secret; whoever may call this model can read its fusion_config in /model/info",
            )


def _unknown_models(
    config: ProxyConfig, name: str, layers: Layers, lineup: Lineup, models: Models, fusion_names: set[str]
) -> Iterator[Finding]:
    in_database = config.section("general_settings").get("store_model_in_db") is True
    rules = (rule.use.model for rule in layers.config.policy if rule.use.model)
    classifier = () if layers.config.classifier is None else (layers.config.classifier.model,)
    if layers.config.classifier is not None and layers.config.classifier.model in fusion_names:
        yield Finding("error", f"{name}: classifier", "is a fusion model, which can't be asked inside of one")
    wanted = dict.fromkeys((*lineup.models, *layers.config.trusted_models, *rules, *classifier))
    unknown = [model for model in wanted if model not in fusion_names and not models.exists(model)]
    for model in unknown:
        where = "; it may be in the database" if in_database else "; a member that is missing is left out"
        yield Finding("warning", f"{name}: {model}", f"is no model_name of this config{where}")
    if not in_database and all(seat.model in unknown for seat in lineup.seats):
        yield Finding("error", f"{name}: panel", "has no member that this proxy serves")
    if not in_database and lineup.direct in unknown:
        yield Finding("error", f"{name}: direct", f"{lineup.direct!r} is not served: direct requests would fail")


def _prices(name: str, layers: Layers, lineup: Lineup, models: Models) -> Iterator[Finding]:
    unpriced = [model for model in lineup.models if models.exists(model) and models.price(model) is None]
    for model in unpriced:
        what = (
            "calls to it are refused, because max_cost_usd is written"
            if layers.ceiling_written
            else ("its cost is reported as unknown")
        )
        yield Finding(
            "warning",
            f"{name}: {model}",
            f"has no price that LiteLLM knows: {what}; set input_cost_per_token and output_cost_per_token in its model_info",
        )
    limits = layers.config.limits
    if limits.max_cost_usd is None:
        return
    seats = [seat for seat in lineup.seats if models.exists(seat.model)]
    prices = [models.price(seat.model) for seat in seats]
    kept, tokens = fitting(prices, SAMPLE_PROMPT_TOKENS, limits.max_completion_tokens, limits.max_cost_usd * PANEL_SHARE)
    if len(kept) < len(seats):
        yield Finding(
            "warning",
            f"{name}: limits.max_cost_usd",
            f"covers {len(kept)} of {len(seats)} answers to a prompt of "
            f"{SAMPLE_PROMPT_TOKENS} tokens, at {FLOOR_TOKENS} tokens each",
        )
    elif tokens is not None and tokens < (limits.max_completion_tokens or tokens):
        yield Finding(
            "note",
            f"{name}: limits.max_cost_usd",
            f"lets each answer to a prompt of {SAMPLE_PROMPT_TOKENS} tokens "
            f"write {tokens} tokens at most, less than max_completion_tokens",
        )


def _tools(config: ProxyConfig, name: str, layers: Layers, lineup: Lineup, models: Models) -> Iterator[Finding]:
    """What members' web tools will not do."""
    tools = layers.config.tools
    if not isinstance(tools, Tools) or not tools.on:
        return
    found = config.raw.get("search_tools") or []
    names = [tool.get("search_tool_name") for tool in found if isinstance(tool, Mapping)]
    if tools.web_search and tools.web_search != NATIVE and tools.web_search not in names:
        yield Finding("warning", f"{name}: tools.web_search", f"{tools.web_search!r} is none of this config's search_tools")
    facts = {seat.model: models.facts(seat.model) for seat in lineup.seats if seat.tools}
    for model, known in facts.items():
        if function_tools(tools) and known is not None and known.tools is False:
            yield Finding("warning", f"{name}: {model}", "calls no tools, as far as LiteLLM knows: it answers without the web")
    if tools.web_search == NATIVE and not any(known is not None and known.web_search for known in facts.values()):
        yield Finding(
            "warning", f"{name}: tools.web_search", "is native, and no member searches by itself as far as LiteLLM knows"
        )
    if tools.proxy is not None:
        yield Finding(
            "note", f"{name}: tools.proxy", "resolves names itself: which addresses are reached is then its own business"
        )


def _rules(name: str, layers: Layers) -> Iterator[Finding]:
    seen: dict[str, Any] = {}
    for rule in layers.config.policy:
        if seen.get("open"):
            yield Finding(
                "warning", f"{name}: policy.{rule.name}", f"is never reached: {seen['open']} before it always matches"
            )
        elif rule.name in seen:
            yield Finding("warning", f"{name}: policy.{rule.name}", "two rules of one name can't be told apart in headers")
        seen[rule.name] = True
        if rule.when is None:
            seen["open"] = rule.name
