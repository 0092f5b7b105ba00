// The real command-line tools through the published binary. Started by run.sh, which installs them.
// Usage: node run.mjs CACHE [TEXT]     only the cells whose name holds TEXT
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cell } from './cell.mjs';
import { TOOLS } from './tools.mjs';

process.setMaxListeners(50);
const WHOLE_RUN_LIMIT_MS = 470_000;
const UPSTREAMS = ['anthropic', 'openai', 'responses', 'gemini'];
const AT_ONCE = 2;

const [cache, only = ''] = process.argv.slice(2);
const binary = process.env.AIPROXY_BINARY ?? fileURLToPath(new URL('../../aiproxy', import.meta.url));
const dump = process.env.AIPROXY_TOOLS_DUMP;

const cells = Object.entries(TOOLS).flatMap(([name, tool]) => UPSTREAMS.map((protocol) => ({ name: `${name} -> ${protocol}${tool.protocol === protocol ? ' (own)' : ''}`, row: name, tool, protocol })))
  .filter(({ name }) => name.includes(only));
let passed = 0, failed = 0;

function sum() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed || !passed ? 1 : 0);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
setTimeout(() => { console.log('the whole run took too long'); failed += cells.length - passed - failed; sum(); }, WHOLE_RUN_LIMIT_MS);

if (!existsSync(binary)) {
  console.error(`no binary at ${binary}: run ./publish.sh first, or name one in AIPROXY_BINARY`);
  failed = 1;
  sum();
}

const results = {};
const queue = [...cells];
async function worker() {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { name, row, tool, protocol } = next;
    const program = join(cache, tool.package.replace(/.*\//, ''), 'node_modules/.bin', tool.command);
    let outcome;
    if (!existsSync(program)) outcome = { fault: new Error(`${tool.package} is not installed`), requests: [], seconds: 0 };
    else outcome = await cell(tool, protocol, UPSTREAMS[(UPSTREAMS.indexOf(protocol) + 1) % UPSTREAMS.length], { binary, program, keep: Boolean(dump) });
    if (outcome.fault) failed++; else passed++;
    (results[row] ??= {})[protocol] = outcome;
    console.log(`${name.padEnd(50)} ${outcome.fault ? 'FAIL' : 'ok  '} ${outcome.seconds.toFixed(1).padStart(5)} s  ${outcome.requests.length} requests, ${outcome.requests.filter(({ side }) => side).length} beside the job`);
    if (outcome.fault) console.log(describe(outcome));
    if (dump) await (await import('node:fs/promises')).writeFile(join(dump, `${name.replaceAll(/[^\w]+/g, '-')}.json`), JSON.stringify(outcome, null, 1));
  }
}

const tail = (text, lines) => text.trimEnd().split('\n').slice(-lines).map((line) => `      ${line.slice(0, 400)}`).join('\n');
function describe({ fault, end, requests, log }) {
  const parts = [`    ${String(fault.message ?? fault).slice(0, 1500).replaceAll('\n', '\n    ')}`];
  for (const { method, url, turn, side, faults, stray } of requests.slice(0, 8)) {
    parts.push(`    ${method} ${url}: ${stray ? 'no such path' : faults?.length ? '400' : side ? 'side call' : `turn ${turn}`}`);
  }
  if (end) parts.push(`    exit code ${end.code}, signal ${end.signal}; standard output:`, tail(end.stdout, 8), '    standard error:', tail(end.stderr, 12));
  parts.push('    the proxy:', tail(log, 8));
  return parts.join('\n');
}

await Promise.all(Array.from({ length: AT_ONCE }, worker));

console.log(`\n${'tool \\ upstream'.padEnd(26)}${UPSTREAMS.map((protocol) => protocol.padEnd(14)).join('')}`);
for (const [row, columns] of Object.entries(results)) {
  const texts = UPSTREAMS.map((protocol) => {
    const outcome = columns[protocol];
    return (outcome ? `${outcome.fault ? 'FAIL' : 'ok'}${TOOLS[row].protocol === protocol ? ' (own)' : ''}` : '').padEnd(14);
  });
  console.log(row.padEnd(26) + texts.join(''));
}
sum();
