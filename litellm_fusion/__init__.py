"""litellm_fusion: several models answer, a judge compares, one writes. A LiteLLM proxy plugin.

In a proxy, name `litellm_fusion.plugin.fusion_llm` and `litellm_fusion.plugin.fusion_hook` in the config. In Python,
`register` a router or a model list, then call `litellm.acompletion("fusion/research", ...)`.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "register"]


def register(router_or_model_list: Any = None, provider: str = "fusion") -> Any:
    """Make fusion models callable from the SDK. Takes a model list, or a `litellm.Router`; gives the router.

    LiteLLM builds no router with models of a provider that it does not know: for a router of your own call `register()`
    first, then `register(router)`. `provider` is the first part of the model names.
    """
    from litellm_fusion.sdk import register as register_

    return register_(router_or_model_list, provider)
