// What generateContent takes for gemini-3.8-flash.
import { IMAGE_TYPES, any, anyObject, base64, bool, illegal, like, list, number, object, onlyKeywords, string, walkSchema, whole, word } from './shape.mjs';

export const SKIP = 'skip_thought_signature_validator';
const JSON_SCHEMA = ['type', 'title', 'description', 'format', 'enum', 'items', 'prefixItems', 'minItems', 'maxItems', 'properties', 'required', 'additionalProperties', 'minimum', 'maximum', 'anyOf', 'oneOf', '$id', '$defs', '$ref', '$anchor', 'propertyOrdering'];
const PROTO_SCHEMA = ['type', 'title', 'description', 'nullable', 'format', 'enum', 'items', 'minItems', 'maxItems', 'properties', 'required', 'minProperties', 'maxProperties', 'propertyOrdering', 'minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'anyOf', 'default', 'example'];
const knownRequired = (schema, path) => walkSchema(schema, path, (node, at) => {
  for (const name of node.required ?? []) if (!Object.hasOwn(node.properties ?? {}, name)) illegal(`${at}.required`, `${name} is no property`);
});
const jsonSchema = (value, path) => { onlyKeywords(JSON_SCHEMA)(value, path); knownRequired(value, path); };
const protoSchema = (value, path) => { onlyKeywords(PROTO_SCHEMA)(value, path); knownRequired(value, path); };
const name = like(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/);
const media = object({ mimeType: word(...IMAGE_TYPES, 'application/pdf'), data: base64 });
const PAYLOADS = {
  text: string,
  inlineData: media,
  fileData: object({ fileUri: string }, { mimeType: string }),
  functionCall: object({ name }, { id: string, args: anyObject }),
  functionResponse: object({ name, response: anyObject }, { id: string, parts: list(object({ inlineData: media })) }),
};
const part = (value, path) => {
  object({}, { ...PAYLOADS, thought: bool, thoughtSignature: string })(value, path);
  const payloads = Object.keys(value).filter((key) => Object.hasOwn(PAYLOADS, key));
  if (payloads.length !== 1) illegal(path, `holds [${payloads}], not one thing`);
};
const declaration = (value, path) => {
  object({ name }, { description: string, parameters: protoSchema, parametersJsonSchema: jsonSchema, behavior: string })(value, path);
  if (value.parameters && value.parametersJsonSchema) illegal(path, 'parameters and parametersJsonSchema exclude each other');
};
const system = (value, path) => object({ parts: list(object({ text: string }), 1) }, { role: string })(value, path);
const thinkingConfig = (value, path) => {
  object({}, { includeThoughts: bool, thinkingBudget: whole(-1), thinkingLevel: word('MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'minimal', 'low', 'medium', 'high') })(value, path);
  if ('thinkingBudget' in value && 'thinkingLevel' in value) illegal(path, 'budget and level exclude each other');
};
const body = object({ contents: list(object({ role: word('user', 'model'), parts: list(part, 1) }), 1) }, {
  systemInstruction: system,
  tools: list(object({ functionDeclarations: list(declaration, 1) }), 1),
  toolConfig: object({}, { functionCallingConfig: object({ mode: word('AUTO', 'ANY', 'NONE', 'VALIDATED') }, { allowedFunctionNames: list(name, 1) }) }),
  safetySettings: any, serviceTier: string,
  generationConfig: object({}, {
    temperature: number(0, 2), topP: number(0, 1), topK: whole(1), candidateCount: whole(1, 1), maxOutputTokens: whole(1), stopSequences: list(string, 1, 5),
    responseMimeType: word('text/plain', 'application/json'), responseSchema: protoSchema, responseJsonSchema: jsonSchema, seed: whole(0),
    presencePenalty: number(-2, 2), frequencyPenalty: number(-2, 2), thinkingConfig,
  }),
});

/** Neighbours of one role count as one content. */
function joined(contents) {
  const all = [];
  for (const { role, parts } of contents) {
    if (all.at(-1)?.role === role) all.at(-1).parts.push(...parts);
    else all.push({ role, parts: [...parts] });
  }
  return all;
}

export function geminiRequest(request, { issued, translated }) {
  body(request, 'body');
  const { generationConfig = {} } = request;
  const contents = translated ? request.contents : joined(request.contents);
  const { responseSchema, responseJsonSchema, responseMimeType } = generationConfig;
  if (responseSchema && responseJsonSchema) illegal('generationConfig', 'two schemas');
  if ((responseSchema || responseJsonSchema) && responseMimeType !== 'application/json') illegal('generationConfig.responseMimeType', 'a schema needs application/json');
  if (contents[0].role !== 'user') illegal('contents[0].role', 'must be user');
  if (contents.at(-1).role !== 'user') illegal('contents', 'must end with a user turn');
  const turnBegins = contents.findLastIndex((content) => content.role === 'user' && content.parts.some((one) => 'text' in one || 'inlineData' in one));
  let open = [];
  for (const [index, { role, parts }] of contents.entries()) {
    const path = `contents[${index}]`;
    if (translated && index > 0 && role === contents[index - 1].role) illegal(`${path}.role`, 'two contents of one role in a row');
    // The libraries send back the empty text that ends a stream; a translation has no reason to.
    if (translated && parts.some((one) => one.text === '' && !one.thoughtSignature)) illegal(path, 'an empty text');
    const calls = parts.filter((one) => one.functionCall);
    const results = parts.filter((one) => one.functionResponse).map((one) => one.functionResponse);
    if (role === 'user') {
      if (calls.length) illegal(path, 'a call in a user content');
      if (parts.slice(0, results.length).some((one) => !one.functionResponse)) illegal(path, 'responses must come first');
      if (results.length !== open.length) illegal(path, `the number of function response parts (${results.length}) must equal that of the function call parts (${open.length})`);
      for (const [at, result] of results.entries()) {
        const call = open.find((one) => (one.id === undefined ? open[at] === one : one.id === result.id)) ?? illegal(path, `a response with the id ${result.id}, calls had [${open.map((one) => one.id)}]`);
        if (call.name !== result.name) illegal(path, `the response is called ${result.name}, the call ${call.name}`);
        if (call.id === undefined && result.id !== undefined) illegal(path, 'an id on the response only');
      }
      open = [];
      continue;
    }
    if (open.length) illegal(path, 'calls without responses');
    if (results.length) illegal(path, 'a response in a model content');
    open = calls.map((one) => one.functionCall);
    if (calls.length && !request.tools) illegal(path, 'calls in the history but no tools');
    if (calls.length && index > turnBegins && !calls[0].thoughtSignature) illegal(path, 'Function call is missing a thought_signature in functionCall parts');
    for (const one of parts) {
      if (!one.thoughtSignature || one.thoughtSignature === SKIP) continue;
      const owner = one.functionCall?.id ?? one.functionCall?.name ?? one.text;
      if (issued.get(one.thoughtSignature) !== owner) illegal(path, `Thought signature is not valid: ${JSON.stringify(one).slice(0, 200)}`);
    }
  }
  if (open.length) illegal('contents', 'calls without responses');
}
