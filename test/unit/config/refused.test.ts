/** Settings that could never do what they say, which the loader refuses rather than takes. */
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { readYaml } from '../../../src/config/yaml.ts';

const read = (text: string) => readYaml('h.yaml', text, configSchema, 'config_invalid');

const webhook = "kind: webhook, secret: { env: A }, url: 'http://user:SECRET@x'";
const key = 'w.example+00000000+BAAA';

describe('is refused', () => {
  it.each([
    // The provider's key would go into what frames or routes the call, or nowhere at all.
    ...['host', 'connection', 'content-length', 'accept-encoding', 'holdpoint-workload'].map((header) => [
      `upstreams: { a: { protocol: openai, key: { env: A, header: ${header} } } }`,
      'upstreams.a.key.header: expected a header that may carry a key, such as x-api-key',
    ]),
    // What stands in front of the host or behind the path goes nowhere.
    ...['https://user:SECRET@x.example', 'https://x.example/v1?key=SECRET', 'https://x.example/#SECRET'].map(
      (url) => [
        `upstreams: { a: { protocol: openai, url: '${url}' } }`,
        'upstreams.a.url: expected scheme, host and path alone',
      ],
    ),
    [`notify: { to: { a: { ${webhook} } } }`, 'notify.to.a.url: expected a URL without user and password'],
    [
      "anchors: { to: { a: { kind: timestamp, url: 'http://user:SECRET@x' } } }",
      'anchors.to.a.url: expected a URL without user and password',
    ],
    [
      "control: { signIn: { oidc: { issuer: 'https://user:SECRET@x', clientId: x, roles: [{ group: g, role: viewer }] } } }",
      'oidc.issuer: expected the issuer’s URL without user, query and fragment',
    ],
    // A password would be logged with the address, and a path is none of a proxy's.
    ...[
      'http://user:SECRET@p.example:3128',
      'http://:SECRET@p.example:3128',
      'http://p.example/x',
      'http://p.example/?x',
      'http://p.example/#x',
      'ftp://p.example',
      'socks5://p.example',
      'p.example:3128',
      'p.example',
    ].map((url) => [
      `egress: { proxy: '${url}' }`,
      'egress.proxy: expected http://host:port or https://host:port alone',
    ]),
    ...['*', 'https://x.example', '10.0.0.0/33'].map((form) => [
      `egress: { proxy: 'http://p.example', except: ['${form}'] }`,
      'egress.except[0]: expected a name such as internal.example.com',
    ]),
    // It would ask itself for ever.
    ...[
      ['http://localhost:8789', 'proxy: { forward: {} }'],
      ['http://127.0.0.1:8787', 'log: {}'],
      ['http://[::1]:8788', 'log: {}'],
      ['http://10.1.2.3:8080', "proxy: { listen: '10.1.2.3:8080' }"],
      ['http://127.0.0.1:8080', "proxy: { listen: '0.0.0.0:8080' }"],
      // As it may be written, too.
      ['http://127.0.0.1:8080', "proxy: { listen: '127.0.0.1:08080' }"],
    ].flatMap(([url, more]) => [
      [`{ egress: { proxy: '${url}' }, ${more} }`, 'egress.proxy: expected another proxy than this sidecar'],
      [
        `{ upstreams: { a: { protocol: openai }, b: { protocol: openai, mount: /b, url: '${url}/v1' } }, ${more} }`,
        'upstreams.b.url: expected another place than this sidecar, which would ask itself for ever',
      ],
    ]),
    // No path of a call has these steps.
    ['upstreams: { a: { protocol: openai, mount: /a/../b } }', 'upstreams.a.mount: expected a path without'],
    [
      'upstreams: { a: { protocol: openai, tunnel: [/v1/./x] } }',
      'upstreams.a.tunnel[0]: expected a path without',
    ],
    [
      'upstreams: { a: { protocol: openai, hosts: ["a:99999"] } }',
      'upstreams.a.hosts[0]: expected a port of 1 to 65535',
    ],
    // A browser's Host is compared with the name alone.
    ...['https://holdpoint.example.com', 'holdpoint.example.com:8443', '*'].map((host) => [
      `control: { hosts: ['${host}'] }`,
      'control.hosts[0]: expected a name alone, such as holdpoint.example.com',
    ]),
    // An exemption for no bases would exempt from nothing, and what was to be kept would be erased.
    ['retention: { exemptions: [{ id: a, bases: [] }] }', 'bases: is too short; it must be at least 1 item'],
    [
      'retention: { exemptions: [{ id: a }, { id: a }] }',
      'retention.exemptions: expected a different id for each',
    ],
    ['retention: { rules: [{ id: a }] }', 'retention.rules[0]: expected keepDays, minimumDays or both'],
    [
      'retention: { rules: [{ id: a, keepDays: 29, minimumDays: 30 }] }',
      'retention.rules[0]: expected keepDays of at least minimumDays',
    ],
    [
      "notify: { to: { a: { kind: email, host: 'smtp.x:25', from: a@b, to: [a@b] } } }",
      'notify.to.a.host: expected a host alone, such as smtp.example.com; its port is port',
    ],
    [
      "egress: { proxy: 'http://p:1', authorization: { env: 'Basic SECRET' } }",
      'egress.authorization.env: is something else, not shown here; expected the name of an environment variable',
    ],
    [
      "egress: { proxy: 'http://p:1', authorization: { Basic SECRET } }",
      'egress.authorization: has a key that is none here; the keys are env, file',
    ],
    // Where a file cannot be read its path is said, so that it must not be what should be in it.
    ...[
      String.raw`"-----BEGIN PRIVATE KEY-----\nSECRET"`,
      'SECRETAAAAAAAAAA=',
      'https://hooks.x/SECRET',
    ].flatMap((content) =>
      [
        ['keys.signing.file', `keys: { signing: { file: ${content} } }`],
        ['keys.kek.file', `keys: { kek: { file: ${content} } }`],
        ['upstreams.a.key.file', `upstreams: { a: { protocol: openai, key: { file: ${content} } } }`],
        ['control.tls.key', `control: { tls: { cert: x, key: ${content} } }`],
        ['notify.to.a.url.file', `notify: { to: { a: { kind: slack, url: { file: ${content} } } } }`],
      ].map(([path, text]) => [text, `${path}: expected the path of a file, and never what is in it`]),
    ),
    // Made as it stands, it would be a directory of that name where the process was started.
    ...['data: { dir: ~/data }', `keys: { dir: '$\{HOME}/keys' }`, 'policy: { file: ~/policy.yaml }'].map(
      (text) => [text, 'expected a path as it is: nothing takes the place of ~ or of a variable'],
    ),
    ['keys: { kek: { file: ~/kek.key } }', 'keys.kek.file: expected a path as it is'],
    ['anchors: { to: { a: { kind: file, path: ~/anchor } } }', 'anchors.to.a.path: expected a path as it is'],
    ['proxy: { caFile: ~/ca.pem }', 'proxy.caFile: expected a path as it is'],
    ['control: { tls: { cert: ~/a, key: b } }', 'control.tls.cert: expected a path as it is'],
    [
      'control: { kubernetes: { credentials: $(pwd)/a } }',
      'kubernetes.credentials: expected a path as it is',
    ],
    // Somebody may have put the other half of the pair.
    ['keys: { escrow: SECRET }', 'keys.escrow: is something else, not shown here; expected 32 bytes'],
    // Whoever has all zeros for a public key shares it with everybody.
    [`keys: { escrow: ${'A'.repeat(43)}= }`, 'keys.escrow: expected a public key that somebody has'],
    // Nobody can follow a link to every address.
    ...['0.0.0.0', '[::]'].map((host) => [
      `control: { listen: '${host}:8788' }\nnotify: { to: { a: { kind: slack, url: { env: A } } } }`,
      'notify: expected consoleUrl, or control.publicUrl: control.listen is every address, and no link leads there',
    ]),
    [
      'anchors: { require: anchored, everyMs: 60000, withinMs: 60000, to: { a: { kind: file, path: x } } }',
      'anchors: expected withinMs above everyMs',
    ],
    [
      'anchors: { require: anchored, quorum: 2, to: { a: { kind: file, path: x } } }',
      'anchors: expected as many anchors as quorum: no call could ever be taken',
    ],
    [
      `anchors: { to: { ${Array.from({ length: 17 }, (_, i) => `a${i}: { kind: file, path: x${i} }`)} } }`,
      'anchors.to: expected at most 16 anchors',
    ],
  ])('%s', (text = '', said) => {
    expect(() => read(text)).toThrow(said);
    expect(() => read(text)).not.toThrow('SECRET');
  });

  it.each([
    'a: { kind: file, path: x }, b: { kind: file, path: ./x }',
    `a: { kind: witness, url: 'http://a', key: ${key} }, b: { kind: witness, url: 'http://b', key: ${key} }`,
    `a: { kind: witness, url: 'http://a', key: ${key} }, b: { kind: witness, url: 'http://a', key: other+11111111+BAAA }`,
    "a: { kind: timestamp, url: 'http://a' }, b: { kind: timestamp, url: 'http://a/' }",
    "a: { kind: bucket, url: 'http://a/b', region: eu }, b: { kind: bucket, url: 'http://a/b', region: eu, prefix: c/ }",
  ])('one place that would count as two for the quorum: %s', (to) => {
    expect(() => read(`anchors: { to: { ${to} } }`)).toThrow(
      'anchors.to: expected a different place for each, and b has that of a: quorum counts places',
    );
  });
});

describe('is taken', () => {
  it('a long everyMs where nothing waits for anchors', () => {
    expect(read('anchors: { everyMs: 3600000 }').anchors.everyMs).toBe(3_600_000);
  });

  it.each([
    "upstreams: { a: { protocol: openai, url: 'http://127.0.0.1:1/base/', hosts: ['[::1]:443', 'a.b:65535'] } }",
    'upstreams: { a: { protocol: openai, mount: /..a/b., key: { env: A, header: cf-aig-authorization } } }',
    "{ upstreams: { a: { protocol: ollama, url: 'http://127.0.0.1:8080' } }, proxy: { listen: '10.1.2.3:8080' } }",
    'data: { dir: /a~/$b }',
    'retention: { rules: [{ id: a, keepDays: 30, minimumDays: 30 }, { id: b, minimumDays: 1 }] }',
    'anchors: { require: anchored, quorum: 1, to: { a: { kind: file, path: x } } }',
    "control: { listen: '0.0.0.0:8788' }",
    "control: { listen: '0.0.0.0:8788', publicUrl: 'https://c.x' }\nnotify: { to: { a: { kind: slack, url: { env: A } } } }",
    "control: { listen: '0.0.0.0:8788' }\nnotify: { consoleUrl: 'http://c.x', to: { a: { kind: slack, url: { env: A } } } }",
    "control: { hosts: [holdpoint.example.com, my_host, 10.0.0.1, '::1'] }",
    "notify: { to: { a: { kind: email, host: '::1', from: a@b, to: [a@b] } } }",
    "notify: { to: { a: { kind: webhook, url: 'http://x/?a=b', secret: { env: A } } } }",
    'keys: { escrow: 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08= }',
  ])('%s', (text) => {
    expect(() => read(text)).not.toThrow();
  });
});
