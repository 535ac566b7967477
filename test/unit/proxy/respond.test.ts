/** Writing to a caller within its pace. */
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { endWithPieces, refuse, writeChunk } from '../../../src/proxy/respond.ts';
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

test('of an answer on disk no more is read once its caller has left', async () => {
  const { res, leave } = await startAnswer();
  let read = 0;
  async function* pieces(): AsyncGenerator<Buffer> {
    for (; read < 100; read += 1) {
      if (read === 0) leave();
      yield piece;
    }
  }
  expect(await endWithPieces(res, pieces())).toBe(false);
  expect(read).toBeLessThan(100);
});

test('a refusal takes the place of a head that could not be written', async () => {
  const { res, take } = await startAnswer();
  take();
  expect(() => res.writeHead(200, 'not\na phrase')).toThrow('Invalid character');
  expect(await refuse(res, null, new HoldpointError('overloaded', 'Too much.'), null)).toBe(true);
  expect(res.statusCode).toBe(503);
});

describe('a refusal within a body', () => {
  const tooLarge = new HoldpointError('body_too_large', 'The request body is too large.');

  /** A request whose body has begun to be read, and the caller that sends it. */
  async function startUpload() {
    const begun = Promise.withResolvers<ServerResponse>();
    const server = createServer((req, res) => {
      req.once('data', () => begun.resolve(res));
      req.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const caller = connect(portOf(server), '127.0.0.1').resume();
    atEnd(() => {
      caller.destroy();
      server.close();
    });
    caller.on('error', () => undefined);
    caller.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 ** 40}\r\n\r\nbody`);
    return { res: await begun.promise, caller };
  }

  test('is over once its caller has left', async () => {
    const { res, caller } = await startUpload();
    const closed = new Promise((resolve) => res.req.once('close', resolve));
    caller.destroy();
    await closed;
    expect(await refuse(res, null, tooLarge, null)).toBe(false);
  });

  test('ends the connection of a caller that sends on without end', async () => {
    const { res, caller } = await startUpload();
    const send = (): void => {
      while (!caller.destroyed && caller.write(piece));
    };
    caller.on('drain', send);
    const refused = refuse(res, null, tooLarge, null);
    send();
    expect(await refused).toBe(true);
  });
});
