// What is talked about: each scenario says what the client asks for, what the upstream answers, and what must have arrived on both sides.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { USAGE } from './encode.mjs';

export const SYSTEM = 'Answer in one sentence. Never mention "\u00c5ngstr\u00f6m" \u{1F4CF}.';
export const PROMPT = 'What is the weather in Oslo? (marker-of-the-matrix)';
const TEXT = '\u00c5lesund: 12 \u00b0C, "mild" \u{1F326}\nand \u2014 as ever \u2014 a bit of rain; \\u0041 is no A. \u4eca\u65e5\u306f\u96e8\u3002 Take an umbrella along.';
const TOOL_TEXT = 'Let me look at Oslo.';
const THOUGHT = 'The user wants the weather \u{1F914}. I should call the tool\nwith "Oslo" and c.';
const ARGS = [{ city: 'Oslo', unit: 'c', days: [1, 2.5], note: '"\u00f8" \\ \u{1F326}' }, { city: 'Bergen', unit: 'c' }, { city: 'Troms\u00f8', unit: 'k' }];
/** A result that a careless copy changes: escapes, separators, wide characters, big and odd numbers, blanks at the end. */
const RESULT = '{"temp": 12.50, "big": 12345678901234567890, "e": 1E+2, "text": "\u00c5lesund \u201cmild\u201d \u{1F326} \\u0041 \\n \u2028 <b>&amp;</b>"}  \t\n ';
const VALUE = { city: 'Oslo', degrees: 12.5, words: ['mild', '\u2614'] };
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = Buffer.from('%PDF-1.4\n%\u00e2\u00e3\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj trailer<</Root 1 0 R>>\n%%EOF').toString('base64');
const AGAIN = 'And tomorrow?';
/** Those with a public API, whose words cover all of this; a provider's own dialect may lack some. */
const VENDORS = ['anthropic', 'openai', 'responses', 'gemini'];
/** Claude's proofs are good wherever Claude runs. */
export const related = (...upstreams) => upstreams.every((one) => ['anthropic', 'kiro'].includes(one));
const REFUSED = 'the fake upstream does not like this: (marker-of-the-reason)';
const WHOLE_WORDS = 'one two ';

const tools = [{
  name: 'get_weather', description: 'Weather by city',
  schema: {
    type: 'object', required: ['city', 'unit'],
    properties: { city: { type: 'string', description: 'the name' }, unit: { type: 'string', enum: ['c', 'f', 'k'] }, days: { type: 'array', items: { type: 'number' } }, note: { type: 'string' } },
  },
}];
const valueSchema = {
  type: 'object', required: ['city', 'degrees', 'words'], additionalProperties: false,
  properties: { city: { type: 'string' }, degrees: { type: 'number' }, words: { type: 'array', items: { type: 'string' } } },
};

/** What one cell may use: fresh ids, a fresh proof. */
export function freshContext(upstream, speaks = upstream) {
  const id = randomBytes(6).toString('hex');
  const prefix = { anthropic: 'toolu_01', openai: 'call_', responses: 'call_', gemini: 'call-', kiro: 'tooluse_' }[speaks];
  const proof = randomBytes(speaks === 'responses' ? 1200 : 700).toString('base64');
  return { id, upstream, speaks, proof: speaks === 'responses' ? `gAAAAA${proof}` : proof, callIds: ARGS.map((_, index) => `${prefix}${id}${index}`) };
}

const calls = (context, count, signed) => ARGS.slice(0, count).map((args, index) => ({
  call: { id: context.callIds[index], name: 'get_weather', args: JSON.stringify(args).replace('"unit":', '"unit": ') }, signature: signed && index === 0 ? context.proof : undefined,
}));
/** Gemini 3 signs the first call of every step. */
const toolAnswer = (context, count) => ({ parts: [{ text: TOOL_TEXT }, ...calls(context, count, context.speaks === 'gemini')], stop: 'tools' });
const says = (text, stop = 'end') => ({ parts: [{ text }], stop });

function assertCalls({ steps, requests, context }, count) {
  assert.equal(requests.length, 2, 'requests at the upstream');
  assert.equal(steps.length, 2, 'answers at the client');
  const [first, last] = steps;
  assert.deepEqual([first.text, first.stop, last.text, last.stop], [TOOL_TEXT, 'tools', TEXT, 'end']);
  assert.deepEqual(first.calls.map((call) => [call.name, call.args]), ARGS.slice(0, count).map((args) => ['get_weather', args]));
  const [asked, told] = requests.map((request) => request.said);
  assert.deepEqual(asked.tools.map((tool) => [tool.name, tool.description, Object.keys(tool.schema.properties), tool.schema.required]),
    tools.map((tool) => [tool.name, tool.description, Object.keys(tool.schema.properties), tool.schema.required]), 'the tool at the upstream');
  const remembered = Boolean(requests[1].request.previous_response_id);
  const referred = requests[1].request.input?.some?.((item) => item.type === 'item_reference');
  if (!remembered && !referred) assert.equal(told.spoken, TOOL_TEXT, 'what the assistant said, at the upstream');
  if (!remembered) assert.deepEqual(told.calls, ARGS.slice(0, count).map((args, index) => ({ id: context.callIds[index], name: 'get_weather', args })), 'the calls that came home');
  return { told, remembered };
}
const resultsById = (said) => Object.fromEntries(said.results.map((result) => [result.id, result.text]));

export const SCENARIOS = [
  {
    name: 'text', want: { system: SYSTEM },
    answer: () => says(TEXT),
    check({ steps, requests }) {
      assert.deepEqual(steps.map((step) => [step.text, step.stop]), [[TEXT, 'end']]);
      const [{ said }] = requests;
      assert.deepEqual([said.system, said.texts], [SYSTEM, [PROMPT]], 'the prompts at the upstream');
    },
  },
  {
    name: 'tools', want: { tools },
    answer: (index, _, context) => (index === 0 ? toolAnswer(context, 1) : says(TEXT)),
    execute: () => RESULT,
    check(cell) {
      const { told } = assertCalls(cell, 1);
      assert.deepEqual(resultsById(told), { [cell.context.callIds[0]]: RESULT }, 'the result at the upstream');
    },
  },
  {
    name: 'thinking', want: { tools, think: 'medium' },
    answer: (index, _, context) => (index === 0 ? thoughtful(context) : says(TEXT)),
    execute: () => RESULT,
    check: (cell) => checkProof(cell),
  },
  {
    name: 'thinking, signed calls', want: { tools, think: 'medium' }, dialect: 'signed', upstreams: ['openai'],
    answer: (index, _, context) => (index === 0 ? thoughtful(context, true) : says(TEXT)),
    execute: () => RESULT,
    check: (cell) => checkProof(cell),
  },
  {
    name: 'thinking, sent back', want: { tools, think: 'medium' }, dialect: 'reasoning', upstreams: ['openai'],
    answer: (index, _, context) => (index === 0 ? thoughtful(context) : says(TEXT)),
    execute: () => RESULT,
    check: (cell) => checkProof(cell),
  },
  {
    name: 'thinking, in tags', want: { tools, think: 'medium' }, dialect: 'tags', upstreams: ['kiro'],
    answer: (index, _, context) => (index === 0 ? thoughtful(context) : says(TEXT)),
    execute: () => RESULT,
    check: (cell) => checkProof(cell),
  },
  {
    name: 'parallel', want: { tools }, reversed: true,
    answer: (index, _, context) => (index === 0 ? toolAnswer(context, 3) : says(TEXT)),
    execute: (_, args) => `weather in ${args.city}`,
    check(cell) {
      const { told, remembered } = assertCalls(cell, 3);
      assert.deepEqual(resultsById(told), Object.fromEntries(ARGS.map((args, index) => [cell.context.callIds[index], `weather in ${args.city}`])), 'the results at the upstream');
      if (cell.context.speaks === 'gemini' && !remembered) assert.deepEqual([told.order.join(), told.proofs], ['text,proof,call,call,call', [cell.context.proof]], 'the signature that came home');
    },
  },
  {
    name: 'one call at a time', want: { tools, single: true }, clients: ['openai', 'responses', 'anthropic'], nativeOnly: true,
    // Gemini and Kiro have no word for it: of their calls only the first may arrive.
    answer: (index, _, context) => (index === 0 ? toolAnswer(context, ['gemini', 'kiro'].includes(context.upstream) ? 3 : 1) : says(TEXT)),
    execute: () => RESULT,
    check(cell) {
      assertCalls(cell, 1);
      if (!['gemini', 'kiro'].includes(cell.context.upstream)) assert.equal(cell.requests[0].said.single, true, 'the wish at the upstream');
    },
  },
  {
    // Anthropic's newest models refuse it.
    name: 'forced tool', want: { tools, force: 'get_weather' }, nativeOnly: true, upstreams: ['openai', 'responses', 'gemini', 'codex', 'kiro'],
    answer: (index, _, context) => (index === 0 ? toolAnswer(context, 1) : says(TEXT)),
    execute: () => RESULT,
    check(cell) {
      assertCalls(cell, 1);
      assert.equal(cell.requests[0].said.forced, 'get_weather', 'the tool that must be called, at the upstream');
    },
  },
  {
    name: 'structured', want: { schema: valueSchema },
    answer: () => says(JSON.stringify(VALUE)),
    check({ steps, requests }) {
      assert.deepEqual(steps[0].value ?? JSON.parse(steps[0].text), VALUE);
      const { schema } = requests[0].said;
      assert.deepEqual([Object.keys(schema?.properties ?? {}), schema?.required], [Object.keys(valueSchema.properties), valueSchema.required], 'the schema at the upstream');
    },
  },
  {
    name: 'image', want: {}, image: { mime: 'image/png', data: PNG },
    answer: () => says(TEXT),
    check({ steps, requests }) {
      assert.equal(steps[0].text, TEXT);
      assert.deepEqual([requests[0].said.texts, requests[0].said.images], [[PROMPT], [{ mime: 'image/png', data: PNG }]], 'the image at the upstream');
    },
  },
  {
    name: 'pdf', want: {}, image: { mime: 'application/pdf', data: PDF }, upstreams: [...VENDORS, 'codex'],
    answer: () => says(TEXT),
    check({ steps, requests }) {
      assert.equal(steps[0].text, TEXT);
      assert.deepEqual([requests[0].said.texts, requests[0].said.images], [[PROMPT], [{ mime: 'application/pdf', data: PDF }]], 'the document at the upstream');
    },
  },
  {
    name: 'pdf, refused', want: {}, image: { mime: 'application/pdf', data: PDF }, upstreams: ['kiro'], fails: true,
    answer: () => says(TEXT),
    check({ error, requests }) {
      assert.equal(error.status ?? error.statusCode, 400, `the status of: ${error.message}`);
      assert.match(error.message, /Kiro/);
      assert.equal(requests.length, 0, 'requests at the upstream');
    },
  },
  {
    name: 'image in a result', want: { tools }, clients: ['responses', 'anthropic', 'gemini'], nativeOnly: true,
    answer: (index, _, context) => (index === 0 ? toolAnswer(context, 1) : says(TEXT)),
    execute: () => ({ text: 'a map', image: { mime: 'image/png', data: PNG } }),
    check(cell) {
      const { told } = assertCalls(cell, 1);
      assert.deepEqual(told.images, [{ mime: 'image/png', data: PNG }], 'the image at the upstream');
      assert.match(told.results[0].text, /a map/);
    },
  },
  ...[...VENDORS, 'codex', 'kiro'].map((between, _, all) => ({
    name: `thinking, ${between} between`, want: { tools, think: 'medium' }, nativeOnly: true, switchesTo: between,
    upstreams: all.filter((one) => one !== between),
    // A Responses client's items go unchanged to whoever speaks Responses; the proof of one is none to the other, which refuses it.
    // Chat says nothing that a Gemini client could sign its calls with; and Gemini's signature goes to Chat clients as it is, who take it anywhere.
    spared: (client, upstream) => ['gemini openai gemini', 'openai gemini openai', 'responses codex responses', 'responses responses codex'].includes(`${client} ${upstream} ${between}`),
    answer: (index, _, context) => (index === 0 ? thoughtful(context) : says(TEXT)),
    answerBetween: (_, __, context) => ({ parts: [{ thought: THOUGHT, proof: context.proof }, { text: TEXT }], stop: 'end' }),
    execute: () => RESULT,
    again: AGAIN,
    check({ steps, requests, between: guests, other, context, driver }) {
      assert.deepEqual(steps.map((step) => [step.text, step.stop]), [[TOOL_TEXT, 'tools'], [TEXT, 'end'], [TEXT, 'end']]);
      assert.deepEqual([requests.length, guests.length], [2, 1], 'requests at the two upstreams');
      for (const { said } of [guests[0], requests[1]]) {
        assert.deepEqual(said.calls.map((call) => call.args), [ARGS[0]]);
        assert.deepEqual(said.results.map((result) => result.text), [RESULT]);
      }
      assert.deepEqual([requests[1].said.spoken, requests[1].said.texts], [TOOL_TEXT + TEXT, [PROMPT, AGAIN]], 'what was said before, at the upstream');
      const home = context.upstream === 'openai' ? [] : [context.proof];
      const kin = related(context.upstream, between);
      if (kin) assert.deepEqual(guests[0].said.proofs, home, 'the proof that went along');
      assert.deepEqual(requests[1].said.proofs, kin && !driver.forgets ? [...home, other.proof] : home, 'the proof that came home');
    },
  })),
  {
    name: 'usage', want: {},
    answer: () => says(TEXT),
    check({ steps, driver, context }) {
      const { reasoning, ...rest } = steps[0].usage ?? {};
      const { reasoning: thought, ...expected } = USAGE;
      assert.deepEqual(rest, expected);
      // Kiro does not tell them.
      if (context.upstream === 'kiro') assert.ok(!reasoning, `reasoning tokens: ${reasoning}`);
      else assert.ok(reasoning === thought || (driver.hides?.includes('reasoning tokens') && reasoning === undefined), `reasoning tokens: ${reasoning}`);
    },
  },
  {
    name: 'usage, not asked for', want: { noUsage: true }, clients: ['openai'], nativeOnly: true, streamsOnly: true,
    answer: () => says(TEXT),
    check({ steps }) {
      assert.equal(steps[0].text, TEXT);
      assert.ok(steps[0].usage == null, `usage: ${JSON.stringify(steps[0].usage)}`);
    },
  },
  {
    name: 'stop at the limit', want: { max: 100 }, upstreams: [...VENDORS, 'codex'],
    answer: () => says(TEXT, 'length'),
    check({ steps, requests, context }) {
      assert.deepEqual(steps.map((step) => [step.text, step.stop]), [[TEXT, 'length']]);
      // Codex takes none.
      if (context.upstream !== 'codex') assert.equal(requests[0].said.max, 100, 'the limit at the upstream');
    },
  },
  {
    name: 'stop by refusal', want: {}, upstreams: [...VENDORS, 'codex'],
    answer: () => says('I will not', 'refusal'),
    check: ({ steps }) => assert.equal(steps[0].stop, 'refusal'),
  },
  {
    name: 'stop sequence', want: { stops: ['END'] }, clients: ['openai', 'anthropic', 'gemini'],
    answer: (_, { said }) => (said.stops.includes('END') ? says(WHOLE_WORDS, { sequence: 'END' }) : says(`${WHOLE_WORDS}END three four`)),
    check({ steps, requests, context, driver }) {
      const [step] = steps;
      assert.equal(step.text, WHOLE_WORDS);
      assert.ok(step.stop === 'end' || step.stop === 'sequence', `it stopped by ${step.stop}`);
      const known = context.upstream === 'anthropic' || !requests[0].said.stops.includes('END');
      if (driver.protocol === 'anthropic' && known && 'sequence' in step) assert.deepEqual([step.stop, step.sequence], ['sequence', 'END']);
    },
  },
  {
    name: 'error 400', want: {}, fails: true,
    answer: () => ({ status: 400, message: REFUSED }),
    check({ error }) {
      assert.equal(error.status ?? error.statusCode, 400, `the status of: ${error.message}`);
      assert.match(error.message, /marker-of-the-reason/);
    },
  },
  {
    name: 'broken stream', want: {}, fails: true, streamsOnly: true,
    answer: () => ({ ...says(TEXT), cut: 6 }),
    check() {},
  },
];

/** `signed`: Chat with Google's signature on the call. */
function thoughtful(context, signed = context.speaks === 'gemini') {
  const proof = ['anthropic', 'responses', 'kiro'].includes(context.speaks) ? context.proof : undefined;
  return { parts: [{ thought: THOUGHT, proof }, { text: TOOL_TEXT }, ...calls(context, 1, signed)], stop: 'tools' };
}

/** The proof is at home when it stands where its maker put it. */
function checkProof(cell) {
  const { context, driver, requests, steps, dialect } = cell;
  const { told, remembered } = assertCalls(cell, 1);
  const { said, request } = requests[0];
  assert.deepEqual([said.thinks, said.visible, said.effort], [true, true, 'medium'], 'the wish to think at the upstream');
  if (context.speaks === 'responses') assert.ok(request.include?.includes('reasoning.encrypted_content') || request.store !== false, 'encrypted reasoning was not asked for');
  if (!driver.hides?.includes('thoughts')) assert.equal(steps[0].thought, THOUGHT, 'the thought at the client');
  if (remembered) return;
  const home = {
    anthropic: [['proof', 'text', 'call'], [context.proof]], responses: [['proof', 'text', 'call'], [context.proof]], gemini: [['text', 'proof', 'call'], [context.proof]],
    openai: { signed: [['text', 'proof', 'call'], [context.proof]], reasoning: [['text', 'call'], cell.translated ? [THOUGHT] : []] }[dialect] ?? [['text', 'call'], []],
    kiro: { tags: [['text', 'call'], []] }[dialect] ?? [['proof', 'text', 'call'], [context.proof]],
  }[context.speaks];
  const forgets = !cell.translated && driver.hides?.includes('thoughts');
  const byReference = !cell.translated && context.speaks === 'responses' && told.proofs[0]?.startsWith('rs_');
  if (!forgets) assert.deepEqual([told.order, byReference ? home[1] : told.proofs], home, 'the proof that came home');
}
