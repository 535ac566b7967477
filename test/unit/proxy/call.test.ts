/** Who asks: by which credential, under which names. A call that cannot be read leaves nothing behind of its body. */
import { createServer, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openai } from '../../../src/provider/openai/family.ts';
import { credentialOf, readCall, readUpgrade } from '../../../src/proxy/call.ts';
import type { Upstream } from '../../../src/proxy/upstream.ts';
import { endAll } from '../../support/endings.ts';
import { listeningOn } from '../../support/listening-on.ts';

afterEach(endAll);

const bounds = { requestBytesMax: 100, storedBytesMax: 1, decodedBytesMax: 100, batchBytesMax: 100 };
const named = { name: 'openai', origin: 'http://a.test', basePath: '', mount: '/', keepHost: false };

const defect = (): never => {
  throw new RangeError('a defect');
};
const unreadable: Upstream = { ...named, protocol: { ...openai, readRequest: defect } };
const unstorable: Upstream = {
  ...named,
  protocol: openai,
  get key() {
    return defect();
  },
};

test.each([
  ['read', unreadable],
  ['stored', unstorable],
])('an upload on disk that cannot be %s is let go', async (_what, upstream) => {
  let open = 0;
  const openSpool = async () => {
    open += 1;
    const close = async (): Promise<void> => {
      open -= 1;
    };
    const read = async function* () {
      yield Buffer.from('xyz');
    };
    const spool = { bytes: 3, sha256: '', read, close };
    return { write: async () => undefined, finish: async () => spool, discard: close };
  };
  const said = Promise.withResolvers<unknown>();
  const server = createServer((req, res) => {
    const reading = readCall(req, res, upstream, bounds, openSpool, String, 0, 'agent');
    reading.then(said.resolve, said.reject).finally(() => res.end());
  });
  const { url, close } = await listeningOn(server);
  try {
    const failed = expect(said.promise).rejects.toThrow('a defect');
    await fetch(`${url}/v1/unknown`, { method: 'POST', body: 'xyz' });
    await failed;
    expect(open).toBe(0);
  } finally {
    await close();
  }
});

test.each([
  [['Authorization', 'Bearer own', 'x-api-key', 'other'], '/', 'Bearer own'],
  [['X-Api-Key', 'own'], '/', 'own'],
  [['Api-Key', 'own'], '/', 'own'],
  [['x-goog-api-key', 'own'], '/?key=other', 'own'],
  [['Authorization', ''], '/v1?alt=sse&key=own&b=1', 'own'],
  [['X-Other', 'own'], '/v1?monkey=own', ''],
])('%j to %s shows the credential %j', (headers, target, credential) => {
  expect(credentialOf(headers, target)).toBe(credential);
});

test('a signature shows whose key made it, and with it the session whose token came along', () => {
  const signed = (signature: string, ...more: string[]): string =>
    credentialOf(
      [
        ...[
          'Authorization',
          `AWS4-HMAC-SHA256 Credential=AKIA1/20261128/eu/bedrock/aws4_request, Signature=${signature}`,
        ],
        ...more,
      ],
      '/',
    );
  expect(signed('one')).toBe('AKIA1');
  expect(signed('two')).toBe('AKIA1');
  expect(signed('one', 'X-Amz-Security-Token', 'session')).toBe('AKIA1 session');
});

/** What an upgrade with these headers says of itself, at an upstream that has the sidecar's key in `x-gateway-key`. */
function upgradeWith(...headers: string[]): ReturnType<typeof readUpgrade> {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method: 'GET', url: '/v1/live', rawHeaders: headers });
  const key = { header: 'x-gateway-key', current: () => 'real' };
  return readUpgrade(req, [{ ...named, protocol: openai, key }], (secret) => `#${secret}`, 'agent');
}

test('what an upgrade still sends where the sidecar puts its key is not stored', () => {
  const { stored, headers } = upgradeWith('X-Gateway-Key', 'own', 'X-Other', 'kept');
  expect(stored.headers).toEqual(['X-Gateway-Key', '[removed]', 'X-Other', 'kept']);
  expect(headers).toContain('own');
});

test('a name that a caller gives is cut where it is longer than a name', () => {
  const { facts } = upgradeWith('Holdpoint-Workload', 'w'.repeat(300), 'Holdpoint-Session', 's'.repeat(256));
  expect([facts.workload, facts.session]).toEqual(['w'.repeat(256), 's'.repeat(256)]);
  expect(upgradeWith().facts.workload).toBe('agent');
});

test('a caller without a credential has no fingerprint', () => {
  expect(upgradeWith().credential).toBe('');
  expect(upgradeWith('Authorization', 'Bearer own').credential).toBe('#Bearer own');
});
