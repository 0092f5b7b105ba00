// What the back end of Codex takes: the Responses protocol without a memory and without most of its settings.
import { any, bool, illegal, like, list, object, string, word } from './shape.mjs';
import { responsesRequest } from './legal-responses.mjs';
import { SIGN_INS } from './sign-ins.mjs';

export const CODEX_MODEL = 'gpt-5.5';
const PUBLIC_MODEL = 'gpt-6.1-sol';
const ENCRYPTED = 'reasoning.encrypted_content';

const body = object({ model: word(CODEX_MODEL), instructions: string, input: list(any, 1), stream: word(true), store: word(false), include: list(word(ENCRYPTED), 1, 1) }, {
  tools: list(any, 1), tool_choice: any, parallel_tool_calls: bool, reasoning: any, text: any, client_metadata: any, service_tier: word('priority'), prompt_cache_key: like(/^.{1,64}$/),
});

export function codexRequest(request, { headers, ...script }) {
  body(request, 'body');
  if ('parallel_tool_calls' in request && !request.tools) illegal('parallel_tool_calls', 'without tools');
  for (const [index, item] of request.input.entries()) {
    if ('id' in item || item.type === 'item_reference') illegal(`input[${index}].id`, 'Items are not persisted when store is set to false');
    if (item.role === 'system') illegal(`input[${index}].role`, 'System messages are not allowed');
  }
  responsesRequest({ ...request, model: PUBLIC_MODEL }, { headers, ...script });
  const { access, account } = SIGN_INS.chatgpt;
  const wanted = { authorization: `Bearer ${access}`, 'chatgpt-account-id': account, 'content-type': 'application/json', accept: 'text/event-stream', originator: 'aiproxy' };
  for (const [field, value] of Object.entries(wanted)) if (headers[field] !== value) illegal(field, `${headers[field]}, not ${value}`);
}
