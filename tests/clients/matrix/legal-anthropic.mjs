// What the Messages API takes for claude-sonnet-5-5: adaptive thinking, no sampling, no forced tool, no prefill.
import { IMAGE_TYPES, any, anyObject, base64, bool, filled, illegal, like, list, object, rootObject, string, tagged, textOr, walkSchema, whole, word } from './shape.mjs';

const cache = object({ type: word('ephemeral') }, { ttl: word('5m', '1h') });
const C = { cache_control: cache };
const text = object({ text: filled }, { ...C, citations: any });
const id = like(/^[a-zA-Z0-9_-]+$/);
const name = like(/^[a-zA-Z0-9_-]{1,128}$/);
const image = object({
  source: tagged('type', {
    base64: object({ media_type: word(...IMAGE_TYPES), data: base64 }),
    url: object({ url: like(/^https:\/\//) }),
  }),
}, C);
const document = object({ source: tagged('type', { base64: object({ media_type: word('application/pdf'), data: base64 }) }) }, { ...C, title: any, context: any, citations: any });
const BLOCKS = {
  user: {
    text, image, document,
    tool_result: object({ tool_use_id: id }, { content: textOr(string, list(tagged('type', { text, image, document }))), is_error: bool, ...C }),
  },
  assistant: {
    text,
    thinking: object({ thinking: string, signature: filled }),
    redacted_thinking: object({ data: filled }),
    tool_use: object({ id, name, input: anyObject }, { ...C, caller: object({ type: word('direct') }) }),
  },
  system: { text },
};
const DECODER_REFUSES = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern', 'minItems', 'maxItems', 'uniqueItems', 'not', 'oneOf', '$schema'];
const outputSchema = (schema, path) => walkSchema(schema, path, (node, at) => {
  for (const keyword of DECODER_REFUSES) if (keyword in node) illegal(`${at}.${keyword}`, 'not for structured output');
  if (node.type === 'object' && node.additionalProperties !== false) illegal(`${at}.additionalProperties`, 'must be false');
});

const message = tagged('role', Object.fromEntries(Object.entries(BLOCKS).map(([role, kinds]) =>
  [role, object({ content: textOr(filled, list(tagged('type', kinds), 1)) })])));

const parallel = { disable_parallel_tool_use: bool };
const body = object({ model: word('claude-sonnet-5-5'), max_tokens: whole(1, 128_000), messages: list(message, 1) }, {
  system: textOr(filled, list(tagged('type', { text }), 1)),
  stream: bool,
  stop_sequences: list(filled, 1),
  tools: list(object({ name, input_schema: rootObject }, { description: string, type: word('custom'), strict: bool, eager_input_streaming: bool, ...C }), 1),
  tool_choice: tagged('type', { auto: object({}, parallel), none: object({}) }),
  thinking: tagged('type', { adaptive: object({}, { display: word('summarized', 'omitted') }), between_tools: object({}) }),
  output_config: object({}, { effort: word('low', 'medium', 'high', 'xhigh', 'max'), format: tagged('type', { json_schema: object({ schema: outputSchema }) }) }),
  metadata: object({}, { user_id: string }),
  service_tier: word('auto', 'standard_only'),
  cache_control: cache,
  thread: tagged('type', { create: object({}), continue: object({ previous_message_id: filled }) }),
});

const blocks = (turn) => (typeof turn.content === 'string' ? [{ type: 'text', text: turn.content }] : turn.content);

/** A turn of a thread says only what is new; this is all of it. */
export function wholeThread(request, { stored }) {
  if (request.thread?.type !== 'continue') return request;
  const { messages, system, tools } = stored.get(request.thread.previous_message_id) ?? illegal('thread.previous_message_id', 'thread_not_found');
  return { ...request, ...(system ? { system } : {}), ...(tools ? { tools } : {}), messages: [...messages, ...request.messages] };
}

export function anthropicRequest(request, { headers, issued, translated }) {
  body(request, 'body');
  if (translated && request.thread) illegal('thread', 'not from a client of another protocol');
  if (!headers['anthropic-version']) illegal('anthropic-version', 'missing');
  const { messages } = request;
  if (messages[0].role !== 'user') illegal('messages[0].role', 'the first turn must be the user\'s');
  if (messages.at(-1).role === 'assistant') illegal('messages', 'this model does not continue an assistant turn');
  if (request.tool_choice && !request.tools) illegal('tool_choice', 'without tools');
  const marks = JSON.stringify(request).split('"cache_control":').length - 1;
  if (marks > 4) illegal('cache_control', `${marks} marks`);
  let open = [];
  for (const [index, turn] of messages.entries()) {
    const path = `messages[${index}]`;
    if (translated && index > 0 && turn.role === messages[index - 1].role) illegal(`${path}.role`, 'two turns of one role in a row');
    if (turn.role === 'system') {
      if (index === 0 || messages[index - 1].role !== 'user') illegal(path, 'a system turn must follow a user turn');
      continue;
    }
    const content = blocks(turn);
    if (turn.role === 'user') {
      const results = content.filter((block) => block.type === 'tool_result').map((block) => block.tool_use_id);
      if (content.slice(0, results.length).some((block) => block.type !== 'tool_result')) illegal(path, 'tool results must come first');
      if ([...results].sort().join() !== [...open].sort().join()) illegal(path, `results for [${results}], calls were [${open}]`);
      open = [];
      continue;
    }
    if (open.length) illegal(path, `no results for [${open}]`);
    open = content.filter((block) => block.type === 'tool_use').map((block) => block.id);
    if (new Set(open).size !== open.length) illegal(path, 'two calls with one id');
    if (open.length && !request.tools) illegal(path, 'calls in the history but no tools');
    for (const block of content) {
      if (block.type !== 'thinking') continue;
      if (issued.get(block.signature) !== block.thinking) illegal(`${path}.content`, `Invalid \`signature\` in \`thinking\` block: ${JSON.stringify(block).slice(0, 200)}`);
    }
  }
  if (open.length) illegal('messages', `no results for [${open}]`);
}
