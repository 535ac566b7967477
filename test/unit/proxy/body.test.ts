/** A large upload on its way in: what was kept of one that broke off is let go, whenever that happens. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { OpenSpool } from '../../../src/core/spool.ts';
import { readPassing } from '../../../src/proxy/body.ts';
import { createSpools } from '../../../src/store/spool.ts';
import { atEnd, endAll } from '../../support/endings.ts';

afterEach(endAll);

const roomBytes = 4_096;
const bounds = { requestBytesMax: 1_024, storedBytesMax: 1_024 };

/** A request whose head says more than comes, and its caller's leaving. */
async function halfSent(bytes: number): Promise<{ req: IncomingMessage; leave(): void }> {
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
    `POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: ${roomBytes}\r\n\r\n${'x'.repeat(bytes)}`,
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
  const { req, leave } = await halfSent(2_048);
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
