// The example transcripts with other calls in place of theirs: a turn that thinks, says a word and calls tools.
import { PROTOCOLS, SIGNATURES } from '../clients/answers.mjs';

const ITS_CALL = 2; // the place of the call among the parts of each transcript: thought, text, call

/** A stream event's data, parsed, between what stood around it; an event without JSON stays as it is. */
function parse(event) {
  const [, before, data, after] = /^((?:event: .*\n)?data: )(.*?)(\r?\n\r?\n)$/s.exec(event);
  return data === '[DONE]' ? { event } : { before, data: JSON.parse(data), after };
}
const print = ({ event, before, data, after }) => event ?? before + JSON.stringify(data) + after;
const copy = (event) => ({ ...event, data: structuredClone(event.data) });

/** Cut where a careless reader breaks it: within the text, not between two members. */
const halves = (text) => [text.slice(0, Math.ceil(text.length / 2)), text.slice(Math.ceil(text.length / 2))];

/** A call as the Responses protocol has it. */
const argumentText = (call) => (call.kind === 'custom' ? call.args.input : JSON.stringify(call.args));
const item = ({ kind, id, name, namespace }, text, status) => ({
  ...(kind === 'custom' ? { id: `ctc_${id}`, type: 'custom_tool_call', status, input: text } : { id: `fc_${id}`, type: 'function_call', status, arguments: text }),
  call_id: id, name, ...(namespace ? { namespace } : {}),
});

const rewrite = {
  anthropic(events, calls) {
    const its = events.filter(({ data }) => data.index === ITS_CALL);
    const rest = events.filter(({ data }) => data.index !== ITS_CALL);
    const made = calls.flatMap((call, number) => {
      const parts = ['', ...halves(JSON.stringify(call.args))];
      return its.map(copy).map((event) => {
        event.data.index = ITS_CALL + number;
        if (event.data.content_block) Object.assign(event.data.content_block, { id: call.id, name: call.name });
        if (event.data.delta) event.data.delta.partial_json = parts.shift();
        return event;
      });
    });
    return [...rest.slice(0, -2), ...made, ...rest.slice(-2)];
  },

  openai(events, calls) {
    const isCall = ({ data }) => data?.choices[0]?.delta.tool_calls !== undefined;
    const its = events.filter(isCall);
    const at = events.findIndex(isCall);
    const made = calls.flatMap((call, number) => {
      const parts = ['', ...halves(JSON.stringify(call.args))];
      return its.map(copy).map((event) => {
        const [delta] = event.data.choices[0].delta.tool_calls;
        delta.index = number;
        if (delta.id) { delta.id = call.id; delta.function.name = call.name; }
        delta.function.arguments = parts.shift();
        return event;
      });
    });
    return [...events.slice(0, at), ...made, ...events.slice(at + its.length)];
  },

  responses(events, calls) {
    const its = events.filter(({ data }) => data.output_index === ITS_CALL);
    const rest = events.filter(({ data }) => data.output_index !== ITS_CALL);
    const made = calls.flatMap((call, number) => {
      const text = argumentText(call);
      const parts = halves(text);
      return its.map(copy).map((event) => {
        const { data } = event;
        data.output_index = ITS_CALL + number;
        if (data.item) data.item = item(call, data.item.status === 'completed' ? text : '', data.item.status);
        else data.item_id = item(call).id;
        if (data.delta !== undefined) data.delta = parts.shift();
        if (data.arguments !== undefined) data.arguments = text;
        if (call.kind === 'custom' && !data.item) {
          data.type = data.type.replace('function_call_arguments', 'custom_tool_call_input');
          if (data.arguments !== undefined) { data.input = text; delete data.arguments; }
          event.before = event.before.replace('function_call_arguments', 'custom_tool_call_input');
        }
        return event;
      });
    });
    const last = copy(rest.at(-1));
    last.data.response.output.splice(ITS_CALL, 1, ...calls.map((call) => item(call, argumentText(call), 'completed')));
    const all = [...rest.slice(0, -1), ...made, last];
    all.forEach(({ data }, number) => { data.sequence_number = number; });
    return all;
  },

  gemini(events, calls) {
    const isCall = ({ data }) => data.candidates[0].content.parts[0].functionCall !== undefined;
    const at = events.findIndex(isCall);
    const made = calls.map((call, number) => {
      const event = copy(events[at]);
      const [part] = event.data.candidates[0].content.parts;
      part.functionCall = { id: call.id, name: call.name, args: call.args };
      if (number > 0) delete part.thoughtSignature; // Google signs the first of parallel calls
      return event;
    });
    return [...events.slice(0, at), ...made, ...events.slice(at + 1)];
  },
};

/** Items of an answer get names of this turn: nothing a client keeps may collide with another turn. */
const distinct = (text, turn) => text.replaceAll(/\b(msg_01Demo|chatcmpl-Demo|resp_Demo|rs_Demo|msg_Demo|respDemo)\b/g, `$1${turn}`);

/**
 * The stream of a turn that calls tools. A call: `{id, name, args, kind}`, `kind: 'custom'` for a Responses tool whose input is the text `args.input`.
 * A call's id is used once in a conversation.
 */
export function callEvents(protocol, model, turn, calls) {
  const events = PROTOCOLS[protocol].events('tools', model).map(parse);
  return rewrite[protocol](events, calls).map(print).map((event) => distinct(event, turn));
}

/** The stream of a turn that only speaks. */
export const textEvents = (protocol, model, turn, text) =>
  PROTOCOLS[protocol].events('text', model, text).map((event) => distinct(event, turn));

/** The same turns as one body. */
export function wholeCalls(protocol, model, turn, calls) {
  const body = PROTOCOLS[protocol].whole('tools', model);
  const parts = {
    anthropic: () => body.content.splice(ITS_CALL, 1, ...calls.map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: call.args }))),
    openai: () => {
      body.choices[0].message.tool_calls = calls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.args) } }));
    },
    responses: () => body.output.splice(ITS_CALL, 1, ...calls.map((call) => item(call, argumentText(call), 'completed'))),
    gemini: () => body.candidates[0].content.parts.splice(ITS_CALL, 1, ...calls.map((call, number) => ({
      functionCall: { id: call.id, name: call.name, args: call.args }, ...(number === 0 ? { thoughtSignature: SIGNATURES.gemini } : {}),
    }))),
  };
  parts[protocol]();
  return JSON.parse(distinct(JSON.stringify(body), turn));
}

export const wholeText = (protocol, model, turn, text) =>
  JSON.parse(distinct(JSON.stringify(PROTOCOLS[protocol].whole('text', model, text)), turn));
