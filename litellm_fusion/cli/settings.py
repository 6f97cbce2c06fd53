"""What a proxy's own settings lack for fusion: pure functions of its config, each giving Findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from litellm_fusion.cli.findings import Finding
from litellm_fusion.cli.reading import HANDLER, HOOK, ProxyConfig


def of_proxy(config: ProxyConfig) -> Iterator[Finding]:
    """What the proxy's own settings lack for fusion."""
    settings, general = config.section("litellm_settings"), config.section("general_settings")
    mapped = settings.get("custom_provider_map")
    items = mapped if isinstance(mapped, list) else []
    handlers = [item.get("custom_handler") for item in items if isinstance(item, Mapping)]
    if HANDLER not in handlers:
        wanted = f"[{{provider: fusion, custom_handler: {HANDLER}}}]"
        text = f"lacks this plugin; without it nothing serves fusion models: {wanted}"
        yield Finding("error", "litellm_settings.custom_provider_map", text)
    callbacks = settings.get("callbacks") or []
    hook = HOOK in ([callbacks] if isinstance(callbacks, str) else callbacks)
    if not hook:
        yield Finding(
            "warning",
            "litellm_settings.callbacks",
            f"lacks {HOOK}: no per-request overrides, no headers, direct "
            "requests pass through the provider, and LiteLLM retries a failed run",
        )
    if general.get("cancel_on_disconnect") is not True:
        yield Finding(
            "warning",
            "general_settings.cancel_on_disconnect",
            "is not true: a client that hangs up on a request that does not stream leaves its run going, and billing",
        )
    if not settings.get("sse_keepalive_ping_interval_seconds"):
        yield Finding(
            "warning",
            "litellm_settings.sse_keepalive_ping_interval_seconds",
            "is not set: load balancers may close a stream that is silent while the panel thinks; 15 is a good value",
        )
    if general.get("health_check_skip_disabled_background_models") is not True:
        yield Finding(
            "warning",
            "general_settings.health_check_skip_disabled_background_models",
            "is not true: /health asks fusion models too; the plugin answers by itself, without a panel",
        )
    if not settings.get("drop_params"):
        yield Finding(
            "note",
            "litellm_settings.drop_params",
            "is not set: a client parameter that the synthesizer does not take is a 400 with its name",
        )
    if settings.get("cache") and not hook:
        yield Finding(
            "warning",
            "litellm_settings.cache",
            "is on without the hook: two requests that differ only in their `fusion` field share one cached answer",
        )
    elif settings.get("cache"):
        yield Finding(
            "note",
            "litellm_settings.cache",
            "is on: the hook keeps answers of different configs apart, and a repeated request gets the cached one",
        )
    if not hook:
        for model in config.fusion:
            if model.litellm_params.get("num_retries") != 0:
                yield Finding(
                    "warning", f"{model.name}: litellm_params.num_retries", "is not 0, and there is no hook to set it"
                )
    if (config.path.resolve().parent / "litellm_fusion" / "plugin.py").exists():
        yield Finding(
            "note",
            str(config.path),
            "stands beside a folder named litellm_fusion: LiteLLM loads the plugin from there, not from the installed package",
        )
    if settings.get("fusion_settings", {}) and config.settings.store_content:
        yield Finding("note", "fusion_settings.store_content", "is accepted; there is no trace store in this version yet")
