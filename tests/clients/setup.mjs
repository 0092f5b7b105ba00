// Keys, models and the configuration that the client tests run the binary with. All keys are fake.
import { SIGNATURES } from './answers.mjs';

export const CLIENT_KEY = 'sk-fake-client-key-0001';
export const upstreamKey = (protocol) => `sk-fake-upstream-${protocol}`;

/** Stands in every prompt; must never show in the binary's output. */
export const PROMPT = 'What is the weather in Oslo? (marker-of-the-prompt)';

/** A tool result that a careless copy changes: escapes, separators, wide characters, big and odd numbers, blanks at the end. */
export const TOOL_RESULT = '{"temp": 12.50, "big": 12345678901234567890, "e": 1E+2, "text": "\u00c5lesund \u201cmild\u201d \u{1F326} \\u0041 \\n \u0001 \u2028 \u007f <b>&amp;</b>"}  \t\n ';

/** Client model names: `PREFIX[protocol] + behaviour` of fake-upstream.mjs. */
export const PREFIX = { anthropic: 'claude-', openai: 'gpt-', responses: 'resp-', gemini: 'gemini-' };

/** A client name that the upstream knows under another, longer one. */
export const mapped = (protocol) => ({ client: `${PREFIX[protocol]}mapped`, upstream: `${PREFIX[protocol]}fake-tools-chunked-2026` });

// A limit or a refusal rests a credential, so each of them has an upstream of its own.
const upstream = (protocol, fakeUrl, role, models) => `
  - name: ${role}-${protocol}
    api_type: ${protocol}
    base_url: ${fakeUrl}${protocol === 'openai' ? '/v1' : ''}
    token: ${upstreamKey(protocol)}
    available_models: ${JSON.stringify(models)}`;

export const config = (fakeUrl) => (port) => `
bind: 127.0.0.1
listen: ":${port}"
api-key: ${CLIENT_KEY}
upstreams:${Object.keys(PREFIX).map((protocol) => `${upstream(protocol, fakeUrl, 'fake', [`${PREFIX[protocol]}fake-text`, mapped(protocol).client, `${PREFIX[protocol]}*`])}
    model_mappings:
      ${mapped(protocol).client}: ${mapped(protocol).upstream}
${upstream(protocol, fakeUrl, 'limited', [`limited-${protocol}-*`])}
${upstream(protocol, fakeUrl, 'refused', [`refused-${protocol}-*`])}`).join('\n')}

  - name: echo
    api_type: echo
    available_models: ["echo", "echo-*"]
`;

/** Whatever of this shows in the binary's output is a leak. */
export const SECRETS = [CLIENT_KEY, ...Object.keys(PREFIX).map(upstreamKey), 'marker-of-the-prompt', ...Object.values(SIGNATURES), 'Let me check'];
