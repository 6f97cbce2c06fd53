"""AutoGen: its OpenAI client and an assistant agent."""

import asyncio

import task as t
from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import UserMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel


class Verdict(BaseModel):
    choice: str
    points: int


info = {"vision": False, "function_calling": True, "json_output": True, "family": "unknown", "structured_output": True}
client = OpenAIChatCompletionClient(model=t.MODEL, base_url=t.URL, api_key=t.KEY, model_info=info, max_retries=0)
asked = [UserMessage(content=t.QUESTION, source="user")]


async def main() -> None:
    if t.SCENARIO in ("plain", "failing"):
        t.done(text=(await client.create(asked)).content)
    elif t.SCENARIO == "streamed":
        parts = [part async for part in client.create_stream(asked)]
        text = "".join(part for part in parts if isinstance(part, str))
        assert text.endswith(parts[-1].content)  # before it: the stage news, which AutoGen shows as a thought
        t.done(text=parts[-1].content)
    elif t.SCENARIO == "tools":
        agent = AssistantAgent("helper", client, tools=[t.price], reflect_on_tool_use=True, system_message="Be brief.")
        t.done(text=(await agent.run(task=t.QUESTION)).messages[-1].content)
    else:
        agent = AssistantAgent("judge", client, output_content_type=Verdict, system_message="Be brief.")
        t.done(object=(await agent.run(task=t.QUESTION)).messages[-1].content.model_dump())
    await client.close()


asyncio.run(main())
