// The @google/genai library.
import assert from 'node:assert/strict';
import { ApiError, GoogleGenAI } from '@google/genai';
import { SIGNATURES, TEXT, THOUGHT, TOOL_ARGS, TOOL_TEXT } from './answers.mjs';
import { digest, errorMessage } from './fake-upstream.mjs';
import { assertBytes, assertKeys, failure } from './harness.mjs';
import { CLIENT_KEY, PROMPT, TOOL_RESULT, mapped, upstreamKey } from './setup.mjs';

const parametersJsonSchema = { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } }, required: ['city', 'unit'] };
const config = { tools: [{ functionDeclarations: [{ name: 'get_weather', description: 'Weather by city', parametersJsonSchema }] }], thinkingConfig: { includeThoughts: true } };
const response = (call) => ({ functionResponse: { id: call.id, name: call.name, response: { output: TOOL_RESULT } } });

async function collect(stream) {
  const parts = [];
  let finish = null;
  for await (const chunk of stream) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    finish = chunk.candidates?.[0]?.finishReason ?? finish;
  }
  return { parts, finish, text: parts.filter((part) => part.text && !part.thought).map((part) => part.text).join('') };
}

export async function genaiRows(matrix, url) {
  for (const apiVersion of ['v1', 'v1beta']) {
    const ai = new GoogleGenAI({ apiKey: CLIENT_KEY, httpOptions: { baseUrl: url, apiVersion } });
    await contentRows(matrix, ai, apiVersion);
  }
  const ai = new GoogleGenAI({ apiKey: CLIENT_KEY, httpOptions: { baseUrl: url } });
  await chatRows(matrix, ai);
  await echoRows(matrix, ai);
  await otherRows(matrix, ai, url);
  await failureRows(matrix, ai, url);
}

async function contentRows(matrix, ai, version) {
  const row = (name, action) => matrix.row('genai', `${name} (${version})`, action);

  await row('generateContent', async (seen) => {
    const answer = await ai.models.generateContent({ model: 'gemini-fake-text', contents: PROMPT });
    assert.deepEqual([answer.text, answer.usageMetadata.totalTokenCount], [TEXT, 1299]);
    assert.equal(seen.calls[0].headers.get('x-aiproxy-upstream'), 'fake-gemini');
    await assertBytes(seen, { model: 'gemini-fake-text' });
    assertKeys(seen, upstreamKey('gemini'), CLIENT_KEY);
  });
  await row('generateContentStream, 37-byte pieces', async (seen) => {
    const answer = await collect(await ai.models.generateContentStream({ model: 'gemini-fake-text-chunked', contents: PROMPT }));
    assert.deepEqual([answer.text, answer.finish], [TEXT, 'STOP']);
    await assertBytes(seen, { model: 'gemini-fake-text-chunked' });
  });
  await row('generateContentStream, tools, mapped model', async (seen) => {
    const { client: model, upstream } = mapped('gemini');
    const answer = await collect(await ai.models.generateContentStream({ model, contents: PROMPT, config }));
    assert.deepEqual(answer.parts.find((part) => part.functionCall).functionCall.args, TOOL_ARGS);
    assert.equal(seen.fake.requests[0].model, upstream);
    await assertBytes(seen, { model, upstreamModel: upstream });
  });
}

async function chatRows(matrix, ai) {
  const row = (name, action) => matrix.row('genai', name, action);

  await row('chats.sendMessage, tool call round trip', async (seen) => {
    const chat = ai.chats.create({ model: 'gemini-fake-tools', config });
    const first = await chat.sendMessage({ message: PROMPT });
    assert.equal(first.candidates[0].content.parts[0].text, THOUGHT);
    const [call] = first.functionCalls;
    assert.deepEqual(call.args, TOOL_ARGS);
    const second = await chat.sendMessage({ message: [response(call)] });
    assert.equal(second.text, `tool result ${digest(TOOL_RESULT)} received`);
    assert.equal(seen.fake.requests[1].json.contents[1].parts[2].thoughtSignature, SIGNATURES.gemini);
    await assertBytes(seen, { model: 'gemini-fake-tools' });
  });
  await row('chats.sendMessageStream, tool call round trip', async (seen) => {
    const chat = ai.chats.create({ model: 'gemini-fake-tools-chunked', config });
    const first = await collect(await chat.sendMessageStream({ message: PROMPT }));
    assert.equal(first.text, TOOL_TEXT);
    const call = first.parts.find((part) => part.functionCall).functionCall;
    const second = await collect(await chat.sendMessageStream({ message: [response(call)] }));
    assert.equal(second.text, `tool result ${digest(TOOL_RESULT)} received`);
    assert.match(JSON.stringify(seen.fake.requests[1].json.contents), new RegExp(SIGNATURES.gemini));
    await assertBytes(seen, { model: 'gemini-fake-tools-chunked' });
  });
  await row('echo, generateContent and stream', async () => {
    const whole = await ai.models.generateContent({ model: 'echo', contents: 'one two three' });
    assert.match(whole.text, /one two three/);
    const streamed = await collect(await ai.models.generateContentStream({ model: 'echo', contents: 'one two three' }));
    assert.match(streamed.text, /one two three/);
    assert.equal(streamed.finish, 'STOP');
  });
}

async function echoRows(matrix, ai) {
  for (const [form, call] of [['generateContent', (request) => ai.models.generateContent(request).then((whole) => collect([whole]))],
    ['stream', (request) => ai.models.generateContentStream(request).then(collect)]]) {
    await matrix.row('genai', `echo that thinks and calls a tool, ${form}`, async () => {
      const { parts, finish } = await call({ model: 'echo-think-tool', contents: 'Oslo', config });
      assert.ok(parts.some((part) => part.thought && part.text), 'no thought');
      const called = parts.find((part) => part.functionCall)?.functionCall;
      assert.deepEqual([called?.name, Object.keys(called?.args ?? {}).sort(), finish], ['get_weather', ['city', 'unit'], 'STOP']);
      const answer = await call({
        model: 'echo-think-tool', config,
        contents: [{ role: 'user', parts: [{ text: 'Oslo' }] }, { role: 'model', parts }, { role: 'user', parts: [{ functionResponse: { id: called.id, name: called.name, response: { output: 'twelve degrees' } } }] }],
      });
      assert.match(answer.text, /twelve degrees/);
    });
  }
}

async function otherRows(matrix, ai, url) {
  const row = (name, action) => matrix.row('genai', name, action);

  await row('countTokens', async (seen) => {
    assert.equal((await ai.models.countTokens({ model: 'gemini-fake-text', contents: PROMPT })).totalTokens, 31);
    await assertBytes(seen, { model: 'gemini-fake-text' });
  });
  await row('countTokens, echo: an estimate', async (seen) => {
    assert.ok((await ai.models.countTokens({ model: 'echo', contents: PROMPT })).totalTokens > 0);
    assert.equal(seen.calls[0].headers.get('x-aiproxy-estimated'), 'true');
  });
  await row('models.list', async () => {
    const names = [];
    for await (const model of await ai.models.list()) names.push(model.name);
    assert.ok(names.includes('models/gemini-fake-text') && names.includes('models/echo'), `names are ${names}`);
  });
  await row('models.get', async () => {
    assert.equal((await ai.models.get({ model: 'gemini-fake-text' })).name, 'models/gemini-fake-text');
  });
  // Without alt=sse a stream is one JSON array, and stays one when it breaks.
  const arrayCall = async (model) => {
    const answer = await fetch(`${url}/v1beta/models/${model}:streamGenerateContent?key=${CLIENT_KEY}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ contents: [{ parts: [{ text: PROMPT }] }] }),
    });
    assert.match(answer.headers.get('content-type'), /^application\/json/);
    return answer.json();
  };
  await row('plain HTTP, ?key=, JSON array stream', async (seen) => {
    const chunks = await arrayCall('gemini-fake-text-chunked');
    assert.equal(chunks.map((chunk) => chunk.candidates[0].content.parts[0].text).join(''), TEXT);
    assertKeys(seen, upstreamKey('gemini'), CLIENT_KEY);
  });
  for (const fault of ['cut', 'eof']) {
    await row(`plain HTTP, JSON array stream that breaks (${fault})`, async () => {
      const chunks = await arrayCall(`gemini-fake-${fault}`);
      assert.ok(chunks.length > 1 && chunks[0].candidates, 'no words before the error');
      assert.ok(chunks.at(-1).error.code >= 500);
    });
  }
  await row('echo, JSON array stream', async () => {
    const chunks = await arrayCall('echo');
    assert.match(chunks.map((chunk) => chunk.candidates[0].content.parts[0].text ?? '').join(''), /What is the weather/);
  });
}

async function failureRows(matrix, ai, url) {
  const row = (name, action) => matrix.row('genai', name, action);
  const generate = (model) => ai.models.generateContent({ model, contents: PROMPT });

  await row('400 unchanged', async (seen) => {
    const error = await failure(() => generate('gemini-error-400'));
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 400);
    await assertBytes(seen, { model: 'gemini-error-400' });
  });
  await row('429 with RetryInfo', async () => {
    const error = await failure(() => generate('limited-gemini-error-429'));
    assert.equal(error.status, 429);
    const body = JSON.parse(error.message).error;
    assert.equal(body.message, errorMessage(429));
    assert.ok(body.details.some((detail) => /RetryInfo$/.test(detail['@type']) && /^\d+(\.\d+)?s$/.test(detail.retryDelay)), 'no RetryInfo');
  });
  await row('503', async () => {
    const error = await failure(() => generate('gemini-error-503'));
    assert.deepEqual([error.status, JSON.parse(error.message).error.message], [503, errorMessage(503)]);
  });
  await row("the upstream's 401 does not blame the client", async () => {
    const error = await failure(() => generate('refused-gemini-error-401'));
    assert.equal(error.status, 500);
    assert.match(error.message, /refused-gemini/);
  });
  await row('unknown model: 404', async () => {
    assert.equal((await failure(() => generate('nobody-has-this'))).status, 404);
  });
  await row('wrong key: 400 API_KEY_INVALID', async ({ fake }) => {
    const other = new GoogleGenAI({ apiKey: 'fake-wrong', httpOptions: { baseUrl: url } });
    const error = await failure(() => other.models.generateContent({ model: 'gemini-fake-text', contents: PROMPT }));
    assert.deepEqual([error.status, fake.requests.length], [400, 0]);
    assert.match(error.message, /API_KEY_INVALID/);
  });
  await row('stream that begins with an error: a status', async (seen) => {
    const error = await failure(async () => collect(await ai.models.generateContentStream({ model: 'gemini-fake-first-error', contents: PROMPT })));
    assert.equal(error.status, 503);
    assert.notEqual(seen.calls[0].status, 200);
  });
  for (const fault of ['cut', 'eof']) {
    await row(`stream that breaks (${fault}): a bare error after the words`, async () => {
      let text = '';
      const error = await failure(async () => {
        for await (const chunk of await ai.models.generateContentStream({ model: `gemini-fake-${fault}`, contents: PROMPT })) text += chunk.text ?? '';
        return text;
      });
      assert.ok(text.length > 0 && TEXT.startsWith(text), `text is ${JSON.stringify(text)}`);
      assert.ok(error instanceof ApiError && error.status >= 500, `not an ApiError but ${error}`);
    });
  }
}
