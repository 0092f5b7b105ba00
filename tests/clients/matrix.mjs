// Real clients through the published binary: every client protocol against every upstream type.
// A row is one call of a client library, a column the type of the upstream behind it; "-": what this type cannot say.
// Usage: node matrix.mjs [TEXT]     only the rows whose name holds TEXT
// AIPROXY_BINARY names the binary; without it, ../../aiproxy.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startProxy } from './proxy.mjs';
import { aiDrivers } from './matrix/drive-ai.mjs';
import { anthropicDrivers } from './matrix/drive-anthropic.mjs';
import { genaiDrivers } from './matrix/drive-genai.mjs';
import { openaiDrivers } from './matrix/drive-openai.mjs';
import { SCENARIOS, PROMPT, freshContext, related } from './matrix/scenarios.mjs';
import { SIGN_INS, signInFiles } from './matrix/sign-ins.mjs';
import { MODELS, SPOKEN, startUpstream } from './matrix/upstream.mjs';
import { TAGGED } from './matrix/encode-kiro.mjs';

const WHOLE_RUN_LIMIT_MS = 240_000;
const CELL_LIMIT_MS = 8_000;
const PROTOCOLS = Object.keys(MODELS);
const spoken = (protocol) => SPOKEN[protocol] ?? protocol;
const KEY = 'sk-fake-client-key-0002';
const upstreamKey = (name) => `sk-fake-matrix-${name}`;
/** Entries of the dialects that a scenario asks for: a Gemini model behind Chat, a server that wants its reasoning back, a model of Kiro's that thinks in its text. */
const DIALECTS = {
  signed: { protocol: 'openai', model: MODELS.gemini }, reasoning: { protocol: 'openai', quirk: 'replay_reasoning' }, tags: { protocol: 'kiro', model: TAGGED, signIn: SIGN_INS.builder },
};
const USUAL_SIGN_INS = { codex: SIGN_INS.chatgpt, kiro: SIGN_INS.social };

// Settings of the caller's shell must not steer the libraries.
for (const name of Object.keys(process.env)) {
  if (/^(OPENAI|ANTHROPIC|GOOGLE|GEMINI)_/.test(name)) delete process.env[name];
}
const late = [];
process.on('unhandledRejection', (fault) => late.push(fault));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const binary = process.env.AIPROXY_BINARY ?? fileURLToPath(new URL('../../aiproxy', import.meta.url));
function giveUp(why) {
  console.log(why);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
if (!existsSync(binary)) giveUp(`no binary at ${binary}: run ./publish.sh first, or name one in AIPROXY_BINARY`);

/** What a client calls the model of an upstream. It begins like a model of the client's vendor: the libraries look at that. */
const clientModel = (protocol, upstream, dialect) => `${MODELS[protocol]}-via-${upstream}${dialect ? `-${dialect}` : ''}`;
const config = (upstreams) => (port) => {
  const entry = ({ protocol, url }, dialect) => {
    const names = [...new Set(PROTOCOLS.map((client) => clientModel(client, protocol, dialect)))];
    const { quirk, model = MODELS[protocol], signIn = USUAL_SIGN_INS[protocol] } = DIALECTS[dialect] ?? {};
    return `
  - name: ${protocol}${dialect ? `-${dialect}` : ''}
    api_type: ${protocol}
    base_url: ${url}
    ${signIn ? `auth_files: ${signIn.file}` : `token: ${upstreamKey(protocol)}`}
    available_models: ${JSON.stringify(names)}
    model_mappings: ${JSON.stringify(Object.fromEntries(names.map((name) => [name, model])))}
${quirk ? `    quirks: { ${quirk}: true }\n` : ''}`;
  };
  const dialects = Object.entries(DIALECTS).map(([dialect, { protocol }]) => entry(upstreams[protocol], dialect));
  return `
bind: 127.0.0.1
listen: ":${port}"
api-key: ${KEY}
circuit_breaker: { failures: 100000 }
upstreams:${Object.values(upstreams).map((one) => entry(one)).join('')}${dialects.join('')}`;
};

async function converse(conversation, content, { execute, reversed, again }, models) {
  if (conversation.run) return conversation.run(content, execute);
  const steps = [await conversation.ask(content)];
  while (steps.at(-1).calls.length && steps.length < 4) {
    const pairs = await Promise.all(steps.at(-1).calls.map(async (call) => [call, await execute(call.name, call.args)]));
    if (again) conversation.model = models.between;
    steps.push(await conversation.answer(reversed ? pairs.reverse() : pairs));
  }
  if (again) {
    conversation.model = models.first;
    steps.push(await conversation.ask({ text: again }));
  }
  return steps;
}

async function within(limit, action) {
  let timer;
  const end = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no end after ${limit / 1000} s`)), limit); });
  try { return await Promise.race([action, end]); } finally { clearTimeout(timer); }
}

/** One cell; resolves to null or to what is wrong. */
async function cell(driver, scenario, upstream) {
  const context = freshContext(upstream.protocol, spoken(upstream.protocol));
  const translated = driver.protocol !== context.speaks;
  const faults = [];
  const scriptFor = (protocol, own, answer) => ({
    id: own.id, translated: driver.protocol !== spoken(protocol), dialect: scenario.dialect, issued: new Map(), stored: new Map(), requests: [], faults,
    answer: (index, request) => answer(index, request, own),
  });
  const script = scriptFor(upstream.protocol, context, scenario.answer);
  upstream.script = script;
  const other = upstreams[scenario.switchesTo];
  const guest = other && freshContext(other.protocol, spoken(other.protocol));
  if (other) other.script = scriptFor(other.protocol, guest, scenario.answerBetween);
  if (other && related(upstream.protocol, other.protocol)) other.script.issued = script.issued;
  const seen = { driver, context, translated, dialect: scenario.dialect, requests: script.requests, between: other?.script.requests, other: guest };
  let fault = null;
  try {
    const model = clientModel(driver.protocol, upstream.protocol, scenario.dialect);
    const models = { first: model, between: clientModel(driver.protocol, scenario.switchesTo) };
    const talk = async () => converse(driver.start(model, scenario.want), { text: PROMPT, image: scenario.image }, scenario, models);
    const [steps, error] = await within(CELL_LIMIT_MS, talk()).then((value) => [value, null], (reason) => [null, reason ?? new Error('rejected with nothing')]);
    if (error && !scenario.fails) throw error;
    // A library that has no word for a broken stream must at least not call it finished.
    const isWhole = steps?.every((step) => step.stop !== undefined);
    if (!error && scenario.fails && (isWhole || !scenario.streamsOnly)) throw new Error(`this should have failed but gave ${JSON.stringify(steps).slice(0, 400)}`);
    scenario.check({ ...seen, steps, error });
  } catch (error) {
    fault = `${error.code === 'ERR_ASSERTION' ? '' : `${error.name}: `}${error.message}${error.cause ? ` (${error.cause.message ?? error.cause})` : ''}`;
  }
  const illegal = faults.map(({ why, body }) => `the upstream refuses: ${why}\n${body.slice(0, 1500)}`);
  return illegal.length ? [...illegal, fault].filter(Boolean).join('\n') : fault;
}

const upstreams = Object.fromEntries(await Promise.all(PROTOCOLS.map(async (protocol) => [protocol, await startUpstream(protocol)])));
let proxy;
try { proxy = await startProxy(binary, config(upstreams), signInFiles()); } catch (error) { giveUp(error.message); }

const rows = [openaiDrivers, anthropicDrivers, genaiDrivers, aiDrivers].flatMap((drivers) => drivers(proxy.url, KEY))
  .flatMap((driver) => SCENARIOS.filter((scenario) => (!driver.only || driver.only.includes(scenario.name)) && (driver.streams || !scenario.streamsOnly)
    && (!scenario.clients || scenario.clients.includes(driver.protocol)) && (!scenario.nativeOnly || !driver.name.startsWith('ai '))).map((scenario) => ({ driver, scenario, name: `${driver.name}: ${scenario.name}` })))
  .filter((row) => !process.argv[2] || row.name.includes(process.argv[2]));
const width = Math.max(...rows.map((row) => row.name.length), 0) + 1;
let [passed, failed] = [0, 0];
const faults = [];
const began = Date.now();
console.log(`${'client call'.padEnd(width)} ${PROTOCOLS.map((protocol) => protocol.padEnd(9)).join(' ')}`);
for (const { driver, scenario, name } of rows) {
  if (Date.now() - began > WHOLE_RUN_LIMIT_MS) {
    failed++;
    faults.push('the whole run took too long');
    break;
  }
  const one = (protocol) => ((scenario.upstreams && !scenario.upstreams.includes(protocol)) || scenario.spared?.(driver.protocol, protocol, driver) ? undefined : cell(driver, scenario, upstreams[protocol]));
  const cells = [];
  // Who talks to two upstreams shares them with nobody.
  if (scenario.switchesTo) for (const protocol of PROTOCOLS) cells.push(await one(protocol));
  else cells.push(...await Promise.all(PROTOCOLS.map(one)));
  for (const [index, fault] of cells.entries()) {
    if (fault === undefined) continue;
    fault === null ? passed++ : failed++;
    if (fault) faults.push(`${name} -> ${PROTOCOLS[index]}\n    ${fault.slice(0, 4000).replaceAll('\n', '\n    ')}`);
  }
  console.log(`${name.padEnd(width)} ${cells.map((fault) => (fault === undefined ? '-' : fault === null ? 'ok' : 'FAIL').padEnd(9)).join(' ')}`);
}

for (const fault of faults) console.log(`\nFAILED ${fault}`);
const output = proxy.output();
for (const secret of [KEY, ...PROTOCOLS.map(upstreamKey), ...Object.values(SIGN_INS).flatMap(({ access, refresh }) => [access, refresh]), 'marker-of-the-matrix']) {
  if (output.includes(secret)) { failed++; console.log(`\nFAILED what the binary wrote holds ${secret}`); } else passed++;
}
if (failed) console.log(`\nwhat the binary wrote last:\n${output.split('\n').slice(-20).join('\n')}`);
for (const fault of new Set(late.map(String))) console.log(`(late: ${fault})`);
proxy.kill();
for (const upstream of Object.values(upstreams)) upstream.close();
console.log(`\n${rows.length} rows in ${((Date.now() - began) / 1000).toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
