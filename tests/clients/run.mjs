// The vendors' client libraries against the published binary, which talks to a fake upstream on loopback.
// Usage: node run.mjs [TEXT]     only the rows whose name holds TEXT
// AIPROXY_BINARY names the binary; without it, ../../aiproxy.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Matrix, recordFetch } from './harness.mjs';
import { startFake } from './fake-upstream.mjs';
import { startProxy } from './proxy.mjs';
import { SECRETS, config } from './setup.mjs';
import { openaiRows } from './openai.mjs';
import { anthropicRows } from './anthropic.mjs';
import { genaiRows } from './genai.mjs';

const WHOLE_RUN_LIMIT_MS = 240_000;

// Settings of the caller's shell must not steer the libraries.
for (const name of Object.keys(process.env)) {
  if (/^(OPENAI|ANTHROPIC|GOOGLE|GEMINI)_/.test(name)) delete process.env[name];
}
process.on('unhandledRejection', (fault) => console.log(`    (late: ${fault?.message ?? fault})`));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
setTimeout(() => { console.log('the whole run took too long'); process.exit(1); }, WHOLE_RUN_LIMIT_MS).unref();

const binary = process.env.AIPROXY_BINARY ?? fileURLToPath(new URL('../../aiproxy', import.meta.url));
if (!existsSync(binary)) {
  console.error(`no binary at ${binary}: run ./publish.sh first, or name one in AIPROXY_BINARY`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const fake = await startFake();
let proxy;
try {
  proxy = await startProxy(binary, config(fake.url));
} catch (error) {
  console.error(error.message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const matrix = new Matrix(fake, recordFetch(), process.argv[2]);
await openaiRows(matrix, proxy.url);
await anthropicRows(matrix, proxy.url);
await genaiRows(matrix, proxy.url);
await matrix.row('aiproxy', 'SIGTERM ends it with exit code 0', async () => {
  assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
});
await matrix.row('aiproxy', 'no key and no content in its output', async () => {
  for (const secret of SECRETS) assert.ok(!proxy.output().includes(secret), `its output holds ${secret}`);
});
if (matrix.failed) console.log(`\nwhat the binary wrote:\n${proxy.output().split('\n').slice(-60).join('\n')}`);
proxy.kill();
await fake.close();
console.log(`${matrix.passed} passed, ${matrix.failed} failed`);
process.exit(matrix.failed || !matrix.passed ? 1 : 0);
