// The vendors' client libraries read every golden answer of the corpus, streamed and whole, from a small server on loopback: what their own accumulators put
// together is what the neutral case said. No binary takes part: the goldens are what its writers write.
// Usage: node corpus.mjs [TEXT]     only the cases whose name holds TEXT
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

const FOLDER = fileURLToPath(new URL('../fixtures/conversations/', import.meta.url));
const CELL_LIMIT_MS = 8_000;
const WHOLE_RUN_LIMIT_MS = 120_000;
const KEY = 'sk-fake-corpus-key';
const CALLS = ['ToolCall', 'CustomToolCall'];

for (const name of Object.keys(process.env)) {
  if (/^(OPENAI|ANTHROPIC|GOOGLE|GEMINI)_/.test(name)) delete process.env[name];
}
const late = [];
process.on('unhandledRejection', (fault) => late.push(fault));
setTimeout(() => { console.log('the whole run took too long\n0 passed, 1 failed'); process.exit(1); }, WHOLE_RUN_LIMIT_MS).unref();

const golden = (name, protocol, form) => readFileSync(`${FOLDER}${name}.${protocol}.${form}.golden`);

// The path says what is asked for: /CASE/PROTOCOL/FORM, then whatever the library adds.
const server = createServer(async (request, response) => {
  request.resume();
  const [, name, protocol, form] = request.url.split('/');
  const body = golden(name, protocol, form);
  if (form === 'json') {
    const { error } = JSON.parse(body);
    response.writeHead(error ? (typeof error.code === 'number' ? error.code : 500) : 200, { 'content-type': 'application/json', 'x-should-retry': 'false' });
    response.end(body);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  // A bare error of Gemini's must come alone in a read; everything else comes in pieces that no border of its own falls on.
  const border = protocol === 'gemini' ? body.lastIndexOf('\r\n\r\n') + 4 : 0;
  const alone = border > 3 && border < body.length ? border : body.length;
  for (let at = 0; at < alone; at += 997) response.write(body.subarray(at, Math.min(at + 997, alone)));
  if (alone < body.length) {
    await delay(60);
    response.write(body.subarray(alone));
  }
  response.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = (name, protocol, form) => `http://127.0.0.1:${server.address().port}/${name}/${protocol}/${form}`;

/** What a case says, in no protocol's words. */
function expected({ request, answer }) {
  const blocks = new Map();
  let [reason, stop, failed] = [null, null, false];
  for (const [word, ...rest] of answer) {
    const block = blocks.get(rest[0]);
    if (word === 'block') blocks.set(rest[0], { kind: rest[1], id: rest[2] ?? '', name: rest[3] ?? '', text: '', cites: [] });
    else if (word === 'delta') block.text += rest[1];
    else if (word === 'cite') block.cites.push(rest[1]);
    else if (word === 'finish') [reason, stop] = [rest[0], rest[1] ?? null];
    else if (word === 'fail') failed = true;
  }
  const tools = request.tools ?? [];
  const said = [...blocks.values()].map((block) => ({ ...block, text: block.text.toWellFormed() }));
  const forms = request.output?.schema ? said.filter((block) => block.kind === 'ToolCall' && /^json_response(_\d+)?$/.test(block.name) && !tools.some((tool) => tool.name === block.name)) : [];
  const calls = said.filter((block) => CALLS.includes(block.kind) && !forms.includes(block)).map((block) => ({ ...block, tool: tools.find((tool) => isCalled(tool, block.name)) }));
  if (forms.length && !calls.length && reason === 'ToolUse') reason = 'EndTurn';
  const of = (kind) => said.filter((block) => block.kind === kind);
  return {
    failed, reason, stop, calls,
    text: of('Text').map((block) => block.text).join(''),
    refusal: of('Refusal').map((block) => block.text).join(''),
    all: said.filter((block) => ['Text', 'Refusal'].includes(block.kind)).map((block) => block.text).join(''),
    form: forms.length ? answerOf(JSON.parse(forms[0].text), request.output.schema) : undefined,
    cites: said.filter((block) => block.text).flatMap((block) => block.cites),
  };
}
const answerOf = (args, schema) => (schema.type === 'object' || schema.properties ? args : args.value);
const flat = (tool) => (tool.namespace ? `${tool.namespace}__${tool.name}` : tool.name);
const alias = (name) => `${name.slice(0, 55).replace(/[^A-Za-z0-9_-]/g, '_')}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
const isCalled = (tool, name) => !tool.foreign && [flat(tool), alias(flat(tool))].includes(name);
const argumentsOf = (call) => (call.text.trim() || '{}');
function isWhole(call) {
  if (call.kind === 'CustomToolCall') return true;
  try { return Object.getPrototypeOf(JSON.parse(argumentsOf(call))) === Object.prototype; } catch { return false; }
}
/** The arguments as an object: a free-form input under its name. */
const objectOf = (call) => (call.kind === 'CustomToolCall' ? { input: call.text } : JSON.parse(argumentsOf(call)));
/** The text of a call to a free-form tool, however the upstream told it. */
const inputOf = (call) => (call.kind === 'CustomToolCall' ? call.text : JSON.parse(call.text).input);
const isCustom = (call) => call.kind === 'CustomToolCall' || call.tool?.custom === true;

/** The reason as a protocol without words for the rest knows it. */
function plainReason(told, calls) {
  if (told.reason === 'ContextOverflow') return 'MaxTokens';
  if (['MaxTokens', 'Refusal'].includes(told.reason)) return told.reason;
  return calls.length ? 'ToolUse' : 'EndTurn';
}
function assertText(text, told, whole = told.text) {
  if (told.form !== undefined) assert.deepEqual(JSON.parse(text), told.form);
  else assert.equal(text, whole);
}
const pages = (told) => told.cites.filter((cite) => cite.url).map((cite) => cite.url).sort();

const chat = {
  name: 'openai',
  async read(name, form) {
    const client = new OpenAI({ apiKey: KEY, baseURL: url(name, 'openai', form), maxRetries: 0 });
    const request = { model: 'm', messages: [{ role: 'user', content: 'x' }] };
    return form === 'sse' ? client.chat.completions.stream(request).finalChatCompletion() : client.chat.completions.create(request);
  },
  check({ choices: [{ message, finish_reason }] }, told) {
    assertText(message.content ?? '', told);
    assert.equal(message.refusal ?? '', told.refusal);
    assert.equal(finish_reason, { ToolUse: 'tool_calls', MaxTokens: 'length', Refusal: 'content_filter', EndTurn: 'stop' }[plainReason(told, told.calls)]);
    const calls = message.tool_calls ?? [];
    assert.equal(calls.length, told.calls.length);
    for (const [index, call] of told.calls.entries()) {
      const name = call.tool ? flat(call.tool) : call.name;
      const got = calls[index];
      if (call.id) assert.equal(got.id, call.id);
      if (isCustom(call)) assert.deepEqual([got.type, got.custom.name, got.custom.input], ['custom', name, inputOf(call)]);
      else assert.deepEqual([got.type, got.function.name, got.function.arguments], ['function', name, call.text || '{}']);
    }
    assert.deepEqual((message.annotations ?? []).map((one) => one.url_citation.url).sort(), pages(told));
  },
};

const responses = {
  name: 'responses',
  async read(name, form) {
    const client = new OpenAI({ apiKey: KEY, baseURL: url(name, 'responses', form), maxRetries: 0 });
    const request = { model: 'm', input: 'x' };
    const response = await (form === 'sse' ? client.responses.stream(request).finalResponse() : client.responses.create(request));
    if (response.status === 'failed') throw new Error(response.error.message);
    return response;
  },
  check(response, told) {
    const parts = response.output.filter((item) => item.type === 'message').flatMap((item) => item.content);
    assertText(parts.filter((part) => part.type === 'output_text').map((part) => part.text).join(''), told);
    assert.equal(response.output_text, parts.filter((part) => part.type === 'output_text').map((part) => part.text).join(''));
    assert.equal(parts.filter((part) => part.type === 'refusal').map((part) => part.refusal).join(''), told.refusal);
    const reason = { MaxTokens: 'max_output_tokens', Refusal: 'content_filter' }[plainReason(told, told.calls)];
    assert.deepEqual([response.status, response.incomplete_details?.reason], reason ? ['incomplete', reason] : ['completed', undefined]);
    // Calls that are made at once may close in another order than they began.
    const calls = response.output.filter((item) => ['function_call', 'custom_tool_call'].includes(item.type));
    assert.equal(calls.length, told.calls.length);
    for (const [index, call] of told.calls.entries()) {
      const got = call.id ? calls.find((one) => one.call_id === call.id) : calls[index];
      const type = isCustom(call) ? 'custom_tool_call' : 'function_call';
      const text = isCustom(call) ? inputOf(call) : call.text || '{}';
      assert.deepEqual([got.type, got.namespace, got.name, got.input ?? got.arguments], [type, call.tool?.namespace, call.tool?.name ?? call.name, text]);
    }
    const annotations = parts.flatMap((part) => part.annotations ?? []);
    assert.deepEqual(annotations.map((one) => one.url).sort(), pages(told));
  },
};

const messages = {
  name: 'anthropic',
  async read(name, form) {
    const client = new Anthropic({ apiKey: KEY, baseURL: url(name, 'anthropic', form), maxRetries: 0 });
    const request = { model: 'm', max_tokens: 64, messages: [{ role: 'user', content: 'x' }] };
    return form === 'sse' ? client.messages.stream(request).finalMessage() : client.messages.create(request);
  },
  check(message, told, form) {
    const texts = message.content.filter((block) => block.type === 'text');
    assertText(texts.map((block) => block.text).join(''), told, told.all);
    // A cut call is on the wire of a stream already; a whole answer leaves it out.
    const calls = told.calls.filter((call) => form === 'sse' || isWhole(call));
    const got = message.content.filter((block) => block.type === 'tool_use');
    assert.deepEqual(got.map((block) => block.name), calls.map((call) => (call.tool ? flat(call.tool) : call.name)));
    for (const [index, call] of calls.entries()) {
      if (call.id) assert.equal(got[index].id, call.id);
      if (isWhole(call)) assert.deepEqual(got[index].input, objectOf(call));
    }
    const plain = { EndTurn: 'end_turn', ToolUse: 'tool_use', MaxTokens: 'max_tokens', Refusal: 'refusal' }[plainReason(told, calls.filter(isWhole))];
    const own = { StopSequence: 'stop_sequence', ContextOverflow: 'model_context_window_exceeded', Pause: 'pause_turn' }[told.reason];
    assert.equal(message.stop_reason, own ?? (plain === 'end_turn' && told.refusal ? 'refusal' : plain));
    assert.equal(message.stop_sequence, told.reason === 'StopSequence' ? told.stop : null);
    // Sources only in this protocol's own words: places in documents, tokens of the provider's.
    assert.deepEqual(texts.flatMap((block) => block.citations ?? []), told.cites.filter((cite) => cite.protocol === 'anthropic').map((cite) => cite.raw));
  },
};

const gemini = {
  name: 'gemini',
  async read(name, form) {
    const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: url(name, 'gemini', form) } });
    const request = { model: 'm', contents: 'x' };
    if (form === 'json') return [await client.models.generateContent(request)];
    const chunks = [];
    for await (const chunk of await client.models.generateContentStream(request)) chunks.push(chunk);
    return chunks;
  },
  check(chunks, told) {
    const candidates = chunks.map((chunk) => chunk.candidates?.[0]).filter(Boolean);
    const parts = candidates.flatMap((candidate) => candidate.content?.parts ?? []);
    assertText(parts.filter((part) => part.text && !part.thought).map((part) => part.text).join(''), told, told.all);
    // "always complete in one part": what is cut is left out; calls that are made at once come when they are whole.
    const calls = told.calls.filter(isWhole);
    const got = parts.filter((part) => part.functionCall).map((part) => part.functionCall);
    assert.equal(got.length, calls.length);
    for (const [index, call] of calls.entries()) {
      const one = call.id ? got.find((candidate) => candidate.id === call.id) : got[index];
      assert.deepEqual([one.name, one.args], [call.tool ? flat(call.tool) : call.name, objectOf(call)]);
    }
    const finish = candidates.map((candidate) => candidate.finishReason).filter(Boolean);
    const reason = { MaxTokens: 'MAX_TOKENS', Refusal: 'SAFETY' }[plainReason(told, calls)] ?? 'STOP';
    // A refusal without a word is the prompt's: there is no candidate to finish.
    const blocked = chunks.map((chunk) => chunk.promptFeedback?.blockReason).filter(Boolean);
    assert.deepEqual([finish, blocked], reason === 'SAFETY' && parts.length === 0 ? [[], [reason]] : [[reason], []]);
    const grounding = candidates.map((candidate) => candidate.groundingMetadata).filter(Boolean).at(-1);
    const cited = (grounding?.groundingSupports ?? []).flatMap((support) => support.groundingChunkIndices).map((index) => grounding.groundingChunks[index].web.uri);
    assert.deepEqual(cited.sort(), pages(told));
  },
};

/** One answer through one library; resolves to null or to what is wrong. */
async function cell(library, name, form, told) {
  let timer;
  const limit = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no end after ${CELL_LIMIT_MS / 1000} s`)), CELL_LIMIT_MS); });
  try {
    const [answer, error] = await Promise.race([library.read(name, form).then((value) => [value, null], (reason) => [null, reason ?? new Error('rejected with nothing')]), limit]);
    if (told.failed) assert.ok(error, 'an answer that failed reads as a whole one');
    else if (error) throw error;
    else library.check(answer, told, form);
    return null;
  } catch (fault) {
    return fault.code === 'ERR_ASSERTION' ? `${fault.message}\n${(fault.stack ?? '').split('\n').find((line) => line.includes('corpus.mjs')) ?? ''}` : `${fault.stack ?? fault}`;
  } finally {
    clearTimeout(timer);
  }
}

const LIBRARIES = [chat, responses, messages, gemini];
const cases = readdirSync(FOLDER).filter((file) => file.endsWith('.json') && (!process.argv[2] || file.includes(process.argv[2])))
  .map((file) => [file.slice(0, -'.json'.length), JSON.parse(readFileSync(FOLDER + file))]).filter(([, { answer }]) => answer);
const width = Math.max(...cases.map(([name]) => name.length), 0) + 1;
let [passed, failed] = [0, 0];
const faults = [];
console.log(`${'case'.padEnd(width)} ${LIBRARIES.flatMap(({ name }) => [`${name} sse`, 'whole']).map((head) => head.padEnd(13)).join(' ')}`);
for (const [name, conversation] of cases) {
  const told = expected(conversation);
  const row = [];
  for (const library of LIBRARIES) {
    for (const form of ['sse', 'json']) {
      const fault = await cell(library, name, form, told);
      fault === null ? passed++ : failed++;
      row.push(fault === null ? 'ok' : 'FAIL');
      if (fault) faults.push(`${name}.${library.name}.${form}\n    ${fault.slice(0, 2000).replaceAll('\n', '\n    ')}`);
    }
  }
  console.log(`${name.padEnd(width)} ${row.map((text) => text.padEnd(13)).join(' ')}`);
}
for (const fault of faults) console.log(`\nFAILED ${fault}`);
for (const fault of new Set(late.map(String))) console.log(`(late: ${fault})`);
server.close();
server.closeAllConnections();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
