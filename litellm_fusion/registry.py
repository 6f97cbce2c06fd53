"""Which models of the proxy are fusion models, and their layers: read from the deployment, never from a request.

Shape is checked at first use and kept; a deployment whose config turns bad keeps its last good one. A model added or
changed at run time shows at the next request, because every look-up goes to the router's own list.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import litellm

from litellm_fusion.config import Settings
from litellm_fusion.errors import ConfigInvalid
from litellm_fusion.layers import Layers, read_settings, resolve

log = logging.getLogger("litellm_fusion")


@dataclass(frozen=True, slots=True)
class Entry:
    """One fusion deployment: its model_name, its id, what follows the provider's name, its raw fusion_config, LiteLLM's
    own name of it (`fusion/research`) and its `model_info`.
    """

    name: str
    id: str
    inner: str
    raw: Any
    model: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        """The name under which this plugin serves it."""
        return self.model.partition("/")[0]


class Registry:
    """The fusion models of one process. `router` is the proxy's, or the one given to `register`."""

    def __init__(self) -> None:
        self.router: Any = None
        self.missing: tuple[str, ...] = ()
        self._layers: dict[str, tuple[Any, Any, Layers | ConfigInvalid]] = {}
        self._good: dict[str, Layers] = {}
        self._settings: tuple[Any, Settings] | None = None

    def find_router(self) -> Any:
        """The registered router, else the running proxy's."""
        if self.router is not None:
            return self.router
        return getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)

    def providers(self) -> frozenset[str]:
        """The provider names that this plugin is registered under in `custom_provider_map`."""
        return frozenset(
            item["provider"] for item in litellm.custom_provider_map if getattr(item["custom_handler"], "is_fusion", False)
        )

    def find(self, model: object) -> Entry | None:
        """The fusion model of this name, or None for any other model. Cheap: every request of the proxy asks."""
        router = self.find_router()
        if router is None or not isinstance(model, str):
            return None
        indices = router.model_name_to_deployment_indices.get(model)
        if not indices and router.model_group_alias:
            alias = router.model_group_alias.get(model)
            target = alias.get("model") if isinstance(alias, Mapping) else alias
            indices = router.model_name_to_deployment_indices.get(target)
        if not indices:
            index = router.model_id_to_deployment_index_map.get(model)
            indices = None if index is None else [index]
        return self._entry(router.model_list[indices[0]]) if indices else None

    def by_id(self, deployment_id: object) -> Entry | None:
        """The fusion model of this deployment id."""
        router = self.find_router()
        index = None if router is None else router.model_id_to_deployment_index_map.get(deployment_id)
        return None if index is None else self._entry(router.model_list[index])

    def entries(self) -> tuple[Entry, ...]:
        """Every fusion model there is now."""
        router = self.find_router()
        found = (self._entry(deployment) for deployment in (router.model_list if router is not None else ()))
        return tuple(entry for entry in found if entry is not None)

    def _entry(self, deployment: Any) -> Entry | None:
        params = deployment["litellm_params"]
        provider, _, inner = str(params["model"]).partition("/")
        if provider not in self.providers():
            return None
        info = deployment.get("model_info") or {}
        return Entry(
            deployment["model_name"], str(info.get("id", "")), inner, params.get("fusion_config"), str(params["model"]), info
        )

    def layers(self, entry: Entry) -> Layers:
        """The entry's layers; raises ConfigInvalid when it has none that can be used."""
        settings_raw = getattr(litellm, "fusion_settings", None)
        key = entry.id or entry.name
        cached = self._layers.get(key)
        if cached is None or cached[0] != entry.raw or cached[1] != settings_raw:
            cached = (entry.raw, settings_raw, self._read(entry, key))
            self._layers[key] = cached
        if isinstance(cached[2], ConfigInvalid):
            good = self._good.get(key)
            if good is None:
                raise cached[2]
            return good
        return cached[2]

    def _read(self, entry: Entry, key: str) -> Layers | ConfigInvalid:
        try:
            resolved = resolve(entry.raw, (f"fusion/{entry.inner}", entry.name), self.settings())
            self._check_nesting(resolved)
        except ConfigInvalid as error:
            kept = "; the last good config stays" if key in self._good else ""
            log.error("fusion.config %s can't be used%s: %s", entry.name, kept, "; ".join(error.problems))
            return error
        self._good[key] = resolved
        return resolved

    def _check_nesting(self, resolved: Layers) -> None:
        for position, member in enumerate(resolved.config.panel):
            if self.find(member.model) is not None:
                raise ConfigInvalid(
                    "this fusion model's config can't be used",
                    (f"fusion_config.panel[{position}].model: {member.model!r} is a fusion model itself",),
                )

    def settings(self) -> Settings:
        """The plugin-wide settings; bad ones are logged, and the defaults stand in."""
        raw = getattr(litellm, "fusion_settings", None)
        if self._settings is None or self._settings[0] != raw:
            try:
                settings = read_settings(raw)
            except ConfigInvalid as error:
                log.error("fusion.settings can't be used, the defaults stand in: %s", "; ".join(error.problems))
                settings = Settings()
            self._settings = (raw, settings)
        return self._settings[1]

    def mode(self, resolved: Layers) -> str:
        """`auto`, `shadow` or `off`: the environment beats the settings, the settings beat the model. A host that
        lacks a seam gets `off`."""
        if self.missing:
            return "off"
        forced = os.environ.get("LITELLM_FUSION_MODE", "").strip().lower()
        if forced == "off":
            return "off"
        modes = (self.settings().mode, resolved.config.mode)
        return "off" if "off" in modes else "shadow" if "shadow" in modes or forced == "shadow" else "auto"


REGISTRY = Registry()
