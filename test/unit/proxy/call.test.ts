/** A call that cannot be read leaves nothing behind of its body. */
import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { openai } from '../../../src/provider/openai/family.ts';
import { readCall } from '../../../src/proxy/call.ts';
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
