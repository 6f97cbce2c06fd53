"""The places where this plugin holds on to LiteLLM. A host without one of them gets fusion turned off, not broken."""

from __future__ import annotations

import importlib

_SEAMS: tuple[tuple[str, str], ...] = (
    ("litellm", "CustomLLM"),
    ("litellm", "custom_provider_map"),
    ("litellm", "stream_chunk_builder"),
    ("litellm.integrations.custom_logger", "CustomLogger.async_pre_call_hook"),
    ("litellm.integrations.custom_logger", "CustomLogger.async_post_call_response_headers_hook"),
    ("litellm.litellm_core_utils.internal_call_metadata", "sanitize_user_api_key_auth"),
    ("litellm.proxy.common_utils.encrypt_decrypt_utils", "decrypt_value_helper"),
    ("litellm.responses.utils", "ResponsesAPIRequestUtils.get_model_id_from_response_id"),
    ("litellm.proxy.auth.auth_checks", "can_token_call_search_tool"),
    ("litellm.router", "Router.get_model_group_info"),
    ("litellm.router", "Router.get_model_list"),
    ("litellm.router_utils.cooldown_handlers", "mark_advisor_orchestration_failure"),
    ("litellm.search", "search_provider_cost_per_query"),
    ("litellm.types.utils", "ModelResponseStream"),
    ("litellm.types.utils", "is_litellm_owned_kwarg"),
)


def missing(seams: tuple[tuple[str, str], ...] = _SEAMS) -> tuple[str, ...]:
    """The seams that this LiteLLM does not have, as dotted names."""
    return tuple(f"{module}.{name}" for module, name in seams if not _has(module, name))


def _has(module: str, name: str) -> bool:
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return True
