"""Pydantic AI: the OpenAI chat, Responses and Anthropic models."""

import asyncio

import task as t
from anthropic import AsyncAnthropic
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


class Verdict(BaseModel):
    choice: str
    points: int


provider = OpenAIProvider(base_url=t.URL, api_key=t.KEY)
chat = OpenAIChatModel(t.MODEL, provider=provider)
responses = OpenAIResponsesModel(t.MODEL, provider=provider)
client = AsyncAnthropic(base_url=t.ROOT, auth_token=t.KEY, api_key=None, max_retries=0)
claude = AnthropicModel(t.MODEL, provider=AnthropicProvider(anthropic_client=client))


async def main() -> None:
    if t.SCENARIO in ("plain", "failing"):
        texts = {(await Agent(model).run(t.QUESTION)).output for model in (chat, responses, claude)}
        assert len(texts) == 1, texts
        t.done(text=texts.pop())
    elif t.SCENARIO == "streamed":
        texts = set()
        for model in (chat, responses, claude):
            async with Agent(model).run_stream(t.QUESTION) as stream:
                texts.add("".join([part async for part in stream.stream_text(delta=True)]))
        assert len(texts) == 1, texts
        t.done(text=texts.pop())
    elif t.SCENARIO == "tools":
        t.done(text=(await Agent(chat, tools=[t.price]).run(t.QUESTION)).output)
    else:
        native = (await Agent(chat, output_type=NativeOutput(Verdict)).run(t.QUESTION)).output
        by_tool = (await Agent(chat, output_type=Verdict).run(t.QUESTION)).output
        assert native == by_tool
        t.done(object=native.model_dump())


asyncio.run(main())
