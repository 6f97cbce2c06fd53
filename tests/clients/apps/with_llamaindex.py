"""LlamaIndex: OpenAILike and a function agent."""

import asyncio

import task as t
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel


class Verdict(BaseModel):
    """The verdict."""

    choice: str
    points: int


llm = OpenAILike(
    model=t.MODEL, api_base=t.URL, api_key=t.KEY, is_chat_model=True, is_function_calling_model=True,
    should_use_structured_outputs=True, max_retries=0,
)  # fmt: skip


async def agent() -> str:
    made = FunctionAgent(tools=[t.price], llm=llm, streaming=False)
    return str(await made.run(t.QUESTION))


if t.SCENARIO in ("plain", "failing"):
    t.done(text=llm.chat([ChatMessage(role="user", content=t.QUESTION)]).message.content)
elif t.SCENARIO == "streamed":
    t.done(text="".join(part.delta or "" for part in llm.stream_chat([ChatMessage(role="user", content=t.QUESTION)])))
elif t.SCENARIO == "tools":
    t.done(text=asyncio.run(agent()))
else:
    chat = llm.as_structured_llm(Verdict).chat([ChatMessage(role="user", content=t.QUESTION)])
    t.done(object=chat.raw.model_dump())
