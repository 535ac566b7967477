/** A tunnel whose bytes are not read: bytes both ways as they come, and ends that are told apart. */
import type { Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { createOwnConnections, openBlindTunnel } from '../../../src/proxy/intercept/blind.ts';
import { endAll } from '../../support/endings.ts';
import { dialledInVain, everythingFrom, listen, pair, portOf } from '../../support/socket-pair.ts';
import { waitFor } from '../../support/wait-for.ts';

const bounds = { connectMsMax: 2_000, idleMsMax: 2_000 };
afterEach(endAll);

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
    await waitFor(() => expect(outer.destroyed).toBe(true));
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

  test('is given up where nothing answers in time', async () => {
    const { inner } = await pair();
    const [to, own] = [{ address: '127.0.0.1', port: 9 }, createOwnConnections()];
    const dialled = dialledInVain();
    const run = openBlindTunnel(inner, to, own, { ...bounds, connectMsMax: 50 });
    await expect(run).rejects.toMatchObject({
      code: 'upstream_unreachable',
      message: 'No connection: no connection within 50 ms.',
    });
    expect(dialled.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  test('is dialled no longer once its caller has left', async () => {
    const { inner } = await pair();
    const dialled = dialledInVain();
    const run = openBlindTunnel(inner, { address: '127.0.0.1', port: 9 }, createOwnConnections(), bounds);
    inner.destroy();
    expect(await run).toBe('client_abort');
    expect(dialled.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  test('ends where the caller leaves in the very moment it is opened', async () => {
    const inner = new PassThrough();
    const dialled = dialledInVain();
    const run = openBlindTunnel(inner, { address: '127.0.0.1', port: 9 }, createOwnConnections(), bounds);
    // As an event of the system: what closes comes before what was awaited.
    setImmediate(() => {
      dialled[0]?.emit('connect');
      inner.destroy();
    });
    expect(await run).toBe('delivered');
    expect(dialled.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  test('ends at the far side when the caller’s connection is closed here', async () => {
    const reached = Promise.withResolvers<Socket>();
    const far = await listen((socket) => socket.once('data', () => reached.resolve(socket)));
    const { caller, inner } = await pair();
    const to = { address: '127.0.0.1', port: portOf(far) };
    const run = openBlindTunnel(inner, to, createOwnConnections(), bounds);
    caller.write('a question');
    const socket = await reached.promise;
    const ended = new Promise<void>((resolve) => socket.resume().once('end', () => resolve()));
    inner.destroy();
    await ended;
    expect(await run).toBe('delivered');
  });

  test('whose far connection is closed here is cut for the caller too', async () => {
    const { inner } = await pair();
    const { inner: outer } = await pair();
    const open = (): Promise<Socket> => Promise.resolve(outer);
    const run = openBlindTunnel(inner, { open }, createOwnConnections(), bounds);
    await waitFor(() => expect(outer.listenerCount('close')).toBeGreaterThan(0));
    outer.destroy();
    await run;
    expect(inner.destroyed).toBe(true);
  });

  test('leaves the caller time to take what the far side sent last', async () => {
    const far = await listen((socket) => socket.end('the last word'));
    const taken: string[] = [];
    const takeOne = Promise.withResolvers<void>();
    const inner = new Duplex({
      read: () => undefined,
      write: (bytes, _encoding, done) => {
        taken.push(String(bytes));
        takeOne.promise.then(() => done(), done);
      },
    });
    inner.push(null);
    const to = { address: '127.0.0.1', port: portOf(far) };
    expect(await openBlindTunnel(inner, to, createOwnConnections(), bounds)).toBe('delivered');
    expect(inner.destroyed).toBe(false);
    const finished = new Promise<void>((resolve) => inner.once('finish', () => resolve()));
    takeOne.resolve();
    await finished;
    expect(taken).toEqual(['the last word']);
  });
});
