"""`fusion_config` and `fusion_settings` as their operators write them: shapes, defaults and bounds, nothing else.

Everything is frozen and refuses unknown keys. `off` stands for itself and for what YAML makes of it (false). How the
layers (preset, plugin-wide defaults, model, rule, request) become one config is `layers.py`; who plays which part is
`lineup.py`. Names of models are not checked here: models may be added to the proxy later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from litellm_fusion.conditions import Condition, compile_condition

MAX_MEMBERS = 8
MAX_ANSWERS = 16
AUTO: Literal["auto"] = "auto"


def _off(value: object) -> object:
    return "off" if value is False else value


def _by_model(value: object) -> object:
    return {"model": value} if isinstance(value, str) else value


Off = BeforeValidator(_off)
ModelName = Annotated[str, Field(min_length=1, max_length=200)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Part(BaseModel):
    """Base of every section: frozen, strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Member(Part):
    """One seat of the panel, or `samples` seats of the same model. A str stands for `{model: str}`."""

    model: ModelName
    samples: int = Field(1, ge=1, le=MAX_ANSWERS)
    params: Mapping[str, Any] = Field(default_factory=dict)
    instructions: str = Field("", max_length=20_000)
    tools: bool = True


class Judge(Part):
    """Who compares. `model` null means: chosen from the panel (`lineup.py`). `off` skips the analysis."""

    model: ModelName | None = None
    criteria: str = Field("", max_length=20_000)
    backups: tuple[ModelName, ...] = ()


class Synthesizer(Part):
    """Who writes the answer. `model` null means the first panel model."""

    model: ModelName | None = None
    instructions: str = Field("", max_length=20_000)
    backups: tuple[ModelName, ...] = ()


class Tools(Part):
    """What members may use. `web_search` is a `search_tools` name or `native`."""

    web_search: str | None = None
    web_fetch: bool | None = None
    max_calls: int = Field(4, ge=1, le=64)
    max_page_chars: int = Field(20_000, ge=500, le=1_000_000)
    allow_domains: tuple[str, ...] = ()
    deny_domains: tuple[str, ...] = ()
    allow_private: tuple[str, ...] = ()
    proxy: str | None = None

    @field_validator("allow_domains", "deny_domains")
    @classmethod
    def _domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if not re.fullmatch(r"(\*\.)?[^\W_]([\w-]*\.)*[\w-]+\.?", item):
                raise ValueError(f"{item!r} is no domain, such as example.org; its subdomains are meant too")
            item.encode("idna")
        return value

    @field_validator("allow_private")
    @classmethod
    def _endpoints(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            endpoint(item)
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/@]+/?", value):
            raise ValueError("a proxy is http://host:port or https://host:port, without credentials: keys can read this config")
        return value

    @property
    def on(self) -> bool:
        """Whether members have any tool at all."""
        return bool(self.web_search or self.web_fetch)


def endpoint(item: str) -> tuple[str, int]:
    """One `host:port` of `allow_private` as a pair. Raises ValueError for anything else."""
    host, colon, port = item.strip().lower().rpartition(":")
    if not colon or not re.fullmatch(r"[\w.-]+|\[[0-9a-f:.]+\]", host) or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"{item!r} is no host:port")
    return host.strip("[]"), int(port)


class Limits(Part):
    """Ceilings of one request. Seconds are wall clock, money is US dollars; null is no ceiling, `auto` is derived."""

    max_cost_usd: Positive | None = 1.00
    deadline_seconds: Positive | Literal["auto"] | None = AUTO
    panel_seconds: Positive | None = 240.0
    quorum: Annotated[int, Field(ge=1, le=MAX_ANSWERS)] | Literal["auto"] = AUTO
    grace_seconds: Annotated[float, Field(ge=0, le=600)] | Literal["auto"] = AUTO
    min_answers: int = Field(1, ge=1, le=MAX_ANSWERS)
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = 16_000
    max_answer_chars: Annotated[int, Field(ge=1_000)] | None = 200_000


class Classifier(Part):
    """A second opinion for the gate. A str stands for `{model: str}`."""

    model: ModelName
    when: Literal["uncertain", "always"] = "uncertain"
    timeout_seconds: Positive = 2.0


class Use(Part):
    """What a rule does: `direct`, `{direct: model}`, `fuse`, `{fuse: {...}}` or `{refuse: message}`."""

    do: Literal["direct", "fuse", "refuse"]
    model: ModelName | None = None
    overrides: Mapping[str, Any] = Field(default_factory=dict)
    message: str = ""

    @model_validator(mode="before")
    @classmethod
    def _forms(cls, value: object) -> object:
        if isinstance(value, str) and value in ("direct", "fuse"):
            return {"do": value}
        if isinstance(value, Mapping) and len(value) == 1:
            ((key, what),) = value.items()
            if key == "direct" and isinstance(what, str):
                return {"do": "direct", "model": what}
            if key == "fuse" and isinstance(what, Mapping):
                return {"do": "fuse", "overrides": what}
            if key == "refuse" and isinstance(what, str):
                return {"do": "refuse", "message": what}
        raise ValueError("use is one of: direct, {direct: model}, fuse, {fuse: {overrides}}, {refuse: message}")


class Rule(Part):
    """One rule: `when` is a CEL expression over the signals; without it the rule always matches."""

    use: Use
    name: str = ""
    when: Condition | None = None
    always: bool = False
    on_unknown: Literal["no_match", "match"] = "no_match"

    @field_validator("name")
    @classmethod
    def _slug(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
            raise ValueError("a rule's name goes into headers: letters, digits, dot, dash and underscore, at most 64")
        return value

    @field_validator("when", mode="before")
    @classmethod
    def _compiled(cls, value: object) -> object:
        return compile_condition(value) if isinstance(value, str) else value


DEFAULT_OVERRIDES: Mapping[str, Any] = {"aggregate": True, "limits": True, "progress": True, "client_trace": True}
MODEL_KEYS = ("panel", "reserves", "judge.model", "judge.backups", "synthesizer.model", "synthesizer.backups", "direct")
FIXED_KEYS = ("overrides", "policy", "trusted_models", "classifier", "tools.allow_private", "tools.proxy")
"""Keys that no request may change, whatever `overrides` says: they guard the operator, not the answer."""


class FusionConfig(Part):
    """One fusion model's config, every layer merged. DESIGN of each key: the README's table."""

    preset: str = "general"
    panel: tuple[Annotated[Member, BeforeValidator(_by_model)], ...] = Field(min_length=1, max_length=MAX_MEMBERS)
    reserves: tuple[ModelName, ...] = ()
    judge: Annotated[Judge | Literal["off"], Off] = Field(default_factory=Judge)
    synthesizer: Annotated[Synthesizer, BeforeValidator(_by_model)] = Field(default_factory=Synthesizer)
    direct: ModelName | None = None
    aggregate: Literal["synthesis", "vote", "best_of"] = "synthesis"
    policy: tuple[Rule, ...] = ()
    tools: Annotated[Tools | Literal["off"], Off] = "off"
    limits: Limits = Field(default_factory=Limits)
    progress: Annotated[Literal["auto", "reasoning", "off"], Off] = AUTO
    client_trace: Annotated[Literal["off", "summary", "full"], Off] = "summary"
    trusted_models: tuple[ModelName, ...] = ()
    classifier: Annotated[Classifier, BeforeValidator(_by_model)] | None = None
    overrides: Mapping[str, Any] = Field(default_factory=lambda: dict(DEFAULT_OVERRIDES))
    mode: Annotated[Literal["auto", "shadow", "off"], Off] = AUTO

    @field_validator("judge", mode="before")
    @classmethod
    def _judge_name(cls, value: object) -> object:
        return value if value in ("off", False) else _by_model(value)

    @field_validator("panel")
    @classmethod
    def _answers(cls, value: tuple[Member, ...]) -> tuple[Member, ...]:
        answers = sum(member.samples for member in value)
        if answers > MAX_ANSWERS:
            raise ValueError(f"the panel gives {answers} answers; at most {MAX_ANSWERS} are allowed")
        return value

    @field_validator("policy", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        named = []
        for number, rule in enumerate(value, 1):
            if isinstance(rule, Mapping) and not rule.get("name"):
                named.append({**rule, "name": f"rule-{number}" if rule.get("when") else "otherwise"})
            else:
                named.append(rule)
        return named

    @field_validator("overrides")
    @classmethod
    def _override_keys(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        known = override_paths()
        for path, allowed in value.items():
            if path in FIXED_KEYS:
                raise ValueError(f"{path} can't be opened to requests")
            if path not in known:
                raise ValueError(f"{path} is no key of fusion_config; keys that can be opened: {', '.join(known)}")
            if allowed is not True and not isinstance(allowed, list | tuple):
                raise ValueError(f"{path}: true, or a list of the allowed values; found {allowed!r:.60}")
            if path in MODEL_KEYS and allowed is True:
                raise ValueError(f"{path}: models are opened only as a list of model names")
        return value

    @model_validator(mode="after")
    def _members_fit(self) -> Self:
        answers = sum(member.samples for member in self.panel)
        if self.limits.quorum != AUTO and self.limits.quorum > answers:
            raise ValueError(f"limits.quorum is {self.limits.quorum}, but the panel gives {answers} answers")
        if self.limits.min_answers > answers:
            raise ValueError(f"limits.min_answers is {self.limits.min_answers}, but the panel gives {answers} answers")
        return self


def override_paths() -> tuple[str, ...]:
    """Every key path that an operator may open to requests, for messages and for `check`."""
    nested: Mapping[str, type[BaseModel]] = {"judge": Judge, "synthesizer": Synthesizer, "tools": Tools, "limits": Limits}
    paths = ["mode"]
    for key in FusionConfig.model_fields:
        if key in nested:
            paths += [key] if key in ("limits", "tools") else []
            paths += [f"{key}.{inner}" for inner in nested[key].model_fields]
        else:
            paths.append(key)
    return tuple(path for path in dict.fromkeys(paths) if path not in FIXED_KEYS)


class Settings(Part):
    """`litellm_settings.fusion_settings`: what holds for every fusion model of the proxy."""

    mode: Annotated[Literal["auto", "shadow", "off"], Off] = AUTO
    max_runs: int = Field(64, ge=1)
    max_runs_per_key: int = Field(8, ge=1)
    when_full: Literal["direct", "wait", "refuse"] = "direct"
    store_content: bool = False
    defaults: Mapping[str, Any] = Field(default_factory=dict)
