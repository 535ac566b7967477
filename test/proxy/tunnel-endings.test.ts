/** How tunnels and the refusals of their upstreams end: nothing is left behind, nothing is taken for whole that is not. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { acceptedAt } from '../support/accepted.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { type RawAnswer, startRawUpstream } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
const upstreamsOf = (url: string) => ({
  openai: { url, protocol: 'openai' as const, mount: '/', tunnel: ['/raw'] },
});

interface Asked {
  readonly sidecar: TestSidecar;
  readonly client: RawClient;
  /** The sidecar's end of the client's connection. */
  readonly socket: Socket;
  /** The upstream's word, once `said` has gone out. */
  readonly answer: RawAnswer;
}

/** Asks for a tunnel; the upstream begins its answer with `said`. */
async function ask(said: string | Buffer, limits: Readonly<Record<string, number>> = {}): Promise<Asked> {
  const asked = Promise.withResolvers<RawAnswer>();
  const upstream = await startRawUpstream((_request, answer) => {
    answer.send(said);
    asked.resolve(answer);
  });
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url), limits });
  const accepted = acceptedAt(Number(new URL(sidecar.proxyUrl).port));
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('GET', '/raw/x', upgrade));
  return { sidecar, client, socket: await accepted, answer: await asked.promise };
}

async function outcomeOfLast({ sidecar: { ada } }: Asked): Promise<string> {
  return ada.outcomeOf((await ada.lastDecision()).id);
}

test('what a client sends behind the end of the upstream’s side does not keep its connection when it leaves', async () => {
  const upstream = await startRawUpstream((_request, answer) => {
    answer.send(switching);
    answer.end();
  });
  const { proxyUrl } = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
  const port = Number(new URL(proxyUrl).port);
  const accepted = acceptedAt(port);
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.write(rawRequest('GET', '/raw/x', upgrade));
  const socket = await accepted;
  client.resume();
  await once(client, 'end');
  client.end('still here');
  await waitFor(() => expect(socket.destroyed).toBe(true));
});

test.each(['end', 'reset'] as const)(
  'a refusal that breaks off by the upstream’s %s cuts the caller’s connection with no word of ours in it',
  async (how) => {
    const asked = await ask('HTTP/1.1 401 No\r\nContent-Length: 2000\r\n\r\nnope');
    await asked.client.until('nope');
    asked.answer[how]();
    await asked.client.ended;
    expect(asked.client.text()).toMatch(/\r\n\r\nnope$/);
    expect(await outcomeOfLast(asked)).toBe('upstream_truncated');
  },
);

test.each([
  { what: 'nothing', said: '', heard: /^HTTP\/1\.1 502 /, outcome: 'upstream_error' },
  {
    what: 'a part of a refusal',
    said: 'HTTP/1.1 401 No\r\nContent-Length: 2000\r\n\r\nnope',
    heard: /^HTTP\/1\.1 401 .*\r\n\r\nnope$/s,
    outcome: 'upstream_truncated',
  },
])('an upstream that says $what and then falls silent is given up', async ({ said, heard, outcome }) => {
  const asked = await ask(said, { upstreamConnectMsMax: 100 });
  await asked.client.ended;
  expect(asked.client.text()).toMatch(heard);
  expect(await outcomeOfLast(asked)).toBe(outcome);
  await asked.answer.closed;
});

test('a tunnel may be silent for longer than it takes to open one', async () => {
  const { client, answer } = await ask(switching, { upstreamConnectMsMax: 100 });
  await client.until('\r\n\r\n');
  const openedAtMs = performance.now();
  await waitFor(() => expect(performance.now()).toBeGreaterThan(openedAtMs + 300));
  answer.send('and goes on');
  await client.until('and goes on');
});

describe('a large refusal', () => {
  const body = Buffer.alloc(64 * 1024 * 1024);

  /** A caller that has asked and reads when it is told to, and the sidecar's end of its connection. */
  async function askLarge(limits: Readonly<Record<string, number>>) {
    const upstream = await startRawUpstream((_request, answer) => {
      answer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      answer.send(body);
    });
    const { proxyUrl } = await startTestSidecar({ upstreams: upstreamsOf(upstream.url), limits });
    const port = Number(new URL(proxyUrl).port);
    const accepted = acceptedAt(port);
    const client = connect(port, '127.0.0.1');
    atEnd(() => void client.destroy());
    client.write(rawRequest('GET', '/raw/x', upgrade));
    return { client, socket: await accepted };
  }

  async function readWhole(client: Socket): Promise<void> {
    let bytes = 0;
    const whole = Promise.withResolvers<void>();
    client.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > body.length) whole.resolve();
    });
    await whole.promise;
  }

  test('is read no faster than its caller takes it', async () => {
    const { client, socket } = await askLarge({});
    let mostBytes = 0;
    const { write } = socket;
    vi.spyOn(socket, 'write').mockImplementation((...given: Parameters<typeof write>) => {
      const taken = Reflect.apply(write, socket, given);
      mostBytes = Math.max(mostBytes, socket.writableLength);
      return taken;
    });
    client.on('data', () => {
      client.pause();
      setImmediate(() => client.resume());
    });
    await readWhole(client);
    expect(mostBytes).toBeLessThan(4 * 1024 * 1024);
  });

  test('is not given up while its caller is slow', async () => {
    const limitMs = 100;
    const { client, socket } = await askLarge({ upstreamConnectMsMax: limitMs });
    await waitFor(() => expect(socket.writableNeedDrain).toBe(true));
    const sinceMs = performance.now();
    await waitFor(() => expect(performance.now()).toBeGreaterThan(sinceMs + 3 * limitMs));
    await readWhole(client);
  });
});

test('a caller that leaves within a refusal ends it at the upstream, and its outcome says who left', async () => {
  const asked = await ask('HTTP/1.1 401 No\r\nContent-Length: 2000\r\n\r\nnope');
  await asked.client.until('nope');
  asked.client.destroy();
  await asked.answer.closed;
  expect(await outcomeOfLast(asked)).toBe('client_abort');
});

test.each(['/\\raw/v1/realtime?model=gpt-realtime', '//raw/v1/realtime', '/\\/raw/v1/realtime'])(
  'a path whose first name is a host to those that read it as a URL is not tunnelled: %s',
  async (target) => {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('GET', target, upgrade));
    await client.until('\r\n\r\n');
    expect((await sidecar.ada.lastDecision()).operation).toBe('realtime');
  },
);

test('a tunnelled path reaches the upstream as it was judged, whatever a URL would make of it', async () => {
  const upstream = await startSocketUpstream();
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
  const client = await connectRaw(sidecar.proxyUrl);
  const target = `/raw/./a\\b"c?d='e'&f=?`;
  client.send(rawRequest('GET', target, upgrade));
  await client.until('\r\n\r\n');
  expect(upstream.requests[0]?.url).toBe(target);
});

test('a field with a name that every object knows reaches the upstream with its own value alone', async () => {
  const upstream = await startSocketUpstream();
  const { proxyUrl } = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
  const client = await connectRaw(proxyUrl);
  client.send(rawRequest('GET', '/raw/x', [...upgrade, 'Constructor: mine']));
  await client.until('\r\n\r\n');
  expect(upstream.requests[0]?.rawHeaders).toContain('mine');
});
