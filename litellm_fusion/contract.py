"""What the client's `response_format` asks of the final text: which one it is, what is wrong with a text, what mends it.

The schema is the client's and the text a model's: nothing in either may hang the proxy or make it fetch anything. So
references resolve inside the schema only, what is matched by regular expression or pairwise is left to the model, and
a schema that takes too many steps, or is none, is not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

MAX_STEPS = 4_000
"""References and alternatives that one check may follow; real schemas take a few hundred."""
_TOLD_CHARS = 200


@dataclass(frozen=True, slots=True)
class Contract:
    """A JSON object; with a `schema`, any JSON that fits it."""

    schema: Mapping[str, Any] | None = field(default=None)

    @property
    def opens_with(self) -> str:
        """The signs with which a text that keeps the contract may begin."""
        return "{" if self.schema is None or self.schema.get("type") == "object" else '{["-0123456789tfn'


def wanted(params: Mapping[str, Any]) -> Contract | None:
    """The contract of a request's parameters, or None: free text."""
    given = params.get("response_format")
    if not isinstance(given, Mapping):
        return None
    if given.get("type") == "json_schema":
        named = given.get("json_schema")
        schema = named.get("schema") if isinstance(named, Mapping) else given.get("schema")
        return Contract(schema if isinstance(schema, Mapping) else None)
    schema = given.get("response_schema")
    return Contract(schema if isinstance(schema, Mapping) else None) if given.get("type") == "json_object" else None


def problem(contract: Contract | None, text: str) -> str | None:
    """What is wrong with a text under its contract, in words for the model that wrote it; None when it is kept."""
    if contract is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"not valid JSON: {error}"[:_TOLD_CHARS]
    if contract.schema is None:
        return None if isinstance(value, dict) else "not a JSON object"
    return _misfit(contract.schema, value)


def freed(contract: Contract, text: str) -> str | None:
    """The JSON inside of fences or prose, if it keeps the contract; else None. Nothing of it is changed."""
    for sign, end in (("{", "}"), ("[", "]")):
        first, last = text.find(sign), text.rfind(end)
        if 0 <= first < last and problem(contract, text[first : last + 1]) is None:
            return text[first : last + 1]
    return None


def may_begin(contract: Contract | None, text: str) -> bool:
    """Whether a text that begins so may keep the contract: what can't is never sent."""
    begun = text.lstrip()
    return contract is None or (bool(begun) and begun[0] in contract.opens_with)


def _misfit(schema: Mapping[str, Any], value: Any) -> str | None:
    try:
        _Checker.check_schema(dict(schema))
        checker: Any = _counted()(dict(schema), registry=Registry())
        error = next(iter(checker.iter_errors(value)), None)
    except (SchemaError, Unresolvable, RecursionError, _TooLong):
        return None
    if not isinstance(error, ValidationError):
        return None
    where = "".join(f"[{step!r}]" for step in error.absolute_path)
    return f"{where or 'the object'}: {error.message}"[:_TOLD_CHARS]


class _TooLong(Exception):
    """A schema that can't be checked in a sane number of steps."""


def _ignored(validator: Validator, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    return iter(())


def _extra(validator: Validator, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if "patternProperties" in schema:
        return iter(())
    check: Any = Draft202012Validator.VALIDATORS["additionalProperties"]
    found: Iterator[ValidationError] = check(validator, value, instance, schema)
    return found


_UNCHECKED = ("pattern", "patternProperties", "uniqueItems", "unevaluatedItems", "unevaluatedProperties")
_FOLLOWED = ("$ref", "$dynamicRef", "anyOf", "allOf", "oneOf", "not", "if", "items", "contains")
_Checker: Any = extend(Draft202012Validator, {**dict.fromkeys(_UNCHECKED, _ignored), "additionalProperties": _extra})


def _counted() -> Any:
    """A checker that gives up after MAX_STEPS."""
    steps = 0

    def counting(check: Any) -> Any:
        def counted(validator: Validator, value: Any, instance: Any, schema: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps > MAX_STEPS:
                raise _TooLong
            return check(validator, value, instance, schema)

        return counted

    return extend(_Checker, {name: counting(_Checker.VALIDATORS[name]) for name in _FOLLOWED})
