// The frame of the client tests: a recording fetch, a clock for every call, the matrix and the sum.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';

const CALL_LIMIT_MS = 20_000;

/** Puts a recorder in front of fetch, which all three libraries use. `calls` gets url, body text and a promise of the answer's bytes. */
export function recordFetch() {
  const calls = [];
  const inner = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const call = { url: String(input?.url ?? input), body: typeof init?.body === 'string' ? init.body : undefined, init };
    calls.push(call);
    const response = await inner(input, init);
    call.status = response.status;
    call.headers = response.headers;
    // A broken connection rejects both the clone and the client's copy; only the client's matters here.
    call.answer = response.clone().arrayBuffer().then((bytes) => Buffer.from(bytes), () => null);
    return response;
  };
  return calls;
}

/** Runs rows one after the other and remembers how each went. */
export class Matrix {
  #rows = [];

  constructor(fake, calls, only) {
    this.fake = fake;
    this.calls = calls;
    this.only = only;
  }

  /** One cell. `action` gets an object with `exchanges()`, the client's calls since the row began beside what the upstream saw of them. */
  async row(client, name, action) {
    if (this.only && !`${client} ${name}`.includes(this.only)) return;
    this.fake.requests.length = 0;
    this.calls.length = 0;
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end after ${CALL_LIMIT_MS / 1000} s`)), CALL_LIMIT_MS);
    });
    let fault = null;
    try {
      await Promise.race([action({ fake: this.fake, calls: this.calls }), limit]);
    } catch (error) {
      fault = error ?? new Error('rejected with nothing');
    } finally {
      clearTimeout(timer);
    }
    this.#rows.push({ client, name, fault });
    console.log(`${client.padEnd(18)} ${name.padEnd(58)} ${fault ? 'FAIL' : 'ok'}`);
    if (fault) console.log(describe(fault));
  }

  get failed() { return this.#rows.filter((row) => row.fault).length; }
  get passed() { return this.#rows.length - this.failed; }
}

function describe(fault) {
  const text = fault.code === 'ERR_ASSERTION' ? fault.message : `${fault.name ?? 'Error'}: ${fault.message ?? inspect(fault)}${fault.cause ? ` (${fault.cause.message ?? fault.cause})` : ''}`;
  const at = /\((?:file:\/\/)?[^()]*?\/([\w-]+\.mjs:\d+:\d+)\)|at (?:file:\/\/)?\S*?\/((?:run|openai|anthropic|genai)[\w-]*\.mjs:\d+:\d+)/.exec(fault.stack ?? '');
  return `    ${text.slice(0, 1500).replaceAll('\n', '\n    ')}${at ? `\n    at ${at[1] ?? at[2]}` : ''}`;
}

/**
 * Every byte there and back: the upstream got what the client library sent, but for the model's name,
 * and the library got what the upstream sent.
 */
export async function assertBytes({ fake, calls }, { model, upstreamModel = model, answers = true }) {
  assert.equal(fake.requests.length, calls.length, 'one upstream request for one client request');
  for (const [index, call] of calls.entries()) {
    const seen = fake.requests[index];
    const expected = call.body.replace(`"model":${JSON.stringify(model)}`, `"model":${JSON.stringify(upstreamModel)}`);
    assert.equal(seen.body.toString('utf8'), expected, 'the request body changed on its way');
    if (!answers) continue;
    const [got, sent] = [await call.answer, await seen.sent];
    assert.equal(got?.toString('utf8'), sent.toString('utf8'), 'the answer changed on its way');
  }
}

/** The upstream sees its own key, the client's never. */
export function assertKeys({ fake }, upstreamKey, clientKey) {
  for (const { headers, url } of fake.requests) {
    const all = JSON.stringify(headers) + url;
    assert.ok(all.includes(upstreamKey), 'the upstream key is missing');
    assert.ok(!all.includes(clientKey), 'the client key reached the upstream');
  }
}

/** Awaits a failure and hands it out; a call that succeeds is the fault. */
export async function failure(action) {
  let value;
  try {
    value = await action();
  } catch (error) {
    return error;
  }
  assert.fail(`this call should have failed but gave ${inspect(value, { depth: 2 }).slice(0, 300)}`);
}
