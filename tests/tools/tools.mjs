// The command-line tools: how each is pointed at the proxy, its home, and the job in the words of its own tools.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const CLIENT_KEY = 'sk-fake-client-key-0001';

/** What the file must hold in the end: characters of one to four bytes and everything that shells and JSON escape. */
export const CONTENT = '\u00c5lesund \u201cmild\u201d \u{1F326} \\n "quoted" \'single\' `tick` $HOME ${X} %s <b>&amp;</b>\n\ttab, 100 %\n';
export const PROMPT = 'Write the agreed text into done.txt, then show the file.';
const AGAIN = 'Go on, please.';

/** The model of another upstream that a conversation goes on with. */
export const SECOND_MODEL = 'second-model';
const third = (name, args) => [[{ name, args, expect: 'third' }]];


/** A picture that the job looks at: 16 by 16 points, one colour. */
export const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mNQaLhAEmIY1TCqYfhqAADz/nAQLQpksAAAAABJRU5ErkJggg==', 'base64');

const put = (path, text) => { mkdirSync(dirname(path), { recursive: true }); writeFileSync(path, text); };
/** What `cat` shows of it, its last line end aside. */
const SHOWN = CONTENT.trimEnd();
/** Two calls in one turn. */
const two = ({ name, first, second }, more = {}) => [{ name, args: { ...more, ...first }, expect: SHOWN }, { name, args: { ...more, ...second }, expect: 'second' }];

const patch = (file) => `*** Begin Patch\n*** Add File: ${file}\n${CONTENT.replace(/^(?=.)/gm, '+')}*** End Patch`;

export const TOOLS = {
  'claude-code': {
    package: '@anthropic-ai/claude-code', command: 'claude', protocol: 'anthropic', model: 'claude-sonnet-5-5',
    start: ({ url, model, isAgain }) => ({
      args: ['-p', ...(isAgain ? [AGAIN, '--continue'] : [PROMPT]), '--model', model, '--allowedTools', 'Bash', 'Write', 'Read', 'ToolSearch', 'CronList'],
      env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: CLIENT_KEY },
    }),
    steps: (work) => [
      [{ name: 'Write', args: { file_path: join(work, 'done.txt'), content: CONTENT } }],
      two({ name: 'Bash', first: { command: 'cat done.txt' }, second: { command: 'echo second' } }, { description: 'Show' }),
      [{ name: 'Read', args: { file_path: join(work, 'picture.png') } }],
    ],
    more: third('Bash', { command: 'echo third', description: 'Show' }),
  },
  codex: {
    package: '@openai/codex', command: 'codex', protocol: 'responses', model: 'gpt-6.1-sol',
    start: ({ url, model, home, isAgain }) => {
      put(join(home, '.codex/config.toml'), `model = "${model}"
model_provider = "aip"
[model_providers.aip]
name = "aip"
base_url = "${url}/v1"
env_key = "AIP_KEY"
wire_api = "responses"
`);
      return {
        args: ['exec', ...(isAgain ? ['resume', '--last'] : []), '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', isAgain ? AGAIN : PROMPT],
        env: { AIP_KEY: CLIENT_KEY, CODEX_HOME: join(home, '.codex') },
      };
    },
    // For models that it knows, Codex offers one free-form tool that takes JavaScript, announces it within the input
    // and takes no parallel calls.
    steps: () => [
      [{ namespace: 'functions', name: 'exec', kind: 'custom', args: { input: `text(await tools.apply_patch(${JSON.stringify(patch('done.txt'))}));\n` } }],
      [{ namespace: 'functions', name: 'exec', kind: 'custom', args: { input: 'const r = await tools.exec_command({ cmd: "cat done.txt" });\ntext(r.output);' }, expect: SHOWN }],
      [{ namespace: 'functions', name: 'exec', kind: 'custom', args: { input: 'text("second")' }, expect: 'second' }],
      [{ namespace: 'functions', name: 'exec', kind: 'custom', args: { input: 'image(await tools.view_image({ path: "picture.png" }));' } }],
    ],
    more: third('exec_command', { cmd: 'echo third' }),
  },
  'gemini-cli': {
    package: '@google/gemini-cli', command: 'gemini', protocol: 'gemini', model: 'gemini-3.8-flash',
    start: ({ url, model, home, isAgain }) => {
      put(join(home, '.gemini/settings.json'), JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } }, privacy: { usageStatisticsEnabled: false } }));
      return {
        args: [...(isAgain ? ['-r', 'latest', '-p', AGAIN] : ['-p', PROMPT]), '--yolo', '--skip-trust', ...(model ? ['-m', model] : [])],
        env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: CLIENT_KEY },
      };
    },
    steps: (work) => [
      [{ name: 'write_file', args: { file_path: join(work, 'done.txt'), content: CONTENT } }],
      two({ name: 'run_shell_command', first: { command: 'cat done.txt' }, second: { command: 'echo second' } }, { description: 'Show' }),
      [{ name: 'read_file', args: { file_path: join(work, 'picture.png') } }],
    ],
    // A resumed session of Gemini CLI has no signatures any more, whatever it talks to.
    forgets: true,
    more: third('run_shell_command', { command: 'echo third', description: 'Show' }),
  },
};

const opencode = (protocol, npm, base, ownModel, more) => ({
  package: 'opencode-ai', command: 'opencode', protocol, model: ownModel,
  start: ({ url, model, home, isAgain }) => {
    const entry = (name) => ({ name, tool_call: true, reasoning: true, attachment: true, modalities: { input: ['text', 'image'], output: ['text'] } });
    put(join(home, '.config/opencode/opencode.json'), JSON.stringify({
      $schema: 'https://opencode.ai/config.json', autoupdate: false, share: 'disabled', permission: 'allow',
      provider: { aip: { npm, name: 'aip', options: { baseURL: url + base, apiKey: CLIENT_KEY }, models: { [ownModel]: entry(ownModel), [SECOND_MODEL]: entry(SECOND_MODEL) } } },
    }));
    return { args: ['run', ...(isAgain ? ['-c'] : []), '--model', `aip/${model}`, isAgain ? AGAIN : PROMPT], env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' } };
  },
  steps: (work) => [
    [ownModel.startsWith('gpt-') ? { name: 'apply_patch', args: { patchText: patch('done.txt') } } : { name: 'write', args: { filePath: join(work, 'done.txt'), content: CONTENT } }],
    two({ name: 'bash', first: { command: 'cat done.txt' }, second: { command: 'echo second' } }, { description: 'Show' }),
    [{ name: 'read', args: { filePath: join(work, 'picture.png') } }],
  ],
  ...more,
});
// A tool that Claude Code announces by name only: the model looks it up, then it is among the tools.
TOOLS['claude-code, tool search'] = {
  ...TOOLS['claude-code'], more: null,
  steps: (work) => [
    [{ name: 'ToolSearch', args: { query: 'select:CronList', max_results: 1 }, expect: 'CronList' }],
    [{ name: 'CronList', args: {}, expect: '', isLate: true }],
    ...TOOLS['claude-code'].steps(work),
  ],
};
// Without a model named, Gemini CLI has a small model choose one first, in JSON.
TOOLS['gemini-cli, routed'] = { ...TOOLS['gemini-cli'], model: null, more: null };
// Codex's own provider with another address: it asks for a web socket first.
TOOLS['codex, built-in'] = {
  ...TOOLS.codex, more: null,
  start: ({ url, model, home }) => {
    put(join(home, '.codex/config.toml'), `model = "${model}"\nopenai_base_url = "${url}/v1"\n`);
    return {
      args: ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', PROMPT],
      env: { CODEX_API_KEY: CLIENT_KEY, CODEX_HOME: join(home, '.codex') },
    };
  },
};
// A model that Codex does not know: functions in place of the free-form tool.
TOOLS['codex, strange model'] = {
  ...TOOLS.codex, model: 'claude-sonnet-5-5', more: null,
  steps: () => [
    [{ name: 'exec_command', args: { cmd: `cat >done.txt <<'EOF'\n${CONTENT}EOF` } }],
    two({ name: 'exec_command', first: { cmd: 'cat done.txt' }, second: { cmd: 'echo second' } }),
    [{ name: 'view_image', args: { path: 'picture.png' } }],
  ],
};
TOOLS.opencode = opencode('openai', '@ai-sdk/openai-compatible', '/v1', 'gpt-6.1-sol', { more: third('bash', { command: 'echo third', description: 'Show' }) });
TOOLS['opencode/anthropic'] = opencode('anthropic', '@ai-sdk/anthropic', '/v1', 'claude-sonnet-5-5');
TOOLS['opencode/responses'] = opencode('responses', '@ai-sdk/openai', '/v1', 'gpt-6.1-sol');
TOOLS['opencode/gemini'] = opencode('gemini', '@ai-sdk/google', '/v1beta', 'gemini-3.8-flash', { dropsIds: true });
