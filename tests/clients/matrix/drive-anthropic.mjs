// @anthropic-ai/sdk: messages.create, the stream helper and the tool runner.
import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';

const STOPS = { end_turn: 'end', tool_use: 'tools', max_tokens: 'length', refusal: 'refusal', stop_sequence: 'sequence' };

const parameters = (model, want) => ({
  model, max_tokens: want.max ?? 4096,
  ...(want.system ? { system: want.system } : {}),
  ...(want.think ? { thinking: { type: 'adaptive', display: 'summarized' } } : {}),
  ...(want.think || want.schema ? { output_config: { ...(want.think ? { effort: want.think } : {}), ...(want.schema ? { format: { type: 'json_schema', schema: want.schema } } : {}) } } : {}),
  ...(want.stops ? { stop_sequences: want.stops } : {}),
  ...(want.force ? { tool_choice: { type: 'tool', name: want.force } } : {}),
  ...(want.single ? { tool_choice: { type: 'auto', disable_parallel_tool_use: true } } : {}),
});
const mediaBlock = ({ mime, data }) => ({ type: mime.startsWith('image/') ? 'image' : 'document', source: { type: 'base64', media_type: mime, data } });
const userTurn = ({ text, image }) => ({
  role: 'user', content: image ? [{ type: 'text', text }, mediaBlock(image)] : text,
});

function read(message) {
  const { usage, content } = message;
  const all = (type, field) => content.filter((block) => block.type === type).map((block) => block[field]).join('');
  return {
    text: all('text', 'text'), thought: all('thinking', 'thinking'),
    calls: content.filter((block) => block.type === 'tool_use').map(({ id, name, input }) => ({ id, name, args: input })),
    stop: STOPS[message.stop_reason], sequence: message.stop_sequence,
    usage: {
      input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0), cached: usage.cache_read_input_tokens,
      output: usage.output_tokens, reasoning: usage.output_tokens_details?.thinking_tokens,
    },
  };
}

class Messages {
  constructor(anthropic, model, want, streams) {
    Object.assign(this, { anthropic, streams, messages: [] });
    this.rest = parameters(model, want);
    if (want.tools) this.rest.tools = want.tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema }));
  }

  set model(name) { this.rest.model = name; }

  ask(content) {
    this.messages.push(userTurn(content));
    return this.#send();
  }

  answer(pairs) {
    this.messages.push({ role: 'user', content: pairs.map(([call, result]) => ({
      type: 'tool_result', tool_use_id: call.id, content: result.image ? [{ type: 'text', text: result.text }, mediaBlock(result.image)] : result,
    })) });
    return this.#send();
  }

  async #send() {
    const request = { ...this.rest, messages: this.messages };
    const message = await (this.streams ? this.anthropic.messages.stream(request).finalMessage() : this.anthropic.messages.create(request));
    this.messages.push({ role: 'assistant', content: message.content });
    return read(message);
  }
}

/** The runner calls the tools by itself. */
async function runTools(anthropic, model, want, streams, content, execute) {
  const steps = [];
  const tools = want.tools.map(({ name, description, schema }) => betaTool({ name, description, inputSchema: schema, run: (args) => execute(name, args) }));
  const runner = anthropic.beta.messages.toolRunner({ ...parameters(model, want), tools, messages: [userTurn(content)], stream: streams, max_iterations: 4 });
  for await (const step of runner) steps.push(read(streams ? await step.finalMessage() : step));
  return steps;
}

export function anthropicDrivers(url, key) {
  const anthropic = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
  const messages = (name, streams) => ({ name: `anthropic ${name}`, protocol: 'anthropic', streams, start: (model, want) => new Messages(anthropic, model, want, streams) });
  const runner = (name, streams) => ({
    name: `anthropic ${name}`, protocol: 'anthropic', streams, only: ['tools', 'thinking', 'parallel'],
    start: (model, want) => ({ run: (content, execute) => runTools(anthropic, model, want, streams, content, execute) }),
  });
  return [messages('messages.create', false), messages('messages.stream', true), runner('beta toolRunner', false), runner('beta toolRunner, stream', true)];
}
