"""A proxy's YAML config → its fusion models, settings and plain models, as the proxy would see them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from litellm_fusion.config import Settings
from litellm_fusion.errors import ConfigInvalid
from litellm_fusion.layers import Layers, read_settings, resolve

if TYPE_CHECKING:
    from litellm_fusion.models import Models

HANDLER = "litellm_fusion.plugin.fusion_llm"
HOOK = "litellm_fusion.plugin.fusion_hook"


class Unreadable(Exception):
    """The file, or the model asked for in it, can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fusion deployment. `inner` is what follows the provider's name."""

    name: str
    inner: str
    litellm_params: Mapping[str, Any]
    model_info: Mapping[str, Any]

    @property
    def raw(self) -> Any:
        """Its fusion_config as written."""
        return self.litellm_params.get("fusion_config")


@dataclass
class ProxyConfig:
    """A proxy's config file, its includes merged."""

    path: Path
    raw: Mapping[str, Any]
    fusion: tuple[Entry, ...] = ()
    plain: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    def section(self, name: str) -> Mapping[str, Any]:
        """A top-level map, empty when it is not there."""
        found = self.raw.get(name)
        return found if isinstance(found, Mapping) else {}

    @property
    def settings(self) -> Settings:
        """`litellm_settings.fusion_settings`; raises ConfigInvalid."""
        return read_settings(self.section("litellm_settings").get("fusion_settings"))

    def resolved(self, entry: Entry) -> Layers:
        """The layers of one fusion model; raises ConfigInvalid."""
        return resolve(entry.raw, (f"fusion/{entry.inner}", entry.name), self.settings)

    def layers(self, name: str) -> Layers:
        """The layers of the fusion model of this name; raises Unreadable."""
        entry = next((entry for entry in self.fusion if entry.name == name), None)
        if entry is None:
            known = ", ".join(entry.name for entry in self.fusion) or "none"
            raise Unreadable(f"{self.path} has no fusion model {name!r}; fusion models: {known}")
        try:
            return self.resolved(entry)
        except ConfigInvalid as error:
            raise Unreadable("\n  ".join((f"{name}: {error.message}", *error.problems))) from None

    def mode(self, layers: Layers) -> str:
        """The operator's mode, the environment's included."""
        modes = (self.settings.mode, layers.config.mode, os.environ.get("LITELLM_FUSION_MODE", "").strip().lower())
        return "off" if "off" in modes else "shadow" if "shadow" in modes else "auto"

    def models(self) -> Models:
        """What LiteLLM knows of the plain models, through a router that is never called."""
        return self._models

    @cached_property
    def _models(self) -> Models:
        import litellm

        from litellm_fusion.models import Models

        entries = [_without_secrets(entry) for entry in self.plain]
        log = logging.getLogger("LiteLLM")
        level = log.level
        log.setLevel(logging.ERROR)  # advice about cache prices, once per model, is not what was asked for
        try:
            return Models(litellm.Router(model_list=entries, ignore_invalid_deployments=True))
        finally:
            log.setLevel(level)


def read(path: Path) -> ProxyConfig:
    """The config at `path`; raises Unreadable with the line of a YAML error."""
    raw = _load(path)
    entries = raw.get("model_list")
    if not isinstance(entries, list) or not entries:
        raise Unreadable(f"{path}: model_list is empty or missing")
    providers = fusion_providers(raw)
    fusion: list[Entry] = []
    plain: list[Mapping[str, Any]] = []
    for position, entry in enumerate(entries):
        params = entry.get("litellm_params") if isinstance(entry, Mapping) else None
        if not isinstance(params, Mapping) or not isinstance(params.get("model"), str) or "model_name" not in entry:
            raise Unreadable(f"{path}: model_list[{position}] needs model_name and litellm_params.model")
        provider, _, inner = params["model"].partition("/")
        if provider in providers or "fusion_config" in params:
            info = entry.get("model_info")
            fusion.append(Entry(str(entry["model_name"]), inner, params, info if isinstance(info, Mapping) else {}))
        else:
            plain.append(entry)
    return ProxyConfig(path, raw, tuple(fusion), tuple(plain))


def fusion_providers(raw: Mapping[str, Any]) -> frozenset[str]:
    """The provider names that custom_provider_map gives to this plugin; `fusion` when it names none."""
    settings = raw.get("litellm_settings")
    mapped = settings.get("custom_provider_map") if isinstance(settings, Mapping) else None
    items = [item for item in mapped if isinstance(item, Mapping)] if isinstance(mapped, list) else []
    return frozenset(str(item.get("provider")) for item in items if item.get("custom_handler") == HANDLER) or frozenset(
        {"fusion"}
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} is no YAML: {error}") from None
    if not isinstance(raw, dict):
        raise Unreadable(f"{path}: a proxy config is a map; found {type(raw).__name__}")
    for name in raw.pop("include", None) or ():  # LiteLLM's own way to split a config: lists add up, the rest replaces
        for key, value in _load(path.parent / str(name)).items():
            both = isinstance(value, list) and isinstance(raw.get(key), list)
            raw[key] = [*raw[key], *value] if both else value
    return raw


def _without_secrets(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment whose references to the environment need not resolve: it is looked at, never called."""
    params = {
        key: "not-needed" if isinstance(value, str) and value.startswith("os.environ/") else value
        for key, value in entry["litellm_params"].items()
    }
    return {**entry, "litellm_params": params}
