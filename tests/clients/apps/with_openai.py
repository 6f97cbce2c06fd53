"""The OpenAI SDK on chat completions and on the Responses API."""

import json

import task as t
from openai import OpenAI
from pydantic import BaseModel


class Verdict(BaseModel):
    choice: str
    points: int


client = OpenAI(base_url=t.URL, api_key=t.KEY, max_retries=0)
asked = [{"role": "user", "content": t.QUESTION}]
tool = {
    "type": "function",
    "function": {"name": "price", "description": t.price.__doc__, "strict": True, "parameters": t.PARAMETERS},
}
if t.SCENARIO in ("plain", "failing"):
    chat = client.chat.completions.create(model=t.MODEL, messages=asked).choices[0].message.content
    response = client.responses.create(model=t.MODEL, input=t.QUESTION).output_text
    assert chat == response
    t.done(text=chat)
elif t.SCENARIO == "streamed":
    with client.chat.completions.stream(model=t.MODEL, messages=asked) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        assert stream.get_final_completion().choices[0].message.content == text
    with client.responses.stream(model=t.MODEL, input=t.QUESTION) as events:
        again = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert events.get_final_response().output_text == again == text
    t.done(text=text)
elif t.SCENARIO == "tools":
    message = client.chat.completions.create(model=t.MODEL, messages=asked, tools=[tool]).choices[0].message
    asked.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls:
        given = json.loads(call.function.arguments)
        asked.append({"role": "tool", "tool_call_id": call.id, "content": t.price(**given)})
    t.done(text=client.chat.completions.create(model=t.MODEL, messages=asked, tools=[tool]).choices[0].message.content)
else:
    parsed = client.chat.completions.parse(model=t.MODEL, messages=asked, response_format=Verdict).choices[0].message.parsed
    other = client.responses.parse(model=t.MODEL, input=t.QUESTION, text_format=Verdict).output_parsed
    assert parsed == other
    t.done(object=parsed.model_dump())
