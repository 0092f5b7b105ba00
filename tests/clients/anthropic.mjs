// The @anthropic-ai/sdk library.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { SIGNATURES, TEXT, THOUGHT, TOOL_ARGS, TOOL_TEXT } from './answers.mjs';
import { RETRY_AFTER, digest, errorMessage } from './fake-upstream.mjs';
import { assertBytes, assertKeys, failure } from './harness.mjs';
import { CLIENT_KEY, PROMPT, TOOL_RESULT, mapped, upstreamKey } from './setup.mjs';

const tools = [{
  name: 'get_weather', description: 'Weather by city',
  input_schema: { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } }, required: ['city', 'unit'] },
}];
const user = [{ role: 'user', content: PROMPT }];
const thinking = { type: 'enabled', budget_tokens: 1024 };
const textOf = (message) => message.content.filter((block) => block.type === 'text').map((block) => block.text).join('');

export async function anthropicRows(matrix, url) {
  const client = new Anthropic({ apiKey: CLIENT_KEY, baseURL: url, maxRetries: 0 });
  await credentialRows(matrix, url);
  await messageRows(matrix, client);
  await echoRows(matrix, client);
  await failureRows(matrix, client, url);
}

async function credentialRows(matrix, url) {
  const forms = {
    'Bearer': new Anthropic({ apiKey: CLIENT_KEY, baseURL: url, maxRetries: 0 }),
    'x-api-key': new Anthropic({ apiKey: null, authToken: null, defaultHeaders: { 'X-Api-Key': CLIENT_KEY }, baseURL: url, maxRetries: 0 }),
    'x-api-key and Bearer': new Anthropic({ apiKey: CLIENT_KEY, defaultHeaders: { 'X-Api-Key': CLIENT_KEY }, baseURL: url, maxRetries: 0 }),
    'Bearer, base URL with /v1': new Anthropic({ apiKey: CLIENT_KEY, baseURL: `${url}/v1`, maxRetries: 0 }),
  };
  for (const [form, client] of Object.entries(forms)) {
    await matrix.row('anthropic', `messages.create, ${form}`, async (seen) => {
      const message = await client.messages.create({ model: 'claude-fake-text', max_tokens: 100, messages: user });
      assert.deepEqual([textOf(message), message.stop_reason, message.usage.cache_read_input_tokens], [TEXT, 'end_turn', 1200]);
      const sent = new Headers(seen.calls[0].init.headers);
      assert.equal(sent.has('x-api-key'), form.startsWith('x-api-key'), 'the library sends another credential than this row is about');
      assert.equal(seen.calls[0].headers.get('x-aiproxy-upstream'), 'fake-anthropic');
      assert.equal(message._request_id, 'req_fakeupstream');
      await assertBytes(seen, { model: 'claude-fake-text' });
      assertKeys(seen, upstreamKey('anthropic'), CLIENT_KEY);
    });
  }
}

async function messageRows(matrix, client) {
  const row = (name, action) => matrix.row('anthropic', name, action);

  await row('messages.create, stream, 37-byte pieces', async (seen) => {
    let text = '';
    for await (const event of await client.messages.create({ model: 'claude-fake-text-chunked', max_tokens: 100, messages: user, stream: true })) {
      if (event.type === 'content_block_delta') text += event.delta.text;
    }
    assert.equal(text, TEXT);
    await assertBytes(seen, { model: 'claude-fake-text-chunked' });
  });

  await row('messages.stream().finalMessage()', async (seen) => {
    const message = await client.messages.stream({ model: 'claude-fake-text', max_tokens: 100, messages: user }).finalMessage();
    assert.deepEqual([textOf(message), message.stop_reason], [TEXT, 'end_turn']);
    assert.equal(seen.calls[0].headers.get('content-encoding'), null);
    await assertBytes(seen, { model: 'claude-fake-text' });
  });

  await row('thinking and tool call round trip', async (seen) => {
    const model = 'claude-fake-tools';
    const first = await client.messages.create({ model, max_tokens: 2000, thinking, tools, messages: user });
    await finishRoundTrip(seen, first, model, (request) => client.messages.create(request));
    await assertBytes(seen, { model });
  });

  await row('stream, thinking and tool call round trip, mapped model', async (seen) => {
    const { client: model, upstream } = mapped('anthropic');
    const first = await client.messages.stream({ model, max_tokens: 2000, thinking, tools, messages: user }).finalMessage();
    await finishRoundTrip(seen, first, model, (request) => client.messages.stream(request).finalMessage());
    await assertBytes(seen, { model, upstreamModel: upstream });
  });

  await row('unknown betas, headers and members pass', async (seen) => {
    await client.beta.messages.create(
      { model: 'claude-fake-text', max_tokens: 100, betas: ['future-2027-01-01', 'other-2027-02-02'], x_future: [1.0, '\u2028'],
        system: [{ type: 'text', text: 'x-anthropic-billing-header: cc_version=1;' }, { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        messages: [...user, { role: 'system', content: [{ type: 'text', text: 'Answer in Norwegian.' }] }] },
      { query: { beta: true }, headers: { 'anthropic-x': 'y', 'x-claude-code-session-id': '00000000-0000-0000-0000-000000000001' } },
    );
    const { headers, url } = seen.fake.requests[0];
    assert.match(headers['anthropic-beta'], /future-2027-01-01/);
    assert.match(headers['anthropic-beta'], /other-2027-02-02/);
    assert.deepEqual([headers['anthropic-x'], headers['x-claude-code-session-id']], ['y', '00000000-0000-0000-0000-000000000001']);
    assert.match(url, /^\/v1\/messages\?beta=true$/);
    assert.ok(headers['anthropic-version']);
    await assertBytes(seen, { model: 'claude-fake-text' });
  });

  await row('messages.countTokens', async (seen) => {
    const count = await client.messages.countTokens({ model: 'claude-fake-text', messages: user });
    assert.equal(count.input_tokens, 31);
    await assertBytes(seen, { model: 'claude-fake-text' });
  });
  await row('messages.countTokens, echo: an estimate', async (seen) => {
    const count = await client.messages.countTokens({ model: 'echo', messages: user });
    assert.ok(count.input_tokens > 0);
    assert.equal(seen.calls[0].headers.get('x-aiproxy-estimated'), 'true');
  });
  await row('models.list, models.retrieve', async () => {
    const ids = [];
    for await (const model of client.models.list({ limit: 1000 })) {
      assert.equal(model.type, 'model');
      assert.ok(model.display_name && !Number.isNaN(Date.parse(model.created_at)));
      ids.push(model.id);
    }
    assert.ok(ids.includes('claude-fake-text') && ids.includes('echo'), `ids are ${ids}`);
    assert.equal((await client.models.retrieve('claude-fake-text')).id, 'claude-fake-text');
  });
  await row('echo, create and stream', async () => {
    const request = { model: 'echo', max_tokens: 100, messages: [{ role: 'user', content: 'one two three' }] };
    assert.match(textOf(await client.messages.create(request)), /one two three/);
    assert.match(textOf(await client.messages.stream(request).finalMessage()), /one two three/);
  });
}

async function echoRows(matrix, client) {
  for (const [form, send] of [['create', (request) => client.messages.create(request)], ['stream', (request) => client.messages.stream(request).finalMessage()]]) {
    await matrix.row('anthropic', `echo that thinks and calls a tool, ${form}`, async () => {
      const request = { model: 'echo-think-tool', max_tokens: 2000, thinking, tools, messages: [{ role: 'user', content: 'Oslo' }] };
      const first = await send(request);
      const call = first.content.at(-1);
      assert.deepEqual([first.content[0].type, call.type, call.name, Object.keys(call.input).sort(), first.stop_reason], ['thinking', 'tool_use', 'get_weather', ['city', 'unit'], 'tool_use']);
      assert.ok(first.content[0].thinking.length > 0);
      const second = await send({
        ...request, messages: [...request.messages, { role: 'assistant', content: first.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'twelve degrees' }] }],
      });
      assert.match(textOf(second), /twelve degrees/);
      assert.equal(second.stop_reason, 'end_turn');
    });
  }
}

async function finishRoundTrip(seen, first, model, send) {
  const [thought, text, call] = first.content;
  assert.deepEqual([thought.thinking, thought.signature, text.text, call.name, call.input, first.stop_reason],
    [THOUGHT, SIGNATURES.anthropic, TOOL_TEXT, 'get_weather', TOOL_ARGS, 'tool_use']);
  const second = await send({
    model, max_tokens: 2000, thinking, tools,
    messages: [...user, { role: 'assistant', content: first.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: TOOL_RESULT }] }],
  });
  assert.equal(textOf(second), `tool result ${digest(TOOL_RESULT)} received`);
  assert.equal(seen.fake.requests[1].json.messages[1].content[0].signature, SIGNATURES.anthropic);
}

async function failureRows(matrix, client, url) {
  const row = (name, action) => matrix.row('anthropic', name, action);
  const create = (model, options = {}) => client.messages.create({ model, max_tokens: 100, messages: user, ...options });

  await row('400 unchanged, with its request-id', async (seen) => {
    const error = await failure(() => create('claude-error-400'));
    assert.deepEqual([error.status, error.requestID], [400, 'req_fakeupstream']);
    await assertBytes(seen, { model: 'claude-error-400' });
  });
  await row('429 with retry-after', async () => {
    const error = await failure(() => create('limited-anthropic-error-429'));
    assert.deepEqual([error.status, error.error.error.message], [429, errorMessage(429)]);
    const seconds = Number(error.headers.get('retry-after'));
    assert.ok(seconds > 0 && seconds <= Number(RETRY_AFTER), `retry-after is ${error.headers.get('retry-after')}`);
  });
  await row('529', async () => {
    const error = await failure(() => create('claude-error-529'));
    assert.deepEqual([error.status, error.error.error.type, error.error.error.message], [529, 'overloaded_error', errorMessage(529)]);
  });
  await row("the upstream's 401 does not blame the client", async () => {
    const error = await failure(() => create('refused-anthropic-error-401'));
    assert.deepEqual([error.status, error.headers.get('x-should-retry')], [500, 'false']);
    assert.match(error.message, /refused-anthropic/);
  });
  await row('unknown model: 404', async () => {
    const error = await failure(() => create('nobody-has-this'));
    assert.deepEqual([error.status, error.error.error.type, error.headers.get('x-should-retry')], [404, 'not_found_error', 'false']);
  });
  await row('wrong key: 401', async ({ fake }) => {
    const other = new Anthropic({ apiKey: 'sk-fake-wrong', baseURL: url, maxRetries: 0 });
    const error = await failure(() => other.messages.create({ model: 'claude-fake-text', max_tokens: 100, messages: user }));
    assert.deepEqual([error.status, error.error.error.type, error.headers.get('x-should-retry'), fake.requests.length], [401, 'authentication_error', 'false', 0]);
  });
  await row('stream that begins with an error: a status', async (seen) => {
    const error = await failure(() => create('claude-fake-first-error', { stream: true }));
    assert.equal(error.status, 529);
    assert.notEqual(seen.calls[0].status, 200);
  });
  for (const fault of ['cut', 'eof']) {
    await row(`stream that breaks (${fault}): event error after the words`, async () => {
      let text = '';
      const error = await failure(async () => {
        for await (const event of await create(`claude-fake-${fault}`, { stream: true })) text += event.delta?.text ?? '';
        return text;
      });
      assert.ok(text.length > 0 && TEXT.startsWith(text), `text is ${JSON.stringify(text)}`);
      assert.ok(error instanceof Anthropic.APIError && error.error?.type === 'error', `no error event but ${error}`);
    });
  }
}
