"""What one request asks of fusion: our own `fusion` field, OpenRouter's `plugins` and tool, LiteLLM's announced field.

In our own field a key that may not be changed is an error that names it. In the other shapes, which clients send
without knowing this operator, such a key is ignored and named in `x-fusion-ignored`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from litellm_fusion.config import AUTO, FIXED_KEYS, MODEL_KEYS, FusionConfig, override_paths
from litellm_fusion.errors import OverrideRefused
from litellm_fusion.lineup import quorum_of
from litellm_fusion.waiting import GRACE_MOST

Mode = Literal["auto", "force", "off", "explain"]
_MODES: tuple[Mode, ...] = ("auto", "force", "off", "explain")
_TRACE_LEVELS = ("off", "summary", "full")
_SECTIONS = ("judge", "synthesizer", "tools", "limits")
_FIELDS = ("fusion", "plugins", "tools")


@dataclass(frozen=True, slots=True)
class Ask:
    """`overrides` is a partial fusion_config; `models` are the model names in it, which the key itself must be allowed
    to call; `ignored` are key paths that were asked for and not honoured.
    """

    mode: Mode = "auto"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def take(body: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Remove every fusion shape from a body. Gives the flat key paths asked for, and which of them our own field asks;
    it wins over the others.

    Raises OverrideRefused when our own field has no usable form.
    """
    paths: dict[str, Any] = {}
    own: frozenset[str] = frozenset()
    if "fusion" in body:
        given = body.pop("fusion")
        if given is not None and not isinstance(given, Mapping):
            raise OverrideRefused("", f"`fusion` must be an object; found {type(given).__name__}")
        announced = isinstance(given, Mapping) and "models" in given
        paths |= _flat(_announced(given) if announced and given else given or {})
        own = frozenset() if announced else frozenset(paths)
    plugins = body.get("plugins")
    if isinstance(plugins, list):
        ours = [item for item in plugins if isinstance(item, Mapping) and item.get("id") == "fusion"]
        _leave(body, "plugins", [item for item in plugins if item not in ours])
        for item in ours:
            paths = {**_flat(_openrouter(item)), **paths}
    tools = body.get("tools")
    if isinstance(tools, list):
        ours = [item for item in tools if isinstance(item, Mapping) and item.get("type") == "openrouter:fusion"]
        if ours:
            _leave(body, "tools", [item for item in tools if item not in ours])
            choice = body.get("tool_choice")
            if "tools" not in body or (isinstance(choice, Mapping) and choice.get("type") == "openrouter:fusion"):
                body.pop("tool_choice", None)
        for item in ours:
            given = item.get("parameters") if isinstance(item.get("parameters"), Mapping) else item
            paths = {**_flat(_openrouter(given or {})), **paths}
    return paths, own


def read(paths: Mapping[str, Any], own: frozenset[str], config: FusionConfig, resolve: Callable[[str], str | None]) -> Ask:
    """The paths that this config lets a request change. `resolve` finds the model_name behind a slug.

    Raises OverrideRefused for paths of our own field.
    """
    mode: Mode = "auto"
    overrides: dict[str, Any] = {}
    models: list[str] = []
    ignored: list[str] = []
    for path, value in paths.items():
        try:
            if path == "mode":
                mode = _mode(value, config)
                continue
            allowed = _allowed(path, config)
            value, named = _value(path, value, allowed, config, resolve)
        except OverrideRefused:
            if path in own:
                raise
            ignored.append(path)
            continue
        models += named
        _put(overrides, path, value)
    return Ask(mode, overrides, tuple(dict.fromkeys(models)), tuple(ignored))


def _mode(value: object, config: FusionConfig) -> Mode:
    value = "off" if value is False else value
    if value not in _MODES:
        raise OverrideRefused("mode", f"one of {', '.join(_MODES)}; found {value!r:.40}")
    allowed = config.overrides.get("mode", ())
    if value == "force" and allowed is not True and "force" not in allowed:
        raise OverrideRefused("mode", "this model's operator does not allow requests to force fusing")
    mode: Mode = value
    return mode


def _allowed(path: str, config: FusionConfig) -> Any:
    known = override_paths()
    if path not in known and path not in FIXED_KEYS:
        raise OverrideRefused(path, f"no such key; keys are {', '.join(known)}")
    section = path.partition(".")[0]
    allowed = config.overrides.get(path, config.overrides.get(section))
    if allowed is None or path in FIXED_KEYS:
        opened = ", ".join(dict.fromkeys(("mode", *config.overrides)))
        raise OverrideRefused(path, f"this model's operator does not let requests change it; open keys: {opened}")
    return allowed


def _value(
    path: str, value: Any, allowed: Any, config: FusionConfig, resolve: Callable[[str], str | None]
) -> tuple[Any, list[str]]:
    if path == "limits" or (path == "tools" and value is not False and value != "off"):
        raise OverrideRefused(path, f"an object is needed; found {value!r:.40}")
    if path in MODEL_KEYS:
        slugs = value if isinstance(value, list) else [value]
        names = [_model(path, slug, allowed, resolve) for slug in slugs]
        return (names if isinstance(value, list) else names[0]), names
    if allowed is not True and value not in allowed:
        raise OverrideRefused(path, f"one of {', '.join(map(str, allowed))}; found {value!r:.40}")
    if path.startswith("limits."):
        return _downward(path, value, config), []
    if path == "client_trace":
        value = "off" if value is False else value
        if value not in _TRACE_LEVELS:
            raise OverrideRefused(path, f"one of {', '.join(_TRACE_LEVELS)}; found {value!r:.40}")
        return min(value, config.client_trace, key=_TRACE_LEVELS.index), []
    return value, []


def _model(path: str, slug: object, allowed: Any, resolve: Callable[[str], str | None]) -> str:
    name = resolve(slug) if isinstance(slug, str) else None
    if name is None or name not in allowed:
        raise OverrideRefused(path, f"models are {', '.join(map(str, allowed))}; found {slug!r:.60}")
    return name


def _downward(path: str, value: Any, config: FusionConfig) -> Any:
    """A limit may only go down; null counts as infinite, `auto` stands for the operator's own."""
    key = path.partition(".")[2]
    own = getattr(config.limits, key, None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OverrideRefused(path, f"a number is needed; found {value!r:.40}")
    if key == "min_answers":
        return value
    if own == AUTO:
        own = {"grace_seconds": GRACE_MOST, "quorum": quorum_of(AUTO, sum(m.samples for m in config.panel))}.get(key)
    return min(value, own) if isinstance(own, int | float) else value


def _flat(given: Mapping[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for key, value in given.items():
        if key in _SECTIONS and isinstance(value, Mapping):
            paths |= {f"{key}.{inner}": item for inner, item in value.items()}
        elif key in ("judge", "synthesizer") and isinstance(value, str) and value != "off":
            paths[f"{key}.model"] = value
        else:
            paths[str(key)] = value
    return paths


def _put(overrides: dict[str, Any], path: str, value: Any) -> None:
    section, _, key = path.partition(".")
    if key:
        found = overrides.get(section)
        overrides[section] = {**(found if isinstance(found, Mapping) else {}), key: value}
    else:
        overrides[section] = value


def _leave(body: dict[str, Any], key: str, rest: list[Any]) -> None:
    if rest:
        body[key] = rest
    else:
        body.pop(key, None)


def _announced(given: Mapping[str, Any]) -> dict[str, Any]:
    """LiteLLM's announced field: {models, judge: {model, criteria}, max_completion_tokens, reasoning, temperature}."""
    names = {"models": "panel", "max_completion_tokens": "limits.max_completion_tokens"}
    return {names.get(key, key): value for key, value in given.items()}


def _openrouter(given: Mapping[str, Any]) -> dict[str, Any]:
    """OpenRouter's plugin: {analysis_models, model, preset, enabled, max_tool_calls, max_completion_tokens, ...}."""
    names = {
        "analysis_models": "panel", "model": "judge.model", "max_tool_calls": "tools.max_calls",
        "max_completion_tokens": "limits.max_completion_tokens",
    }  # fmt: skip
    result = {names.get(key, key): value for key, value in given.items() if key not in ("id", "type", "enabled")}
    if given.get("enabled") is False:
        result["mode"] = "off"
    return result
