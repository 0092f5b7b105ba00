// An upstream of one protocol on a loopback port whose model follows a script: it calls the tools of the job's steps one turn after the other
// and ends with a text. Requests that do not offer the job's tools are a tool's side calls (titles, routing): they get a short text, or JSON when they ask for it.
import { createServer } from 'node:http';
import { setImmediate as tick } from 'node:timers/promises';
import { PROTOCOLS } from '../clients/answers.mjs';
import { digest } from '../clients/fake-upstream.mjs';
import { judge } from './judge.mjs';
import { READ, flat, valueFor } from './reading.mjs';
import { callEvents, textEvents, wholeCalls, wholeText } from './turns.mjs';

/** A tool that goes round in circles is cut off. */
const REQUEST_LIMIT = 40;
/** What the model says in the end: only who saw every result can say it. */
export const FINAL = (results) => `All done \u2014 ${digest(JSON.stringify(results.flat().map(({ text }) => text)))} \u{1F326}`;
export const SIDE_TEXT = 'Write done.txt';

/** What a POST asks of the model: `{protocol, verb, model}`. */
function route(path) {
  if (path === '/v1/messages') return { protocol: 'anthropic', verb: 'generate' };
  if (path === '/v1/messages/count_tokens') return { protocol: 'anthropic', verb: 'count', answer: { input_tokens: 31 } };
  if (path === '/v1/chat/completions') return { protocol: 'openai', verb: 'generate' };
  if (path === '/v1/responses') return { protocol: 'responses', verb: 'generate' };
  const gemini = /^\/v1beta\/models\/([^:/]+):(\w+)$/.exec(path);
  if (!gemini) return null;
  const verb = { generateContent: 'generate', streamGenerateContent: 'stream', countTokens: 'count' }[gemini[2]];
  return verb ? { protocol: 'gemini', verb, model: decodeURIComponent(gemini[1]), answer: { totalTokens: 31 } } : null;
}

/** Which turn of the script a request asks for, and what the tools said so far. Where a tool drops the ids of calls, their order tells. */
function standing(job, protocol, body) {
  const results = READ[protocol].results(body);
  let place = 0;
  const done = job.steps.map((step, index) => step.map((_, number) => (job.dropsIds ? results[place++] : results.find(({ id }) => id === callId(job, index, number)))));
  const turn = done.findIndex((step) => step.some((result) => !result));
  return { done, turn: turn < 0 ? job.steps.length : turn };
}

/** Ids that every protocol takes. */
const callId = (job, step, number) => `call_${job.tag}_${step}_${number}`;

async function stream(response, events) {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  for (const event of events) {
    if (response.destroyed) return;
    response.write(event);
    await tick();
  }
  response.end();
}

function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function answer(protocol, job, entry, call, response) {
  const body = JSON.parse(entry.body);
  Object.assign(entry, { json: body, verb: call.verb, model: call.model ?? body.model });
  if (call.verb === 'count') { entry.side = true; return sendJson(response, 200, call.answer); }

  entry.faults = job.foreign ? judge(protocol, body) : [];
  if (entry.faults.length) return sendJson(response, 400, PROTOCOLS[protocol].error(400, `not legal here: ${entry.faults.join('; ')}`));

  const offered = READ[protocol].tools(body);
  const streams = call.verb === 'stream' || body.stream === true;
  const wanted = job.steps.flat().filter(({ isLate }) => !isLate).map(({ namespace, name }) => flat(namespace, name));
  const calls = READ[protocol].calls(body);
  if (!wanted.every((name) => offered.includes(name))) {
    entry.side = true;
    const schema = READ[protocol].schema(body);
    const text = schema ? JSON.stringify(valueFor(schema)) : SIDE_TEXT;
    return streams ? stream(response, textEvents(protocol, entry.model, 'Side', text)) : sendJson(response, 200, wholeText(protocol, entry.model, 'Side', text));
  }

  const { turn, done } = standing(job, protocol, body);
  Object.assign(entry, { turn, calls, results: done });
  if (turn === job.steps.length) {
    const text = FINAL(done);
    return streams ? stream(response, textEvents(protocol, entry.model, turn, text)) : sendJson(response, 200, wholeText(protocol, entry.model, turn, text));
  }
  for (const { name, isLate } of job.steps[turn]) if (isLate && !offered.includes(name)) entry.fault = new Error(`${name} is not among the tools now`);
  const made = job.steps[turn].map((step, number) => ({ ...step, id: callId(job, turn, number), name: protocol === 'responses' ? step.name : flat(step.namespace, step.name) }));
  return streams ? stream(response, callEvents(protocol, entry.model, turn, made)) : sendJson(response, 200, wholeCalls(protocol, entry.model, turn, made));
}

/**
 * Starts the model. `requests` holds what came, in order. 
 * `job`: `{tag, steps: [[{name, args, kind, namespace, expect, isLate}, ...], ...], foreign, dropsIds}`; `tag` is part of the calls' ids; a step's calls go out in one turn; `expect` = what a
 * result holds; `isLate` = a tool that is not offered from the start; `foreign` = aiproxy translates.
 */
export async function startModel(protocol, job) {
  const requests = [];
  const server = createServer((request, response) => {
    const pieces = [];
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', async () => {
      const entry = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(pieces).toString('utf8') };
      requests.push(entry);
      const call = request.method === 'POST' ? route(request.url.split('?')[0]) : null;
      try {
        if (requests.length > REQUEST_LIMIT) return response.destroy();
        if (call?.protocol === protocol) await answer(protocol, job, entry, call, response);
        else { entry.stray = true; sendJson(response, 404, PROTOCOLS[protocol].error(404, `no such path: ${request.method} ${request.url}`)); }
      } catch (fault) {
        entry.fault = fault;
        response.destroy();
      }
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}
