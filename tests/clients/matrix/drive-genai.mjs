// @google/genai: generateContent, its stream, and chats.
import { GoogleGenAI } from '@google/genai';

const STOPS = { STOP: 'end', MAX_TOKENS: 'length', SAFETY: 'refusal' };

const config = (want) => ({
  ...(want.system ? { systemInstruction: want.system } : {}),
  ...(want.tools ? { tools: [{ functionDeclarations: want.tools.map(({ name, description, schema }) => ({ name, description, parametersJsonSchema: schema })) }] } : {}),
  ...(want.think ? { thinkingConfig: { includeThoughts: true, thinkingLevel: want.think.toUpperCase() } } : {}),
  ...(want.schema ? { responseMimeType: 'application/json', responseJsonSchema: want.schema } : {}),
  ...(want.max ? { maxOutputTokens: want.max } : {}),
  ...(want.stops ? { stopSequences: want.stops } : {}),
  ...(want.force ? { toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [want.force] } } } : {}),
});
const userParts = ({ text, image }) => [{ text }, ...(image ? [{ inlineData: { mimeType: image.mime, data: image.data } }] : [])];
const resultParts = (pairs) => pairs.map(([{ id, name }, result]) => ({
  functionResponse: {
    ...(id ? { id } : {}), name, response: { output: result.text ?? result },
    ...(result.image ? { parts: [{ inlineData: { mimeType: result.image.mime, data: result.image.data } }] } : {}),
  },
}));

/** Chunks of one answer, one for a whole one. */
function read(chunks) {
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
  const finish = chunks.map((chunk) => chunk.candidates?.[0]?.finishReason).filter(Boolean);
  if (!finish.length) throw new Error('an answer without finishReason');
  const usage = chunks.map((chunk) => chunk.usageMetadata).filter(Boolean).at(-1);
  const calls = parts.filter((part) => part.functionCall).map(({ functionCall: { id, name, args } }) => ({ id, name, args: args ?? {} }));
  const all = (thought) => parts.filter((part) => part.text && Boolean(part.thought) === thought).map((part) => part.text).join('');
  const stop = STOPS[finish.at(-1)];
  return {
    parts, text: all(false), thought: all(true), calls, stop: stop === 'end' && calls.length ? 'tools' : stop,
    usage: usage && {
      input: usage.promptTokenCount, cached: usage.cachedContentTokenCount, output: usage.candidatesTokenCount + (usage.thoughtsTokenCount ?? 0), reasoning: usage.thoughtsTokenCount,
    },
  };
}
async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

class Content {
  constructor(genai, model, want, streams) {
    Object.assign(this, { genai, model, streams, contents: [], config: config(want) });
  }

  ask(content) { return this.#send(userParts(content)); }

  answer(pairs) { return this.#send(resultParts(pairs)); }

  async #send(parts) {
    this.contents.push({ role: 'user', parts });
    const request = { model: this.model, contents: this.contents, config: this.config };
    const answer = read(this.streams ? await collect(await this.genai.models.generateContentStream(request)) : [await this.genai.models.generateContent(request)]);
    this.contents.push({ role: 'model', parts: answer.parts });
    return answer;
  }
}

class Chat {
  constructor(genai, model, want, streams) {
    this.chat = genai.chats.create({ model, config: config(want) });
    this.streams = streams;
  }

  ask(content) { return this.#send(userParts(content)); }

  answer(pairs) { return this.#send(resultParts(pairs)); }

  async #send(message) {
    return read(this.streams ? await collect(await this.chat.sendMessageStream({ message })) : [await this.chat.sendMessage({ message })]);
  }
}

export function genaiDrivers(url, key) {
  const genai = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  const driver = (name, streams, Kind, only) => ({ name: `genai ${name}`, protocol: 'gemini', streams, only, start: (model, want) => new Kind(genai, model, want, streams) });
  return [
    driver('generateContent', false, Content), driver('generateContentStream', true, Content),
    driver('chats.sendMessage', false, Chat, ['text', 'tools', 'thinking', 'parallel']), driver('chats.sendMessageStream', true, Chat, ['text', 'tools', 'thinking', 'parallel']),
  ];
}
