"""The Anthropic SDK on /v1/messages."""

import task as t
from anthropic import Anthropic
from pydantic import BaseModel


class Verdict(BaseModel):
    choice: str
    points: int


client = Anthropic(base_url=t.ROOT, auth_token=t.KEY, api_key=None, max_retries=0)
asked = [{"role": "user", "content": t.QUESTION}]
common = {"model": t.MODEL, "max_tokens": 800}
if t.SCENARIO in ("plain", "failing"):
    t.done(text=client.messages.create(messages=asked, **common).content[-1].text)
elif t.SCENARIO == "streamed":
    with client.messages.stream(messages=asked, **common) as stream:
        text = "".join(stream.text_stream)
        assert stream.get_final_text() == text
    t.done(text=text)
elif t.SCENARIO == "tools":
    tools = [{"name": "price", "description": t.price.__doc__, "input_schema": t.PARAMETERS}]
    message = client.messages.create(messages=asked, tools=tools, **common)
    assert message.stop_reason == "tool_use"
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": t.price(**block.input)}
        for block in message.content if block.type == "tool_use"
    ]  # fmt: skip
    asked += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    t.done(text=client.messages.create(messages=asked, tools=tools, **common).content[-1].text)
else:
    t.done(object=client.messages.parse(messages=asked, output_format=Verdict, **common).parsed_output.model_dump())
