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
import { CLIENT_KEY, CONTENT, PICTURE, SECOND_MODEL } from './tools.mjs';

/** Where no network namespace holds the tools back, a proxy that is not there does. */
const DEAD = process.env.AIPROXY_TOOLS_DEAD_PROXY;
const NO_WAY_OUT = DEAD ? { HTTP_PROXY: DEAD, HTTPS_PROXY: DEAD, http_proxy: DEAD, https_proxy: DEAD, NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' } : {};
const CELL_LIMIT_MS = 60_000;
export const UPSTREAM_MODELS = { anthropic: 'claude-sonnet-5-5', openai: 'gpt-6.1-sol', responses: 'gpt-6.1-sol', gemini: 'gemini-3.8-flash' };
/** How what aiproxy wraps for a client of another protocol begins. */
const SEALED = 'YWlwM';
const upstreamKey = (protocol) => `sk-fake-upstream-${protocol}`;

/** Every model a tool may ask for goes to the first upstream under that upstream's name, one goes to the second. */
const config = (upstreams) => (port) => `
bind: 127.0.0.1
listen: ":${port}"
api-key: ${CLIENT_KEY}
upstreams:${upstreams.map(({ protocol, url }, index) => `
  - name: scripted-${index}
    api_type: ${protocol}
    base_url: ${url}${protocol === 'openai' ? '/v1' : ''}
    token: ${upstreamKey(protocol)}
    priority: ${1 - index}
    available_models: ["${index ? SECOND_MODEL : '*'}"]
    model_mappings:
      "*": ${UPSTREAM_MODELS[protocol]}`).join('')}
`;

/** Runs the program to its end. Its whole process group dies with it. */
function execute(file, args, env, cwd) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const end = () => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* nobody is left */ } };
    process.once('exit', end);
    child.stdout.setEncoding('utf8');
    child.stderr.setEncoding('utf8');
    let stdout = '', stderr = '', late = false;
    child.stdout.on('data', (text) => { stdout += text; });
    child.stderr.on('data', (text) => { stderr += text; });
    const timer = setTimeout(() => { late = true; end(); }, CELL_LIMIT_MS);
    const finish = (code, signal) => { clearTimeout(timer); end(); process.off('exit', end); resolve({ code, signal, late, stdout, stderr }); };
    child.once('error', (error) => { stderr += error.message; finish(null, 'none'); });
    child.once('exit', (code, signal) => setTimeout(() => finish(code, signal), 50));
  });
}

/**
 * Runs a cell. Returns `{seconds, requests, fault, end, log}`; `fault` is null when all went well.
 * `second` names the protocol of the upstream with which the conversation goes on, before it comes back to the first one.
 */
export async function cell(tool, protocol, second, { binary, program, keep }) {
  const folder = mkdtempSync(join(tmpdir(), 'aiproxy-tool-'));
  const [home, work, temp] = ['home', 'work', 'tmp'].map((name) => join(folder, name));
  for (const path of [home, work, temp]) mkdirSync(path);
  writeFileSync(join(work, 'picture.png'), PICTURE);
  const upstream = async (itsProtocol, tag, steps) => {
    const job = { tag, steps, foreign: tool.protocol !== itsProtocol, dropsIds: tool.dropsIds };
    return { protocol: itsProtocol, job, ...await startModel(itsProtocol, job) };
  };
  const first = await upstream(protocol, 'First', tool.steps(work));
  const other = tool.more ? await upstream(second, 'Second', tool.more) : null;
  const upstreams = [first, other].filter(Boolean);
  const began = Date.now();
  let proxy, end = null, fault = null;
  const run = async (model, isAgain) => {
    const { args, env } = tool.start({ url: proxy.url, model, home, isAgain });
    const clean = { PATH: process.env.PATH, HOME: home, TMPDIR: temp, LANG: 'C.UTF-8', TERM: 'dumb', SHELL: '/bin/bash', NO_COLOR: '1', ...NO_WAY_OUT, ...env };
    end = await execute(program, args, clean, work);
    for (const each of upstreams) checkRequests(each);
    assert.ok(!end.late, `no end after ${CELL_LIMIT_MS / 1000} s`);
    assert.equal(end.code, 0, 'exit code');
  };
  let leg = '';
  try {
    proxy = await startProxy(binary, config(upstreams));
    await run(tool.model, false);
    checkWork(join(work, 'done.txt'));
    checkJob(first, end);
    if (other) {
      leg = `when it went on with ${second}: `;
      await run(SECOND_MODEL, true);
      checkJob(other, end);
      leg = `when it came back from ${second}: `;
      const before = first.requests.length;
      await run(tool.model, true);
      assert.ok(first.requests.length > before, 'nothing reached the first upstream again');
      checkJob({ ...first, forgets: tool.forgets }, end);
    }
  } catch (error) {
    fault = new Error(leg + error.message);
  }
  const outcome = { seconds: (Date.now() - began) / 1000, fault, end, requests: upstreams.flatMap(({ requests }) => requests), log: proxy?.output() ?? '' };
  proxy?.kill();
  for (const each of upstreams) await each.close();
  if (keep) outcome.folder = folder;
  else rmSync(folder, { recursive: true, force: true });
  return outcome;
}

/** What holds for every request at an upstream. */
function checkRequests({ protocol, requests }) {
  const illegal = requests.flatMap(({ faults }) => faults ?? []);
  assert.deepEqual(illegal, [], 'the upstream refused what reached it');
  for (const { fault, headers, url, body } of requests) {
    if (fault) throw fault;
    const all = JSON.stringify(headers) + url;
    assert.ok(all.includes(upstreamKey(protocol)), 'the upstream key is missing');
    assert.ok(!all.includes(CLIENT_KEY), 'the client key reached the upstream');
    assert.ok(!body.includes(SEALED), 'a sealed proof of another upstream reached this one');
  }
}

function checkWork(file) {
  assert.ok(existsSync(file), 'the tool wrote no file');
  assert.equal(readFileSync(file, 'utf8'), CONTENT, 'the file holds something else');
}

/** The whole script was played, the results reached the upstream, and its last word the user. */
function checkJob({ protocol, job, requests, forgets }, end) {
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

  // Where the upstream signs its thinking, every turn's proof comes home with the conversation, unless the tool itself loses it.
  if (job.foreign && SIGNATURES[protocol] && !forgets) {
    assert.ok(JSON.stringify(last.json).split(SIGNATURES[protocol]).length > job.steps.length, 'the proofs of thinking did not come home');
  }
}
