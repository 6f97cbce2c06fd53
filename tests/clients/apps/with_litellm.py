"""The LiteLLM SDK, pointed at the proxy."""

import asyncio
import json

import litellm
import task as t

common = {"model": f"litellm_proxy/{t.MODEL}", "api_base": t.URL, "api_key": t.KEY}
asked = [{"role": "user", "content": t.QUESTION}]
tool = {"type": "function", "function": {"name": "price", "description": t.price.__doc__, "parameters": t.PARAMETERS}}


async def streamed() -> str:
    stream = await litellm.acompletion(messages=asked, stream=True, **common)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


if t.SCENARIO in ("plain", "failing"):
    t.done(text=litellm.completion(messages=asked, **common).choices[0].message.content)
elif t.SCENARIO == "streamed":
    t.done(text=asyncio.run(streamed()))
elif t.SCENARIO == "tools":
    message = litellm.completion(messages=asked, tools=[tool], **common).choices[0].message
    asked.append(message.model_dump())
    for call in message.tool_calls:
        given = json.loads(call.function.arguments)
        asked.append({"role": "tool", "tool_call_id": call.id, "content": t.price(**given)})
    t.done(text=litellm.completion(messages=asked, tools=[tool], **common).choices[0].message.content)
else:
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": t.SCHEMA, "strict": True}}
    t.done(object=json.loads(litellm.completion(messages=asked, response_format=form, **common).choices[0].message.content))
