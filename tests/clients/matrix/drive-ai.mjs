// Vercel ai with its three providers: generateText and streamText, which call the tools by themselves.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { Output, generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';

const STOPS = { stop: 'end', 'tool-calls': 'tools', length: 'length', 'content-filter': 'refusal' };

const thinking = {
  openai: (effort) => ({ openai: { reasoningEffort: effort } }),
  responses: (effort) => ({ openai: { reasoningEffort: effort, reasoningSummary: 'auto' } }),
  anthropic: (effort) => ({ anthropic: { thinking: { type: 'adaptive', display: 'summarized' }, effort } }),
  gemini: (effort) => ({ google: { thinkingConfig: { includeThoughts: true, thinkingLevel: effort } } }),
};

const read = (step) => ({
  text: step.text, thought: step.reasoning.map((part) => part.text).join(''), calls: step.toolCalls.map((call) => ({ id: call.toolCallId, name: call.toolName, args: call.input })),
  stop: STOPS[step.finishReason],
  usage: { input: step.usage.inputTokens, cached: step.usage.inputTokenDetails?.cacheReadTokens, output: step.usage.outputTokens, reasoning: step.usage.outputTokenDetails?.reasoningTokens },
});

async function run({ languageModel, protocol, want, streams, options }, { text, image }, execute) {
  const failures = [];
  const request = {
    model: languageModel, maxRetries: 0,
    ...(want.system ? { instructions: want.system } : {}),
    messages: [{ role: 'user', content: image ? [{ type: 'text', text }, { type: 'file', data: image.data, mediaType: image.mime }] : text }],
    ...(want.tools ? { tools: Object.fromEntries(want.tools.map(({ name, description, schema }) => [name, tool({ description, inputSchema: jsonSchema(schema), execute: (args) => execute(name, args) })])) } : {}),
    ...(want.schema ? { output: Output.object({ schema: jsonSchema(want.schema) }) } : {}),
    ...(want.max ? { maxOutputTokens: want.max } : {}),
    ...(want.stops ? { stopSequences: want.stops } : {}),
    ...(want.force ? { toolChoice: { type: 'tool', toolName: want.force } } : {}),
    providerOptions: merged(want.think ? thinking[protocol](want.think) : {}, options),
    stopWhen: isStepCount(4),
  };
  if (!streams) {
    const result = await generateText(request);
    return withValue(result.steps.map(read), want, () => result.output);
  }
  const result = streamText({ ...request, onError: ({ error }) => failures.push(error) });
  await result.consumeStream({ onError: (error) => failures.push(error) });
  if (failures.length) throw failures[0];
  const steps = await result.steps;
  return withValue(steps.map(read), want, () => result.output);
}

async function withValue(steps, want, value) {
  if (want.schema) steps.at(-1).value = await value();
  return steps;
}

function merged(left, right = {}) {
  const all = { ...left };
  for (const [provider, values] of Object.entries(right)) all[provider] = { ...all[provider], ...values };
  return all;
}

export function aiDrivers(url, key) {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const openai = createOpenAI({ apiKey: key, baseURL: `${url}/v1` });
  const anthropic = createAnthropic({ apiKey: key, baseURL: `${url}/v1` });
  const google = createGoogleGenerativeAI({ apiKey: key, baseURL: `${url}/v1beta` });
  const pair = (name, protocol, model, options, { only, hides, refers } = {}) => [false, true].map((streams) => ({
    name: `ai ${name}, ${streams ? 'streamText' : 'generateText'}`, protocol, streams, only, hides, refers,
    start: (id, want) => ({ run: (content, execute) => run({ languageModel: model(id), protocol, want, streams, options }, content, execute) }),
  }));
  return [
    ...pair('openai.chat', 'openai', (id) => openai.chat(id), {}, { hides: ['thoughts'] }),
    ...pair('openai.responses, store false', 'responses', (id) => openai.responses(id), { openai: { store: false } }),
    ...pair('openai.responses, stored', 'responses', (id) => openai.responses(id), {}, { only: ['tools', 'thinking', 'parallel'], refers: 'items' }),
    ...pair('anthropic', 'anthropic', (id) => anthropic(id)),
    ...pair('google', 'gemini', (id) => google(id)),
  ];
}
