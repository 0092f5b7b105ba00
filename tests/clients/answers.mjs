// What the fake upstream says, in each of the four protocols: whole bodies, stream events and errors.
import { readFileSync } from 'node:fs';

const transcript = (name) => readFileSync(new URL(`./transcripts/${name}-tools.sse`, import.meta.url), 'utf8')
  .split('\n\n').filter((event) => event.trim() !== '').map((event) => event + '\n\n');

export const THOUGHT = 'The user wants the weather. I should call the tool.';
export const TOOL_TEXT = 'Let me check Oslo.';
export const TOOL_ARGS = { city: 'Oslo', unit: 'c' };
export const SIGNATURES = { anthropic: 'EqQBCgIYAhIkc2lnLWRlbW8=', responses: 'gAAAAABdemo==', gemini: 'RXFRQmRlbW8=' };

/** Characters of one to four bytes, quotes and a line break: a reader that decodes piecewise breaks them. */
export const TEXT = 'Ålesund: 12 °C, "mild" \u{1F326}\nand — as ever — a bit of rain.';
const words = (text) => text.match(/\S+\s*/g);

const sse = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const line = (data) => `data: ${JSON.stringify(data)}\n\n`;
const created = 1795000000;

const anthropicUsage = (output) => ({
  input_tokens: 41, cache_creation_input_tokens: 0, cache_read_input_tokens: 1200,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 }, output_tokens: output,
  output_tokens_details: null, server_tool_use: null, service_tier: 'standard', inference_geo: null, speed: null,
});
const anthropicMessage = (model, content, stop, output) => ({
  id: 'msg_01Demo', type: 'message', role: 'assistant', model, content, container: null, diagnostics: null,
  stop_reason: stop, stop_sequence: null, stop_details: null, usage: anthropicUsage(output),
});

const anthropic = {
  whole(kind, model, text) {
    if (kind === 'text') return anthropicMessage(model, [{ type: 'text', text, citations: null }], 'end_turn', 12);
    return anthropicMessage(model, [
      { type: 'thinking', thinking: THOUGHT, signature: SIGNATURES.anthropic },
      { type: 'text', text: TOOL_TEXT, citations: null },
      { type: 'tool_use', id: 'toolu_01Demo', name: 'get_weather', input: TOOL_ARGS, caller: { type: 'direct' } },
    ], 'tool_use', 58);
  },
  events(kind, model, text) {
    if (kind === 'tools') return transcript('anthropic').map((e) => e.replaceAll('claude-sonnet-5-5', model));
    return [
      sse('message_start', { type: 'message_start', message: anthropicMessage(model, [], null, 1) }),
      sse('ping', { type: 'ping' }),
      sse('content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', citations: null } }),
      ...words(text).map((word) => sse('content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: word } })),
      sse('content_block_stop', { type: 'content_block_stop', index: 0 }),
      sse('message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null, container: null }, usage: anthropicUsage(12) }),
      sse('message_stop', { type: 'message_stop' }),
    ];
  },
  error: (status, message) => ({
    type: 'error', request_id: 'req_fakeupstream',
    error: { type: { 400: 'invalid_request_error', 401: 'authentication_error', 429: 'rate_limit_error', 529: 'overloaded_error' }[status] ?? 'api_error', message },
  }),
  errorEvent: (status, message) => sse('error', anthropic.error(status, message)),
};

const chatUsage = {
  prompt_tokens: 1241, completion_tokens: 58, total_tokens: 1299,
  prompt_tokens_details: { cached_tokens: 1200, cache_write_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};
const chatChunk = (model, delta, finish = null) => line({
  id: 'chatcmpl-Demo', object: 'chat.completion.chunk', created, model, service_tier: 'default', system_fingerprint: 'fp_demo',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], usage: null,
});

const openai = {
  whole(kind, model, text) {
    const message = kind === 'text'
      ? { role: 'assistant', content: text, refusal: null, annotations: [] }
      : { role: 'assistant', content: TOOL_TEXT, reasoning_content: THOUGHT, refusal: null, annotations: [],
          tool_calls: [{ id: 'call_Demo', type: 'function', function: { name: 'get_weather', arguments: '{"city": "Oslo", "unit": "c"}' } }] };
    return {
      id: 'chatcmpl-Demo', object: 'chat.completion', created, model, usage: chatUsage, service_tier: 'default', system_fingerprint: 'fp_demo',
      choices: [{ index: 0, message, logprobs: null, finish_reason: kind === 'text' ? 'stop' : 'tool_calls' }],
    };
  },
  events(kind, model, text) {
    if (kind === 'tools') return transcript('openai').map((e) => e.replaceAll('gpt-6.1-sol', model));
    return [
      chatChunk(model, { role: 'assistant', content: '', refusal: null }),
      ...words(text).map((word) => chatChunk(model, { content: word })),
      chatChunk(model, {}, 'stop'),
      line({ id: 'chatcmpl-Demo', object: 'chat.completion.chunk', created, model, choices: [], usage: chatUsage }),
      'data: [DONE]\n\n',
    ];
  },
  error: (status, message) => ({
    error: {
      message, param: null,
      type: status === 429 ? 'requests' : status >= 500 ? 'server_error' : 'invalid_request_error',
      code: { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' }[status] ?? null,
    },
  }),
  errorEvent: (status, message) => line(openai.error(status, message)),
};

const responseObject = (model, status, output, usage) => ({
  id: 'resp_Demo', object: 'response', created_at: created, status, background: false, completed_at: status === 'completed' ? created + 4 : null,
  error: null, incomplete_details: null, instructions: null, max_output_tokens: null, max_tool_calls: null, metadata: {}, model, output,
  parallel_tool_calls: true, previous_response_id: null, prompt_cache_key: null, reasoning: { effort: null, summary: null },
  safety_identifier: null, service_tier: 'default', store: false, temperature: 1, text: { format: { type: 'text' }, verbosity: 'medium' },
  tool_choice: 'auto', tools: [], top_logprobs: 0, top_p: 1, truncation: 'disabled', usage, user: null,
});
const responsesUsage = {
  input_tokens: 1241, input_tokens_details: { cached_tokens: 1200, cache_write_tokens: 0 },
  output_tokens: 58, output_tokens_details: { reasoning_tokens: 20 }, total_tokens: 1299,
};
const messageItem = (text) => ({
  id: 'msg_Demo', type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});

const responses = {
  whole(kind, model, text) {
    const output = kind === 'text' ? [messageItem(text)] : [
      { id: 'rs_Demo', type: 'reasoning', summary: [{ type: 'summary_text', text: THOUGHT }], encrypted_content: SIGNATURES.responses, status: 'completed' },
      messageItem(TOOL_TEXT),
      { id: 'fc_Demo', type: 'function_call', status: 'completed', arguments: '{"city": "Oslo", "unit": "c"}', call_id: 'call_Demo', name: 'get_weather' },
    ];
    return responseObject(model, 'completed', output, responsesUsage);
  },
  events(kind, model, text) {
    if (kind === 'tools') return transcript('responses').map((e) => e.replaceAll('gpt-6.1-sol', model));
    let number = 0;
    const event = (type, fields) => sse(type, { type, ...fields, sequence_number: number++ });
    const at = { item_id: 'msg_Demo', output_index: 0, content_index: 0 };
    const part = { type: 'output_text', text, annotations: [], logprobs: [] };
    return [
      event('response.created', { response: responseObject(model, 'in_progress', [], null) }),
      event('response.in_progress', { response: responseObject(model, 'in_progress', [], null) }),
      event('response.output_item.added', { output_index: 0, item: { ...messageItem(''), status: 'in_progress', content: [] } }),
      event('response.content_part.added', { ...at, part: { ...part, text: '' } }),
      ...words(text).map((word) => event('response.output_text.delta', { ...at, delta: word, logprobs: [] })),
      event('response.output_text.done', { ...at, text, logprobs: [] }),
      event('response.content_part.done', { ...at, part }),
      event('response.output_item.done', { output_index: 0, item: messageItem(text) }),
      event('response.completed', { response: responseObject(model, 'completed', [messageItem(text)], responsesUsage) }),
    ];
  },
  error: openai.error,
  errorEvent: (status, message) => sse('error', { type: 'error', code: 'server_error', message, param: null, sequence_number: 0 }),
};

const geminiChunk = (model, parts, finish) => ({
  candidates: [{ content: { parts, role: 'model' }, ...(finish ? { finishReason: finish } : {}), index: 0 }],
  usageMetadata: { promptTokenCount: 1241, cachedContentTokenCount: 1200, candidatesTokenCount: 38, thoughtsTokenCount: 20, totalTokenCount: 1299 },
  modelVersion: model, responseId: 'respDemo',
});

const gemini = {
  whole(kind, model, text) {
    return geminiChunk(model, kind === 'text' ? [{ text }] : [
      { text: THOUGHT, thought: true }, { text: TOOL_TEXT },
      { functionCall: { id: 'call_Demo', name: 'get_weather', args: TOOL_ARGS }, thoughtSignature: SIGNATURES.gemini },
    ], 'STOP');
  },
  events(kind, model, text) {
    if (kind === 'tools') return transcript('gemini').map((e) => e.replaceAll('gemini-3.8-flash', model).replace(/\n\n$/, '\r\n\r\n'));
    return [
      ...words(text).map((word) => line(geminiChunk(model, [{ text: word }]))),
      line(geminiChunk(model, [{ text: '' }], 'STOP')),
    ].map((event) => event.replace(/\n\n$/, '\r\n\r\n'));
  },
  error: (status, message) => ({
    error: {
      code: status, message,
      status: { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 429: 'RESOURCE_EXHAUSTED', 500: 'INTERNAL' }[status] ?? 'UNAVAILABLE',
      ...(status === 429 ? { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }] } : {}),
    },
  }),
  errorEvent: (status, message) => line(gemini.error(status, message)),
};

export const PROTOCOLS = { anthropic, openai, responses, gemini };

/** The text of the newest tool result in a request, or null when its last turn is not one. */
export function lastToolResult(protocol, body) {
  if (protocol === 'anthropic') {
    const content = body.messages?.at(-1)?.content;
    const result = Array.isArray(content) ? content.find((block) => block.type === 'tool_result') : undefined;
    if (!result) return null;
    return typeof result.content === 'string' ? result.content : result.content.map((block) => block.text).join('');
  }
  if (protocol === 'openai') {
    const message = body.messages?.at(-1);
    if (message?.role !== 'tool') return null;
    return typeof message.content === 'string' ? message.content : message.content.map((part) => part.text).join('');
  }
  if (protocol === 'responses') {
    const item = Array.isArray(body.input) ? body.input.at(-1) : undefined;
    if (item?.type !== 'function_call_output') return null;
    return typeof item.output === 'string' ? item.output : item.output.map((part) => part.text).join('');
  }
  const part = body.contents?.at(-1)?.parts?.find((p) => p.functionResponse);
  return part ? String(part.functionResponse.response.output) : null;
}
