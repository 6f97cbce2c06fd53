"""Images, files and recordings: members that can't take them are left out, judge and synthesizer get what they can."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ask import QUESTION, chat
from provider import Provider
from proxy import Proxy

TEXT = {"type": "text", "text": QUESTION}
PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
PARTS: dict[str, dict[str, Any]] = {
    "image by URL": {"type": "image_url", "image_url": {"url": "https://example.test/chart.png", "detail": "low"}},
    "image by data": {"type": "image_url", "image_url": {"url": PNG}},
    "file": {"type": "file", "file": {"file_data": PDF, "filename": "offer.pdf"}},
    "audio": {"type": "input_audio", "input_audio": {"data": "UklGRgAAAABXQVZF", "format": "wav"}},
}
KINDS = {"image by URL": "an image", "image by data": "an image", "file": "a file", "audio": "a recording"}
EACH = pytest.mark.parametrize("kind", PARTS)


@EACH
def test_everybody_gets_it_first_and_unchanged(proxy: Proxy, provider: Provider, kind: str) -> None:
    messages = [{"role": "user", "content": [TEXT, PARTS[kind]]}]
    got = chat(proxy, messages=messages)
    assert got.headers["x-fusion-panel"] == "3/3", got.body
    for model in ("m1", "m2", "m3", "synth"):
        assert provider.asked(model)[0]["messages"][:1] == messages
    assert PARTS[kind] in provider.asked("judge")[0]["messages"][1]["content"]


@EACH
def test_who_cant_take_it_is_left_out(proxy: Proxy, provider: Provider, kind: str) -> None:
    got = chat(proxy, "fusion/blind", messages=[{"role": "user", "content": [TEXT, PARTS[kind]]}])
    assert got.status_of("member").count("left_out") == 1
    assert provider.asked("blind") == []


@EACH
def test_a_judge_that_cant_is_told_in_words(proxy: Proxy, provider: Provider, kind: str) -> None:
    got = chat(proxy, "fusion/blind-judge", messages=[{"role": "user", "content": [TEXT, PARTS[kind]]}])
    assert got.headers["x-fusion-route"] == "fused"
    told = provider.asked("blind")[0]["messages"][1]["content"]
    assert isinstance(told, str)
    assert f"[with {KINDS[kind]}]" in told


@EACH
@pytest.mark.parametrize("stream", [False, True])
def test_a_writer_that_cant_works_from_the_answers(proxy: Proxy, provider: Provider, kind: str, stream: bool) -> None:
    got = chat(proxy, "fusion/blind-writer", messages=[{"role": "user", "content": [TEXT, PARTS[kind]]}], stream=stream)
    assert got.headers["x-fusion-route"] == "fused"
    assert provider.asked("blind")[0]["messages"][0]["content"] == [TEXT, {"type": "text", "text": f"[{KINDS[kind]}]"}]


@pytest.mark.parametrize("source", ["url", "base64"])
def test_anthropics_images_and_documents(proxy: Proxy, provider: Provider, source: str) -> None:
    data = PNG.partition(",")[2]
    sources: dict[str, tuple[Any, Any]] = {
        "url": ({"type": "url", "url": "https://example.test/chart.png"}, {"type": "url", "url": "https://example.test/a.pdf"}),
        "base64": ({"type": "base64", "media_type": "image/png", "data": data},
                   {"type": "base64", "media_type": "application/pdf", "data": PDF.partition(",")[2]}),
    }  # fmt: skip
    image, document = sources[source]
    content = [TEXT, {"type": "image", "source": image}, {"type": "document", "source": document}]
    body = {"model": "fusion/blind", "max_tokens": 99, "messages": [{"role": "user", "content": content}]}
    with proxy.client() as client:
        got = client.post("/v1/messages", json=body)
    assert got.status_code == 200, got.text
    assert got.headers["x-fusion-panel"] == "2/3"
    sent = json.dumps(provider.asked("m1")[0]["messages"][0])
    assert (image.get("url") or data) in sent
    assert provider.asked("blind") == []


def test_responses_images_and_files(proxy: Proxy, provider: Provider) -> None:
    content = [
        {"type": "input_text", "text": QUESTION}, {"type": "input_image", "image_url": PNG},
        {"type": "input_file", "filename": "offer.pdf", "file_data": PDF},
    ]  # fmt: skip
    with proxy.client() as client:
        got = client.post("/v1/responses", json={"model": "fusion/blind", "input": [{"role": "user", "content": content}]})
    assert got.status_code == 200, got.text
    assert got.headers["x-fusion-panel"] == "2/3"
    sent = json.dumps(provider.asked("m1")[0]["messages"][0])
    assert PNG in sent
    assert PDF in sent
