// One answer as AWS event-stream messages; see encode.mjs for what an answer is. The dialect has no whole answers and no stop reason.
import { USAGE, halves, pieces } from './encode.mjs';

/** Models that think in the text of their answer, for whoever asked with tags. */
export const TAGGED = 'claude-sonnet-4.5';
const THOUGHT_PIECE = 7;

const CRC = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
const crc32 = (bytes) => ~bytes.reduce((crc, byte) => CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8), 0xffffffff) >>> 0;
const uint32 = (value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; };
const uint16 = (value) => { const bytes = Buffer.alloc(2); bytes.writeUInt16BE(value); return bytes; };

const STRING = 7;
const header = (name, value) => Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([STRING]), uint16(Buffer.byteLength(value)), Buffer.from(value)]);

/** Length, length of the headers and their check sum; headers; payload; the check sum of all that. */
export function message(type, payload) {
  const headers = Buffer.concat([header(':event-type', type), header(':content-type', 'application/json'), header(':message-type', 'event')]);
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.concat([uint32(headers.length + body.length + 16), uint32(headers.length)]);
  const checked = Buffer.concat([prelude, uint32(crc32(prelude)), headers, body]);
  return Buffer.concat([checked, uint32(crc32(checked))]);
}

const system = ({ conversationState: { history = [] } }) => history[0]?.userInputMessage.content ?? '';
const spelled = (text) => [...text].reduce((all, letter, index) => {
  if (index % THOUGHT_PIECE) all[all.length - 1] += letter; else all.push(letter);
  return all;
}, []);

export const kiro = {
  type: 'application/vnd.amazon.eventstream',
  whole: () => ({}),
  /** Calls are announced one after the other; then their arguments come interleaved. */
  events({ parts }, { request }) {
    const { modelId } = request.conversationState.currentMessage.userInputMessage;
    const events = [message('initial-response', { conversationId: request.conversationState.conversationId })];
    const say = (content) => events.push(message('assistantResponseEvent', { content, modelId }));
    // A model that is asked for JSON in words puts a fence around it.
    const isFenced = system(request).includes('Answer with one JSON object only');
    for (const part of parts) {
      if (part.thought !== undefined && modelId === TAGGED) {
        spelled(`<thinking>\n${part.thought}\n</thinking>\n\n`).forEach(say);
      } else if (part.thought !== undefined) {
        for (const text of pieces(part.thought)) events.push(message('reasoningContentEvent', { text }));
        events.push(message('reasoningContentEvent', { signature: part.proof }));
      } else if (!part.call) {
        pieces(isFenced ? `\`\`\`json\n${part.text}\n\`\`\`` : part.text).forEach(say);
      }
    }
    const calls = parts.filter((part) => part.call).map((part) => part.call);
    const use = ({ id, name }, more) => events.push(message('toolUseEvent', { toolUseId: id, name, ...more }));
    for (const call of calls) use(call, {});
    for (const half of [0, 1]) for (const call of calls) use(call, { input: halves(call.args)[half] });
    for (const call of calls) use(call, { stop: true });
    const { input, cached, output } = USAGE;
    events.push(message('messageMetadataEvent', { conversationId: request.conversationState.conversationId, utteranceId: 'fake-utterance' }));
    events.push(message('contextUsageEvent', { contextUsagePercentage: 3.5 }), message('meteringEvent', { usage: 0.02, unit: 'credit', unitPlural: 'credits' }));
    events.push(message('metadataEvent', {
      tokenUsage: { uncachedInputTokens: input - cached, outputTokens: output, totalTokens: input + output, cacheReadInputTokens: cached, cacheWriteInputTokens: 0 },
    }));
    return events;
  },
  /** An answer ends at a message's border, whichever it is: a broken one breaks inside. */
  torn: (events, count) => [...events.slice(0, count), events[count].subarray(0, events[count].length >> 1)],
  error: (status, text) => ({ __type: status === 400 ? 'com.amazon.aws.codewhisperer#ValidationException' : 'com.amazon.aws.codewhisperer#InternalServerException', message: text }),
  /** The service does not say what was wrong. */
  illegal: () => kiro.error(400, 'Improperly formed request.'),
};
