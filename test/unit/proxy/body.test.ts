/** A body on its way in: what is too much of it, where it waits, and that what was kept of one that broke off is let go. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { OpenSpool } from '../../../src/core/spool.ts';
import { readPassing, readWhole } from '../../../src/proxy/body.ts';
import { createSpools } from '../../../src/store/spool.ts';
import { atEnd, endAll } from '../../support/endings.ts';

afterEach(endAll);

const roomBytes = 4_096;
const bounds = { requestBytesMax: 1_024, storedBytesMax: 1_024 };

/** A request of which so many bytes come, whose head may say more, and its caller's leaving. */
async function sent(bytes: number, announced: number): Promise<{ req: IncomingMessage; leave(): void }> {
  const arrived = Promise.withResolvers<IncomingMessage>();
  const server = createServer((req) => arrived.resolve(req));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  atEnd(() => {
    socket.destroy();
    server.close();
  });
  socket.write(
    `POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: ${announced}\r\n\r\n${'x'.repeat(bytes)}`,
  );
  return { req: await arrived.promise, leave: () => socket.resetAndDestroy() };
}

test('an upload that breaks off while its file is made takes up no room afterwards', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-body-'));
  atEnd(() => rmSync(directory, { recursive: true }));
  const openSpool = createSpools(directory, { bodyBytesMax: roomBytes, totalBytesMax: roomBytes });
  const asked = Promise.withResolvers<void>();
  const mayOpen = Promise.withResolvers<void>();
  const slowly: OpenSpool = async () => {
    asked.resolve();
    await mayOpen.promise;
    return openSpool();
  };
  const { req, leave } = await sent(2_048, roomBytes);
  const read = readPassing(req, [], bounds, slowly);
  await asked.promise;
  const gone = new Promise((resolve) => req.once('error', resolve));
  leave();
  await gone;
  mayOpen.resolve();
  await expect(read).rejects.toMatchObject({ code: 'bad_request' });
  const next = await openSpool();
  // All of the room is there again.
  await next.write(Buffer.alloc(roomBytes));
  await next.discard();
});

test('a body of exactly as much as is read comes in whole', async () => {
  const { req } = await sent(bounds.requestBytesMax, bounds.requestBytesMax);
  expect((await readWhole(req, req.rawHeaders, bounds.requestBytesMax)).bytes).toBe(bounds.requestBytesMax);
});

test('one that says it is longer is refused before any of it has come', async () => {
  const { req } = await sent(0, bounds.requestBytesMax + 1);
  const read = readWhole(req, req.rawHeaders, bounds.requestBytesMax);
  await expect(read).rejects.toMatchObject({ code: 'body_too_large' });
});

test('one that turns out longer is refused as soon as it does', async () => {
  const { req } = await sent(bounds.requestBytesMax + 1, roomBytes);
  const read = readWhole(req, [], bounds.requestBytesMax);
  await expect(read).rejects.toMatchObject({ code: 'body_too_large' });
});

test('an upload of exactly as much as is stored waits in memory, and one of a byte more on disk', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-body-'));
  atEnd(() => rmSync(directory, { recursive: true }));
  const openSpool = createSpools(directory, { bodyBytesMax: roomBytes, totalBytesMax: roomBytes });
  const read = async (bytes: number) => readPassing((await sent(bytes, bytes)).req, [], bounds, openSpool);
  expect((await read(bounds.storedBytesMax)).spool).toBeNull();
  const { spool } = await read(bounds.storedBytesMax + 1);
  expect(spool?.bytes).toBe(bounds.storedBytesMax + 1);
  await spool?.close();
});
