// What Chat Completions takes for gpt-6.1-sol, and from those who have Gemini behind it.
import { any, anyObject, bool, dataUrl, filled, illegal, imageUrl, like, list, nullable, number, object, strictSchema, string, tagged, textOr, whole, word } from './shape.mjs';

const id = like(/^.{1,64}$/s);
const name = like(/^[a-zA-Z0-9_-]{1,64}$/);
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
export const TIERS = ['auto', 'default', 'flex', 'scale', 'priority', 'fast'];
const text = object({ text: string }, { prompt_cache_breakpoint: any });
const image = object({ image_url: object({ url: imageUrl }, { detail: word('auto', 'low', 'high', 'original') }) }, { prompt_cache_breakpoint: any });
const file = object({ file: object({ file_data: dataUrl('application/pdf'), filename: filled }) });
const texts = textOr(string, list(tagged('type', { text }), 1));

/** Tool arguments a server must be able to read: the text of one JSON object. */
export const argumentsText = (value, path) => {
  string(value, path);
  try { anyObject(JSON.parse(value), path); } catch (error) { illegal(path, `no JSON object: ${error.message}`); }
};

/** A root schema for a function, with all a strict one needs when it is one. */
export function functionSchema({ parameters, strict }, path) {
  if (!parameters) return;
  if (parameters.type !== 'object') illegal(`${path}.parameters.type`, 'the root must be an object');
  for (const keyword of ['anyOf', 'oneOf', 'allOf', '$schema']) if (keyword in parameters) illegal(`${path}.parameters.${keyword}`, 'not at the root');
  if (strict === true) strictSchema(parameters, `${path}.parameters`);
}
const functionTool = object({ function: (value, path) => {
  object({ name }, { description: string, parameters: anyObject, strict: nullable(bool) })(value, path);
  functionSchema(value, path);
} });
export const jsonSchema = (extra) => (value, path) => {
  object({ name, schema: anyObject }, { strict: nullable(bool), description: string, ...extra })(value, path);
  if (value.strict === true) strictSchema(value.schema, `${path}.schema`);
};

const call = tagged('type', { function: object({ id, function: object({ name, arguments: argumentsText }) }) });
const signedCall = tagged('type', { function: object({ id, function: object({ name, arguments: argumentsText }) },
  { extra_content: object({ google: object({ thought_signature: filled }) }) }) });
const message = (role) => tagged('role', {
  system: object({ content: texts }, { name: string }),
  developer: object({ content: texts }, { name: string }),
  user: object({ content: textOr(string, list(tagged('type', { text, image_url: image, file }), 1)) }, { name: string }),
  assistant: role,
  tool: object({ tool_call_id: id, content: texts }),
});
const assistant = (fields, calls) => object({}, { content: nullable(texts), refusal: nullable(string), tool_calls: list(calls, 1), name: string, annotations: any, ...fields });
const body = (turn, model = 'gpt-6.1-sol', limit = 'max_completion_tokens') => object({ model: word(model), messages: list(turn, 1) }, {
  [limit]: whole(1), stream: bool, stream_options: object({}, { include_usage: bool, include_obfuscation: bool }),
  tools: list(tagged('type', { function: functionTool }), 1),
  tool_choice: textOr(word('none', 'auto', 'required'), tagged('type', { function: object({ function: object({ name }) }) })),
  parallel_tool_calls: bool, response_format: tagged('type', { text: object({}), json_object: object({}), json_schema: object({ json_schema: jsonSchema({}) }) }),
  reasoning_effort: word(...EFFORTS), verbosity: word('low', 'medium', 'high'), stop: textOr(filled, list(filled, 1, 4)),
  temperature: number(1, 1), top_p: number(1, 1), metadata: anyObject, store: bool, user: like(/^.{1,64}$/), safety_identifier: like(/^.{1,64}$/),
  prompt_cache_key: like(/^.{1,64}$/), service_tier: word(...TIERS),
});
const PLAIN = body(message(assistant({}, call)));
const SIGNED = body(message(assistant({}, signedCall)), 'gemini-3.8-flash', 'max_tokens');
const REASONING = body(message(assistant({ reasoning_content: string }, call)));

/** `dialect`: `signed` takes Google's signatures on calls, `reasoning` takes the text of the reasoning back. */
export function openaiRequest(request, { issued, translated, dialect }) {
  ({ signed: SIGNED, reasoning: REASONING }[dialect] ?? PLAIN)(request, 'body');
  if (request.stream_options && !request.stream) illegal('stream_options', 'without stream');
  if (translated && request.stream && request.stream_options?.include_usage !== true) illegal('stream_options.include_usage', 'not asked for');
  if ((request.tool_choice || 'parallel_tool_calls' in request) && !request.tools) illegal('tool_choice', 'without tools');
  let open = [];
  for (const [index, turn] of request.messages.entries()) {
    const path = `messages[${index}]`;
    if (turn.role === 'tool') {
      if (!open.includes(turn.tool_call_id)) illegal(path, `a result for ${turn.tool_call_id}, open are [${open}]`);
      open = open.filter((one) => one !== turn.tool_call_id);
      continue;
    }
    if (open.length) illegal(path, `no result for [${open}]`);
    if (turn.role !== 'assistant') continue;
    if ((turn.content ?? null) === null && !turn.tool_calls) illegal(path, 'an assistant turn with nothing in it');
    open = (turn.tool_calls ?? []).map((one) => one.id);
    if (new Set(open).size !== open.length) illegal(path, 'two calls with one id');
    for (const one of turn.tool_calls ?? []) {
      const signature = one.extra_content?.google.thought_signature;
      if (signature && issued.get(signature) !== one.id) illegal(`${path}.tool_calls`, `not the signature of this call: ${signature.slice(0, 80)}`);
    }
  }
  if (open.length) illegal('messages', `no result for [${open}]`);
}
