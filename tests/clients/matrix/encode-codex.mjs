// One answer of the back end of Codex: Responses events, some of its own among them, no `event:` lines and an empty output at the end.
import { ENCODE } from './encode.mjs';

const limits = { type: 'codex.rate_limits', plan_type: 'plus', rate_limits: { allowed: true, limit_reached: false, primary: { used_percent: 12, window_minutes: 300, reset_after_seconds: 900 } } };

function bare(event) {
  const data = JSON.parse(event.slice(event.indexOf('data: ') + 'data: '.length));
  if (data.type === 'response.completed' || data.type === 'response.incomplete') data.response.output = [];
  return `data: ${JSON.stringify(data)}\n\n`;
}

export const codex = {
  whole: ENCODE.responses.whole,
  events(answer, at) {
    const [first, ...rest] = ENCODE.responses.events(answer, at).map(bare);
    return [first, `data: ${JSON.stringify(limits)}\n\n`, ...rest];
  },
  error: (_, detail) => ({ detail }),
};
