/** Calls that arrive in one round of the event loop go on together, so that one commit has them all. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { decodeBlock, parseRecordKey } from '../../src/ledger/block.ts';
import { decodeLeaf, type EntryType } from '../../src/ledger/entry.ts';
import type { StoredRecord } from '../../src/ledger/store.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';

afterEach(endAll);

const body = JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hello' }] });
const answer = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
});

function typesIn(records: readonly StoredRecord[]): EntryType[] {
  const blocks = records.filter(({ key }) => parseRecordKey(key)?.kind === 'block');
  return blocks.flatMap(({ value }) => decodeBlock(value).leaves.map((leaf) => decodeLeaf(leaf).type));
}

/** A provider that keeps the answers to two calls with `x-wait` until it is told. */
async function startProvider() {
  const waiting: ServerResponse[] = [];
  const both = Promise.withResolvers<readonly ServerResponse[]>();
  const server = createServer((req, res) => {
    req.resume().on('end', () => {
      res.setHeader('content-type', 'application/json');
      if (req.headers['x-wait'] === undefined) res.end(answer);
      else if (waiting.push(res) === 2) both.resolve(waiting);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, both: both.promise };
}

async function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay();
  atEnd(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function ask(socket: Socket, field = 'x-now: 1'): void {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: sidecar\r\ncontent-type: application/json\r\n${field}`;
  socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

async function call(socket: Socket): Promise<void> {
  ask(socket);
  await once(socket, 'data');
}

it('two requests of one round are in one commit, and so are two answers', async () => {
  const commits: EntryType[][] = [];
  const provider = await startProvider();
  const { proxyUrl } = await startTestSidecar({
    upstreams: { openai: { url: provider.url, protocol: 'openai', mount: '/' } },
    machine: {
      openLedgerStore: async (dir) => {
        const store = await openLedgerStore(dir);
        const commit = (records: readonly StoredRecord[], sync: boolean): Promise<void> => {
          commits.push(typesIn(records));
          return store.commit(records, sync);
        };
        return { ...store, commit };
      },
    },
  });
  const [first, second, lone] = await Promise.all([proxyUrl, proxyUrl, proxyUrl].map(openConnection));
  if (first === undefined || second === undefined || lone === undefined) throw new Error('no connections');
  // A commit of one entry: the next waits for no company.
  await call(lone);
  ask(first, 'x-wait: 1');
  ask(second, 'x-wait: 1');
  const waiting = await provider.both;
  await call(lone);
  const answered = [once(first, 'data'), once(second, 'data')];
  for (const res of waiting) res.end(answer);
  await Promise.all(answered);
  const counts = (type: EntryType) => commits.map((types) => types.filter((of) => of === type).length);
  expect(counts('request').filter((count) => count > 0)).toEqual([1, 2, 1]);
  expect(counts('response').filter((count) => count > 0)).toEqual([1, 1, 2]);
});
