// What generateAssistantResponse takes behind a Kiro sign-in. The service itself never tells which of its rules was broken.
import { TAGGED } from './encode-kiro.mjs';
import { anyObject, base64, filled, illegal, like, list, object, rootObject, string, walkSchema, word } from './shape.mjs';
import { SIGN_INS } from './sign-ins.mjs';

const MODEL = 'claude-sonnet-5';
const uuid = like(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const id = like(/^[a-zA-Z0-9_-]{1,64}$/);
const name = like(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/);
const description = (value, path) => {
  filled(value, path);
  if (Buffer.byteLength(value) > 10_240) illegal(path, 'longer than 10240 bytes');
};
const schema = (value, path) => {
  rootObject(value, path);
  anyObject(value.properties, `${path}.properties`);
  walkSchema(value, path, (node, at) => {
    for (const keyword of ['additionalProperties', '$schema']) if (keyword in node) illegal(`${at}.${keyword}`, 'not here');
    if ('required' in node) list(string, 1)(node.required, `${at}.required`);
  });
};
const tool = object({ toolSpecification: object({ name, description, inputSchema: object({ json: schema }) }) });
const result = object({ toolUseId: id, status: word('success', 'error'), content: list(object({ text: filled }), 1) });
const image = object({ format: word('png', 'jpeg', 'gif', 'webp'), source: object({ bytes: base64 }) });
const user = (context) => object({ userInputMessage: object({ content: filled, modelId: word(MODEL, TAGGED), origin: word('AI_EDITOR') }, {
  images: list(image, 1, 10), userInputMessageContext: (value, path) => {
    object({}, context)(value, path);
    if (!Object.keys(value).length) illegal(path, 'empty');
  },
}) });
const asked = user({ toolResults: list(result, 1) });
const current = user({ toolResults: list(result, 1), tools: list(tool, 1) });
const told = object({ assistantResponseMessage: object({ content: filled }, {
  toolUses: list(object({ toolUseId: id, name, input: anyObject }), 1),
  reasoningContent: object({ reasoningText: object({ text: filled, signature: filled }) }),
}) });
const body = object({
  conversationState: object({ conversationId: uuid, chatTriggerType: word('MANUAL'), currentMessage: current }, {
    agentTaskType: word('vibe'),
    history: list((entry, path) => (Number(/\[(\d+)\]$/.exec(path)[1]) % 2 === 0 ? asked : told)(entry, path), 2, 10_000),
  }),
}, {
  profileArn: string,
  additionalModelRequestFields: object({ thinking: object({ type: word('adaptive'), display: word('summarized') }) }, { output_config: object({ effort: word('low', 'medium', 'high', 'xhigh', 'max') }) }),
});

export function kiroRequest(request, { headers, issued }) {
  body(request, 'body');
  checkSignIn(request, headers);
  const { currentMessage: { userInputMessage: last }, history = [] } = request.conversationState;
  if (history.length % 2) illegal('history', 'must end with the assistant');
  if (request.additionalModelRequestFields && last.modelId === TAGGED) illegal('additionalModelRequestFields', 'not for this model');
  const declared = (last.userInputMessageContext?.tools ?? []).map(({ toolSpecification }) => toolSpecification.name);
  if (new Set(declared.map((one) => one.toLowerCase())).size !== declared.length) illegal('tools', `twice the same name in ${declared}`);
  let open = [];
  let images = 0;
  for (const [index, { userInputMessage: one, assistantResponseMessage: answer }] of [...history, { userInputMessage: last }].entries()) {
    const path = `history[${index}]`;
    if (answer) {
      open = (answer.toolUses ?? []).map((call) => call.toolUseId);
      if (new Set(open).size !== open.length) illegal(path, 'two calls with one id');
      // Whatever the history calls.
      for (const call of answer.toolUses ?? []) if (!declared.includes(call.name)) illegal(path, `${call.name} is not declared in the current message`);
      const proof = answer.reasoningContent?.reasoningText;
      if (proof && (issued.get(proof.signature) !== proof.text || last.modelId === TAGGED)) illegal(path, `no such reasoning: ${JSON.stringify(proof).slice(0, 200)}`);
      continue;
    }
    if (one.modelId !== last.modelId) illegal(`${path}.modelId`, 'another model');
    images += one.images?.length ?? 0;
    // Each call is answered in the very next message, and nothing else is.
    const results = (one.userInputMessageContext?.toolResults ?? []).map((entry) => entry.toolUseId);
    if ([...results].sort().join() !== [...open].sort().join()) illegal(path, `results for [${results}], calls were [${open}]`);
  }
  if (images > 10) illegal('images', `${images} of them`);
}

function checkSignIn(request, headers) {
  const known = Object.values(SIGN_INS).find(({ access }) => headers.authorization === `Bearer ${access}`) ?? illegal('authorization', 'nobody\'s token');
  if (request.profileArn !== known.profile) illegal('profileArn', `${request.profileArn} with ${known.file}`);
  const wanted = { 'content-type': 'application/json', 'x-amzn-codewhisperer-optout': 'true', 'x-amz-target': undefined, tokentype: undefined };
  for (const [field, value] of Object.entries(wanted)) if (headers[field] !== value) illegal(field, `${headers[field]}, not ${value}`);
}
