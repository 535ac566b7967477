/** Writing to a caller within its pace. */
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { writeChunk } from '../../../src/proxy/respond.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { portOf } from '../../support/socket-pair.ts';

afterEach(endAll);

const piece = Buffer.alloc(16 * 1024 * 1024, 'x');

/** An answer that has begun, to a caller that takes nothing of it until it is told to. */
async function startAnswer(): Promise<{ res: ServerResponse; take(): void; leave(): void }> {
  const begun = Promise.withResolvers<ServerResponse>();
  const server = createServer((_req, res) => begun.resolve(res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const caller = connect(portOf(server), '127.0.0.1').pause();
  atEnd(() => {
    caller.destroy();
    server.close();
  });
  caller.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return { res: await begun.promise, take: () => void caller.resume(), leave: () => void caller.destroy() };
}

test('who waits for a slow caller again and again leaves nothing behind on its answer', async () => {
  const { res, take } = await startAnswer();
  const listening = (): number[] => ['drain', 'close'].map((event) => res.listenerCount(event));
  const before = listening();
  const drained = writeChunk(res, piece);
  expect(drained).not.toBeNull();
  take();
  await drained;
  expect(listening()).toEqual(before);
});

test('a caller that leaves is not waited for any longer, nor written to', async () => {
  const { res, leave } = await startAnswer();
  const drained = writeChunk(res, piece);
  leave();
  await drained;
  expect([res.destroyed, writeChunk(res, piece)]).toEqual([true, null]);
});
