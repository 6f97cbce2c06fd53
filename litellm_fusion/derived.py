"""What a fusion model can do and what it is priced at, derived from its parts, and told to LiteLLM.

LiteLLM reads both from its model map: budget reservations, `/v1/models`, `/model/info` and clients' model pickers. The
price is the direct model's, so that a direct request is refused no sooner than on that model itself; inner calls make
reservations of their own. It is never 0 for both directions: LiteLLM switches its budget checks off for such a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import litellm

from litellm_fusion.lineup import Lineup
from litellm_fusion.models import Models
from litellm_fusion.registry import Entry

_OPERATORS = (
    "input_cost_per_token", "output_cost_per_token", "max_input_tokens", "max_output_tokens", "max_tokens", "mode",
    "supports_vision", "supports_function_calling", "supports_parallel_function_calling", "supports_tool_choice",
    "supports_response_schema", "supports_system_messages",
)  # fmt: skip
"""What an operator may write under `model_info`; their word stands."""

_PRICES = frozenset(
    {"input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost"}
)


def derived(lineup: Lineup, models: Models, written: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of LiteLLM's model map for one fusion model. `written` is its own `model_info`; unknown stays out.

    The window is the least of panel, judge, synthesizer and direct model, in tokens; tools, images and schemas are the
    synthesizer's; prices are US dollars per token.
    """
    result: dict[str, Any] = {"mode": "chat", "supports_system_messages": True}
    parts = [facts for model in lineup.models if (facts := models.facts(model)) is not None]
    windows = [facts.window for facts in parts if facts.window is not None]
    if windows:
        result["max_input_tokens"] = min(windows)
    writer = models.facts(lineup.synthesizers[0])
    if writer is not None:
        if writer.writes is not None:
            result["max_output_tokens"] = result["max_tokens"] = writer.writes
        if writer.vision is not None:
            result["supports_vision"] = writer.vision
        if writer.tools is not None:
            result["supports_function_calling"] = result["supports_tool_choice"] = writer.tools
        if writer.schema:
            result["supports_response_schema"] = True
    price = models.price(lineup.direct)
    if price is not None and (price.prompt or price.completion):
        result |= {"input_cost_per_token": price.prompt, "output_cost_per_token": price.completion}
        # Said, or LiteLLM warns that it takes cached tokens to be free.
        result |= {"cache_read_input_token_cost": price.prompt, "cache_creation_input_token_cost": price.prompt}
    own = {key: written[key] for key in _OPERATORS if written.get(key) is not None}
    return result | own


def tell(router: Any, entries: Sequence[tuple[Entry, Lineup]]) -> None:
    """Tell LiteLLM of every fusion model there is: by deployment id, by name, and by LiteLLM's own name of it
    (`fusion/research`) where all deployments behind that one are alike.
    """
    models = Models(router)
    inner: dict[str, list[dict[str, Any]]] = {}
    for entry, lineup in entries:
        made = derived(lineup, models, entry.info)
        register(router, (entry.id, entry.name), made, provider=entry.provider)
        inner.setdefault(entry.model, []).append(made)
    names = {entry.name for entry, _ in entries}
    for name, made_of in inner.items():
        if name in names:
            continue
        if all(made == made_of[0] for made in made_of):
            register(router, (name,), made_of[0], provider=name.partition("/")[0])
        else:
            litellm.model_cost.pop(name, None)


def register(router: Any, names: tuple[str, ...], entry: Mapping[str, Any], *, provider: str) -> None:
    """Tell LiteLLM under these keys of its map: the deployment's id, and names that are nobody else's."""
    ours = {
        name: {**entry, "litellm_provider": provider}
        for name in names
        if name and litellm.model_cost.get(name, {}).get("litellm_provider") in (None, provider)
    }
    for name in ours:
        for key in _PRICES - set(entry):
            litellm.model_cost.get(name, {}).pop(key, None)  # of an earlier look
    litellm.register_model(ours, custom_llm_provider=provider)
    forget = getattr(router, "_invalidate_model_group_info_cache", None)
    if forget is not None:
        forget()
