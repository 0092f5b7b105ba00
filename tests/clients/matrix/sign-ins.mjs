// The sign-in files of the upstreams that take no key, in the layout of CLIProxyAPI. All of it is fake and none of it ends soon.
const NEVER = '2099-01-01T00:00:00Z';
const PROFILE = 'arn:aws:codewhisperer:us-east-1:000000000000:profile/FAKE';

const kiro = (name, fields, profile) => ({
  file: `kiro-${name}.json`, profile, access: `aoaFAKE-matrix-${name}-access`, refresh: `aorFAKE-matrix-${name}-refresh`,
  fields: { type: 'kiro', region: 'us-east-1', email: `${name}@fake.example`, expires_at: NEVER, ...fields, ...(profile ? { profile_arn: profile } : {}) },
});

/** `profile` is what a request with a sign-in of Kiro must name; none: it must name none. */
export const SIGN_INS = {
  social: kiro('social', { auth_method: 'social', provider: 'Google' }, PROFILE),
  builder: kiro('builder', { auth_method: 'builder-id', provider: 'BuilderId', client_id: 'fake-client', client_secret: 'fake-client-secret', start_url: 'https://view.awsapps.com/start' }),
  chatgpt: {
    file: 'codex-chatgpt.json', account: 'fake-account-0001', access: 'fake-matrix-chatgpt-access', refresh: 'fake-matrix-chatgpt-refresh',
    fields: { type: 'codex', email: 'chatgpt@fake.example', account_id: 'fake-account-0001', expired: NEVER },
  },
};

/** Text by file name. */
export const signInFiles = () => Object.fromEntries(Object.values(SIGN_INS).map(({ file, fields, access, refresh }) =>
  [file, JSON.stringify({ ...fields, access_token: access, refresh_token: refresh, last_refresh: new Date().toISOString() }, null, 2)]));
