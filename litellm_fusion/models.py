"""What LiteLLM knows of a model: provider, price, window, abilities. Unknown is None, never a guess.

Read through the router's own group info, which it caches and which follows models added at run time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import litellm
from litellm.llms.anthropic.common_utils import AnthropicModelInfo

from litellm_fusion.limits import Price
from litellm_fusion.thinking import Reader


@dataclass(frozen=True, slots=True)
class Facts:
    """One model group. `window` is what a prompt may hold and `writes` what an answer may, in tokens; `params` are the
    OpenAI parameters it takes.
    """

    provider: str | None = None
    price: Price | None = None
    window: int | None = None
    writes: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    schema: bool = False
    web_search: bool = False
    params: frozenset[str] | None = None
    pdf: bool | None = None
    audio: bool | None = None
    adaptive: bool = False

    @property
    def unreadable(self) -> frozenset[str]:
        """What the model is known not to take, of the media that messages carry."""
        takes = {"image": self.vision, "pdf": self.pdf, "audio": self.audio}
        return frozenset(kind for kind, able in takes.items() if able is False)


KEEP_SECONDS = 30.0
"""How long facts are kept. Reading them takes LiteLLM some 5 ms of CPU per model, too much for every request."""
_kept: WeakKeyDictionary[Any, dict[str, tuple[float, Any, Facts | None]]] = WeakKeyDictionary()


class Models:
    """Facts by model_name. They are kept for a while per router; a model that comes, goes or is replaced shows at once,
    a price changed in place after KEEP_SECONDS.
    """

    def __init__(self, router: Any) -> None:
        self._router = router
        self._facts = _kept.setdefault(router, {})

    def facts(self, name: str) -> Facts | None:
        """What is known, or None when the proxy has no such model."""
        indices = self._router.model_name_to_deployment_indices.get(name) or ()
        deployments = tuple(id(self._router.model_list[index]) for index in indices)
        kept = self._facts.get(name)
        if kept is None or kept[1] != deployments or time.monotonic() - kept[0] > KEEP_SECONDS:
            kept = (time.monotonic(), deployments, _read(self._router, name))
            self._facts[name] = kept
        return kept[2]

    def exists(self, name: str) -> bool:
        """Whether the proxy serves this model."""
        return self.facts(name) is not None

    def provider(self, name: str) -> str | None:
        """Who makes a model, such as `anthropic`, also where a reseller serves it."""
        facts = self.facts(name)
        return None if facts is None else facts.provider

    def reader(self, name: str, *, sole: bool) -> Reader:
        """A model as the reader of a history with thinking in it. Anthropic's refuse what is not signed."""
        facts = self.facts(name)
        return Reader(name, sole, self.provider(name) != "anthropic", facts is None or not facts.adaptive)

    def price(self, name: str) -> Price | None:
        """US dollars per token, or None when LiteLLM knows no price."""
        facts = self.facts(name)
        return None if facts is None else facts.price


def _read(router: Any, name: str) -> Facts | None:
    deployments = router.get_model_list(model_name=name)
    if not deployments:
        return None
    try:
        group = router.get_model_group_info(model_group=name)
    except Exception:  # LiteLLM raises on models that its price map does not know
        group = None
    inner = deployments[0]["litellm_params"]["model"]
    if group is None:
        return Facts(provider=_provider(inner), adaptive=_adaptive(inner))
    info = deployments[0].get("model_info") or {}
    mapped = _mapped(inner)
    return Facts(
        provider=_provider(inner),
        price=_price(group, deployments),
        window=int(group.max_input_tokens) if group.max_input_tokens else None,
        writes=int(group.max_output_tokens) if group.max_output_tokens else None,
        vision=bool(group.supports_vision) if mapped or "supports_vision" in info or group.supports_vision else None,
        tools=bool(group.supports_function_calling)
        if mapped or "supports_function_calling" in info or group.supports_function_calling
        else None,
        schema=_schema(inner),
        pdf=_takes("supports_pdf_input", inner, deployments[0]),
        audio=_takes("supports_audio_input", inner, deployments[0]),
        web_search=bool(getattr(group, "supports_web_search", False)),
        adaptive=_adaptive(inner),
        params=frozenset(group.supported_openai_params) if group.supported_openai_params else None,
    )


_RESELLERS = {"openrouter": "/", "bedrock": ".", "bedrock_converse": ".", "vercel_ai_gateway": "/", "azure_ai": "/"}
"""Providers that serve other makers' models, and what ends the maker's name in theirs."""


def _provider(inner: str) -> str | None:
    try:
        model, provider, _, _ = litellm.get_llm_provider(model=inner)
    except Exception:  # an unknown provider is simply unknown
        return None
    if "claude" in model:
        return "anthropic"
    maker, mark, _ = model.removeprefix("us.").removeprefix("eu.").partition(_RESELLERS.get(provider, "\0"))
    return maker if mark else str(provider)


def _price(group: Any, deployments: list[Any]) -> Price | None:
    prompt, completion = group.input_cost_per_token, group.output_cost_per_token
    if prompt is None and completion is None:
        return None
    if not prompt and not completion and not any(_states_price(deployment) for deployment in deployments):
        return None  # LiteLLM fills 0 for models that it does not know
    return Price(float(prompt or 0.0), float(completion or 0.0))


def _states_price(deployment: Any) -> bool:
    for part in (deployment.get("model_info") or {}, deployment.get("litellm_params") or {}):
        if part.get("input_cost_per_token") is not None or part.get("output_cost_per_token") is not None:
            return True
    return deployment["litellm_params"]["model"] in litellm.model_cost


def _mapped(inner: str) -> bool:
    """Whether LiteLLM's map says what the model can do. An entry without a mode is only an operator's price, which the
    router put there: its `False` means nothing.
    """
    entries = (litellm.model_cost.get(name) for name in (inner, inner.partition("/")[2]))
    return any(entry and entry.get("mode") for entry in entries)


def _takes(ability: str, inner: str, deployment: Any) -> bool | None:
    """What the operator, or else LiteLLM's map, says of an ability; the map leaves out what a model can't."""
    info = deployment.get("model_info") or {}
    if info.get(ability) is not None:
        return bool(info[ability])
    entries = (litellm.model_cost.get(name) or {} for name in (inner, inner.partition("/")[2]))
    return next((bool(entry.get(ability)) for entry in entries if "mode" in entry), None)


def _adaptive(inner: str) -> bool:
    try:
        model, provider, _, _ = litellm.get_llm_provider(model=inner)
        return AnthropicModelInfo.is_adaptive_thinking_model(model, provider)
    except Exception:  # what LiteLLM can't say of a model is no reason to fail
        return False


def _schema(inner: str) -> bool:
    try:
        return bool(litellm.supports_response_schema(model=inner))
    except Exception:  # unknown models support nothing that we may rely on
        return False
