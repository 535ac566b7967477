/** What passes unread: bytes both ways as they come, and ends that are told apart. */
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createOwnConnections, openBlindTunnel } from '../../../src/proxy/intercept/blind.ts';
import { relayHttp } from '../../../src/proxy/intercept/relay-http.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../../support/raw-client.ts';
import { chunk, startRawUpstream, streamHead, wholeAnswer } from '../../support/raw-upstream.ts';

const bounds = { connectMsMax: 2_000, idleMsMax: 2_000 };
const portOf = (server: { address(): unknown }): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0;
};
afterEach(endAll);

async function listen(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    atEnd(() => {
      socket.destroy();
    });
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.close();
  });
  return server;
}

/** A caller and the sidecar's end of its connection. */
async function pair(): Promise<{ caller: Socket; inner: Socket }> {
  const accepted = Promise.withResolvers<Socket>();
  const server = await listen(accepted.resolve);
  const caller = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
  caller.on('error', () => caller.destroy());
  atEnd(() => {
    caller.destroy();
  });
  return { caller, inner: await accepted.promise };
}

const everythingFrom = async (socket: Socket): Promise<string> => {
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  return text;
};

describe('a blind tunnel', () => {
  test('asks no proxy to open anything for who has left', async () => {
    const { inner } = await pair();
    inner.destroy();
    const open = (): Promise<Socket> => Promise.reject(new Error('it was asked'));
    expect(await openBlindTunnel(inner, { open }, createOwnConnections(), bounds)).toBe('client_abort');
  });

  test('ends at once where the caller leaves while the proxy is asked, and lets go of what that opens', async () => {
    const { inner } = await pair();
    const { inner: outer } = await pair();
    const opening = Promise.withResolvers<Socket>();
    const run = openBlindTunnel(inner, { open: () => opening.promise }, createOwnConnections(), bounds);
    inner.destroy();
    expect(await run).toBe('client_abort');
    opening.resolve(outer);
    await vi.waitFor(() => expect(outer.destroyed).toBe(true));
  });

  test('ends at once where the caller leaves while the proxy is asked, also if that opens nothing', async () => {
    const { inner } = await pair();
    const opening = Promise.withResolvers<Socket>();
    const run = openBlindTunnel(inner, { open: () => opening.promise }, createOwnConnections(), bounds);
    inner.destroy();
    expect(await run).toBe('client_abort');
    opening.reject(new Error('403'));
  });

  test('carries bytes both ways, and the end of each side', async () => {
    const far = await listen((socket) => socket.on('data', (bytes) => socket.end(`heard ${bytes}`)));
    const { caller, inner } = await pair();
    const own = createOwnConnections();
    const run = openBlindTunnel(inner, { address: '127.0.0.1', port: portOf(far) }, own, bounds);
    caller.end('a question');
    expect(await everythingFrom(caller)).toBe('heard a question');
    expect(await run).toBe('delivered');
  });

  test('to where nobody listens cannot be reached, and the caller’s connection is left to the caller', async () => {
    const { inner } = await pair();
    const run = openBlindTunnel(inner, { address: '127.0.0.1', port: 9 }, createOwnConnections(), bounds);
    await expect(run).rejects.toMatchObject({ code: 'upstream_unreachable' });
    expect(inner.destroyed).toBe(false);
  });

  test('that the far side breaks off is cut for the caller too, and is no delivery', async () => {
    const far = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { caller, inner } = await pair();
    const to = { address: '127.0.0.1', port: portOf(far) };
    const run = openBlindTunnel(inner, to, createOwnConnections(), bounds);
    caller.write('a question');
    expect(await run).toBe('upstream_truncated');
    expect(inner.destroyed).toBe(true);
  });

  test('ends at the far side when the caller leaves', async () => {
    const reached = Promise.withResolvers<Socket>();
    const far = await listen(reached.resolve);
    const { caller, inner } = await pair();
    const to = { address: '127.0.0.1', port: portOf(far) };
    const run = openBlindTunnel(inner, to, createOwnConnections(), bounds);
    const socket = await reached.promise;
    const closed = new Promise<void>((resolve) => socket.resume().once('close', () => resolve()));
    caller.resetAndDestroy();
    socket.once('end', () => socket.end());
    await Promise.all([run, closed]);
  });

  test('that is silent for too long is closed', async () => {
    const far = await listen(() => undefined);
    const { inner } = await pair();
    const to = { address: '127.0.0.1', port: portOf(far) };
    const run = openBlindTunnel(inner, to, createOwnConnections(), { ...bounds, idleMsMax: 100 });
    expect(await run).toBe('interrupted');
    expect(inner.destroyed).toBe(true);
  });

  test('whose caller left while it was sealed leads nowhere', async () => {
    const reached: Socket[] = [];
    const far = await listen((socket) => reached.push(socket));
    const { inner } = await pair();
    inner.destroy();
    const to = { address: '127.0.0.1', port: portOf(far) };
    expect(await openBlindTunnel(inner, to, createOwnConnections(), bounds)).toBe('client_abort');
    expect(reached).toEqual([]);
  });

  test('whose caller leaves while it is opened was left by the caller', async () => {
    const far = await listen(() => undefined);
    const { inner } = await pair();
    const to = { address: '127.0.0.1', port: portOf(far) };
    const run = openBlindTunnel(inner, to, createOwnConnections(), bounds);
    inner.destroy();
    inner.emit('close');
    expect(await run).toBe('client_abort');
  });
});

describe('a plain request that passes', () => {
  /** A server that relays every request to this port, once it is sealed, and how the last one ended. */
  async function relayTo(
    port: number,
    sealed: (res: ServerResponse) => Promise<void> = () => Promise.resolve(),
    // Whatever ends a test, it is no time limit, but where that is what is tried.
    { idleMsMax = 60_000 } = {},
  ): Promise<{ url: string; ended: () => Promise<string> }> {
    const ended = Promise.withResolvers<string>();
    const to = { host: 'far.test', port, address: '127.0.0.1', path: '/there?x=1' };
    const server = createHttpServer((req, res) => {
      const relayed = sealed(res).then(() => relayHttp(req, res, to, { ...bounds, idleMsMax }));
      relayed.then(ended.resolve, (error: unknown) => {
        ended.resolve(String(Reflect.get(Object(error), 'code')));
        res.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${portOf(server)}`, ended: () => ended.promise };
  }

  test('goes out as it came, for the host it names, without what belongs to the proxy', async () => {
    const far = await startRawUpstream((_request, answer) =>
      answer.send(wholeAnswer('201 Made', ['X-A: 1', 'Set-Cookie: a', 'Set-Cookie: b'], 'body')),
    );
    const relay = await relayTo(far.port);
    const headers = ['X-Own: 1', 'Proxy-Authorization: Basic eA==', 'Proxy-Connection: keep-alive'];
    const answer = await exchange(relay.url, rawRequest('POST', '/ignored', headers, 'hello'));
    expect([answer.status, answer.body.toString()]).toEqual([201, 'body']);
    expect(answer.head).toContain('HTTP/1.1 201 Made\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b');
    expect(answer.head).not.toMatch(/^date:/im);
    expect(far.requests[0]).toMatchObject({
      method: 'POST',
      target: '/there?x=1',
      body: Buffer.from('hello'),
    });
    expect(far.requests[0]?.head).toContain(`Host: far.test:${far.port}`);
    expect(far.requests[0]?.head).toContain('X-Own: 1');
    expect(far.requests[0]?.head).not.toMatch(/proxy-/i);
    expect(await relay.ended()).toBe('delivered');
  });

  test('to a server that changes the protocol unasked has no answer', async () => {
    const far = await startRawUpstream((_request, answer) =>
      answer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'),
    );
    const relay = await relayTo(far.port);
    const answer = exchange(relay.url, rawRequest('GET', '/ignored', []));
    expect(await relay.ended()).toBe('upstream_unreachable');
    await expect(answer).rejects.toThrow();
  });

  test('whose caller leaves before it is answered was left by the caller', async () => {
    const asked = Promise.withResolvers<Socket>();
    const far = await listen((socket) => socket.once('data', () => asked.resolve(socket)));
    const relay = await relayTo(portOf(far));
    const caller = await connectRaw(relay.url);
    caller.send(rawRequest('GET', '/ignored', []));
    const socket = await asked.promise;
    const left = new Promise<void>((resolve) => socket.once('end', () => resolve()));
    caller.destroy();
    expect(await relay.ended()).toBe('client_abort');
    await left;
  });

  test('that nobody answers in time has no answer', async () => {
    const far = await startRawUpstream(() => undefined);
    const relay = await relayTo(far.port, undefined, { idleMsMax: 100 });
    await expect(exchange(relay.url, rawRequest('GET', '/ignored', []))).rejects.toThrow(/ended before/);
    expect(await relay.ended()).toBe('upstream_unreachable');
  });

  test('whose caller left while it was sealed goes nowhere', async () => {
    const reached: Socket[] = [];
    const far = await listen((socket) => reached.push(socket));
    const relay = await relayTo(portOf(far), async (res) => {
      const closed = new Promise<void>((resolve) => res.once('close', () => resolve()));
      res.destroy();
      await closed;
    });
    await expect(exchange(relay.url, rawRequest('GET', '/', []))).rejects.toThrow(/ended before/);
    expect(await relay.ended()).toBe('client_abort');
    expect(reached).toEqual([]);
  });

  test('has no more of its answer taken in than its caller takes', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, 'x');
    const far = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', [], body)));
    const full = Promise.withResolvers<void>();
    let isFull = false;
    let pushed = 0;
    const relay = await relayTo(far.port, (res) => {
      const { write } = res;
      res.on('drain', () => {
        isFull = false;
      });
      vi.spyOn(res, 'write').mockImplementation((...args) => {
        if (isFull) pushed += 1;
        isFull = !Reflect.apply(write, res, args);
        // What the systems in between take is not the caller's to read.
        if (isFull && res.writableLength > 0) full.resolve();
        return !isFull;
      });
      return Promise.resolve();
    });
    const caller = connect({ port: Number(new URL(relay.url).port), host: '127.0.0.1' }).pause();
    caller.write(rawRequest('GET', '/ignored', ['Connection: close']));
    await full.promise;
    // The rest of it has arrived, and is there to be read.
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect((await everythingFrom(caller)).length).toBeGreaterThan(body.length);
    expect([pushed, await relay.ended()]).toEqual([0, 'delivered']);
  });

  test('whose caller leaves while it does not take what was answered was left by the caller', async () => {
    const far = await startRawUpstream((_request, answer) =>
      answer.send(wholeAnswer('200 OK', [], Buffer.alloc(32 * 1024 * 1024))),
    );
    const full = Promise.withResolvers<void>();
    const relay = await relayTo(far.port, (res) => {
      const { write } = res;
      vi.spyOn(res, 'write').mockImplementation((...args) => {
        const isRoom = Reflect.apply(write, res, args);
        if (!isRoom) full.resolve();
        return isRoom;
      });
      return Promise.resolve();
    });
    const caller = connect({ port: Number(new URL(relay.url).port), host: '127.0.0.1' }).pause();
    caller.write(rawRequest('GET', '/ignored', []));
    await full.promise;
    caller.resetAndDestroy();
    expect(await relay.ended()).toBe('client_abort');
  });

  test('whose answer breaks off is cut, not ended', async () => {
    const far = await startRawUpstream((_request, answer) => {
      answer.send(`${streamHead}${chunk('one')}`);
      answer.reset();
    });
    const relay = await relayTo(far.port);
    await expect(exchange(relay.url, rawRequest('GET', '/', []))).rejects.toThrow(/ended before/);
    expect(await relay.ended()).toMatch(/upstream_truncated|upstream_unreachable/);
  });

  test('to where nobody listens cannot be reached', async () => {
    const relay = await relayTo(9);
    await expect(exchange(relay.url, rawRequest('GET', '/', []))).rejects.toThrow();
    expect(await relay.ended()).toBe('upstream_unreachable');
  });
});
