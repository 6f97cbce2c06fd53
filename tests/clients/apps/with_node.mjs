// The OpenAI SDK for Node.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const scenario = process.argv[2];
const { FUSION_ROOT: root, FUSION_KEY: apiKey, FUSION_MODEL: model, FUSION_QUESTION: question } = process.env;
const client = new OpenAI({ baseURL: `${root}/v1`, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: question }];
const called = [];
const done = (outcome) => console.log(JSON.stringify({ ...outcome, called }));
const parameters = { type: "object", properties: { item: { type: "string" } }, required: ["item"], additionalProperties: false };
const tools = [{ type: "function", function: { name: "price", description: "The price of an item.", parameters } }];

if (scenario === "plain" || scenario === "failing") {
  const text = (await client.chat.completions.create({ model, messages })).choices[0].message.content;
  const other = (await client.responses.create({ model, input: question })).output_text;
  if (text !== other) throw new Error(`${text} / ${other}`);
  done({ text });
} else if (scenario === "streamed") {
  let text = "";
  for await (const chunk of await client.chat.completions.create({ model, messages, stream: true }))
    text += chunk.choices[0]?.delta?.content ?? "";
  let again = "";
  for await (const event of await client.responses.create({ model, input: question, stream: true }))
    if (event.type === "response.output_text.delta") again += event.delta;
  if (text !== again) throw new Error(`${text} / ${again}`);
  done({ text });
} else if (scenario === "tools") {
  const message = (await client.chat.completions.create({ model, messages, tools })).choices[0].message;
  messages.push(message);
  for (const call of message.tool_calls) {
    const { item } = JSON.parse(call.function.arguments);
    called.push(item);
    messages.push({ role: "tool", tool_call_id: call.id, content: `${item} costs 42 francs` });
  }
  done({ text: (await client.chat.completions.create({ model, messages, tools })).choices[0].message.content });
} else {
  const Verdict = z.object({ choice: z.string(), points: z.number().int() });
  const parsed = await client.chat.completions.parse({ model, messages, response_format: zodResponseFormat(Verdict, "verdict") });
  done({ object: parsed.choices[0].message.parsed });
}
