/** The sidecar as a client of witnesses: what it sends, which answers count, how it finds its place again. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { latestCheckpoint } from '../../src/anchor/anchor.ts';
import { cosignerOf } from '../../src/anchor/cosign.ts';
import { openWitness, type Witness } from '../../src/anchor/witness.ts';
import { openWitnessAnchor } from '../../src/anchor/witness-client.ts';
import { addCheckpointBytesMax } from '../../src/anchor/witness-request.ts';
import { listenWitness, type WitnessListener } from '../../src/anchor/witness-server.ts';
import { sha256Hex } from '../../src/core/bytes.ts';
import { noProxy } from '../../src/core/egress.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { parseWitnessKey } from '../../src/ledger/verify/cosignature.ts';
import { parseVerifierKey } from '../../src/ledger/verify/note.ts';
import { createLedgerUnderTest, exchange } from '../fault/ledger-under-test.ts';
import { newKey } from './witness-scene.ts';

let directory: string;
let ledger: Ledger;
let witness: Witness;
let listener: WitnessListener;
const ours = newKey();
const statuses: number[] = [];
const clock = { nowMs: () => Date.UTC(2026, 10, 26), monoUs: () => 0 };
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-client-'));
  ledger = await createLedgerUnderTest().open();
  const peer = parseVerifierKey(ledger.verifierKey);
  if ('code' in peer) throw new Error(peer.message);
  witness = openWitness({ directory, cosigner: cosignerOf('w.example', ours), peers: [peer], clock });
  statuses.length = 0;
  const onError = (_what: string, error: unknown): never => {
    throw error;
  };
  const onAnswer = (status: number) => statuses.push(status);
  listener = await listenWitness({ host: '127.0.0.1', port: 0, witness, onAnswer, onError });
});
afterEach(async () => {
  await ledger.close('done');
  await listener.close();
  rmSync(directory, { recursive: true });
});

function client(url = listener.url, key = ours) {
  const parsed = parseWitnessKey(cosignerOf('w.example', key).verifierKey);
  if ('code' in parsed) throw new Error(parsed.message);
  return openWitnessAnchor({ name: 'w', url, key: parsed, tree: ledger.tree, egress: noProxy });
}
function checkpointNow() {
  const checkpoint = latestCheckpoint(ledger);
  if (checkpoint === null) throw new Error('nothing is durable');
  return checkpoint;
}
const signal = new AbortController().signal;

describe('a witness', () => {
  it('is shown how the ledger continues, and its cosignature is kept with the note', async () => {
    const anchor = client(`${listener.url}/`);
    const first = checkpointNow();
    await anchor.send(first, 0, signal);
    for (let i = 0; i < 5; i += 1) await exchange(ledger, () => undefined);
    const second = checkpointNow();
    const receipt = await anchor.send(second, first.size, signal);
    expect(receipt.text).toMatch(/^\u2014 w\.example \S+\n$/);
    expect(receipt.files[0]?.bytes.toString('utf8')).toBe(second.note.toString('utf8') + receipt.text);
    expect(statuses).toEqual([200, 200]);
  });

  it('that remembers another size than we do is asked again from there', async () => {
    const anchor = client();
    const first = checkpointNow();
    await anchor.send(first, 0, signal);
    await exchange(ledger, () => undefined);
    await anchor.send(checkpointNow(), 0, signal);
    expect(statuses).toEqual([200, 409, 200]);
  });

  it('that took a checkpoint whose answer was lost gives its cosignature when it is asked again', async () => {
    const anchor = client();
    const lost = await anchor.send(checkpointNow(), 0, signal);
    const again = await anchor.send(checkpointNow(), 0, signal);
    expect(again.text).toBe(lost.text);
    expect(statuses).toEqual([200, 409, 200]);
  });

  it('that remembers more than the ledger has contradicts it', async () => {
    const anchor = client();
    const early = checkpointNow();
    await exchange(ledger, () => undefined);
    await anchor.send(checkpointNow(), 0, signal);
    await expect(anchor.send(early, 0, signal)).rejects.toMatchObject({ code: 'anchor_contradicts' });
  });

  it('whose key is another than the configured one counts for nothing', async () => {
    const sent = client(listener.url, newKey()).send(checkpointNow(), 0, signal);
    await expect(sent).rejects.toMatchObject({
      code: 'anchor_failed',
      message: expect.stringContaining('no key that was configured'),
    });
  });

  it('that is not there is a failure', async () => {
    const sent = client('http://127.0.0.1:9').send(checkpointNow(), 0, signal);
    await expect(sent).rejects.toMatchObject({ code: 'anchor_failed' });
  });

  it('that does not know us says which key to add where', async () => {
    const empty = openWitness({
      directory: mkdtempSync(join(directory, 'other-')),
      cosigner: cosignerOf('w.example', ours),
      peers: [],
      clock,
    });
    const other = await listenWitness({
      host: '127.0.0.1',
      port: 0,
      witness: empty,
      onAnswer: () => 0,
      onError: () => 0,
    });
    await expect(client(other.url).send(checkpointNow(), 0, signal)).rejects.toThrow(
      /does not know holdpoint\//,
    );
    await other.close();
  });
});

describe("the witness's port", () => {
  it('takes a body that its sender broke off for no failure of its own', async () => {
    const errors: unknown[] = [];
    const onError = (_what: string, error: unknown): number => errors.push(error);
    const port = await listenWitness({ host: '127.0.0.1', port: 0, witness, onAnswer: () => 0, onError });
    const { hostname, port: number } = new URL(port.url);
    const socket = connect(Number(number), hostname);
    socket.write(
      'POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 90\r\nexpect: 100-continue\r\n\r\n',
    );
    // The answer to `expect` says that the witness waits for the body now.
    await once(socket, 'data');
    socket.destroy();
    await port.close();
    for (let round = 0; round < 10; round += 1) await nextRound();
    expect(errors).toEqual([]);
  });
});

describe('an answer that is none', () => {
  let server: Server;
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  /** The last one for all that follow. */
  async function answering(...answers: [number, string, string | Buffer][]): Promise<string> {
    server = createServer((req, res) => {
      req.resume();
      const [status, type, body] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [500, '', ''];
      res.writeHead(status, { 'content-type': type });
      res.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  }
  const line = (text: string): string =>
    cosignerOf('w.example', ours).cosign(Buffer.from(text), 1_764_000_000);

  it.each([
    ['empty', () => ''],
    ['text', () => 'ok\n'],
    ['a cosignature of another text', () => line('other\n')],
    ['a line without its end', () => line('other\n').trimEnd()],
    ['endless', () => Buffer.alloc(1024 * 1024, 'x')],
  ])('%s is a failure', async (_what, body) => {
    const url = await answering([200, 'text/plain', body()]);
    await expect(client(url).send(checkpointNow(), 0, signal)).rejects.toMatchObject({
      code: 'anchor_failed',
    });
  });

  it('422 contradicts the ledger', async () => {
    const url = await answering([422, 'text/plain', '']);
    await expect(client(url).send(checkpointNow(), 0, signal)).rejects.toMatchObject({
      code: 'anchor_contradicts',
    });
  });

  it.each(['text/plain', 'text/x.tlog.size'])(
    '409 of type %s where it remembers as many entries as there are contradicts the ledger',
    async (type) => {
      const checkpoint = checkpointNow();
      const size = `${checkpoint.size}\n`;
      const url = await answering([409, 'text/x.tlog.size', size], [409, type, size]);
      await expect(client(url).send(checkpoint, 0, signal)).rejects.toMatchObject({
        code: 'anchor_contradicts',
      });
    },
  );

  it.each([
    ['text/x.tlog.size', '01\n'],
    ['text/x.tlog.size', '-1\n'],
    ['text/plain', '1\n'],
    ['text/x.tlog.size', '1'],
  ])('409 with %s %j is a failure', async (type, body) => {
    const url = await answering([409, type, body]);
    await expect(client(url).send(checkpointNow(), 0, signal)).rejects.toMatchObject({
      code: 'anchor_failed',
    });
  });

  it('a redirect is not followed', async () => {
    server = createServer((_req, res) => res.writeHead(307, { location: listener.url }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
    await expect(client(url).send(checkpointNow(), 0, signal)).rejects.toMatchObject({
      code: 'anchor_failed',
    });
    expect(statuses).toEqual([]);
  });
});

describe('the witness’s port', () => {
  const post = (path: string, body: string | Buffer, method = 'POST') =>
    fetch(listener.url + path, {
      method,
      ...(method === 'GET' ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    });

  it('serves monitors the last checkpoint under the hash of its origin', async () => {
    const path = `/${sha256Hex(ledger.origin)}/checkpoint`;
    expect((await post(path, '', 'GET')).status).toBe(404);
    await client().send(checkpointNow(), 0, signal);
    const latest = await post(path, '', 'GET');
    expect(latest.status).toBe(200);
    expect(await latest.text()).toContain('\u2014 w.example ');
    expect((await post(path, '', 'PUT')).status).toBe(405);
  });

  it.each(['/', '/other', '//', '/add-checkpoint/x', `/${'0'.repeat(64)}/checkpoint`])(
    'has nothing at %s',
    async (path) => {
      expect((await post(path, '', 'GET')).status).toBe(404);
    },
  );

  it('takes add-checkpoint by POST only, and no body without end', async () => {
    expect((await post('/add-checkpoint', '', 'PUT')).status).toBe(405);
    expect((await post('/add-checkpoint', 'x')).status).toBe(400);
    expect((await post('/add-checkpoint', Buffer.alloc(addCheckpointBytesMax + 1))).status).toBe(413);
  });
});
