"""How the layers become one config: preset < `fusion_settings.defaults` < the model's own < the rule's < the request's.

Sections (`judge`, `limits`, ...) merge key by key; lists and `overrides` replace. Errors name the key's path, what was
found and what is allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from litellm_fusion.config import FusionConfig, Settings
from litellm_fusion.errors import ConfigInvalid
from litellm_fusion.presets import PRESETS

_SECTIONS = frozenset({"judge", "synthesizer", "tools", "limits", "classifier"})


@dataclass(frozen=True, slots=True)
class Layers:
    """One fusion model's config before any request: the merged config, and what it was merged from.

    `ceiling_written` tells whether an operator wrote `max_cost_usd` (then a call of unknown price is refused).
    """

    config: FusionConfig
    raw: Mapping[str, Any]
    own: Mapping[str, Any]
    settings: Settings

    @property
    def ceiling_written(self) -> bool:
        """Whether an operator wrote a cost ceiling, here or for every model."""
        limits = [layer.get("limits") for layer in (self.settings.defaults, self.own)]
        return any(isinstance(layer, Mapping) and "max_cost_usd" in layer for layer in limits)

    def changed(self, overrides: Mapping[str, Any]) -> FusionConfig:
        """The config with `overrides` (a partial fusion_config) on top. A new `preset` changes the lowest layer."""
        if not overrides:
            return self.config
        raw = self.raw
        if "preset" in overrides:
            raw = merged(_preset(overrides["preset"]), self.settings.defaults, self.own)
        raw = merged(raw, overrides)
        _fetch_by_default(raw)
        return _validated(raw)


def resolve(own: object, names: tuple[str, ...], settings: Settings) -> Layers:
    """The layers of one fusion model. `names` are where a preset may be named: `fusion/research` means `research`.

    Raises ConfigInvalid with every problem found.
    """
    if not isinstance(own, Mapping):
        found = "nothing" if own is None else type(own).__name__
        raise ConfigInvalid("this fusion model has no usable config", (f"fusion_config: found {found}, a map is needed",))
    preset = own.get("preset", settings.defaults.get("preset"))
    if preset is None:
        parts = (name.partition("/")[2] for name in names)
        preset = next((part for part in parts if part in PRESETS), "general")
    raw = merged(_preset(preset), settings.defaults, own, {"preset": preset})
    _fetch_by_default(raw)
    layers = Layers(_validated(raw), raw, own, settings)
    for rule in layers.config.policy:
        if rule.use.overrides:
            try:
                layers.changed(rule.use.overrides)
            except ConfigInvalid as error:
                where = f"fusion_config.policy[{rule.name}].use.fuse"
                problems = tuple(problem.replace("fusion_config", where, 1) for problem in error.problems)
                raise ConfigInvalid(error.message, problems) from None
    return layers


def read_settings(raw: object) -> Settings:
    """`fusion_settings` from `litellm_settings`; raises ConfigInvalid."""
    try:
        return Settings.model_validate(raw if raw is not None else {})
    except ValidationError as error:
        raise ConfigInvalid("fusion_settings can't be used", problems(error, "fusion_settings", Settings)) from None


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The layers on top of each other, later ones winning; sections merge key by key."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below, above = result.get(key), value
            if key in _SECTIONS and isinstance(above, str) and above != "off":
                above = {"model": above}
            if key in _SECTIONS and isinstance(above, Mapping) and isinstance(below, Mapping):
                result[key] = {**below, **above}
            else:
                result[key] = above
    return result


def problems(error: ValidationError, root: str, model: type[BaseModel]) -> tuple[str, ...]:
    """Each problem as `path: message (found ...)`, without the branch names that pydantic adds for unions."""
    lines = []
    found = error.errors(include_url=False, include_context=False)
    paths = [_steps(item["loc"], named=item["type"] in ("extra_forbidden", "missing")) for item in found]
    for steps, item in zip(paths, found, strict=True):
        if any(len(other) > len(steps) and other[: len(steps)] == steps for other in paths):
            continue  # the deeper problem says it better
        path = root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
        if item["type"] == "extra_forbidden":
            allowed = tuple(_section(model, steps).model_fields)
            near = difflib.get_close_matches(str(steps[-1]), allowed, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            lines.append(f"{path}: unknown key; {hint}allowed: {', '.join(allowed)}")
        elif item["type"] == "missing":
            lines.append(f"{path}: required, and not there")
        else:
            lines.append(f"{path}: {item['msg'].removeprefix('Value error, ')} (found {_shown(item['input'])})")
    return tuple(dict.fromkeys(lines))


def _validated(raw: Mapping[str, Any]) -> FusionConfig:
    try:
        return FusionConfig.model_validate(raw)
    except ValidationError as error:
        found = problems(error, "fusion_config", FusionConfig)
        raise ConfigInvalid("this fusion model's config can't be used", found) from None


def _preset(name: object) -> Mapping[str, Any]:
    if not isinstance(name, str) or name not in PRESETS:
        allowed = ", ".join(PRESETS)
        raise ConfigInvalid(
            "this fusion model's config can't be used",
            (f"fusion_config.preset: no preset of that name (found {_shown(name)}); allowed: {allowed}",),
        )
    return PRESETS[name]


def _fetch_by_default(raw: dict[str, Any]) -> None:
    """The research preset reads pages as soon as a search is set; `web_fetch: false` still turns it off."""
    tools = raw.get("tools")
    if raw["preset"] == "research" and isinstance(tools, Mapping) and tools.get("web_search"):
        raw["tools"] = {"web_fetch": True, **{key: value for key, value in tools.items() if value is not None}}


def _steps(loc: tuple[int | str, ...], *, named: bool) -> tuple[int | str, ...]:
    """The keys and positions of a problem's place. With `named` the last step is a key, however it is spelt."""
    last = len(loc) - 1
    return tuple(step for at, step in enumerate(loc) if isinstance(step, int) or (named and at == last) or _is_key(step))


def _is_key(step: str) -> bool:
    return step.islower() and "[" not in step and "-" not in step and step not in ("str", "int", "float", "bool", "none")


def _section(model: type[BaseModel], steps: tuple[int | str, ...]) -> type[BaseModel]:
    """The pydantic model that the path's last step was looked up in."""
    from litellm_fusion import config

    sections: Mapping[str, type[BaseModel]] = {
        "panel": config.Member, "judge": config.Judge, "synthesizer": config.Synthesizer, "tools": config.Tools,
        "limits": config.Limits, "classifier": config.Classifier, "policy": config.Rule,
    }  # fmt: skip
    return sections.get(str(steps[0]), model) if len(steps) > 1 else model


def _shown(value: object) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
