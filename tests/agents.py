"""A small agent on each of the three APIs, over plain HTTP: it keeps a history, calls tools and hands results back."""

from __future__ import annotations

import json
from typing import Any

from proxy import Proxy

API_NAMES = ("chat", "messages", "responses")
Called = tuple[str, str, str]
"""A tool call: id, name, arguments as JSON text."""


class Agent:
    """One conversation with tools. `step()` gives the calls of one turn; none means that `text` is the answer."""

    TOOL: dict[str, Any] = {  # noqa: RUF012 - one constant tool
        "type": "function",
        "function": {
            "name": "look_up", "description": "Finds facts.",
            "parameters": {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]},
        },
    }  # fmt: skip

    def __init__(self, proxy: Proxy, model: str, api: str, *, stream: bool = False, **more: Any) -> None:
        self.api, self.stream = api, stream
        self._proxy, self._more, self._model = proxy, more, model
        self.history: list[dict[str, Any]] = []
        self.routes: list[str] = []
        self.text = ""
        self._calls: list[Called] = []

    def ask(self, question: Any) -> None:
        """Say something."""
        self.history.append({"role": "user", "content": question})

    def step(self) -> list[Called]:
        """Ask the model for its next turn, and keep it in the history."""
        body, headers = self._post()
        self.routes.append(headers.get("x-fusion-route", ""))
        self._calls, self.text = [], ""
        getattr(self, f"_keep_{self.api}")(body)
        return self._calls

    def play(self, calls: list[Called]) -> None:
        """A turn of the model's as a client would have kept it: calls, without asking."""
        self._calls = calls
        if self.api == "chat":
            made = [{"id": c[0], "type": "function", "function": {"name": c[1], "arguments": c[2]}} for c in calls]
            self.history.append({"role": "assistant", "content": None, "tool_calls": made})
        elif self.api == "messages":
            blocks = [{"type": "tool_use", "id": c[0], "name": c[1], "input": json.loads(c[2])} for c in calls]
            self.history.append({"role": "assistant", "content": blocks})
        else:
            self.history += [{"type": "function_call", "call_id": c[0], "name": c[1], "arguments": c[2]} for c in calls]

    def say(self, text: str) -> None:
        """A turn of the model's: text, without asking."""
        self.history.append({"role": "assistant", "content": text})

    def give_results(self, *results: str) -> None:
        """Hand back the results of the last turn's calls, in order."""
        pairs = list(zip(self._calls, results, strict=True))
        if self.api == "chat":
            self.history += [{"role": "tool", "tool_call_id": made[0], "content": result} for made, result in pairs]
        elif self.api == "messages":
            blocks = [{"type": "tool_result", "tool_use_id": made[0], "content": result} for made, result in pairs]
            self.history.append({"role": "user", "content": blocks})
        else:
            self.history += [{"type": "function_call_output", "call_id": made[0], "output": result} for made, result in pairs]

    def _post(self) -> tuple[dict[str, Any], Any]:
        function = self.TOOL["function"]
        path, body = {
            "chat": ("/v1/chat/completions", {"messages": self.history, "tools": [self.TOOL]}),
            "messages": ("/v1/messages", {"messages": self.history, "max_tokens": 999, "tools": [
                {"name": function["name"], "description": function["description"], "input_schema": function["parameters"]}]}),
            "responses": ("/v1/responses", {"input": self.history, "tools": [{"type": "function", **function}]}),
        }[self.api]  # fmt: skip
        asked = {"model": self._model, "stream": self.stream, **body, **self._more}
        with self._proxy.client() as client, client.stream("POST", path, json=asked) as response:
            text = response.read().decode()
            assert response.status_code == 200, text
            if not self.stream:
                return json.loads(text), response.headers
            events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
            return getattr(self, f"_whole_{self.api}")(events), response.headers

    def _keep_chat(self, body: dict[str, Any]) -> None:
        message = body["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        self._calls = [(made["id"], made["function"]["name"], made["function"]["arguments"]) for made in calls]
        assert body["choices"][0]["finish_reason"] == ("tool_calls" if calls else "stop")
        self.text = message.get("content") or ""
        self.history.append({key: value for key, value in message.items() if key != "provider_specific_fields"})

    def _keep_messages(self, body: dict[str, Any]) -> None:
        used = [block for block in body["content"] if block["type"] == "tool_use"]
        self._calls = [(block["id"], block["name"], json.dumps(block["input"])) for block in used]
        assert body["stop_reason"] == ("tool_use" if used else "end_turn")
        self.text = "".join(block["text"] for block in body["content"] if block["type"] == "text")
        self.history.append({"role": "assistant", "content": body["content"]})

    def _keep_responses(self, body: dict[str, Any]) -> None:
        for item in body["output"]:
            if item["type"] == "function_call":
                self._calls.append((item["call_id"], item["name"], item["arguments"]))
            if item["type"] == "message":
                self.text += "".join(part["text"] for part in item["content"])
            self.history.append(item)

    def _whole_chat(self, chunks: list[dict[str, Any]]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        calls: dict[int, dict[str, Any]] = {}
        finish = None
        for choice in (choice for chunk in chunks for choice in chunk["choices"]):
            delta = choice["delta"]
            message["content"] += delta.get("content") or ""
            for key in ("reasoning_content",):
                if delta.get(key):
                    message[key] = message.get(key, "") + delta[key]
            for block in delta.get("thinking_blocks") or ():
                whole = message.setdefault("thinking_blocks", [{"type": "thinking", "thinking": "", "signature": ""}])[0]
                whole["thinking"] += block.get("thinking") or ""
                whole["signature"] = block.get("signature") or whole["signature"]
            for piece in delta.get("tool_calls") or ():
                made = calls.setdefault(piece["index"], {"type": "function", "function": {"name": "", "arguments": ""}})
                if piece.get("id"):
                    assert made.setdefault("id", piece["id"]) == piece["id"]
                made["function"]["name"] += piece["function"].get("name") or ""
                made["function"]["arguments"] += piece["function"].get("arguments") or ""
            finish = choice.get("finish_reason") or finish
        if calls:
            message["tool_calls"] = [calls[n] for n in sorted(calls)]
        return {"choices": [{"message": message, "finish_reason": finish}]}

    def _whole_messages(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        blocks: dict[int, dict[str, Any]] = {}
        stop = None
        for event in events:
            if event["type"] == "content_block_start":
                blocks[event["index"]] = {**event["content_block"], "_json": ""}
            elif event["type"] == "content_block_delta":
                block, delta = blocks[event["index"]], event["delta"]
                for key in ("text", "thinking", "signature"):
                    block[key] = block.get(key, "") + delta[key] if key in delta else block.get(key)
                block["_json"] += delta.get("partial_json") or ""
            elif event["type"] == "message_delta":
                stop = event["delta"]["stop_reason"]
        content = []
        for block in (blocks[n] for n in sorted(blocks)):
            if block["type"] == "tool_use":
                block["input"] = json.loads(block["_json"] or "{}")
            content.append({key: value for key, value in block.items() if key != "_json" and value is not None})
        return {"content": [block for block in content if block["type"] != "text" or block["text"]], "stop_reason": stop}

    def _whole_responses(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        deltas: dict[str, str] = {}
        for event in events:
            if event["type"] == "response.function_call_arguments.delta":
                deltas[event["item_id"]] = deltas.get(event["item_id"], "") + event["delta"]
        final = events[-1]
        assert final["type"] == "response.completed"
        done = {e["item"]["id"]: e["item"] for e in events if e["type"] == "response.output_item.done"}
        for item in final["response"]["output"]:
            if item["type"] == "function_call" and item["id"] in done:
                assert done[item["id"]]["arguments"] == item["arguments"]
                assert deltas.get(item["id"], item["arguments"]) == item["arguments"]
        return dict(final["response"])
