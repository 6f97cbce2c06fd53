"""Asking the proxy in the ways that the end-to-end tests need."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from proxy import Proxy

QUESTION = "Should a small company build or buy its billing system? Compare both and recommend one."


@dataclass
class Got:
    """A response, plain or streamed."""

    status: int
    headers: httpx.Headers
    body: dict[str, Any] = field(default_factory=dict)
    chunks: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""

    @property
    def trace(self) -> dict[str, Any]:
        """The trace or summary in the message."""
        if self.body.get("choices"):
            found: dict[str, Any] = self.body["choices"][0]["message"].get("provider_specific_fields", {}).get("fusion", {})
            return found
        for chunk in self.chunks:
            for choice in chunk.get("choices", ()):
                fields = choice["delta"].get("provider_specific_fields") or {}
                if "fusion" in fields:
                    return dict(fields["fusion"])
        return {}

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The ladder as (stage, step)."""
        return [(step["stage"], step["step"]) for step in self.trace.get("ladder", ())]

    @property
    def error(self) -> dict[str, Any]:
        """The error object, of the body or of the stream."""
        if "error" in self.body:
            return dict(self.body["error"])
        return next((dict(chunk["error"]) for chunk in self.chunks if "error" in chunk), {})

    def status_of(self, role: str) -> list[str]:
        """The statuses of the spans of a role, in order."""
        return [span["status"] for span in self.trace.get("spans", ()) if span["role"] == role]


def chat(proxy: Proxy, model: str = "fusion/all", question: Any = QUESTION, *, stream: bool = False, **more: Any) -> Got:
    """One chat completion, with the master key or with `key`."""
    messages = more.pop("messages", None) or [{"role": "user", "content": question}]
    key = more.pop("key", proxy.master_key)
    body = {"model": model, "messages": messages, "stream": stream, **more}
    headers = {"Authorization": f"Bearer {key}"}
    with proxy.client() as client, client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as response:
        if not stream or not response.headers["content-type"].startswith("text/event-stream"):
            got = Got(response.status_code, response.headers, body=json.loads(response.read()))
            if got.body.get("choices"):
                got.text = got.body["choices"][0]["message"].get("content") or ""
            return got
        got = Got(response.status_code, response.headers)
        for line in response.iter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                got.chunks.append(json.loads(line[6:]))
        got.text = "".join(choice["delta"].get("content") or "" for chunk in got.chunks for choice in chunk.get("choices", ()))
        return got
