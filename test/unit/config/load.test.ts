/** The configuration: file, environment, defaults, and what is said of mistakes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { loadConfig } from '../../../src/config/load.ts';
import { configJsonSchema, configSchema } from '../../../src/config/schema.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { loadPolicy, testPolicy } from '../../../src/policy/compile.ts';

const published = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const defaults = configSchema.parse({});

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-config-'));
  file = join(directory, 'holdpoint.yaml');
});
afterAll(() => rmSync(directory, { recursive: true }));

function load(text: string, env: Record<string, string> = {}) {
  writeFileSync(file, text);
  return loadConfig(file, env);
}

function refusal(text: string, env: Record<string, string> = {}): HoldpointError {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof HoldpointError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('the environment', () => {
  it('that turns the check of certificates off is refused, any other value of that variable is not', () => {
    const error = refusal('{}', { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect([error.code, error.message, error.next]).toEqual([
      'config_invalid',
      expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED is 0'),
      expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    ]);
    expect(load('{}', { NODE_TLS_REJECT_UNAUTHORIZED: '1' }).data).toEqual(defaults.data);
  });

  it.each(['  ', '/data\n', ' /data'])(
    'that names the directory %j is refused: no such directory is meant',
    (dir) => {
      expect(refusal('{}', { HOLDPOINT_DATA_DIR: dir }).message).toContain(
        'HOLDPOINT_DATA_DIR (data.dir): expected a path that neither begins nor ends with blanks',
      );
    },
  );
});

describe('the published files', () => {
  it('config/holdpoint.schema.json is the schema the loader uses', () => {
    const text = readFileSync(published('config/holdpoint.schema.json'), 'utf8');
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });

  it('config/holdpoint.yaml says the defaults and nothing else', () => {
    const { paths, source, ...config } = loadConfig(published('config/holdpoint.yaml'), {});
    expect(config).toEqual(defaults);
    expect(paths.policy).toBe(resolve('config/policy.yaml'));
    expect(source).toContain('127.0.0.1:8787');
  });

  it('config/holdpoint.yaml says the defaults in its comments too', () => {
    const text = readFileSync(published('config/holdpoint.yaml'), 'utf8');
    // What is commented out is YAML with two signs in front; prose is not.
    const lines = text
      .split('\n')
      .map((line) =>
        line.replace(/^# ((?:keys|egress|anchors|notify|workload|limits|retention|log):| {2}\w+:)/, '$1'),
      );
    const shown: unknown = parseDocument(lines.join('\n')).toJS();
    const { keys, workload, egress, ...rest } = configSchema.parse(shown);
    expect(rest).toEqual(without(defaults));
    expect([keys.dir, workload.name, egress?.proxy]).toEqual([
      './data/keys',
      'billing-agent',
      'http://proxy.example.com:3128',
    ]);
    for (const name of Object.keys(defaults.limits)) expect(text).toContain(`${name}: `);
  });

  it.each(['k8s/config/holdpoint.yaml', 'config/holdpoint.yaml'])('%s loads', (name) => {
    expect(loadConfig(published(name), {}).upstreams).toEqual(defaults.upstreams);
  });

  it.each(['k8s/config/policy.yaml', 'config/policy.yaml'])('%s loads and its tests pass', (name) => {
    const text = readFileSync(published(name), 'utf8');
    expect(loadPolicy(name, text).version).not.toBe('');
    const results = testPolicy(name, text);
    expect(results.length).toBeGreaterThan(1);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
  });
});

function without({ keys: _keys, workload: _workload, ...rest }: typeof defaults) {
  return rest;
}

describe('a mistake in the file', () => {
  it.each([
    ['proxy:\n  listn: 127.0.0.1:1', ':2:3 proxy.listn: is not a key here; did you mean listen?'],
    [
      'retention:\n  rules:\n    - { id: a, maximumDays: 90 }',
      ':3:16 retention.rules[0].maximumDays: is not a key here; the keys are id, match, keepDays, minimumDays',
    ],
    ['prxy: {}', ':1:1 prxy: is not a key here; did you mean proxy?'],
    [
      'data:\n  durability: strickt',
      ':2:15 data.durability: is "strickt"; it must be one of strict, relaxed (did you mean strict?)',
    ],
    ['control:\n  listen: 8788', ':2:11 control.listen: is 8788; expected host:port'],
    ['data:\n  dir: 8788', ':2:8 data.dir: is 8788; it must be a text (put it in quotes'],
    ['control:\n  listen: "localhost"', ':2:11 control.listen: is "localhost"; expected host:port'],
    ['control:\n  listen: "localhost:70000"', ':2:11 control.listen: expected a port of at most 65535'],
    ['limits:\n  waitMsMax: 1', ':2:14 limits.waitMsMax: is too small; it must be at least 100'],
    ['upstreams: {}', ':1:1 upstreams: expected at least one upstream'],
    ['upstreams:\n  a: { url: "ftp://x", protocol: openai }', ':2:13 upstreams.a.url: is "ftp://x"'],
    [
      'upstreams:\n  a: { url: x, protocol: openai }',
      'is "x"; it must be a URL such as https://api.openai.com',
    ],
    [
      'upstreams:\n  my-own: { url: "https://x", protocol: openai }',
      ':2:3 upstreams.my-own: is no name here; expected a name of lower-case letters, digits and _',
    ],
    ['upstreams:\n  a: { url: "http://x", protocol: telegraph }', 'it must be one of openai, anthropic'],
    [
      'upstreams:\n  a: { protocol: openai, key: {} }',
      'expected either env or file, and never the key itself',
    ],
    ['upstreams:\n  a: { protocol: openai, key: { env: A, file: b } }', 'expected either env or file'],
    ['upstreams:\n  a: { protocol: openai, hosts: ["https://a"] }', 'expected a host such as api.openai.com'],
    ['proxy: { others: allow }', 'proxy.others: is "allow"; it must be one of refuse, pass'],
    ['data: {\n', ':1:7 opens with { and is not closed; expected }'],
    ['data: {}\ndata: {}', ':2:1 is a key for the second time in its map; expected each key once'],
    ['proxy: { others: { toString: refuse } }', 'proxy.others: is a map; it must be one of refuse, pass'],
    // There the limit would be 512 milliseconds.
    [
      '%YAML 1.1\n---\nlimits: { waitMsMax: 01000 }',
      ':1:1 begins with %YAML, of another version than 1.2; expected no such line',
    ],
    ['', ':1:1'],
  ])('is shown with its place and what would be right: %j', (text, said) => {
    const error = refusal(text);
    expect(error.code).toBe('config_invalid');
    expect(error.message).toContain(`${file}:`);
    expect(error.message).toContain(said);
  });

  it('that is one is told once', () => {
    expect(refusal('control:\n  listen: 127.0.0.1').message).toBe(
      `${file}:2:11 control.listen: is "127.0.0.1"; expected host:port, such as 127.0.0.1:8787`,
    );
  });

  it('is told where it stands, the first one first, also behind an alias', () => {
    const { message } = refusal(
      'upstreams:\n  a: &a { protocol: opnai, mount: /a }\n  b: *a\nproxy:\n  others: allow\ndata:\n  durability: x\n',
    );
    expect(message.split('\n').map((line) => /:(\d+:\d+) (\S+):/.exec(line)?.slice(1).join(' '))).toEqual([
      '2:21 upstreams.a.protocol',
      '2:21 upstreams.b.protocol',
      '5:11 proxy.others',
      '7:15 data.durability',
    ]);
  });

  it('is not that it says which YAML it is', () => {
    expect(load('%YAML 1.2\n---\nlimits: { waitMsMax: 01000 }').limits.waitMsMax).toBe(1000);
  });

  it('does not count a file in which everything is commented out: that is every default', () => {
    const { paths, source, ...config } = load('# data:\n#   dir: ./elsewhere\n');
    expect(config).toEqual(defaults);
    expect(
      load('# nothing\n', { HOLDPOINT_DATA_DIR: '/x', HOLDPOINT_UPSTREAMS_OPENAI_URL: 'https://y' }),
    ).toMatchObject({
      data: { dir: '/x' },
      upstreams: { openai: { url: 'https://y' }, anthropic: { url: 'https://api.anthropic.com' } },
    });
  });

  it.each(['key: sk-SECRET', 'key: { env: sk-SECRET }', 'key: { value: sk-SECRET }'])(
    'never shows a key that was put where its place belongs: %s',
    (key) => {
      const error = refusal(`upstreams:\n  a: { protocol: openai, ${key} }`);
      expect(error.message).toContain('upstreams.a.key');
      expect(`${error.message}${error.next}`).not.toContain('SECRET');
    },
  );

  it.each([
    ['upstreams', 'a: { protocol: openai, key: { %: x } }', 'upstreams.a.key: has a key that is none here'],
    ['upstreams', 'a: { protocol: openai, key: 4711001 }', 'upstreams.a.key: is something else'],
    [
      'notify',
      'to: { a: { kind: slack, url: { env: "https://x/%" } } }',
      'notify.to.a.url.env: is something else',
    ],
    ['notify', 'to: { a: { kind: teams, url: { % } } }', 'notify.to.a.url: has a key that is none here'],
    [
      'notify',
      'to: { a: { kind: webhook, url: "ftp://x/%", secret: { env: A } } }',
      'notify.to.a.url: is something',
    ],
    [
      'notify',
      'to: { a: { kind: webhook, url: "http://x", secret: { env: "%+" } } }',
      'notify.to.a.secret.env: is',
    ],
    [
      'notify',
      'to: { a: { kind: email, host: h, from: a@b, to: [a@b], user: u, password: { env: "%!" } } }',
      'notify.to.a.password.env: is something else',
    ],
    [
      'control',
      'signIn: { oidc: { issuer: "https://x", clientId: x, clientSecret: { env: "%-1" }, roles: [{ group: g, role: viewer }] } }',
      'control.signIn.oidc.clientSecret.env: is something else',
    ],
    ['keys', 'kek: "%"', 'keys.kek: expected either file, or command'],
    ['keys', 'signing: { %: x }', 'keys.signing: expected either file, or command'],
    [
      'upstreams',
      'a: { protocol: openai, url: "ftp://user:%@x.example/v1?key=%" }',
      'is "ftp://…@x.example/v1?…"',
    ],
  ])('never shows a secret that was put where its place belongs: %s: { %s }', (section, inner, said) => {
    const { message, next } = refusal(`${section}: { ${inner.replaceAll('%', 'SECRET')} }`);
    expect(message).toContain(said);
    expect(`${message}${next}`).not.toMatch(/SECRET|4711001/);
  });

  it.each([
    ['notify: { to: { a: { kind: slack, url: { evn: A } } } }', 'the keys are env, file'],
    ['notify: { to: { a: { kind: slack, url: { env: A }, sevrityMin: low } } }', 'did you mean severityMin?'],
    ['anchors: { to: { a: { kind: file, path: a, key: b } } }', 'the keys are kind, path'],
    ['anchors: { to: { a: { kind: fil, path: a } } }', '.kind: is "fil"; it must be one of file, witness,'],
    ['anchors: { to: { a: { kind: fil, path: a } } }', '(did you mean file?)'],
    ['anchors: { to: { a: { path: a } } }', '.kind: is missing; it must be one of file, witness,'],
    ['keys: { signing: { fil: /a } }', 'keys.signing: expected either file, or command as a list'],
    ['keys: { signing: { file: /a, command: [b] } }', 'expected either file, or command as a list'],
    ['keys: { signing: { command: b } }', 'expected either file, or command as a list'],
    ['', '(top level): has nothing in it; it must be a map with proxy, control, data,'],
    ['limits: { waitMsMax: .inf }', 'limits.waitMsMax: is Infinity; it must be'],
  ])('in one of several forms is told by the form that was meant: %s', (text, said) => {
    expect(refusal(text).message).toContain(said);
  });

  it('never shows a secret that a variable has in place of its name', () => {
    const oidc = 'issuer: "https://x", clientId: x, roles: [{ group: g, role: viewer }]';
    const { message } = refusal(`control: { signIn: { oidc: { ${oidc} } } }`, {
      HOLDPOINT_CONTROL_SIGN_IN_OIDC_CLIENT_SECRET_ENV: 'SECRET-1',
    });
    expect(message).toContain('HOLDPOINT_CONTROL_SIGN_IN_OIDC_CLIENT_SECRET_ENV');
    expect(message).not.toContain('SECRET-1');
  });

  it('that it is not there names the file', () => {
    expect(() => loadConfig('/nowhere/holdpoint.yaml', {})).toThrow('/nowhere/holdpoint.yaml cannot be read');
  });
});

describe('the environment', () => {
  const scalars = [
    ['HOLDPOINT_PROXY_LISTEN', '0.0.0.0:1', ['proxy', 'listen']],
    ['HOLDPOINT_PROXY_FORWARD_LISTEN', '127.0.0.1:3', ['proxy', 'forward', 'listen']],
    ['HOLDPOINT_PROXY_TRANSPARENT_LISTEN', '127.0.0.1:4', ['proxy', 'transparent', 'listen']],
    ['HOLDPOINT_PROXY_OTHERS', 'pass', ['proxy', 'others']],
    ['HOLDPOINT_PROXY_CA_FILE', '/ca.pem', ['proxy', 'caFile']],
    ['HOLDPOINT_CONTROL_LISTEN', '[::1]:2', ['control', 'listen']],
    ['HOLDPOINT_DATA_DIR', '/elsewhere', ['data', 'dir']],
    ['HOLDPOINT_DATA_DURABILITY', 'relaxed', ['data', 'durability']],
    ['HOLDPOINT_KEYS_DIR', '/keys', ['keys', 'dir']],
    ['HOLDPOINT_KEYS_SIGNING_FILE', '/s.pem', ['keys', 'signing', 'file']],
    ['HOLDPOINT_KEYS_NEXT_SIGNING_FILE', '/n.pem', ['keys', 'nextSigning', 'file']],
    ['HOLDPOINT_KEYS_KEK_TIMEOUT_MS', 700, ['keys', 'kek', 'timeoutMs']],
    ['HOLDPOINT_UPSTREAMS_OPENAI_URL', 'http://localhost:1', ['upstreams', 'openai', 'url']],
    ['HOLDPOINT_UPSTREAMS_OPENAI_PROTOCOL', 'anthropic', ['upstreams', 'openai', 'protocol']],
    ['HOLDPOINT_UPSTREAMS_OPENAI_MOUNT', '/x', ['upstreams', 'openai', 'mount']],
    ['HOLDPOINT_UPSTREAMS_OPENAI_KEY_ENV', 'THE_KEY', ['upstreams', 'openai', 'key', 'env']],
    ['HOLDPOINT_UPSTREAMS_OPENAI_KEY_FILE', '/key', ['upstreams', 'openai', 'key', 'file']],
    ['HOLDPOINT_UPSTREAMS_ANTHROPIC_URL', 'http://localhost:2', ['upstreams', 'anthropic', 'url']],
    ['HOLDPOINT_UPSTREAMS_ANTHROPIC_PROTOCOL', 'openai', ['upstreams', 'anthropic', 'protocol']],
    ['HOLDPOINT_UPSTREAMS_ANTHROPIC_MOUNT', '/y', ['upstreams', 'anthropic', 'mount']],
    ['HOLDPOINT_POLICY_FILE', '/p.yaml', ['policy', 'file']],
    ['HOLDPOINT_ANCHORS_EVERY_MS', 500, ['anchors', 'everyMs']],
    ['HOLDPOINT_ANCHORS_TIMEOUT_MS', 501, ['anchors', 'timeoutMs']],
    ['HOLDPOINT_ANCHORS_REQUIRE', 'anchored', ['anchors', 'require']],
    ['HOLDPOINT_ANCHORS_WITHIN_MS', 90_000, ['anchors', 'withinMs']],
    ['HOLDPOINT_ANCHORS_QUORUM', 2, ['anchors', 'quorum']],
    ['HOLDPOINT_ANCHORS_TO_W1_URL', 'http://localhost:3', ['anchors', 'to', 'w1', 'url']],
    ['HOLDPOINT_WITNESS_LISTEN', '127.0.0.1:9', ['witness', 'listen']],
    ['HOLDPOINT_WITNESS_NAME', 'w.example', ['witness', 'name']],
    ['HOLDPOINT_NOTIFY_CONSOLE_URL', 'https://c.example', ['notify', 'consoleUrl']],
    ['HOLDPOINT_NOTIFY_TIMEOUT_MS', 502, ['notify', 'timeoutMs']],
    ['HOLDPOINT_NOTIFY_GIVE_UP_AFTER_MS', 5_000, ['notify', 'giveUpAfterMs']],
    ['HOLDPOINT_NOTIFY_QUEUE_MAX', 12, ['notify', 'queueMax']],
    ['HOLDPOINT_NOTIFY_TO_ONCALL_URL', 'http://localhost:4', ['notify', 'to', 'oncall', 'url']],
    ['HOLDPOINT_WORKLOAD_NAME', '4711', ['workload', 'name']],
    ['HOLDPOINT_LIMITS_REQUEST_BYTES_MAX', 2048, ['limits', 'requestBytesMax']],
    ['HOLDPOINT_LIMITS_BATCH_BYTES_MAX', 2048, ['limits', 'batchBytesMax']],
    ['HOLDPOINT_LIMITS_RESPONSE_BYTES_MAX', 2048, ['limits', 'responseBytesMax']],
    ['HOLDPOINT_LIMITS_DECODED_BYTES_MAX', 2048, ['limits', 'decodedBytesMax']],
    ['HOLDPOINT_LIMITS_STORED_BYTES_MAX', 8192, ['limits', 'storedBytesMax']],
    ['HOLDPOINT_LIMITS_PASSED_BYTES_MAX', 8193, ['limits', 'passedBytesMax']],
    ['HOLDPOINT_LIMITS_SPOOL_BYTES_MAX', 8194, ['limits', 'spoolBytesMax']],
    ['HOLDPOINT_LIMITS_WAIT_MS_MAX', 200, ['limits', 'waitMsMax']],
    ['HOLDPOINT_LIMITS_CALLER_IDLE_MS_MAX', 1_000_000, ['limits', 'callerIdleMsMax']],
    ['HOLDPOINT_LIMITS_UPSTREAM_IDLE_MS_MAX', 200, ['limits', 'upstreamIdleMsMax']],
    ['HOLDPOINT_LIMITS_UPSTREAM_CONNECT_MS_MAX', 200, ['limits', 'upstreamConnectMsMax']],
    ['HOLDPOINT_LIMITS_UPSTREAM_CONNECTIONS_MAX', 7, ['limits', 'upstreamConnectionsMax']],
    ['HOLDPOINT_LIMITS_DRAIN_MS_MAX', 200, ['limits', 'drainMsMax']],
    ['HOLDPOINT_RETENTION_EVERY_HOURS', 6, ['retention', 'everyHours']],
    ['HOLDPOINT_CONTROL_ROLES_TEAM_LEAD_LIKE', 'auditor', ['control', 'roles', 'team-lead', 'like']],
    ['HOLDPOINT_CONTROL_RULINGS', 'signed', ['control', 'rulings']],
    ['HOLDPOINT_CONTROL_PUBLIC_URL', 'https://c.example', ['control', 'publicUrl']],
    ['HOLDPOINT_CONTROL_SIGN_IN_IDLE_MS_MAX', 60_001, ['control', 'signIn', 'idleMsMax']],
    ['HOLDPOINT_CONTROL_SIGN_IN_LIFETIME_MS_MAX', 60_002, ['control', 'signIn', 'lifetimeMsMax']],
    ['HOLDPOINT_CONTROL_SIGN_IN_OIDC_ISSUER', 'https://id.example', ['control', 'signIn', 'oidc', 'issuer']],
    ['HOLDPOINT_CONTROL_SIGN_IN_OIDC_CLIENT_ID', 'c', ['control', 'signIn', 'oidc', 'clientId']],
    [
      'HOLDPOINT_CONTROL_SIGN_IN_OIDC_CLIENT_SECRET_ENV',
      'SECRET',
      ['control', 'signIn', 'oidc', 'clientSecret', 'env'],
    ],
    ['HOLDPOINT_CONTROL_SIGN_IN_OIDC_CA_FILE', 'ca.pem', ['control', 'signIn', 'oidc', 'caFile']],
    ['HOLDPOINT_CONTROL_SIGN_IN_OIDC_GROUPS_CLAIM', 'g', ['control', 'signIn', 'oidc', 'groupsClaim']],
    ['HOLDPOINT_CONTROL_SIGN_IN_OIDC_LABEL', 'Example', ['control', 'signIn', 'oidc', 'label']],
    ['HOLDPOINT_CONTROL_TLS_CERT', 'other.crt', ['control', 'tls', 'cert']],
    ['HOLDPOINT_CONTROL_TLS_KEY', 'other.key', ['control', 'tls', 'key']],
    ['HOLDPOINT_CONTROL_KUBERNETES_AUDIENCE', 'other', ['control', 'kubernetes', 'audience']],
    ['HOLDPOINT_CONTROL_KUBERNETES_CREDENTIALS', './sa', ['control', 'kubernetes', 'credentials']],
    ['HOLDPOINT_LOG_LEVEL', 'warn', ['log', 'level']],
  ] as const;

  const key = 'w.example+00000000+BAAA';
  const outside = `anchors: { to: { w1: { kind: witness, url: 'http://w.example', key: ${key} }, f: { kind: file, path: x } } }
witness: { listen: '127.0.0.1:1', name: w, peers: [${key}] }
notify: { to: { oncall: { kind: webhook, url: 'http://w.example', secret: { env: X } } } }
keys: { kek: { command: [/bin/kms] } }
control: { roles: { team-lead: { like: viewer } }, tls: { cert: a, key: b }, signIn: { oidc: { issuer: 'http://localhost:5', clientId: x, clientSecret: { env: X }, roles: [{ group: g, role: viewer }] } } }`;

  it.each(scalars)('%s sets it', (variable, value, path) => {
    const config = load(`data: { dir: ./d }\n${outside}`, { [variable]: String(value) });
    expect(config).toHaveProperty([...path], value);
  });

  it('can set every scalar that has a default or a documented place', () => {
    const leaves = (value: unknown, path: string[]): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
        : Array.isArray(value)
          ? []
          : [path.join('.')];
    const listed = scalars.map(([, , path]) => path.join('.'));
    const withoutDefault = [
      'anchors.to.w1.url',
      'control.publicUrl',
      'control.kubernetes.audience',
      'control.kubernetes.credentials',
      'control.tls.cert',
      'control.tls.key',
      'control.signIn.oidc.issuer',
      'control.signIn.oidc.clientId',
      'control.signIn.oidc.clientSecret.env',
      'control.signIn.oidc.caFile',
      'control.signIn.oidc.groupsClaim',
      'control.signIn.oidc.label',
      'witness.listen',
      'witness.name',
      'keys.dir',
      'keys.signing.file',
      'keys.nextSigning.file',
      'keys.kek.timeoutMs',
      'control.roles.team-lead.like',
      'notify.consoleUrl',
      'notify.to.oncall.url',
      'proxy.caFile',
      'proxy.forward.listen',
      'proxy.transparent.listen',
      'upstreams.openai.key.env',
      'upstreams.openai.key.file',
    ];
    expect(listed.sort()).toEqual([...leaves(defaults, []), ...withoutDefault].sort());
  });

  it('leaves everything else as it was, upstreams included', () => {
    const config = load('log: { level: warn }', { HOLDPOINT_UPSTREAMS_OPENAI_URL: 'http://localhost:1' });
    expect(config.upstreams).toEqual({
      ...defaults.upstreams,
      openai: { ...defaults.upstreams['openai'], url: 'http://localhost:1' },
    });
    expect(config.log.level).toBe('warn');
  });

  it('wins over the file, and the source that is sealed says so', () => {
    const { data, source } = load('data:\n  dir: ./d # here\n', { HOLDPOINT_DATA_DIR: '/e' });
    expect(data.dir).toBe('/e');
    expect(source).toContain('dir: /e');
  });

  it.each([
    ['HOLDPOINT_DATA_DRI', 'Did you mean HOLDPOINT_DATA_DIR?'],
    ['HOLDPOINT_PROXY_LISTN', 'Did you mean HOLDPOINT_PROXY_LISTEN?'],
    ['HOLDPOINT_UPSTREAM_OPENAI_URL', 'Did you mean HOLDPOINT_UPSTREAMS_OPENAI_URL?'],
    ['HOLDPOINT_CONTROL_HOST', 'HOLDPOINT_CONTROL_LISTEN'],
    ['HOLDPOINT_CONTROL_PORT', 'HOLDPOINT_CONTROL_LISTEN'],
    ['HOLDPOINT_UPSTREAMS_OPENAI_KEY', 'There are HOLDPOINT_UPSTREAMS_OPENAI_KEY_ENV, '],
    ['HOLDPOINT_KEYS_SIGNING', 'There are HOLDPOINT_KEYS_SIGNING_FILE, '],
    ['HOLDPOINT_SOMETHING_ELSE', 'such as HOLDPOINT_DATA_DIR'],
  ])('%s is a mistake, and the nearest setting is named', (variable, next) => {
    const error = refusal('data: {}', { [variable]: '8788' });
    expect(error.message).toBe(`The environment variable ${variable} names no setting.`);
    expect(error.next).toContain(next);
  });

  it('of a list says that lists stand in the file', () => {
    const { message, next } = refusal('data: {}', { HOLDPOINT_CONTROL_HOSTS: 'a.example' });
    expect(message).toBe(
      'The environment variable HOLDPOINT_CONTROL_HOSTS is that of a list, and sets no list.',
    );
    expect(next).toBe('Write control.hosts in the configuration file.');
  });

  it.each([
    [
      'HOLDPOINT_PROXY_LISTEN',
      'nowhere',
      'HOLDPOINT_PROXY_LISTEN (proxy.listen): is "nowhere"; expected host:port',
    ],
    [
      'HOLDPOINT_LIMITS_WAIT_MS_MAX',
      'long',
      'HOLDPOINT_LIMITS_WAIT_MS_MAX (limits.waitMsMax): is "long"; it must be a',
    ],
    [
      'HOLDPOINT_LIMITS_DRAIN_MS_MAX',
      '-1',
      'HOLDPOINT_LIMITS_DRAIN_MS_MAX (limits.drainMsMax): is too small',
    ],
    ['HOLDPOINT_DATA_DIR', '', 'HOLDPOINT_DATA_DIR (data.dir): is too short'],
    [
      'HOLDPOINT_UPSTREAMS_ANTHROPIC_MOUNT',
      '/',
      'HOLDPOINT_UPSTREAMS_ANTHROPIC_MOUNT (upstreams): expected a different mount',
    ],
  ])('%s=%s is refused by its name', (variable, value, said) => {
    expect(refusal('data: {}', { [variable]: value }).message).toContain(said);
  });

  it('of Kubernetes service links is no matter', () => {
    const links = {
      HOLDPOINT_SERVICE_HOST: '10.0.0.1',
      HOLDPOINT_SERVICE_PORT: '8788',
      HOLDPOINT_SERVICE_PORT_CONTROL: '8788',
      HOLDPOINT_PORT: 'tcp://10.0.0.1:8788',
      HOLDPOINT_PORT_8788_TCP: 'tcp://10.0.0.1:8788',
      HOLDPOINT_PORT_8788_TCP_PROTO: 'tcp',
      HOLDPOINT_PORT_8788_TCP_PORT: '8788',
      HOLDPOINT_PORT_8788_TCP_ADDR: '10.0.0.1',
      HOLDPOINT_CONTROL_PORT: 'tcp://10.0.0.1:8788',
      HOLDPOINT_CONTROL_SERVICE_HOST: '10.0.0.1',
    };
    expect(load('data: {}', links).data).toEqual(defaults.data);
  });

  it('of the command line is no setting', () => {
    expect(load('data: {}', { HOLDPOINT_URL: 'http://x', HOLDPOINT_TOKEN: 't' }).data).toEqual(defaults.data);
  });
});

describe('roles of people who sign in', () => {
  const groups = (role: string): string =>
    `control:
  roles: { finance: { like: reviewer } }
  signIn: { oidc: { issuer: 'http://localhost:5', clientId: x, roles: [{ group: g, role: ${role} }] } }`;

  it('may be ones that the configuration adds', () => {
    expect(load(groups('finance')).control.signIn.oidc?.roles).toEqual([{ group: 'g', role: 'finance' }]);
  });

  it('are refused where there is no such role, with file and line and those there are', () => {
    const { code, message } = refusal(groups('finanz'));
    expect(code).toBe('config_invalid');
    expect(message).toMatch(/holdpoint\.yaml:3:\d+ .*finance/s);
  });

  it('are refused the same for certificates', () => {
    const tls =
      'control: { tls: { cert: a, key: b, clientCa: c, clients: [{ commonName: ada, role: boss }] } }';
    expect(refusal(tls).message).toContain('viewer, reviewer');
  });
});
