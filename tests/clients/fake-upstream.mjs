// An upstream of all four protocols on a loopback port. The model name decides what it does:
//   ...tools...     thinking, text and a tool call; plain text once the last turn is a tool result
//   ...chunked...   a stream is written in pieces of 37 bytes
//   ...error-NNN... HTTP status NNN with the protocol's error body
//   ...first-error  a 200 whose stream begins with an error
//   ...cut          a stream whose connection breaks after the first words
//   ...eof          a stream that ends cleanly but without its terminal event
// Run by itself it prints its address and serves until it is stopped.
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { setImmediate as tick, setTimeout as delay } from 'node:timers/promises';
import { PROTOCOLS, TEXT, lastToolResult } from './answers.mjs';

const PIECE = 37;
export const RETRY_AFTER = '7';
export const digest = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16);
export const errorMessage = (status) => `fake upstream says ${status}: nothing to see here`;

/** Which call a path is: protocol, verb and, for Gemini, the model. */
function route(path) {
  if (path === '/v1/messages') return { protocol: 'anthropic', verb: 'generate' };
  if (path === '/v1/messages/count_tokens') return { protocol: 'anthropic', verb: 'count' };
  if (path === '/v1/chat/completions') return { protocol: 'openai', verb: 'generate' };
  if (path === '/v1/responses') return { protocol: 'responses', verb: 'generate' };
  if (path === '/v1/responses/input_tokens') return { protocol: 'responses', verb: 'count' };
  const gemini = /^\/v1(?:beta)?\/models\/([^:]+):(\w+)$/.exec(path);
  if (!gemini) return null;
  const verb = { generateContent: 'generate', streamGenerateContent: 'stream', countTokens: 'count' }[gemini[2]];
  return verb ? { protocol: 'gemini', verb, model: decodeURIComponent(gemini[1]) } : null;
}

const COUNTS = {
  anthropic: { input_tokens: 31 }, responses: { object: 'response.input_tokens', input_tokens: 31 }, gemini: { totalTokens: 31 },
};

async function writePieces(response, bytes, size) {
  for (let at = 0; at < bytes.length && !response.destroyed; at += size) {
    response.write(bytes.subarray(at, at + size));
    await tick();
  }
}

const STREAM_HEADERS = { 'request-id': 'req_fakeupstream', 'x-request-id': 'req_fakeupstream' };

/** Writes a stream as the model name asks; returns what was written. */
async function stream(response, model, events, contentType = 'text/event-stream; charset=utf-8') {
  response.writeHead(200, { 'content-type': contentType, ...STREAM_HEADERS });
  const breaks = /cut|eof/.test(model);
  if (breaks) events = events.slice(0, 5);
  const bytes = Buffer.from(events.join(''));
  if (model.includes('chunked')) {
    await writePieces(response, bytes, PIECE);
  } else {
    for (const [index, event] of events.entries()) {
      // What is broken has begun before: the last event comes alone, and with `eof` together with the end.
      if (breaks && index === events.length - 1) await delay(100);
      response.write(event);
      if (!breaks) await tick();
    }
  }
  if (model.includes('cut')) {
    // A reset overtakes what is still queued.
    await delay(200);
    response.socket?.resetAndDestroy();
  } else response.end();
  return bytes;
}

/** Google's answer to a call without `alt=sse`: one JSON array. */
const arrayOf = (events) => events.map((event, index) =>
  (index === 0 ? '[' : ',\r\n') + JSON.stringify(JSON.parse(event.slice('data: '.length)), null, 2) + (index === events.length - 1 ? ']\n' : ''));

function sendJson(response, status, body) {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length, 'request-id': 'req_fakeupstream', 'x-request-id': 'req_fakeupstream' };
  if (status === 429) headers['retry-after'] = RETRY_AFTER;
  response.writeHead(status, headers).end(bytes);
  return bytes;
}

async function answer(call, entry, response) {
  const body = JSON.parse(entry.body.toString('utf8'));
  const model = call.model ?? body.model;
  const protocol = PROTOCOLS[call.protocol];
  Object.assign(entry, { protocol: call.protocol, model, json: body });

  const status = Number(/error-(\d{3})/.exec(model)?.[1] ?? 0);
  if (status) return sendJson(response, status, protocol.error(status, errorMessage(status)));
  if (call.verb === 'count') return sendJson(response, 200, COUNTS[call.protocol]);

  const result = lastToolResult(call.protocol, body);
  const kind = model.includes('tools') && result === null ? 'tools' : 'text';
  const text = result === null ? TEXT : `tool result ${digest(result)} received`;
  const streams = call.verb === 'stream' || body.stream === true;
  if (!streams) return sendJson(response, 200, protocol.whole(kind, model, text));
  if (model.includes('first-error')) return stream(response, model, [protocol.errorEvent(529, errorMessage(529))]);
  const events = protocol.events(kind, model, text);
  if (call.verb === 'stream' && !/[?&]alt=sse\b/.test(entry.url)) return stream(response, model, arrayOf(events), 'application/json; charset=UTF-8');
  return stream(response, model, events);
}

/**
 * Starts the server on a free loopback port.
 * `requests` holds what came, in order: method, url, headers, body bytes, and as `sent` a promise of the body bytes answered.
 */
export async function startFake() {
  const requests = [];
  const server = createServer((request, response) => {
    const pieces = [];
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const entry = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(pieces) };
      requests.push(entry);
      const call = route(request.url.split('?')[0]);
      entry.sent = call && request.method === 'POST'
        ? answer(call, entry, response).catch((error) => { entry.fault = error; response.destroy(); return Buffer.alloc(0); })
        : Promise.resolve(sendJson(response, 404, { error: { message: `no such path: ${request.url}` } }));
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

if (process.argv[1] && import.meta.url === new URL(process.argv[1], 'file://').href) {
  console.log((await startFake()).url);
}
