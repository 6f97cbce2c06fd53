"""What chat UIs send behind a question: the bodies of Open WebUI and LibreChat by their shape, housekeeping included.

Each of their errands costs one direct call; the question itself is fused; what they keep of our stage news and hand back
never reaches a provider.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from ask import QUESTION, chat
from provider import Provider, answer
from proxy import Proxy

NEWS = "\u2063fusion: asking 3 models\n\u2063fusion: comparing 3 answers\n"
HISTORY = f"<chat_history>\nUSER: {QUESTION}\nASSISTANT: {answer('synth')}\n</chat_history>"
OPEN_WEBUI = {
    "title": f"### Task:\nGenerate a short title for this conversation, three to five words and an emoji.\n### Output:\n"
    f'JSON format: {{ "title": "..." }}\n### Chat History:\n{HISTORY}',
    "tags": f"### Task:\nGenerate 1-3 broad tags that categorize the main themes of the chat history.\n"
    f'### Output:\nJSON format: {{ "tags": ["..."] }}\n### Chat History:\n{HISTORY}',
    "follow-ups": f"### Task:\nSuggest 3-5 relevant follow-up questions that the user might naturally ask next in this "
    f'conversation.\n### Output:\nJSON format: {{ "follow_ups": ["..."] }}\n### Chat History:\n{HISTORY}',
    "queries": f"### Task:\nAnalyze the chat history to determine whether search queries are needed, and write them.\n"
    f'### Output:\nJSON format: {{ "queries": ["..."] }}\n### Chat History:\n{HISTORY}',
    "autocompletion": "### Task:\nYou are an autocompletion system. Continue the text in <text>, by its type.\n"
    "### Input:\n<type>Search Query</type>\n<text>should a small company bu</text>",
}
DETAILS = f'<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n> {NEWS}</details>\n'


@pytest.mark.parametrize("errand", OPEN_WEBUI)
def test_open_webuis_errands_are_direct(proxy: Proxy, provider: Provider, errand: str) -> None:
    messages = [{"role": "user", "content": OPEN_WEBUI[errand]}]
    got = chat(proxy, "fusion/gated", messages=messages, max_completion_tokens=1000)
    assert (got.status, got.headers["x-fusion-route"], got.headers["x-fusion-rule"]) == (200, "direct", "housekeeping")
    assert [seen.model for seen in provider.requests] == ["solo"]


def test_open_webuis_question_is_fused_and_its_replay_is_clean(proxy: Proxy, provider: Provider) -> None:
    got = chat(proxy, "fusion/gated", stream=True, stream_options={"include_usage": True})
    assert got.headers["x-fusion-route"] == "fused"
    assert got.chunks[-1]["usage"]["completion_tokens"] > 0
    provider.requests.clear()
    messages: list[Any] = [
        {"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": f"{DETAILS}{got.text}"},
        {"role": "user", "content": "And for a bank: should it build or buy? Compare both."},
    ]  # fmt: skip
    for model in ("fusion/gated", "solo"):
        assert chat(proxy, model, messages=messages, stream=True).status == 200
    for seen in provider.requests:
        told = json.dumps(seen.body, ensure_ascii=False)
        assert "\u2063" not in told
        assert "<details" not in told


def test_open_webuis_tool_round(proxy: Proxy, provider: Provider) -> None:
    """Its native function calling streams a call, and sends call and result back with content beside the call."""
    tool = {"type": "function", "function": {"name": "tool_price_get", "parameters": {"type": "object", "properties": {}}}}
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "tool_price_get", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": QUESTION}, {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]  # fmt: skip
    got = chat(proxy, "fusion/gated", messages=messages, tools=[tool], stream=True)
    assert (got.headers["x-fusion-route"], [seen.model for seen in provider.requests]) == ("direct", ["synth"])


def test_librechats_question_and_title(proxy: Proxy, provider: Provider) -> None:
    asked = {"user": "65f0c0ffee", "temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
    question = chat(proxy, "fusion/gated", messages=[{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
                    stream=True, stream_options={"include_usage": True}, **asked)  # fmt: skip
    assert (question.status, question.headers["x-fusion-route"]) == (200, "fused")
    provider.requests.clear()
    prompt = f"Please generate a concise, 5-word-or-less title for the conversation, in its language.\n\n{HISTORY}"
    title = chat(proxy, "fusion/gated", messages=[{"role": "user", "content": prompt}], temperature=0.2, max_tokens=16)
    assert (title.headers["x-fusion-rule"], [seen.model for seen in provider.requests]) == ("housekeeping", ["solo"])


def test_model_lists_show_the_fusion_models(proxy: Proxy) -> None:
    with proxy.client() as client:
        listed = [model["id"] for model in client.get("/v1/models").json()["data"]]
    assert {"fusion/all", "fusion/gated"} <= set(listed)
