// The Vercel AI SDK: an OpenAI-compatible model, OpenAI's own on the Responses API, Anthropic's.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const scenario = process.argv[2];
const { FUSION_ROOT: root, FUSION_KEY: apiKey, FUSION_MODEL: name, FUSION_QUESTION: prompt } = process.env;
const baseURL = `${root}/v1`;
const compatible = createOpenAICompatible({ name: "fusion", baseURL, apiKey, supportsStructuredOutputs: true })(name);
const models = [compatible, createOpenAI({ baseURL, apiKey }).responses(name), createAnthropic({ baseURL, apiKey })(name)];
const called = [];
const done = (outcome) => console.log(JSON.stringify({ ...outcome, called }));
const same = (texts) => {
  if (new Set(texts).size !== 1) throw new Error(JSON.stringify(texts));
  return texts[0];
};
const checked = (result) => {
  if (result.warnings?.length) throw new Error(JSON.stringify(result.warnings));
  return result;
};

if (scenario === "plain" || scenario === "failing") {
  const texts = [];
  for (const model of models) texts.push(checked(await generateText({ model, prompt, maxRetries: 0, maxOutputTokens: 800 })).text);
  done({ text: same(texts) });
} else if (scenario === "streamed") {
  const texts = [];
  for (const model of models) {
    let text = "";
    for await (const part of streamText({ model, prompt, maxRetries: 0, maxOutputTokens: 800 }).textStream) text += part;
    texts.push(text);
  }
  done({ text: same(texts) });
} else if (scenario === "tools") {
  const price = tool({
    description: "The price of an item in francs.",
    inputSchema: z.object({ item: z.string() }),
    execute: async ({ item }) => { called.push(item); return `${item} costs 42 francs`; },
  });
  done({ text: (await generateText({ model: compatible, prompt, tools: { price }, stopWhen: stepCountIs(4), maxRetries: 0, maxOutputTokens: 800 })).text });
} else {
  const schema = z.object({ choice: z.string(), points: z.number().int() });
  done({ object: checked(await generateText({ model: compatible, prompt, output: Output.object({ schema }), maxRetries: 0, maxOutputTokens: 800 })).output });
}
