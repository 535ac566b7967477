/** A plain request that passes unread: as it came, and with ends that are told apart. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { relayHttp } from '../../../src/proxy/intercept/relay-http.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../../support/raw-client.ts';
import { chunk, startRawUpstream, streamHead, wholeAnswer } from '../../support/raw-upstream.ts';
import { dialledInVain, everythingFrom, listen, portOf } from '../../support/socket-pair.ts';

const bounds = { connectMsMax: 2_000, idleMsMax: 2_000 };
afterEach(endAll);

describe('a plain request that passes', () => {
  /** A server that relays every request to this port, once it is sealed, and how the last one ended. */
  async function relayTo(
    port: number,
    sealed: (res: ServerResponse) => Promise<void> = () => Promise.resolve(),
    // Whatever ends a test, it is no time limit, but where that is what is tried.
    { idleMsMax = 60_000, connectMsMax = bounds.connectMsMax } = {},
  ): Promise<{ url: string; ended: () => Promise<string> }> {
    const ended = Promise.withResolvers<string>();
    const to = { host: 'far.test', port, address: '127.0.0.1', path: '/there?x=1' };
    const server = createHttpServer((req, res) => {
      const relayed = sealed(res).then(() => relayHttp(req, res, to, { connectMsMax, idleMsMax }));
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

  test.each(
    ['GET', 'DELETE', 'OPTIONS', 'POST'].flatMap((method) => [
      { method, framed: 'in chunks' },
      { method, framed: 'with a length that Connection names' },
    ]),
  )('$method is one request for its server too: its body comes $framed', async ({ method, framed }) => {
    const heard: string[] = [];
    const far = createHttpServer(async (req, res) => {
      heard.push(`${req.method} ${req.url} ${await everythingIn(req)}`);
      res.end('Done.');
    });
    await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve));
    atEnd(() => {
      far.closeAllConnections();
      far.close();
    });
    const relay = await relayTo(portOf(far));
    const body = 'GET /hidden HTTP/1.1\r\nHost: far.test\r\n\r\n';
    const answer = await exchange(
      relay.url,
      framed === 'in chunks'
        ? `${rawRequest(method, '/ignored', ['Transfer-Encoding: chunked'])}${chunk(body)}${chunk('')}`
        : rawRequest(method, '/ignored', ['Connection: close, Content-Length'], body),
    );
    expect(answer.status).toBe(200);
    expect(heard).toEqual([`${method} /there?x=1 ${body}`]);
  });

  test.each([
    ['keeps the connection', () => undefined],
    ['ends it', (socket: Socket) => void socket.end()],
  ])(
    'that is answered before it was taken keeps nothing behind it waiting: the server %s',
    async (_how, then) => {
      let asked = 0;
      const far = await listen((socket) => {
        socket.once('data', () => {
          socket.pause();
          asked += 1;
          socket.write(wholeAnswer('413 Too Large', [], `answer ${asked}`));
          then(socket);
        });
      });
      const relay = await relayTo(portOf(far));
      const caller = await connectRaw(relay.url);
      const half = Buffer.alloc(8 * 1024 * 1024, 'x');
      caller.send(`POST /ignored HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 * half.length}\r\n\r\n`);
      caller.send(half);
      await caller.until('answer 1');
      caller.send(half);
      caller.send(rawRequest('GET', '/ignored', []));
      await caller.until('answer 2');
    },
  );

  test('is answered with its server’s phrase, but for what no phrase may have in it', async () => {
    const far = await startRawUpstream((_request, answer) =>
      answer.send(wholeAnswer('200 Gr\xfc\x01n', [], 'body')),
    );
    const relay = await relayTo(far.port);
    const answer = await exchange(relay.url, rawRequest('GET', '/ignored', []));
    expect(answer.head).toMatch(/^HTTP\/1\.1 200 Gr\xfc n\r\n/);
    expect(answer.body.toString()).toBe('body');
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
    const relay = await relayTo(far.port, undefined, { idleMsMax: 100, connectMsMax: 60_000 });
    await expect(exchange(relay.url, rawRequest('GET', '/ignored', []))).rejects.toThrow(/ended before/);
    expect(await relay.ended()).toBe('upstream_unreachable');
  });

  test('is given up where no connection comes about in time', async () => {
    let dialled: readonly Socket[] = [];
    const dialling = (): Promise<void> => {
      dialled = dialledInVain();
      return Promise.resolve();
    };
    const relay = await relayTo(9, dialling, { connectMsMax: 50 });
    await expect(exchange(relay.url, rawRequest('GET', '/ignored', []))).rejects.toThrow(/ended before/);
    expect(await relay.ended()).toBe('upstream_unreachable');
    expect(dialled.map(({ destroyed }) => destroyed)).toEqual([true]);
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

async function everythingIn(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of req) text += String(piece);
  return text;
}
