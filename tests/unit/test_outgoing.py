"""The way out of a run that read the web, chunk by chunk: nothing held is lost, nothing inner is changed."""

from __future__ import annotations

from typing import Any

import litellm
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from litellm_fusion.outgoing import Outgoing, outgoing
from litellm_fusion.outlet import Speaker
from litellm_fusion.trace import Recorder, Span
from litellm_fusion.types import Reply, Request, Source

URL, EVIL = "https://a.test/x", "https://collector.test/?d=1"
REQUEST = Request("fusion/x", ({"role": "user", "content": "What does conv.test/z say?"},))


def _recorder() -> Recorder:
    recorder = Recorder("fusion/x", "research", sources=(Source(URL, "A page", 1, True, n=1),))
    recorder.on_the_web()
    return recorder


def _chunk(index: int = 0, **delta: Any) -> ModelResponseStream:
    return ModelResponseStream(choices=[StreamingChoices(index=index, delta=Delta(**delta), finish_reason=None)])


def _said(chunks: list[Any], name: str = "content", index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(getattr(choice.delta, name, None) or "" for choice in choices)


def _flow(out: Outgoing, *chunks: ModelResponseStream) -> list[Any]:
    speaker = Speaker("fusion/x")
    made = [made for chunk in chunks for made in out.chunk(chunk, speaker)]
    return [*made, *out.end(speaker)]


def test_text_and_reasoning_are_filtered_each_by_itself() -> None:
    out = Outgoing(recorder := _recorder(), REQUEST)
    made = _flow(
        out, _chunk(reasoning_content="Think [1] ![x]("), _chunk(reasoning_content=f"{EVIL}) [un"), _chunk(content="So ["),
        _chunk(content="1]. [t](https://conv.test/z) [t]("), _chunk(content=f"{EVIL}) end [open"),
    )  # fmt: skip
    assert _said(made, "reasoning_content") == "Think [1]  [un"
    assert _said(made) == f"So [[1]]({URL}). [t](https://conv.test/z) t end [open"
    assert [a["url_citation"]["url"] for a in out.annotations] == [URL]
    assert recorder.web is not None
    assert (recorder.web.citations, recorder.web.dropped_links) == (1, 2)
    assert all(_has_substance(chunk) for chunk in made)


def _has_substance(chunk: Any) -> bool:
    delta = chunk.choices[0].delta
    return bool(delta.content or getattr(delta, "reasoning_content", None) or delta.tool_calls)


def test_what_is_held_leaves_before_a_tool_call() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    made = _flow(Outgoing(_recorder(), REQUEST), _chunk(content="wait [open"), _chunk(tool_calls=[call]))
    assert _said(made) == "wait [open"
    assert made[-1].choices[0].delta.tool_calls[0].function.name == "f"


def test_each_choice_has_a_text_of_its_own() -> None:
    out = Outgoing(_recorder(), REQUEST)
    made = _flow(out, _chunk(0, content="a ["), _chunk(1, content="b [1"), _chunk(0, content="1]"), _chunk(1, content="]"))
    assert (_said(made, index=0), _said(made, index=1)) == (f"a [[1]]({URL})", f"b [[1]]({URL})")


def test_the_inner_response_is_never_changed() -> None:
    inner = litellm.ModelResponse(
        choices=[{"index": 0, "message": {"role": "assistant", "content": f"So [1] ![x]({EVIL})", "annotations": []}}]
    )
    inner._hidden_params["response_cost"] = 0.5
    reply = Outgoing(_recorder(), REQUEST).whole(Reply(response=inner))
    assert reply.response.choices[0].message.content == f"So [[1]]({URL}) "
    assert len(reply.response.choices[0].message.annotations) == 1
    assert inner.choices[0].message.content == f"So [1] ![x]({EVIL})"
    assert inner._hidden_params["response_cost"] == 0.5


def test_annotations_of_the_writer_itself_do_not_leave() -> None:
    cited = {"type": "url_citation", "url_citation": {"url": EVIL, "title": "x", "start_index": 0, "end_index": 1}}
    inner = litellm.ModelResponse(
        choices=[{"index": 0, "message": {"role": "assistant", "content": "x", "annotations": [cited]}}]
    )
    reply = Outgoing(_recorder(), REQUEST).whole(Reply(response=inner))
    assert not getattr(reply.response.choices[0].message, "annotations", None)
    made = _flow(Outgoing(_recorder(), REQUEST), _chunk(content="x", annotations=[cited]))
    assert not any(getattr(chunk.choices[0].delta, "annotations", None) for chunk in made)


def test_only_a_run_that_read_the_web_is_filtered() -> None:
    assert outgoing(Recorder("fusion/x", "general"), REQUEST) is None
    recorder = _recorder()
    assert outgoing(recorder, REQUEST) is not None
    recorder.spans.append(Span("direct", "m"))
    assert outgoing(recorder, REQUEST) is None
