"""The OpenAI Agents SDK, on the Responses API and on chat completions."""

import asyncio

import task as t
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel


class Verdict(BaseModel):
    choice: str
    points: int


set_tracing_disabled(True)
client = AsyncOpenAI(base_url=t.URL, api_key=t.KEY, max_retries=0)
responses = OpenAIResponsesModel(model=t.MODEL, openai_client=client)
chat = OpenAIChatCompletionsModel(model=t.MODEL, openai_client=client)


def agent(model: object, **more: object) -> Agent:
    return Agent(name="helper", instructions="Be brief.", model=model, **more)


async def main() -> None:
    if t.SCENARIO in ("plain", "failing"):
        texts = {(await Runner.run(agent(model), t.QUESTION)).final_output for model in (responses, chat)}
        assert len(texts) == 1, texts
        t.done(text=texts.pop())
    elif t.SCENARIO == "streamed":
        texts = set()
        for model in (responses, chat):
            run = Runner.run_streamed(agent(model), t.QUESTION)
            events = [event async for event in run.stream_events()]
            data = [event.data for event in events if event.type == "raw_response_event"]
            texts.add("".join(item.delta for item in data if item.type == "response.output_text.delta"))
        assert texts == {run.final_output}, texts
        t.done(text=texts.pop())
    elif t.SCENARIO == "tools":
        t.done(text=(await Runner.run(agent(responses, tools=[function_tool(t.price)]), t.QUESTION)).final_output)
    else:
        t.done(object=(await Runner.run(agent(responses, output_type=Verdict), t.QUESTION)).final_output.model_dump())


asyncio.run(main())
