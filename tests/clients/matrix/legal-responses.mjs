// What the Responses API takes for gpt-6.1-sol.
import { EFFORTS, TIERS, argumentsText, functionSchema, jsonSchema } from './legal-openai.mjs';
import { any, anyObject, bool, dataUrl, filled, illegal, imageUrl, like, list, nullable, number, object, string, tagged, textOr, whole, word } from './shape.mjs';

const id = like(/^.{1,64}$/s);
const name = like(/^[a-zA-Z0-9_-]{1,64}$/);
const status = word('in_progress', 'completed', 'incomplete');
const input_text = object({ text: string }, { prompt_cache_breakpoint: any });
const input_image = object({ image_url: imageUrl }, { detail: word('auto', 'low', 'high', 'original'), prompt_cache_breakpoint: any });
const input_file = object({ file_data: dataUrl('application/pdf'), filename: filled }, { detail: string });
const output_text = object({ text: string }, { annotations: any, logprobs: any });
const inputs = list(tagged('type', { input_text, input_image, input_file }), 1);
const role = (content) => object({ content: textOr(string, content) }, { id, status, phase: nullable(word('commentary', 'final_answer')) });
const messageItem = tagged('role', {
  user: role(inputs), system: role(inputs), developer: role(inputs),
  assistant: role(list(tagged('type', { output_text, refusal: object({ refusal: string }) }))),
});
const item = tagged('type', {
  '': messageItem,
  message: messageItem,
  reasoning: object({ summary: list(tagged('type', { summary_text: object({ text: string }) })) }, { id, encrypted_content: nullable(filled), content: any, status }),
  function_call: object({ call_id: id, name, arguments: argumentsText }, { id, status }),
  function_call_output: object({ call_id: id, output: textOr(string, inputs) }, { id, status }),
  item_reference: object({ id }),
});
const functionTool = (value, path) => {
  object({ name }, { description: string, parameters: nullable(anyObject), strict: nullable(bool) })(value, path);
  functionSchema({ ...value, strict: value.strict ?? true }, path);
};
const body = object({ model: word('gpt-6.1-sol'), input: textOr(string, list(item, 1)) }, {
  instructions: nullable(string), max_output_tokens: whole(16), stream: bool, stream_options: object({}, { include_obfuscation: bool }),
  temperature: number(1, 1), top_p: number(1, 1),
  tools: list(tagged('type', { function: functionTool }), 1), parallel_tool_calls: bool,
  tool_choice: textOr(word('none', 'auto', 'required'), tagged('type', { function: object({ name }) })),
  text: object({}, { format: tagged('type', { text: object({}), json_object: object({}), json_schema: jsonSchema({}) }), verbosity: word('low', 'medium', 'high') }),
  reasoning: object({}, { effort: word(...EFFORTS), summary: nullable(word('auto', 'concise', 'detailed')) }),
  include: list(word('reasoning.encrypted_content')), store: bool, previous_response_id: nullable(id), metadata: anyObject,
  user: like(/^.{1,64}$/), safety_identifier: like(/^.{1,64}$/), prompt_cache_key: like(/^.{1,64}$/), service_tier: word(...TIERS),
  truncation: word('auto', 'disabled'),
});

/** `stored` holds the earlier answers by id: the calls in them that wait for a result. */
export function responsesRequest(request, { issued, translated, stored }) {
  body(request, 'body');
  const asked = request.previous_response_id;
  if (asked && (translated || !stored.has(asked))) illegal('previous_response_id', `no response ${asked} here`);
  if (request.tool_choice && !request.tools) illegal('tool_choice', 'without tools');
  if (translated) for (const [index, tool] of (request.tools ?? []).entries()) if (!('strict' in tool)) illegal(`tools[${index}].strict`, 'must be said');
  if (typeof request.input === 'string') return;
  let open = asked ? [...stored.get(asked)] : [];
  for (const [index, entry] of request.input.entries()) {
    const path = `input[${index}]`;
    const type = entry.type ?? 'message';
    if (entry.id && !issued.has(entry.id)) illegal(`${path}.id`, `Item with id '${entry.id}' not found`);
    if (type === 'item_reference' && (translated || request.store === false)) illegal(path, 'Items are not persisted when `store` is set to false');
    if (type === 'function_call') open.push(entry.call_id);
    if (type === 'function_call_output') {
      if (!open.includes(entry.call_id)) illegal(path, `a result for ${entry.call_id}, open are [${open}]`);
      open = open.filter((one) => one !== entry.call_id);
    }
    if (type === 'message' && entry.role !== 'assistant' && open.length) illegal(path, `no result for [${open}]`);
    if (type !== 'reasoning') continue;
    const next = request.input[index + 1];
    const belongs = next && (next.type === 'function_call' || next.type === 'reasoning' || next.role === 'assistant');
    if (!belongs) illegal(path, 'provided without its required following item');
    if (!entry.encrypted_content) illegal(`${path}.encrypted_content`, 'a reasoning item without it says nothing here');
    const proof = issued.get(entry.encrypted_content);
    if (proof === undefined) illegal(`${path}.encrypted_content`, `could not be verified: ${entry.encrypted_content.slice(0, 80)}`);
    if (entry.summary.length && entry.summary.map((part) => part.text).join('') !== proof) illegal(`${path}.summary`, `not the summary that came with it: ${JSON.stringify(entry.summary).slice(0, 200)}`);
  }
  if (open.length) illegal('input', `no result for [${open}]`);
}
