// One cell of the table: one tool, in a fresh home and work folder, does its job through a fresh proxy against a scripted model.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SIGNATURES } from '../clients/answers.mjs';
import { startProxy } from '../clients/proxy.mjs';
import { imagesIn } from './reading.mjs';
import { FINAL, startModel } from './scripted-model.mjs';
import { CLIENT_KEY, CONTENT, PICTURE } from './tools.mjs';

/** Where no network namespace holds the tools back, a proxy that is not there does. */
const DEAD = process.env.AIPROXY_TOOLS_DEAD_PROXY;
const NO_WAY_OUT = DEAD ? { HTTP_PROXY: DEAD, HTTPS_PROXY: DEAD, http_proxy: DEAD, https_proxy: DEAD, NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' } : {};
const CELL_LIMIT_MS = 60_000;
export const UPSTREAM_MODELS = { anthropic: 'claude-sonnet-5-5', openai: 'gpt-6.1-sol', responses: 'gpt-6.1-sol', gemini: 'gemini-3.8-flash' };
const upstreamKey = (protocol) => `sk-fake-upstream-${protocol}`;

/** Every model a tool may ask for goes to the one upstream under that upstream's name. */
const config = (protocol, url) => (port) => `
bind: 127.0.0.1
listen: ":${port}"
api-key: ${CLIENT_KEY}
upstreams:
  - name: scripted
    api_type: ${protocol}
    base_url: ${url}${protocol === 'openai' ? '/v1' : ''}
    token: ${upstreamKey(protocol)}
    available_models: ["*"]
    model_mappings:
      "*": ${UPSTREAM_MODELS[protocol]}
`;

/** Runs the program to its end. Its whole process group dies with it. */
function run(file, args, env, cwd) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const end = () => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* nobody is left */ } };
    process.once('exit', end);
    let stdout = '', stderr = '', late = false;
    child.stdout.on('data', (text) => { stdout += text; });
    child.stderr.on('data', (text) => { stderr += text; });
    const timer = setTimeout(() => { late = true; end(); }, CELL_LIMIT_MS);
    const finish = (code, signal) => { clearTimeout(timer); end(); process.off('exit', end); resolve({ code, signal, late, stdout, stderr }); };
    child.once('error', (error) => { stderr += error.message; finish(null, 'none'); });
    child.once('exit', (code, signal) => setTimeout(() => finish(code, signal), 50));
  });
}

/** Returns `{seconds, requests, side, fault, log}`; `fault` is null when all went well. */
export async function cell(tool, protocol, { binary, program, keep }) {
  const folder = mkdtempSync(join(tmpdir(), 'aiproxy-tool-'));
  const [home, work, temp] = ['home', 'work', 'tmp'].map((name) => join(folder, name));
  for (const path of [home, work, temp]) mkdirSync(path);
  writeFileSync(join(work, 'picture.png'), PICTURE);
  const job = { steps: tool.steps(work), foreign: tool.protocol !== protocol };
  const model = await startModel(protocol, job);
  const began = Date.now();
  let proxy, end = null, fault = null;
  try {
    proxy = await startProxy(binary, config(protocol, model.url));
    const { args, env } = tool.start({ url: proxy.url, model: tool.model, home, work });
    const clean = { PATH: process.env.PATH, HOME: home, TMPDIR: temp, LANG: 'C.UTF-8', TERM: 'dumb', SHELL: '/bin/bash', NO_COLOR: '1', ...NO_WAY_OUT, ...env };
    end = await run(program, args, clean, work);
    check(tool, protocol, job, model.requests, end, join(work, 'done.txt'));
  } catch (error) {
    fault = error;
  }
  const outcome = {
    seconds: (Date.now() - began) / 1000, fault, end,
    requests: model.requests, side: model.requests.filter(({ side }) => side).length,
    log: proxy?.output() ?? '',
  };
  proxy?.kill();
  await model.close();
  if (!keep) rmSync(folder, { recursive: true, force: true });
  else outcome.folder = folder;
  return outcome;
}

function check(tool, protocol, job, requests, end, file) {
  const illegal = requests.flatMap(({ faults }) => faults ?? []);
  assert.deepEqual(illegal, [], 'the upstream refused what reached it');
  for (const { fault } of requests) if (fault) throw fault;
  assert.ok(!end.late, `no end after ${CELL_LIMIT_MS / 1000} s`);
  assert.equal(end.code, 0, 'exit code');
  assert.ok(existsSync(file), 'the tool wrote no file');
  assert.equal(readFileSync(file, 'utf8'), CONTENT, 'the file holds something else');

  const last = requests.filter(({ turn }) => turn === job.steps.length).at(-1);
  assert.ok(last, 'the upstream never saw the results');
  job.steps.flat().forEach(({ name, expect }, index) => {
    const { text } = last.results.flat()[index];
    assert.ok(expect === undefined || text.includes(expect), `the result of ${name} changed on its way: ${text}`);
  });
  const [image] = imagesIn(last.json);
  assert.ok(image, 'the picture did not reach the upstream');
  assert.ok(/^image\/(png|jpeg|webp)$/.test(image.type) && /^(iVBORw0KGgo|\/9j\/|UklGR)/.test(image.data), `no picture: ${image.type} ${image.data.slice(0, 40)}`);
  assert.ok(end.stdout.includes(FINAL(last.results)), `the tool did not show the final text ${FINAL(last.results)}`);

  // Where the upstream signs its thinking, every turn's proof comes home with the conversation.
  if (job.foreign && SIGNATURES[protocol]) {
    assert.ok(JSON.stringify(last.json).split(SIGNATURES[protocol]).length > job.steps.length, 'the proofs of thinking did not come home');
  }

  for (const { headers, url } of requests) {
    const all = JSON.stringify(headers) + url;
    assert.ok(all.includes(upstreamKey(protocol)), 'the upstream key is missing');
    assert.ok(!all.includes(CLIENT_KEY), 'the client key reached the upstream');
  }
}
