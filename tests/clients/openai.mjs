// The openai library: Chat Completions and Responses.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { SIGNATURES, TEXT, THOUGHT, TOOL_ARGS, TOOL_TEXT } from './answers.mjs';
import { RETRY_AFTER, digest, errorMessage } from './fake-upstream.mjs';
import { assertBytes, assertKeys, failure } from './harness.mjs';
import { CLIENT_KEY, PROMPT, TOOL_RESULT, mapped, upstreamKey } from './setup.mjs';

const parameters = { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } }, required: ['city', 'unit'], additionalProperties: false };
const chatTools = [{ type: 'function', function: { name: 'get_weather', description: 'Weather by city', parameters } }];
const responsesTools = [{ type: 'function', name: 'get_weather', description: 'Weather by city', parameters, strict: true }];
const user = [{ role: 'user', content: PROMPT }];

export async function openaiRows(matrix, url) {
  const client = new OpenAI({ apiKey: CLIENT_KEY, baseURL: `${url}/v1`, maxRetries: 0 });
  await chatRows(matrix, client);
  await chatFailures(matrix, client, url);
  await responsesRows(matrix, client);
  await responsesFailures(matrix, client);
  await echoRows(matrix, client);
  await otherRows(matrix, client);
}

async function chatRows(matrix, client) {
  const row = (name, action) => matrix.row('openai chat', name, action);

  await row('create', async (seen) => {
    const answer = await client.chat.completions.create({ model: 'gpt-fake-text', messages: user, x_future_field: { a: [1, null] } });
    assert.equal(answer.choices[0].message.content, TEXT);
    assert.equal(answer.usage.total_tokens, 1299);
    assert.equal(seen.calls[0].headers.get('x-aiproxy-upstream'), 'fake-openai');
    assert.equal(seen.calls[0].headers.get('x-aiproxy-attempts'), '1');
    assert.ok(seen.calls[0].headers.get('x-aiproxy-request-id'));
    await assertBytes(seen, { model: 'gpt-fake-text' });
    assertKeys(seen, upstreamKey('openai'), CLIENT_KEY);
  });

  await row('create, stream, 37-byte pieces', async (seen) => {
    const stream = await client.chat.completions.create({ model: 'gpt-fake-text-chunked', messages: user, stream: true, stream_options: { include_usage: true } });
    let [text, finish, usage] = ['', null, null];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    assert.deepEqual([text, finish, usage.total_tokens], [TEXT, 'stop', 1299]);
    assert.match(seen.calls[0].headers.get('content-type'), /^text\/event-stream/);
    assert.equal(seen.calls[0].headers.get('content-encoding'), null);
    await assertBytes(seen, { model: 'gpt-fake-text-chunked' });
  });

  await row('tool call round trip', async (seen) => {
    const model = 'gpt-fake-tools';
    const first = await client.chat.completions.create({ model, messages: user, tools: chatTools });
    const { message } = first.choices[0];
    assert.equal(first.choices[0].finish_reason, 'tool_calls');
    assert.equal(message.reasoning_content, THOUGHT);
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), TOOL_ARGS);
    const second = await client.chat.completions.create({
      model, tools: chatTools, messages: [...user, message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: TOOL_RESULT }],
    });
    assert.equal(second.choices[0].message.content, `tool result ${digest(TOOL_RESULT)} received`);
    await assertBytes(seen, { model });
  });

  await row('stream helper, tool call round trip, mapped model', async (seen) => {
    const { client: model, upstream } = mapped('openai');
    const first = await client.chat.completions.stream({ model, messages: user, tools: chatTools }).finalChatCompletion();
    const { message } = first.choices[0];
    assert.deepEqual([message.content, first.choices[0].finish_reason], [TOOL_TEXT, 'tool_calls']);
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), TOOL_ARGS);
    const second = await client.chat.completions.stream({
      model, tools: chatTools, messages: [...user, { role: 'assistant', content: message.content, tool_calls: message.tool_calls }, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: TOOL_RESULT }],
    }).finalChatCompletion();
    assert.equal(second.choices[0].message.content, `tool result ${digest(TOOL_RESULT)} received`);
    await assertBytes(seen, { model, upstreamModel: upstream });
  });

  await row('echo, create and stream', async () => {
    const whole = await client.chat.completions.create({ model: 'echo', messages: [{ role: 'user', content: 'one two three' }] });
    assert.match(whole.choices[0].message.content, /one two three/);
    const streamed = await client.chat.completions.stream({ model: 'echo', messages: [{ role: 'user', content: 'one two three' }] }).finalChatCompletion();
    assert.match(streamed.choices[0].message.content, /one two three/);
  });
}

async function echoRows(matrix, client) {
  for (const [form, send] of [['create', (request) => client.chat.completions.create(request)], ['stream', (request) => client.chat.completions.stream(request).finalChatCompletion()]]) {
    await matrix.row('openai chat', `echo that calls a tool, ${form}`, async () => {
      const request = { model: 'echo-think-tool', messages: [{ role: 'user', content: 'Oslo' }], tools: chatTools };
      const [{ message, finish_reason }] = (await send(request)).choices;
      const [call] = message.tool_calls;
      assert.deepEqual([call.function.name, Object.keys(JSON.parse(call.function.arguments)).sort(), finish_reason], ['get_weather', ['city', 'unit'], 'tool_calls']);
      const second = await send({ ...request, messages: [...request.messages, { role: 'assistant', content: message.content, tool_calls: message.tool_calls }, { role: 'tool', tool_call_id: call.id, content: 'twelve degrees' }] });
      assert.match(second.choices[0].message.content, /twelve degrees/);
    });
  }
  for (const [form, send] of [['create', (request) => client.responses.create(request)], ['stream', (request) => client.responses.stream(request).finalResponse()]]) {
    await matrix.row('openai responses', `echo that thinks and calls a tool, ${form}`, async () => {
      const request = { model: 'echo-think-tool', input: [{ role: 'user', content: 'Oslo' }], tools: responsesTools, reasoning: { summary: 'auto' } };
      const first = await send(request);
      const call = first.output.at(-1);
      assert.deepEqual([first.output[0].type, call.type, call.name, Object.keys(JSON.parse(call.arguments)).sort()], ['reasoning', 'function_call', 'get_weather', ['city', 'unit']]);
      const { call_id, name, arguments: args } = call;
      const second = await send({ ...request, input: [...request.input, { type: 'function_call', call_id, name, arguments: args }, { type: 'function_call_output', call_id, output: 'twelve degrees' }] });
      assert.match(second.output_text, /twelve degrees/);
    });
  }
}

async function chatFailures(matrix, client, url) {
  const row = (name, action) => matrix.row('openai chat', name, action);
  const create = (model, options = {}) => client.chat.completions.create({ model, messages: user, ...options });

  await row('400 unchanged', async (seen) => {
    const error = await failure(() => create('gpt-error-400'));
    assert.deepEqual([error.status, error.error.message], [400, errorMessage(400)]);
    await assertBytes(seen, { model: 'gpt-error-400' });
  });
  await row('429 with retry-after', async () => {
    const error = await failure(() => create('limited-openai-error-429'));
    assert.deepEqual([error.status, error.error.message], [429, errorMessage(429)]);
    const seconds = Number(error.headers.get('retry-after'));
    assert.ok(seconds > 0 && seconds <= Number(RETRY_AFTER), `retry-after is ${error.headers.get('retry-after')}`);
  });
  await row('500', async () => {
    const error = await failure(() => create('gpt-error-500'));
    assert.deepEqual([error.status, error.error.message], [500, errorMessage(500)]);
  });
  await row("the upstream's 401 does not blame the client", async () => {
    const error = await failure(() => create('refused-openai-error-401'));
    assert.equal(error.status, 500);
    assert.equal(error.headers.get('x-should-retry'), 'false');
    assert.match(error.message, /refused-openai/);
  });
  await row('unknown model: 404', async () => {
    const error = await failure(() => create('nobody-has-this'));
    assert.deepEqual([error.status, error.code, error.headers.get('x-should-retry')], [404, 'model_not_found', 'false']);
  });
  await row('wrong key: 401', async ({ fake }) => {
    const other = new OpenAI({ apiKey: 'sk-fake-wrong', baseURL: `${url}/v1`, maxRetries: 0 });
    const error = await failure(() => other.chat.completions.create({ model: 'gpt-fake-text', messages: user }));
    assert.deepEqual([error.status, error.headers.get('x-should-retry'), fake.requests.length], [401, 'false', 0]);
  });
  await row('stream that begins with an error: a status', async (seen) => {
    const error = await failure(() => create('gpt-fake-first-error', { stream: true }));
    assert.ok(error.status >= 500 && error.status < 600, `status is ${error.status}`);
    assert.notEqual(seen.calls[0].status, 200);
  });
  for (const fault of ['cut', 'eof']) {
    await row(`stream that breaks (${fault}): an error after the words`, async () => {
      let text = '';
      const error = await failure(async () => {
        for await (const chunk of await create(`gpt-fake-${fault}`, { stream: true })) text += chunk.choices[0]?.delta.content ?? '';
        return text;
      });
      assert.ok(text.length > 0 && TEXT.startsWith(text), `text is ${JSON.stringify(text)}`);
      assert.ok(error instanceof OpenAI.APIError && error.error?.message, 'no error chunk');
    });
  }
}

async function responsesRows(matrix, client) {
  const row = (name, action) => matrix.row('openai responses', name, action);

  await row('create', async (seen) => {
    const answer = await client.responses.create({ model: 'resp-fake-text', input: PROMPT, store: false });
    assert.deepEqual([answer.output_text, answer.status, answer.usage.total_tokens], [TEXT, 'completed', 1299]);
    await assertBytes(seen, { model: 'resp-fake-text' });
    assertKeys(seen, upstreamKey('responses'), CLIENT_KEY);
  });

  await row('create, stream, 37-byte pieces', async (seen) => {
    const stream = await client.responses.create({ model: 'resp-fake-text-chunked', input: PROMPT, stream: true });
    let [text, last] = ['', null];
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') text += event.delta;
      last = event;
    }
    assert.deepEqual([text, last.type], [TEXT, 'response.completed']);
    await assertBytes(seen, { model: 'resp-fake-text-chunked' });
  });

  await row('tool call round trip', async (seen) => {
    const model = 'resp-fake-tools';
    const first = await client.responses.create({ model, input: user, tools: responsesTools, include: ['reasoning.encrypted_content'] });
    assert.deepEqual(first.output.map((item) => item.type), ['reasoning', 'message', 'function_call']);
    const second = await client.responses.create({
      model, tools: responsesTools, input: [...user, ...first.output, { type: 'function_call_output', call_id: first.output[2].call_id, output: TOOL_RESULT }],
    });
    assert.equal(second.output_text, `tool result ${digest(TOOL_RESULT)} received`);
    assert.equal(seen.fake.requests[1].json.input[1].encrypted_content, SIGNATURES.responses);
    await assertBytes(seen, { model });
  });

  await row('stream helper, tool call round trip, mapped model', async (seen) => {
    const { client: model, upstream } = mapped('responses');
    const first = await client.responses.stream({ model, input: user, tools: responsesTools }).finalResponse();
    assert.equal(first.output_text, TOOL_TEXT);
    assert.equal(first.output[0].summary[0].text, THOUGHT);
    assert.deepEqual(JSON.parse(first.output[2].arguments), TOOL_ARGS);
    const second = await client.responses.stream({
      model, tools: responsesTools, input: [...user, { type: 'function_call', call_id: first.output[2].call_id, name: 'get_weather', arguments: first.output[2].arguments }, { type: 'function_call_output', call_id: first.output[2].call_id, output: TOOL_RESULT }],
    }).finalResponse();
    assert.equal(second.output_text, `tool result ${digest(TOOL_RESULT)} received`);
    await assertBytes(seen, { model, upstreamModel: upstream });
  });

  await row('echo, create and stream', async () => {
    const whole = await client.responses.create({ model: 'echo', input: 'one two three' });
    assert.match(whole.output_text, /one two three/);
    const streamed = await client.responses.stream({ model: 'echo', input: 'one two three' }).finalResponse();
    assert.match(streamed.output_text, /one two three/);
  });
}

async function responsesFailures(matrix, client) {
  const row = (name, action) => matrix.row('openai responses', name, action);
  const create = (model, options = {}) => client.responses.create({ model, input: PROMPT, ...options });

  await row('400 unchanged', async (seen) => {
    const error = await failure(() => create('resp-error-400'));
    assert.deepEqual([error.status, error.error.message], [400, errorMessage(400)]);
    await assertBytes(seen, { model: 'resp-error-400' });
  });
  await row('429 with retry-after', async () => {
    const error = await failure(() => create('limited-responses-error-429'));
    assert.deepEqual([error.status, error.error.message], [429, errorMessage(429)]);
    assert.ok(Number(error.headers.get('retry-after')) > 0);
  });
  await row('stream that begins with an error: a status', async (seen) => {
    const error = await failure(() => create('resp-fake-first-error', { stream: true }));
    assert.ok(error.status >= 500 && error.status < 600, `status is ${error.status}`);
    assert.notEqual(seen.calls[0].status, 200);
  });
  for (const fault of ['cut', 'eof']) {
    await row(`stream that breaks (${fault}): response.failed after the words`, async () => {
      let [text, last] = ['', null];
      for await (const event of await create(`resp-fake-${fault}`, { stream: true })) {
        if (event.type === 'response.output_text.delta') text += event.delta;
        last = event;
      }
      assert.ok(text.length > 0 && TEXT.startsWith(text), `text is ${JSON.stringify(text)}`);
      assert.deepEqual([last.type, last.response.status, last.response.id], ['response.failed', 'failed', 'resp_Demo']);
      assert.ok(last.response.error.code && last.response.error.message);
    });
    await row(`stream helper, stream that breaks (${fault})`, async () => {
      const final = await client.responses.stream({ model: `resp-fake-${fault}`, input: PROMPT }).finalResponse();
      assert.equal(final.status, 'failed');
    });
  }
}

async function otherRows(matrix, client) {
  const row = (name, action) => matrix.row('openai', name, action);

  await row('responses.inputTokens.count', async () => {
    const count = await client.responses.inputTokens.count({ model: 'resp-fake-text', input: PROMPT });
    assert.equal(count.input_tokens, 31);
  });
  await row('models.list', async () => {
    const ids = [];
    for await (const model of client.models.list()) {
      assert.equal(model.object, 'model');
      ids.push(model.id);
    }
    for (const id of ['gpt-fake-text', 'claude-fake-text', 'resp-fake-text', 'gemini-fake-text', 'echo', 'gpt-mapped']) assert.ok(ids.includes(id), `${id} is missing in ${ids}`);
    assert.equal(new Set(ids).size, ids.length, 'an id appears twice');
  });
  await row('models.retrieve', async () => {
    assert.equal((await client.models.retrieve('gpt-fake-text')).id, 'gpt-fake-text');
    assert.equal((await failure(() => client.models.retrieve('nobody-has-this'))).status, 404);
  });
}
