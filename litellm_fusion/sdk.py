"""Fusion without a proxy: `litellm_fusion.register(...)`, then `litellm.acompletion("fusion/research", ...)`."""

from __future__ import annotations

from typing import Any

import litellm

from litellm_fusion.plugin import fusion_llm
from litellm_fusion.registry import REGISTRY


def register(router_or_model_list: Any = None, provider: str = "fusion") -> Any:
    """See `litellm_fusion.register`. Registering again replaces the router."""
    known = any(item["provider"] == provider for item in litellm.custom_provider_map)
    if not known:
        litellm.custom_provider_map.append({"provider": provider, "custom_handler": fusion_llm})
        litellm.utils.custom_llm_setup()  # type: ignore[no-untyped-call]
    if router_or_model_list is None:
        return None
    router = (
        router_or_model_list
        if hasattr(router_or_model_list, "acompletion")
        else litellm.Router(model_list=router_or_model_list)
    )
    REGISTRY.router = router
    return router
