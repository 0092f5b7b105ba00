// A strict upstream: what the vendors' services answer with 400, and what a translated request should never hold. Returns the faults, best empty.
// For requests that aiproxy wrote; what a tool says to an upstream of its own protocol is its own affair.
import { SIGNATURES } from '../clients/answers.mjs';

const is = (value, type) => (type === 'object' ? value !== null && typeof value === 'object' && !Array.isArray(value) : typeof value === type);
const parsesToObject = (text) => { try { return is(JSON.parse(text), 'object'); } catch { return false; } };

/** Collects faults under a path. */
class Faults {
  list = [];
  check(holds, path, text) { if (!holds) this.list.push(`${path}: ${text}`); return holds; }
  only(value, names, path) {
    if (!this.check(is(value, 'object'), path, 'no object')) return;
    for (const name of Object.keys(value)) this.check(names.includes(name), path, `unknown member ${name}`);
  }
  distinct(values, path, what) { this.check(new Set(values).size === values.length, path, `the same ${what} twice`); }
  same(left, right, path, text) { this.check(JSON.stringify(left) === JSON.stringify(right), path, `${text}: ${JSON.stringify(left)} and ${JSON.stringify(right)}`); }
}

const SCHEMA_MAPS = ['properties', '$defs', 'definitions', 'patternProperties'];
const SCHEMA_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const SCHEMA_NODES = ['items', 'additionalProperties', 'not'];
/** Visits every schema of a schema, names of properties left alone. */
function walk(schema, path, visit) {
  if (!is(schema, 'object')) return;
  visit(schema, path);
  for (const key of SCHEMA_MAPS) for (const [name, inner] of Object.entries(schema[key] ?? {})) walk(inner, `${path}.${key}.${name}`, visit);
  for (const key of SCHEMA_LISTS) (schema[key] ?? []).forEach((inner, index) => walk(inner, `${path}.${key}[${index}]`, visit));
  for (const key of SCHEMA_NODES) walk(schema[key], `${path}.${key}`, visit);
}

/** What holds for a tool's schema everywhere. */
function toolSchema(faults, schema, path) {
  if (!faults.check(is(schema, 'object') && schema.type === 'object', path, 'no schema of an object')) return;
  for (const key of ['anyOf', 'oneOf', 'allOf']) faults.check(!(key in schema), path, `${key} at the root`);
  walk(schema, path, (node, at) => {
    for (const key of ['$schema', '$id', '$comment']) faults.check(!(key in node), at, `${key} is to be removed`);
  });
}

function anthropic(faults, body) {
  faults.only(body, ['model', 'max_tokens', 'messages', 'system', 'stream', 'stop_sequences', 'temperature', 'top_p', 'tools', 'tool_choice', 'thinking', 'output_config', 'metadata', 'service_tier', 'cache_control'], 'body');
  faults.check(Number.isInteger(body.max_tokens) && body.max_tokens > 0, 'max_tokens', 'required');
  faults.check(body.temperature === undefined || body.temperature === 1, 'temperature', 'this model takes none');
  faults.check(body.top_p === undefined || body.top_p >= 0.99, 'top_p', 'this model takes none');
  if (body.thinking) faults.check(['adaptive', 'disabled'].includes(body.thinking.type), 'thinking', 'this model takes adaptive');
  if (body.tool_choice) faults.check(body.tools?.length > 0, 'tool_choice', 'without tools');
  for (const [index, tool] of (body.tools ?? []).entries()) {
    const path = `tools[${index}]`;
    faults.only(tool, ['name', 'description', 'input_schema', 'type', 'strict', 'cache_control'], path);
    faults.check(/^[a-zA-Z0-9_-]{1,128}$/.test(tool.name), path, `name ${tool.name}`);
    toolSchema(faults, tool.input_schema, path);
  }
  faults.distinct((body.tools ?? []).map((tool) => tool.name), 'tools', 'name');

  const text = (block, path) => faults.check(typeof block.text === 'string' && block.text.trim() !== '', path, 'empty text');
  const blocksOf = (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content ?? []);
  for (const block of blocksOf(body.system)) {
    text(block, 'system');
    faults.check(!/x-anthropic-billing-header/.test(block.text), 'system', 'a billing block of nobody');
  }
  const members = {
    text: ['text', 'cache_control'], image: ['source', 'cache_control'], document: ['source', 'title', 'cache_control'], thinking: ['thinking', 'signature'],
    redacted_thinking: ['data'], tool_use: ['id', 'name', 'input', 'cache_control'], tool_result: ['tool_use_id', 'content', 'is_error', 'cache_control'],
  };
  let before = null, open = [];
  for (const [index, message] of (body.messages ?? []).entries()) {
    const path = `messages[${index}]`;
    faults.only(message, ['role', 'content'], path);
    faults.check(['user', 'assistant', 'system'].includes(message.role), path, `role ${message.role}`);
    faults.check(message.role !== before, path, 'two of one role in a row');
    if (index === 0) faults.check(message.role === 'user', path, 'does not begin with the user');
    const blocks = blocksOf(message.content);
    faults.check(blocks.length > 0, path, 'empty');
    for (const block of blocks) {
      if (faults.check(members[block.type], path, `block of type ${block.type}`)) faults.only(block, ['type', ...members[block.type]], path);
      if (block.type === 'text') text(block, path);
      if (block.type === 'thinking') faults.same(block.signature, SIGNATURES.anthropic, path, 'a signature that is not mine');
      if (block.type === 'tool_use') {
        faults.check(/^[a-zA-Z0-9_-]+$/.test(block.id), path, `id ${block.id}`);
        faults.check(is(block.input, 'object'), path, 'input is no object');
      }
    }
    if (message.role === 'system') faults.check(before === 'user', path, 'a system turn that follows no user turn');
    before = message.role;
    if (message.role === 'system') continue;
    const results = blocks.filter((block) => block.type === 'tool_result').map((block) => block.tool_use_id);
    faults.same(results, open, path, 'results and the calls before');
    faults.check(blocks.slice(0, results.length).every((block) => block.type === 'tool_result'), path, 'results are not first');
    open = blocks.filter((block) => block.type === 'tool_use').map((block) => block.id);
  }
  faults.check(before !== 'assistant', 'messages', 'do not end with the user');
}

function functionTool(faults, tool, path) {
  faults.check(/^[a-zA-Z0-9_-]{1,64}$/.test(tool.name), path, `name ${tool.name}`);
  toolSchema(faults, tool.parameters, path);
}

function openai(faults, body) {
  faults.only(body, ['model', 'messages', 'max_completion_tokens', 'stop', 'stream', 'stream_options', 'tools', 'tool_choice', 'parallel_tool_calls', 'response_format', 'reasoning_effort', 'verbosity', 'safety_identifier', 'user', 'prompt_cache_key', 'service_tier', 'store', 'metadata'], 'body');
  if (body.stream) faults.check(body.stream_options?.include_usage === true, 'stream_options', 'usage was not asked for');
  if (body.tool_choice) faults.check(body.tools?.length > 0, 'tool_choice', 'without tools');
  for (const name of ['safety_identifier', 'prompt_cache_key']) faults.check((body[name] ?? '').length <= 64, name, 'too long');
  for (const [index, tool] of (body.tools ?? []).entries()) {
    const path = `tools[${index}]`;
    faults.only(tool, ['type', tool.type], path);
    if (tool.type === 'custom') faults.only(tool.custom, ['name', 'description', 'format'], path);
    else {
      faults.only(tool.function, ['name', 'description', 'parameters', 'strict'], path);
      functionTool(faults, tool.function ?? {}, path);
    }
  }
  faults.distinct((body.tools ?? []).map((tool) => tool[tool.type]?.name), 'tools', 'name');
  const members = { system: [], developer: [], user: ['name'], assistant: ['refusal', 'tool_calls', 'name'], tool: ['tool_call_id'] };
  let open = [];
  for (const [index, message] of (body.messages ?? []).entries()) {
    const path = `messages[${index}]`;
    if (!faults.check(members[message.role], path, `role ${message.role}`)) continue;
    faults.only(message, ['role', 'content', ...members[message.role]], path);
    for (const part of Array.isArray(message.content) ? message.content : []) {
      faults.check(['text', 'image_url', 'file', 'refusal', 'input_audio'].includes(part.type), path, `part of type ${part.type}`);
      faults.only(part, ['type', part.type], path);
    }
    if (message.role === 'tool') {
      faults.check(open.includes(message.tool_call_id), path, `a result for ${message.tool_call_id} where ${open} are open`);
      open = open.filter((id) => id !== message.tool_call_id);
      continue;
    }
    faults.check(open.length === 0, path, `no results for ${open}`);
    if (message.content == null) faults.check(message.tool_calls?.length > 0, path, 'neither content nor calls');
    for (const call of message.tool_calls ?? []) {
      faults.check(call.id.length <= 64, path, `id ${call.id}`);
      if (call.type === 'function') faults.check(parsesToObject(call.function.arguments), path, 'arguments are no JSON object');
    }
    open = (message.tool_calls ?? []).map((call) => call.id);
  }
  faults.check(open.length === 0, 'messages', `no results for ${open}`);
}

function responses(faults, body) {
  faults.only(body, ['model', 'input', 'instructions', 'max_output_tokens', 'tools', 'tool_choice', 'parallel_tool_calls', 'text', 'reasoning', 'include', 'store', 'truncation', 'stream', 'stream_options', 'metadata', 'safety_identifier', 'prompt_cache_key', 'service_tier'], 'body');
  faults.check((body.max_output_tokens ?? 16) >= 16, 'max_output_tokens', 'below 16');
  if (body.tool_choice) faults.check(body.tools?.length > 0, 'tool_choice', 'without tools');
  for (const name of ['safety_identifier', 'prompt_cache_key']) faults.check((body[name] ?? '').length <= 64, name, 'too long');
  for (const [index, tool] of (body.tools ?? []).entries()) {
    const path = `tools[${index}]`;
    if (!faults.check(tool.type === 'function', path, `tool of type ${tool.type}`)) continue;
    faults.only(tool, ['type', 'name', 'description', 'parameters', 'strict'], path);
    faults.check(is(tool.strict, 'boolean'), path, 'strict is not said');
    functionTool(faults, tool, path);
  }
  faults.distinct((body.tools ?? []).map((tool) => tool.name), 'tools', 'name');
  const members = {
    message: ['role', 'content', 'phase', 'status'], reasoning: ['id', 'summary', 'encrypted_content', 'content'],
    function_call: ['call_id', 'name', 'arguments'], function_call_output: ['call_id', 'output'],
  };
  const calls = [], results = [];
  const items = Array.isArray(body.input) ? body.input : [];
  for (const [index, item] of items.entries()) {
    const path = `input[${index}]`, type = item.type ?? 'message';
    if (!faults.check(members[type], path, `item of type ${type}`)) continue;
    faults.only(item, ['type', ...members[type]], path);
    if (type === 'reasoning') {
      faults.same(item.encrypted_content, SIGNATURES.responses, path, 'content that I did not encrypt');
      faults.check(items[index + 1] && !/_output$/.test(items[index + 1].type) && items[index + 1].role !== 'user', path, 'without the item that it belongs to');
    }
    if (type === 'message') {
      for (const part of Array.isArray(item.content) ? item.content : []) {
        faults.check((item.role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file']).includes(part.type), path, `part of type ${part.type}`);
      }
    }
    if (type === 'function_call') {
      faults.check(parsesToObject(item.arguments), path, 'arguments are no JSON object');
      faults.check(item.call_id.length <= 64, path, `call_id ${item.call_id}`);
      calls.push(item.call_id);
    }
    if (type === 'function_call_output') { faults.check(calls.includes(item.call_id), path, `a result for ${item.call_id}`); results.push(item.call_id); }
  }
  faults.same(results, calls, 'input', 'results and calls');
}

const GEMINI_KEYWORDS = ['type', 'title', 'description', 'format', 'enum', 'items', 'prefixItems', 'minItems', 'maxItems', 'properties', 'required', 'additionalProperties', 'minimum', 'maximum', 'anyOf', 'oneOf', '$defs', '$ref', '$anchor', 'propertyOrdering', 'minLength', 'maxLength', 'pattern', 'default', 'nullable', 'minProperties', 'maxProperties'];

function gemini(faults, body) {
  faults.only(body, ['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'safetySettings', 'serviceTier'], 'body');
  if (body.generationConfig) {
    faults.only(body.generationConfig, ['temperature', 'topP', 'topK', 'maxOutputTokens', 'stopSequences', 'responseMimeType', 'responseJsonSchema', 'presencePenalty', 'frequencyPenalty', 'seed', 'thinkingConfig'], 'generationConfig');
    const thinking = body.generationConfig.thinkingConfig;
    if (thinking) {
      faults.only(thinking, ['includeThoughts', 'thinkingLevel'], 'thinkingConfig');
      faults.check([undefined, 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH'].includes(thinking.thinkingLevel?.toUpperCase()), 'thinkingConfig', `level ${thinking.thinkingLevel}`);
    }
  }
  const names = [];
  for (const [index, tool] of (body.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []).entries()) {
    const path = `functionDeclarations[${index}]`;
    faults.only(tool, ['name', 'description', 'parametersJsonSchema'], path);
    faults.check(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(tool.name), path, `name ${tool.name}`);
    names.push(tool.name);
    if (tool.parametersJsonSchema === undefined) continue;
    faults.check(tool.parametersJsonSchema.type === 'object', path, 'no schema of an object');
    walk(tool.parametersJsonSchema, path, (node, at) => {
      for (const key of Object.keys(node)) faults.check(GEMINI_KEYWORDS.includes(key), at, `keyword ${key}`);
      for (const name of node.required ?? []) faults.check(node.properties && name in node.properties, at, `requires ${name}, which it has not`);
    });
  }
  faults.distinct(names, 'functionDeclarations', 'name');
  const payloads = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'];
  let before = null, open = [];
  const contents = body.contents ?? [];
  const lastUser = contents.findLastIndex((content) => content.role === 'user' && content.parts.some((part) => part.text !== undefined));
  for (const [index, content] of contents.entries()) {
    const path = `contents[${index}]`;
    faults.only(content, ['role', 'parts'], path);
    faults.check(['user', 'model'].includes(content.role), path, `role ${content.role}`);
    faults.check(content.role !== before, path, 'two of one role in a row');
    if (index === 0) faults.check(content.role === 'user', path, 'does not begin with the user');
    faults.check(content.parts?.length > 0, path, 'empty');
    for (const part of content.parts ?? []) {
      faults.only(part, [...payloads, 'thought', 'thoughtSignature'], path);
      faults.check(payloads.filter((name) => name in part).length === 1, path, 'not one payload');
      const signature = part.thoughtSignature;
      faults.check([undefined, SIGNATURES.gemini, 'skip_thought_signature_validator'].includes(signature), path, `a signature that is not mine: ${signature}`);
      if (part.functionCall) faults.check(part.functionCall.args === undefined || is(part.functionCall.args, 'object'), path, 'args are no object');
      if (part.functionResponse) faults.check(is(part.functionResponse.response, 'object'), path, 'response is no object');
    }
    const results = content.parts.filter((part) => part.functionResponse).map(({ functionResponse: { id, name } }) => ({ id, name }));
    faults.same(results, open, path, 'results and the calls before');
    const calls = content.parts.filter((part) => part.functionCall);
    if (calls.length && index > lastUser) faults.check(calls[0].thoughtSignature, path, 'the first call of a step is unsigned');
    open = calls.map(({ functionCall: { id, name } }) => ({ id, name }));
    before = content.role;
  }
  faults.check(before === 'user', 'contents', 'do not end with the user');
}

const JUDGES = { anthropic, openai, responses, gemini };

export function judge(protocol, body) {
  const faults = new Faults();
  JUDGES[protocol](faults, body);
  return faults.list;
}
