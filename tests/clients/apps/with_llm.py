"""Simon Willison's `llm` as a library, with a model of its OpenAI plugin."""

import json

import task as t
from llm.default_plugins.openai_models import Chat

model = Chat("fusion", model_name=t.MODEL, api_base=t.URL, supports_tools=True, supports_schema=True)
model.key = t.KEY
if t.SCENARIO in ("plain", "failing"):
    t.done(text=model.prompt(t.QUESTION, stream=False, key=t.KEY).text())
elif t.SCENARIO == "streamed":
    t.done(text="".join(model.prompt(t.QUESTION, stream=True, key=t.KEY)))
elif t.SCENARIO == "tools":
    chain = model.chain(t.QUESTION, tools=[t.price], key=t.KEY)
    t.done(text=list(chain.responses())[-1].text())
else:
    t.done(object=json.loads(model.prompt(t.QUESTION, schema=t.SCHEMA, stream=False, key=t.KEY).text()))
