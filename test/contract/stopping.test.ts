/** What becomes of orders that are under way when the sidecar is told to stop. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { waitFor } from '../support/wait-for.ts';
import { type House, startHouse } from './support/sidecar.ts';

let house: House;
beforeEach(async () => {
  house = await startHouse();
});
afterEach(() => house.close());

const order = JSON.stringify({ reason: 'a claim', scope: { subject: 'customer-1' } });

interface Connection {
  readonly socket: Socket;
  /** All that came so far. */
  received(): string;
  /** Resolves once that holds this. */
  until(text: string): Promise<void>;
}

async function connectTo(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  await once(socket, 'connect');
  return {
    socket,
    received: () => received,
    until: async (text) => {
      while (!received.includes(text)) await once(socket, 'data');
    },
  };
}

/** An order of which the sidecar has read the head, and none of the body. */
async function beginOrder(): Promise<Connection> {
  const connection = await connectTo(house.sidecar.controlUrl);
  const head = [
    'POST /api/v1/legal-holds HTTP/1.1',
    'host: localhost',
    `authorization: Bearer ${house.tokens.privacy}`,
    'content-type: application/json',
    `content-length: ${order.length}`,
    'expect: 100-continue',
  ];
  connection.socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await connection.until('100 Continue');
  return connection;
}

/** Stops the sidecar; resolves, while it still does, once its control port takes nobody any more. */
async function beginStopping(): Promise<{ readonly stopped: Promise<void> }> {
  const stopped = house.sidecar.stop('test');
  await waitFor(async () => {
    const asked = connectTo(house.sidecar.controlUrl).then(({ socket }) => socket.destroy());
    await expect(asked).rejects.toThrow('ECONNREFUSED');
  });
  return { stopped };
}

/** What is in the ledger of a sidecar that has stopped. */
async function entriesLeft(): Promise<string> {
  const copy = await openLedgerCopy(`${house.dataDir}/ledger`);
  let entries = '';
  for await (const { value } of copy.scan({ withoutBodies: true })) entries += value.toString('latin1');
  await copy.close();
  return entries;
}

it('refusals that were counted and not sealed yet are sealed when the sidecar stops', async () => {
  for (let i = 0; i < 3; i++)
    expect((await house.call('/api/v1/ledger/entries', { as: 'viewer' })).status).toBe(403);
  await house.sidecar.stop('test');
  const entries = await entriesLeft();
  const counts = [
    ...entries.matchAll(/"action":"refused","by":"viewer-1","code":"forbidden","count":(\d+)/g),
  ];
  expect(counts.map(([, count]) => count).sort()).toEqual(['1', '2']);
});

describe('an order that is under way when the sidecar is told to stop', () => {
  it('is carried out, answered and sealed', async () => {
    const { socket, until } = await beginOrder();
    const { stopped } = await beginStopping();
    socket.write(order);
    await until('HTTP/1.1 201 ');
    await stopped;
    expect(await entriesLeft()).toMatch(/"action":"hold","by":"privacy-1"/);
  });

  it('comes too late when the one before it was the last: it is told that the sidecar stops', async () => {
    const [first, other] = [await beginOrder(), await beginOrder()];
    const { stopped } = await beginStopping();
    const next = [
      'GET /api/v1/whoami HTTP/1.1',
      'host: localhost',
      `authorization: Bearer ${house.tokens.privacy}`,
    ];
    first.socket.write(`${order}${next.join('\r\n')}\r\n\r\n`);
    await first.until('shutting_down');
    expect(first.received()).toMatch(/HTTP\/1\.1 201 .*HTTP\/1\.1 503 /s);
    other.socket.write(order);
    await other.until('HTTP/1.1 201 ');
    await stopped;
  });

  it('does not keep the sidecar from stopping when it never comes whole', async () => {
    const { socket } = await beginOrder();
    const cut = once(socket, 'close');
    await house.sidecar.stop('test');
    await cut;
  });
});
