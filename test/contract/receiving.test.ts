/** How long a request may take to arrive, on a clock of the test's, and what becomes of a body that nobody reads. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { chat } from './reports/scene.ts';
import { type House, startHouse } from './support/sidecar.ts';

const requestMsMax = 30_000;

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

interface Sending {
  readonly socket: Socket;
  readonly received: () => string;
  /** Resolves once that came; rejects where the connection ends before. */
  readonly until: (wanted: string) => Promise<void>;
}

/** Sends a head that promises a longer body than what is sent of it. */
async function begin(line: string, headers: readonly string[], body: string): Promise<Sending> {
  const { hostname, port } = new URL(house.sidecar.controlUrl);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  const head = [`${line} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Content-Length: 1000000', ...headers];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  return {
    socket,
    received: () => received,
    until: async (wanted) => {
      while (!received.includes(wanted)) {
        if (socket.destroyed) throw new Error(`it ended after ${received}`);
        await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      }
    },
  };
}

const bearer = (token: string): string => `Authorization: Bearer ${token}`;
const lines = 'Content-Type: application/x-ndjson';
/** Lines are answered so many at a time. */
const linesPerTurn = 64;
const turnOf = (name: string): string =>
  Array.from({ length: linesPerTurn }, (_, i) => `${JSON.stringify(chat(`${name}-${i}`))}\n`).join('');
const lastOf = (name: string): string => `"id":"${name}-${linesPerTurn - 1}","status":"sealed"`;

it('a report of which no line comes gives way to others within a minute', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  try {
    const report = ['POST /api/v1/decisions:batch', [lines, bearer(house.tokens.reporter)]] as const;
    const stalled = await Promise.all([
      begin(...report, turnOf('silent')),
      begin(...report, `${turnOf('half')}{"id":`),
    ]);
    await Promise.all(stalled.map(({ until }, i) => until(lastOf(i === 0 ? 'silent' : 'half'))));
    const other = await begin(...report, turnOf('other'));
    await other.until('Other reports are under way.');
    const cut = Promise.all(stalled.map(({ socket }) => once(socket, 'close')));
    vi.advanceTimersByTime(60_000);
    await cut;
    const next = await begin(...report, turnOf('next'));
    await next.until(lastOf('next'));
    next.socket.destroy();
  } finally {
    vi.useRealTimers();
  }
});

it('a report may take longer to arrive than any other request', async () => {
  // What else waits in this process goes on by itself.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  try {
    const slow = await begin(
      'POST /api/v1/decisions:batch',
      [lines, bearer(house.tokens.reporter)],
      turnOf('first'),
    );
    await slow.until(lastOf('first'));
    const other = await begin('GET /healthz', [], '');
    await other.until('200 OK');
    const cut = once(other.socket, 'close').then(() => 'cut');
    vi.advanceTimersByTime(requestMsMax);
    slow.socket.write(turnOf('second'));
    const answered = slow.until(lastOf('second')).then(() => 'answered');
    // Not by the few seconds that a connection is kept for another request.
    expect(await Promise.race([cut, answered])).toBe('cut');
    expect(await answered).toBe('answered');
    slow.socket.destroy();
  } finally {
    vi.useRealTimers();
  }
});

it.each([
  ['that is of another kind', 'POST /api/v1/legal-holds', 400],
  ['to where nothing is', 'POST /nowhere', 404],
  ['to where nothing is sent', 'POST /api/v1/whoami', 405],
])(
  'a body %s is not waited for: the connection ends with the refusal, which says so',
  async (_, line, status) => {
    const sending = await begin(line, [bearer(house.tokens.privacy), 'Content-Type: text/plain'], 'begun');
    await once(sending.socket, 'close');
    expect(sending.received()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(sending.received()).toMatch(/^connection: close\r$/im);
  },
);

it('a refusal of what was read whole leaves the connection for the next request', async () => {
  const answer = await house.call('/api/v1/legal-holds', { as: 'privacy', json: {} });
  expect([answer.status, answer.headers.get('connection')]).toEqual([400, 'keep-alive']);
});

it('a body that its sender cuts off is one that is refused, and no failure of the sidecar', async () => {
  const refused = async (code: string): Promise<number> => {
    const { text } = await house.call('/metrics', { as: null });
    return Number(
      new RegExp(`^holdpoint_control_refused_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0,
    );
  };
  const before = await refused('invalid_argument');
  const sending = await begin(
    'POST /api/v1/legal-holds',
    [bearer(house.tokens.privacy), 'Content-Type: application/json', 'Expect: 100-continue'],
    '{',
  );
  await sending.until('100 Continue');
  sending.socket.destroy();
  await waitFor(async () => expect(await refused('invalid_argument')).toBe(before + 1));
  expect(await refused('internal')).toBe(0);
});
