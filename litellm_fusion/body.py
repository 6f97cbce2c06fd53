"""A client's body → Request, for the gate: the conversation of all three APIs in OpenAI's chat form.

Reading only. What a run asks its models are the messages that LiteLLM's own bridge makes of the body, not these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from litellm.types.llms.openai import ValidUserMessageContentTypes

from litellm_fusion.params import CLIENT
from litellm_fusion.types import Api, Caller, Message, Request

_PARTS = frozenset(ValidUserMessageContentTypes)

APIS: Mapping[str, Api] = {
    "acompletion": "chat", "completion": "chat", "aresponses": "responses", "responses": "responses",
    "anthropic_messages": "messages", "atext_completion": "completions", "text_completion": "completions",
}  # fmt: skip
"""LiteLLM's call types → APIs on which a request may fuse or be read."""


def read(body: Mapping[str, Any], api: Api, preset: str, caller: Caller) -> Request:
    """The request that a body makes. Odd parts are left out, never an error."""
    messages = tuple(_READERS[api](body))
    params = {key: body[key] for key in CLIENT if body.get(key) is not None and key != "tools"}
    text = body.get("text")
    if "response_format" not in params and isinstance(text, Mapping) and isinstance(text.get("format"), Mapping):
        params["response_format"] = text["format"]
    tools = body.get("tools")
    return Request(
        model=str(body.get("model") or ""),
        messages=messages,
        api=api,
        preset=preset,
        tools=tuple(tool for tool in tools if isinstance(tool, Mapping)) if isinstance(tools, list) else (),
        params=params,
        stream=body.get("stream") is True,
        caller=caller,
    )


def unservable(body: Mapping[str, Any], api: Api) -> str | None:
    """What is wrong with a conversation on which LiteLLM fails with a 500 instead of refusing it; else None."""
    turns = body.get("messages")
    if api == "chat" and isinstance(turns, list):
        for at, turn in enumerate(turns):
            if not isinstance(turn, Mapping) or "role" not in turn:
                return f"messages[{at}]: a message needs a role"
            content = turn.get("content")
            parts = content if isinstance(content, list) and turn["role"] == "user" else ()
            odd = next((part for part in parts if isinstance(part, Mapping) and part.get("type") not in _PARTS), None)
            if odd is not None:
                return f"messages[{at}]: no content part has the type {odd.get('type')!r:.40}"
    if api == "messages" and isinstance(turns, list) and not any(map(_says, turns)):
        return "messages: at least one message must say something"
    return None


def _says(turn: Any) -> bool:
    content = turn.get("content") if isinstance(turn, Mapping) else None
    if not isinstance(content, list):
        return bool(content)
    return any(
        not isinstance(part, Mapping) or part.get("type") != "text" or str(part.get("text") or "").strip() for part in content
    )


def _chat(body: Mapping[str, Any]) -> Iterable[Message]:
    return _maps(body.get("messages"))


def _completions(body: Mapping[str, Any]) -> Iterable[Message]:
    prompt = body.get("prompt")
    yield {"role": "user", "content": prompt if isinstance(prompt, str) else ""}


def _messages(body: Mapping[str, Any]) -> Iterable[Message]:
    if system := body.get("system"):
        yield {"role": "system", "content": system}
    for message in _maps(body.get("messages")):
        parts = list(_maps(message.get("content")))
        results = [part for part in parts if part.get("type") == "tool_result"]
        calls = [
            {"id": part.get("id"), "type": "function", "function": {"name": part.get("name"), "arguments": part.get("input")}}
            for part in parts
            if part.get("type") == "tool_use"
        ]
        for result in results:
            yield {"role": "tool", "tool_call_id": result.get("tool_use_id"), "content": result.get("content") or ""}
        if not results or len(results) < len(parts):
            rest = [part for part in parts if part.get("type") not in ("tool_result", "tool_use")]
            yield {**message, "content": rest if parts else message.get("content"), **({"tool_calls": calls} if calls else {})}


def _responses(body: Mapping[str, Any]) -> Iterable[Message]:
    if instructions := body.get("instructions"):
        yield {"role": "system", "content": instructions}
    given = body.get("input")
    if isinstance(given, str):
        yield {"role": "user", "content": given}
        return
    for item in _maps(given):
        kind = item.get("type")
        if kind in ("function_call_output", "custom_tool_call_output", "computer_call_output"):
            yield {"role": "tool", "tool_call_id": item.get("call_id"), "content": item.get("output") or ""}
        elif kind in ("function_call", "custom_tool_call"):
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            yield {"role": "assistant", "content": "", "tool_calls": [call]}
        elif item.get("role"):
            yield item


_READERS = {"chat": _chat, "completions": _completions, "messages": _messages, "responses": _responses}


def _maps(value: object) -> Iterable[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list | tuple) else ()
