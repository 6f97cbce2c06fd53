"""A run's answer on its way out, plain or streamed, through one Outflow per text. Inner objects are never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from litellm_fusion.outflow import Outflow
from litellm_fusion.outlet import Speaker
from litellm_fusion.room import text_of
from litellm_fusion.trace import Recorder
from litellm_fusion.types import Reply, Request
from litellm_fusion.web.urls import written


class Outgoing:
    """What leaves of one run that read the web. Its counts go into the recorder when the answer is whole."""

    def __init__(self, recorder: Recorder, request: Request) -> None:
        self._recorder = recorder
        conversation = tuple(url for message in request.messages for url in written(text_of(message)))
        linked = request.params.get("response_format") in (None, {"type": "text"})
        self._new: Callable[[bool], Outflow] = lambda prose: Outflow(recorder.sources, conversation, linked=prose and linked)
        self._texts: dict[int, Outflow] = {}
        self._thoughts: dict[int, Outflow] = {}

    def whole(self, reply: Reply) -> Reply:
        """The same reply with links for citations, without links to elsewhere, with its annotations."""
        if reply.response is None:
            flow = self._text(0)
            text = flow.whole(reply.text)
            self._count()
            return replace(reply, text=text, annotations=tuple(flow.annotations))
        response = reply.response.model_copy(deep=True)
        for choice in response.choices:
            message, flow = choice.message, self._text(choice.index)
            if isinstance(message.content, str):
                message.content = flow.whole(message.content)
            if isinstance(getattr(message, "reasoning_content", None), str):
                message.reasoning_content = self._thought(choice.index).whole(message.reasoning_content)
            if flow.annotations:
                message.annotations = flow.annotations
            elif getattr(message, "annotations", None):
                del message.annotations  # the writer's own may point anywhere
        self._count()
        return replace(reply, response=response)

    def chunk(self, chunk: Any, speaker: Speaker) -> Iterator[Any]:
        """The chunks that one chunk becomes; none while everything in it is held back. `chunk` is our own copy."""
        substance = False
        for choice in chunk.choices:
            delta, index = choice.delta, choice.index
            if getattr(delta, "annotations", None):
                del delta.annotations
            thought = getattr(delta, "reasoning_content", None)
            if thought:
                delta.reasoning_content = self._thought(index).feed(thought)
            if delta.content or delta.tool_calls:
                rest = self._thought(index).end() if index in self._thoughts else ""
                if rest:
                    yield speaker.reasoning(rest, index)
            if delta.content:
                delta.content = self._text(index).feed(delta.content)
            if delta.tool_calls and index in self._texts:
                rest = self._texts[index].end()
                if rest:
                    yield speaker.text(rest, index)
            substance = substance or bool(delta.content or getattr(delta, "reasoning_content", None) or delta.tool_calls)
        if substance:
            yield chunk

    def end(self, speaker: Speaker) -> Iterator[Any]:
        """What was held back to the end of the stream."""
        for flows, say in ((self._thoughts, speaker.reasoning), (self._texts, speaker.text)):
            for index, flow in flows.items():
                rest = flow.end()
                if rest:
                    yield say(rest, index)
        self._count()

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """Those of the first choice, for the last delta."""
        return self._texts[0].annotations if 0 in self._texts else []

    def _text(self, index: int) -> Outflow:
        if index not in self._texts:
            self._texts[index] = self._new(True)
        return self._texts[index]

    def _thought(self, index: int) -> Outflow:
        if index not in self._thoughts:
            self._thoughts[index] = self._new(False)
        return self._thoughts[index]

    def _count(self) -> None:
        web = self._recorder.on_the_web()
        for flow in (*self._texts.values(), *self._thoughts.values()):
            web.citations += len(flow.annotations)
            web.dropped_citations += flow.dropped_citations
            web.dropped_links += flow.dropped_links


def outgoing(recorder: Recorder, request: Request) -> Outgoing | None:
    """The way out of a run that asked anything of the web. None for every other run, and where the direct model answered
    after all, which has read nothing of it: their text leaves as it is.
    """
    if recorder.web is None or any(span.role == "direct" for span in recorder.spans):
        return None
    return Outgoing(recorder, request)
