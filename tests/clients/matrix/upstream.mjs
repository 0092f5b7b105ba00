// One fake upstream of one type: refuses what its protocol forbids, answers what the script of the moment says.
import { createServer } from 'node:http';
import { setImmediate as tick } from 'node:timers/promises';
import { ENCODE as VENDORS } from './encode.mjs';
import { codex } from './encode-codex.mjs';
import { kiro } from './encode-kiro.mjs';
import { READ } from './read.mjs';
import { Illegal, illegal } from './shape.mjs';
import { anthropicRequest, wholeThread } from './legal-anthropic.mjs';
import { openaiRequest } from './legal-openai.mjs';
import { responsesRequest } from './legal-responses.mjs';
import { geminiRequest } from './legal-gemini.mjs';
import { CODEX_MODEL, codexRequest } from './legal-codex.mjs';
import { kiroRequest } from './legal-kiro.mjs';

/** The model names the upstreams know. */
export const MODELS = { anthropic: 'claude-sonnet-5-5', openai: 'gpt-6.1-sol', responses: 'gpt-6.1-sol', gemini: 'gemini-3.8-flash', codex: CODEX_MODEL, kiro: 'claude-sonnet-5' };
/** The protocol that a provider speaks under rules of its own. */
export const SPOKEN = { codex: 'responses' };
const ENCODE = { ...VENDORS, codex, kiro };
const LEGAL = { anthropic: anthropicRequest, openai: openaiRequest, responses: responsesRequest, gemini: geminiRequest, codex: codexRequest, kiro: kiroRequest };
const PATHS = {
  anthropic: /^\/v1\/messages$/, openai: /^\/v1\/chat\/completions$/, responses: /^\/v1\/responses$/,
  gemini: /^\/v1(?:beta)?\/models\/gemini-3\.8-flash:(generateContent|streamGenerateContent)$/, codex: /^\/responses$/, kiro: /^\/generateAssistantResponse$/,
};
const PIECE = 53;

/** Headers that only another vendor's protocol has. */
const FOREIGN = {
  anthropic: /^(x-goog-|openai-)/, openai: /^(x-goog-|anthropic-|x-api-key$)/, responses: /^(x-goog-|anthropic-|x-api-key$)/, gemini: /^(anthropic-|openai-|x-api-key$|authorization$)/,
  codex: /^(x-goog-|anthropic-|x-api-key$)/, kiro: /^(x-goog-|openai-|anthropic-|x-api-key$)/,
};

function remember(script, protocol, answer, response) {
  for (const part of answer.parts) {
    if (part.proof) script.issued.set(part.proof, part.thought);
    if (part.signature) script.issued.set(part.signature, part.call ? part.call.id ?? part.call.name : part.text);
  }
  if (protocol !== 'responses') return;
  const output = response.output ?? [];
  for (const item of output) script.issued.set(item.id, item);
  script.stored.set(response.id, output.filter((item) => item.type === 'function_call').map((item) => item.call_id));
}

async function answerTo(script, { protocol, body, headers, path, query }, response) {
  const request = protocol === 'anthropic' ? wholeThread(body, script) : body;
  const verb = PATHS[protocol].exec(path) ?? illegal(path, 'no such path');
  const strange = Object.keys(headers).find((name) => FOREIGN[protocol].test(name));
  if (strange) illegal(strange, 'a header of another protocol');
  const { translated, dialect, issued, stored } = script;
  LEGAL[protocol](request, { headers, issued, translated, stored, dialect });
  const index = script.requests.push({ protocol, request, said: READ[SPOKEN[protocol] ?? protocol](request) }) - 1;

  const answer = script.answer(index, script.requests[index]);
  const encode = ENCODE[protocol];
  if (answer.status) return send(response, answer.status, encode.error(answer.status, answer.message));
  const at = { model: MODELS[protocol], id: `${script.id}_${index}`, request, usage: request.stream_options?.include_usage };
  const whole = encode.whole(answer, at);
  remember(script, protocol, answer, whole);
  if (request.thread) script.stored.set(whole.id, { ...request, messages: [...request.messages, { role: 'assistant', content: whole.content.map(({ citations: _, ...block }) => block) }] });
  const streams = protocol === 'kiro' || (protocol === 'gemini' ? verb[1] === 'streamGenerateContent' : request.stream === true);
  if (!streams) return send(response, 200, whole);
  if (protocol === 'gemini' && !/(^|&)alt=sse\b/.test(query)) illegal('alt', 'a stream without alt=sse');
  const events = encode.events(answer, at);
  response.writeHead(200, { 'content-type': encode.type ?? 'text/event-stream; charset=utf-8' });
  const sent = answer.cut ? encode.torn?.(events, answer.cut) ?? events.slice(0, answer.cut) : events;
  const bytes = Buffer.concat(sent.map((event) => Buffer.from(event)));
  for (let from = 0; from < bytes.length && !response.destroyed; from += PIECE) {
    response.write(bytes.subarray(from, from + PIECE));
    await tick();
  }
  response.end();
}

function send(response, status, body) {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
}

/**
 * Starts one on a free loopback port. The caller sets `script` before each conversation:
 * {id, translated, dialect?, issued: Map, stored: Map, requests: [], faults: [], answer(index, {request, said})}.
 */
export async function startUpstream(protocol) {
  const upstream = { protocol, script: null };
  const server = createServer((message, response) => {
    const pieces = [];
    message.on('error', () => {});
    response.on('error', () => {});
    message.on('data', (piece) => pieces.push(piece));
    message.on('end', async () => {
      const { script } = upstream;
      const body = Buffer.concat(pieces).toString('utf8');
      try {
        const [path, query = ''] = message.url.split('?');
        await answerTo(script, { protocol, body: JSON.parse(body), headers: message.headers, path, query }, response);
      } catch (error) {
        const why = error instanceof Illegal ? error.message : `the fake upstream failed: ${error.stack}`;
        script?.faults.push({ why, body });
        if (response.headersSent) response.destroy();
        else send(response, 400, ENCODE[protocol].illegal?.() ?? ENCODE[protocol].error(400, `illegal request: ${why}`));
      }
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  upstream.url = `http://127.0.0.1:${server.address().port}`;
  upstream.close = () => { server.close(); server.closeAllConnections(); };
  return upstream;
}
