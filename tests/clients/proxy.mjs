// Starts and stops the published binary.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 10_000;

async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs `binary` with the configuration that `config(port)` returns, and `files` (text by name) beside it, until `/health` answers. The child dies with this process. */
export async function startProxy(binary, config, files = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'aiproxy-clients-'));
  const port = await freePort();
  const file = join(folder, 'config.yaml');
  writeFileSync(file, config(port));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });

  const child = spawn(binary, ['-config', file], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  let output = '';
  child.stdout.on('data', (text) => { output += text; });
  child.stderr.on('data', (text) => { output += text; });
  let ended = null;
  const end = new Promise((resolve) => {
    child.once('error', (error) => { ended = { error }; resolve(ended); });
    child.once('exit', (code, signal) => { ended = { code, signal }; resolve(ended); });
  });
  const kill = () => { try { child.kill('SIGKILL'); } catch { /* already gone */ } rmSync(folder, { recursive: true, force: true }); };
  process.once('exit', kill);

  const url = `http://127.0.0.1:${port}`;
  const until = Date.now() + START_LIMIT_MS;
  for (;;) {
    if (ended) throw new Error(`${binary} ended at its start (${ended.error?.message ?? `code ${ended.code}, signal ${ended.signal}`}):\n${output}`);
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) }).catch(() => null);
    if (answer?.status === 200) break;
    if (Date.now() > until) { kill(); throw new Error(`${binary} did not answer /health with 200 within ${START_LIMIT_MS / 1000} s:\n${output}`); }
    await delay(20);
  }

  return {
    url,
    output: () => output,
    kill,
    /** SIGTERM; resolves to `{code, signal}`, or to null when it did not end in time. */
    async stop() {
      child.kill('SIGTERM');
      return Promise.race([end, delay(STOP_LIMIT_MS, null, { ref: false })]);
    },
  };
}
