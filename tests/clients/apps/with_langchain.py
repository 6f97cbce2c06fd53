"""LangChain: ChatOpenAI, ChatAnthropic, and an agent."""

import task as t
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Verdict(BaseModel):
    """The verdict."""

    choice: str
    points: int


model = ChatOpenAI(model=t.MODEL, base_url=t.URL, api_key=t.KEY, max_retries=0)
claude = ChatAnthropic(model=t.MODEL, base_url=t.ROOT, api_key=t.KEY, max_retries=0, max_tokens=800)
if t.SCENARIO in ("plain", "failing"):
    text = model.invoke(t.QUESTION).text
    assert claude.invoke(t.QUESTION).text == text
    t.done(text=text)
elif t.SCENARIO == "streamed":
    text = "".join(chunk.text for chunk in model.stream(t.QUESTION))
    assert "".join(chunk.text for chunk in claude.stream(t.QUESTION)) == text
    t.done(text=text)
elif t.SCENARIO == "tools":
    agent = create_agent(model, [tool(t.price)])
    t.done(text=agent.invoke({"messages": [{"role": "user", "content": t.QUESTION}]})["messages"][-1].text)
else:
    t.done(object=model.with_structured_output(Verdict, method="json_schema").invoke(t.QUESTION).model_dump())
