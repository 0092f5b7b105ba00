// npm openai: Chat Completions and Responses, each whole and with the stream helper.
// A driver's `start(model, want)` gives a conversation; `ask(content)` and `answer(pairs)` resolve to
// {text, thought?, calls, stop, usage?, value?}. `forgets`: it has no place for the proof of an answer without calls; `refers`: to 'answers' or 'items' by their ids.
import OpenAI from 'openai';

const client = (url, key) => new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const tokens = (input, cached, output, reasoning) => ({ input, cached, output, reasoning });
const chatUsage = (usage) => usage && tokens(usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens, usage.completion_tokens, usage.completion_tokens_details?.reasoning_tokens);
const CHAT_STOPS = { stop: 'end', tool_calls: 'tools', length: 'length', content_filter: 'refusal' };

const dataUrl = ({ mime, data }) => `data:${mime};base64,${data}`;
const isImage = ({ mime }) => mime.startsWith('image/');
const chatMedia = (media) => (isImage(media) ? { type: 'image_url', image_url: { url: dataUrl(media) } } : { type: 'file', file: { filename: 'a.pdf', file_data: dataUrl(media) } });
const responsesMedia = (media) => (isImage(media) ? { type: 'input_image', image_url: dataUrl(media), detail: 'auto' } : { type: 'input_file', filename: 'a.pdf', file_data: dataUrl(media) });

class Chat {
  constructor(openai, model, want, streams) {
    Object.assign(this, { openai, streams });
    this.messages = want.system ? [{ role: 'system', content: want.system }] : [];
    this.rest = {
      model,
      ...(want.tools ? { tools: want.tools.map(({ name, description, schema }) => ({ type: 'function', function: { name, description, parameters: schema } })) } : {}),
      ...(want.think ? { reasoning_effort: want.think } : {}),
      ...(want.schema ? { response_format: { type: 'json_schema', json_schema: { name: 'weather', schema: want.schema, strict: true } } } : {}),
      ...(want.max ? { max_completion_tokens: want.max } : {}),
      ...(want.stops ? { stop: want.stops } : {}),
      ...(want.force ? { tool_choice: { type: 'function', function: { name: want.force } } } : {}),
      ...(want.single ? { parallel_tool_calls: false } : {}),
    };
    this.asksUsage = !want.noUsage;
  }

  set model(name) { this.rest.model = name; }

  ask({ text, image }) {
    const content = image ? [{ type: 'text', text }, chatMedia(image)] : text;
    this.messages.push({ role: 'user', content });
    return this.#send();
  }

  answer(pairs) {
    for (const [call, result] of pairs) this.messages.push({ role: 'tool', tool_call_id: call.id, content: result });
    return this.#send();
  }

  async #send() {
    const request = { ...this.rest, messages: this.messages };
    let whole;
    let thought = '';
    if (this.streams) {
      const stream = this.openai.chat.completions.stream({ ...request, ...(this.asksUsage ? { stream_options: { include_usage: true } } : {}) });
      // The helper keeps only the last piece of a field it does not know.
      stream.on('chunk', (chunk) => { thought += chunk.choices[0]?.delta.reasoning_content ?? ''; });
      whole = await stream.finalChatCompletion();
    } else {
      whole = await this.openai.chat.completions.create(request);
      thought = whole.choices[0].message.reasoning_content ?? '';
    }
    const [{ message, finish_reason: finish }] = whole.choices;
    const { content, tool_calls } = message;
    this.messages.push({ role: 'assistant', content, ...(tool_calls?.length ? { tool_calls: tool_calls.map(({ id, type, function: { name, arguments: args } , extra_content }) => ({ id, type, function: { name, arguments: args }, ...(extra_content ? { extra_content } : {}) })) } : {}) });
    const calls = (tool_calls ?? []).map((call) => ({ id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) }));
    return { text: content ?? '', thought, calls, stop: CHAT_STOPS[finish], usage: chatUsage(whole.usage) };
  }
}

class Responses {
  /** `memory`: 'include' replays the items, 'previous' names the last answer. */
  constructor(openai, model, want, streams, memory) {
    Object.assign(this, { openai, streams, memory, input: [] });
    this.rest = {
      model,
      ...(memory === 'previous' ? {} : { store: false }),
      ...(want.system ? { instructions: want.system } : {}),
      ...(want.tools ? { tools: want.tools.map(({ name, description, schema }) => ({ type: 'function', name, description, parameters: schema, strict: false })) } : {}),
      ...(want.think ? { reasoning: { effort: want.think, summary: 'auto' }, include: ['reasoning.encrypted_content'] } : {}),
      ...(want.schema ? { text: { format: { type: 'json_schema', name: 'weather', schema: want.schema, strict: true } } } : {}),
      ...(want.max ? { max_output_tokens: want.max } : {}),
      ...(want.force ? { tool_choice: { type: 'function', name: want.force } } : {}),
      ...(want.single ? { parallel_tool_calls: false } : {}),
    };
  }

  set model(name) { this.rest.model = name; }

  ask({ text, image }) {
    const content = image ? [{ type: 'input_text', text }, responsesMedia(image)] : text;
    this.input.push({ role: 'user', content });
    return this.#send();
  }

  answer(pairs) {
    for (const [call, result] of pairs) {
      const output = result.image ? [{ type: 'input_text', text: result.text }, responsesMedia(result.image)] : result;
      this.input.push({ type: 'function_call_output', call_id: call.id, output });
    }
    return this.#send();
  }

  async #send() {
    const request = { ...this.rest, input: this.input, ...(this.last ? { previous_response_id: this.last } : {}) };
    const whole = this.streams ? await this.openai.responses.stream(request).finalResponse() : await this.openai.responses.create(request);
    if (whole.status === 'failed') throw new Error(`the response failed: ${whole.error?.code} ${whole.error?.message}`);
    if (whole.status !== 'completed' && whole.status !== 'incomplete') throw new Error(`the response ended ${whole.status}`);
    // What the helpers add for their callers is no part of the protocol.
    const output = whole.output.map(({ parsed_arguments: _, ...item }) => (item.type === 'message' ? { ...item, content: item.content.map(({ parsed: __, ...part }) => part) } : item));
    if (this.memory === 'previous') { this.input = []; this.last = whole.id; } else this.input.push(...output);
    const calls = output.filter((item) => item.type === 'function_call').map((item) => ({ id: item.call_id, name: item.name, args: JSON.parse(item.arguments) }));
    const reason = { max_output_tokens: 'length', content_filter: 'refusal' }[whole.incomplete_details?.reason];
    return {
      calls, text: output.filter((item) => item.type === 'message').flatMap((item) => item.content).map((part) => part.text ?? '').join(''),
      thought: output.filter((item) => item.type === 'reasoning').flatMap((item) => item.summary).map((part) => part.text).join(''),
      stop: whole.status === 'incomplete' ? reason : calls.length ? 'tools' : 'end',
      usage: whole.usage && tokens(whole.usage.input_tokens, whole.usage.input_tokens_details?.cached_tokens, whole.usage.output_tokens, whole.usage.output_tokens_details?.reasoning_tokens),
    };
  }
}

export function openaiDrivers(url, key) {
  const openai = client(url, key);
  const chat = (name, streams) => ({ name: `openai ${name}`, protocol: 'openai', streams, forgets: true, start: (model, want) => new Chat(openai, model, want, streams) });
  const responses = (name, streams, memory) => ({
    name: `openai ${name}`, protocol: 'responses', streams, refers: memory === 'previous' ? 'answers' : undefined, only: memory === 'previous' ? ['tools', 'thinking'] : undefined,
    start: (model, want) => new Responses(openai, model, want, streams, memory),
  });
  return [
    chat('chat.completions.create', false), chat('chat.completions.stream', true),
    responses('responses.create', false), responses('responses.stream', true),
    responses('responses.create, previous_response_id', false, 'previous'), responses('responses.stream, previous_response_id', true, 'previous'),
  ];
}
