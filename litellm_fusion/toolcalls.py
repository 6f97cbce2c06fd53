"""The web tools as members see them, and the calls that members make: schemas, reading a turn, what is wrong with a call.

Pure. A call that can't be made is a sentence that its model can correct itself by.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import json_repair

from litellm_fusion import prompts
from litellm_fusion.config import Tools
from litellm_fusion.types import Completion, Message

SEARCH, FETCH = "web_search", "web_fetch"
NATIVE = "native"
MAX_QUERY_CHARS = 400
MAX_ARGUMENT_CHARS = 20_000
_LEAK_SLACK = 400
"""How much prose may stand around a call that leaked into content, before it is an answer about calls instead."""
_TAGGED = re.compile(r"<(tool_call|function_call|tool|invoke)\b[^>]{0,80}>(.*?)(?:</\1>|\Z)", re.DOTALL)
_FENCED = re.compile(r"```(?:json|tool_code|tool_call)?\s*\n(.*?)(?:```|\Z)", re.DOTALL)
_NAMED = re.compile(
    r"(?:<\|?function=|\bcall:\s{0,9}|^)(web_search|web_fetch)\b>?\s{0,9}[:(]?\s{0,9}(\{.*?\})\s{0,9}\)?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call. `problem` says why it can't be made; it is empty for a good one."""

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def key(self) -> str:
        """What makes two calls the same."""
        return f"{self.name} {json.dumps(self.arguments, sort_keys=True, default=str)}"


def names(tools: Tools) -> tuple[str, ...]:
    """The function tools that a config gives to members. A model's own search is none of them."""
    search = (SEARCH,) if tools.web_search and tools.web_search != NATIVE else ()
    return (*search, FETCH) if tools.web_fetch else search


def definitions(wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The tools in OpenAI's form."""
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": prompts.TOOLS[name],
                "parameters": {
                    "type": "object",
                    "properties": _PROPERTIES[name],
                    "required": [next(iter(_PROPERTIES[name]))],
                },
            },
        }
        for name in wanted
    ]


_PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    SEARCH: {"query": {"type": "string", "description": prompts.TOOL_QUERY}},
    FETCH: {
        "url": {"type": "string", "description": prompts.TOOL_URL},
        "start": {"type": "integer", "description": prompts.TOOL_START},
    },
}


def asked(completion: Completion, wanted: Sequence[str]) -> tuple[ToolCall, ...]:
    """The calls of one turn: those made properly, else those that leaked into the text."""
    if completion.tool_calls:
        return tuple(_proper(call, wanted) for call in completion.tool_calls)
    return leaked(completion.text, wanted)


def leaked(text: str, wanted: Sequence[str]) -> tuple[ToolCall, ...]:
    """Calls that a model wrote as text, such as `{"name": "web_search", "arguments": {...}}`, where they are what the text
    is for: an answer that merely shows one is an answer.
    """
    text = text.strip()
    if len(text) > MAX_ARGUMENT_CHARS or not any(name in text for name in wanted):
        return ()
    calls: list[ToolCall] = []
    rest = text
    for pattern in (_TAGGED, _FENCED):
        for match in pattern.finditer(text):
            found = [call for item in _objects(match.groups()[-1]) if (call := _call_in(item, wanted)) is not None]
            named = _NAMED.search(match.group()) if not found else None
            if named is not None and named.group(1) in wanted:
                found = [_checked(_id(), named.group(1), named.group(2), wanted)]
            if found:
                calls += found
                rest = rest.replace(match.group(), "", 1)
        if calls:
            break
    if not calls:
        start = min((place for place in (rest.find("{"), rest.find("[{")) if place >= 0), default=-1)
        named = _NAMED.search(rest)
        if named is not None and named.group(1) in wanted:
            calls = [_checked(_id(), named.group(1), named.group(2), wanted)]
            rest = rest.replace(named.group(), "", 1)
        elif start >= 0:
            end = max(rest.rfind("}"), rest.rfind("]"))
            body = rest[start : end + 1] if end > start else rest[start:]
            calls = [call for item in _objects(body) if (call := _call_in(item, wanted)) is not None]
            rest = rest.replace(body, "", 1)
    return tuple(calls) if len(rest.strip()) <= _LEAK_SLACK else ()


def turn(completion: Completion, calls: Sequence[ToolCall]) -> Message:
    """The model's turn as it goes back to it: its thinking and signatures with it, leaked calls as proper ones."""
    if not completion.tool_calls:
        made = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}
            for call in calls
        ]
        return {"role": "assistant", "content": None, "tool_calls": made}
    message = completion.response.choices[0].message
    said = message.model_dump(exclude_none=True) if hasattr(message, "model_dump") else dict(message)
    kept = {key: said[key] for key in ("thinking_blocks", "reasoning_content") if said.get(key)}
    own = [dict(call) for call in said.get("tool_calls") or ()]
    for made_call, call in zip(own, calls, strict=False):
        made_call["id"] = call.id
        function = made_call.get("function")
        if isinstance(function, dict) and call.problem:
            function["arguments"] = json.dumps(call.arguments)  # what was no JSON is refused by some providers on its way back
    return {"role": "assistant", "content": completion.text or None, "tool_calls": own, **kept}


def result(call: ToolCall, text: str) -> Message:
    """What a call gave, as a message."""
    return {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": text}


def _proper(call: Any, wanted: Sequence[str]) -> ToolCall:
    function = call.get("function") if isinstance(call, Mapping) else getattr(call, "function", None)
    own = call.get("id") if isinstance(call, Mapping) else getattr(call, "id", None)
    name, arguments = (
        function.get(key) if isinstance(function, Mapping) else getattr(function, key, None) for key in ("name", "arguments")
    )
    return _checked(str(own or _id()), str(name or ""), arguments, wanted)


def _checked(own: str, name: str, arguments: Any, wanted: Sequence[str]) -> ToolCall:
    found = _object(arguments)
    if name not in wanted:
        return ToolCall(own, name or "none", found or {}, prompts.NO_SUCH_TOOL.format(name=name[:60], names=", ".join(wanted)))
    if found is None:
        return ToolCall(own, name, {}, prompts.BAD_ARGUMENTS.format(form=prompts.FORMS[name]))
    main = next(iter(_PROPERTIES[name]))
    value = found.get(main)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ARGUMENT_CHARS:
        return ToolCall(own, name, found, prompts.BAD_ARGUMENTS.format(form=prompts.FORMS[name]))
    clean: dict[str, Any] = {main: value.strip()}
    if name == SEARCH:
        clean[main] = " ".join(value.split())[:MAX_QUERY_CHARS]
    elif found.get("start") is not None:
        try:
            clean["start"] = max(int(found["start"]), 0)
        except (TypeError, ValueError, OverflowError):
            return ToolCall(own, name, found, prompts.BAD_ARGUMENTS.format(form=prompts.FORMS[name]))
    return ToolCall(own, name, clean)


def _call_in(item: Any, wanted: Sequence[str]) -> ToolCall | None:
    """The call in one JSON value of a leaking model, or None."""
    if not isinstance(item, Mapping):
        return None
    inner = item.get("function")
    if isinstance(inner, Mapping):
        item = inner
    name = item.get("name") or item.get("tool") or item.get("tool_name") or (inner if isinstance(inner, str) else None)
    if name not in wanted:
        return None
    for key in ("arguments", "parameters", "args", "input", "tool_input"):
        if key in item:
            return _checked(_id(), str(name), item[key], wanted)
    rest = {key: value for key, value in item.items() if key not in ("name", "tool", "tool_name", "function", "type", "id")}
    return _checked(_id(), str(name), rest, wanted)


def _objects(text: str) -> list[Any]:
    """The JSON objects in a text that should be JSON: one, a list, or several in a row."""
    if len(text) > MAX_ARGUMENT_CHARS:
        return []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = json_repair.loads(text)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, Mapping) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    return value if isinstance(value, list) else [value]


def _object(arguments: Any) -> dict[str, Any] | None:
    if isinstance(arguments, Mapping):
        return dict(arguments)
    if not isinstance(arguments, str) or len(arguments) > MAX_ARGUMENT_CHARS:
        return None
    found = _objects(arguments) if arguments.strip() else [{}]
    return dict(found[0]) if len(found) == 1 and isinstance(found[0], Mapping) else None


def _id() -> str:
    return f"call_{secrets.token_hex(6)}"
