/** One call to a provider: how long it is waited for, and what of an injected key comes back with its answer. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noProxy } from '../../../src/core/egress.ts';
import { bodyOf } from '../../../src/proxy/body.ts';
import { type Answer, createForwarder, type Forwarder } from '../../../src/proxy/forward.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import {
  chunk,
  type RawAnswer,
  type RawUpstream,
  startRawUpstream,
  wholeAnswer,
} from '../../support/raw-upstream.ts';
import { dialledInVain } from '../../support/socket-pair.ts';
import { createManualTime, type ManualTime } from '../../support/time.ts';

const bounds = {
  idleMsMax: 60_000,
  connectMsMax: 10_000,
  connectionsMax: 8,
  codedBytesMax: 1_024,
  decodedBytesMax: 4_096,
};
const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
let time: ManualTime;
let upstream: RawUpstream;
let forwarder: Forwarder;
beforeEach(async () => {
  time = createManualTime();
  upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', [], 'Hello.')));
  forwarder = createForwarder(bounds, noProxy, time);
  atEnd(() => forwarder.close());
});
afterEach(endAll);

function ask(withheld?: string): Promise<Answer> {
  const asked = { method: 'GET', path: '/', headers: [], body: bodyOf(Buffer.alloc(0)), withheld };
  return forwarder.send({ ...asked, origin: upstream.url }, () => undefined);
}

const textOf = async (answer: Answer): Promise<string> => {
  const { body, error } = await answer.readAll(64 * 1024 * 1024);
  if (error !== null) throw error;
  return body.toString('latin1');
};

test('nothing waits for the silence of an upstream whose answer is over', async () => {
  await textOf(await ask());
  expect(time.armed()).toBe(0);
});

test('an upstream that is held back, because nobody takes its answer, is not silent', async () => {
  const bytes = 2 * 1024 * 1024;
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], 'x'.repeat(bytes))));
  const heldBack = arrived(257 * 1024);
  const answer = await ask();
  await heldBack;
  for (let times = 0; times < 3; times += 1) time.advance(bounds.idleMsMax);
  expect(await textOf(answer)).toHaveLength(bytes);
});

test('an upstream whose answer goes on now and then is not silent', async () => {
  const begun = Promise.withResolvers<RawAnswer>();
  upstream.script((_request, answer) => {
    answer.send(`${chunkedHead}\r\n`);
    begun.resolve(answer);
  });
  const pieces = (await ask()).chunks();
  const sender = await begun.promise;
  for (let times = 0; times < 3; times += 1) {
    time.advance(bounds.idleMsMax - 1);
    sender.send(chunk('on'));
    expect(String((await pieces.next()).value)).toBe('on');
  }
  time.advance(bounds.idleMsMax);
  await expect(pieces.next()).rejects.toMatchObject({ code: 'upstream_timeout' });
});

test('an upstream to which no connection comes about in time is given up', async () => {
  // undici counts such times in whole seconds, by a clock of its own.
  const own = createForwarder({ ...bounds, connectMsMax: 1 }, noProxy, time);
  atEnd(() => own.close());
  const dialled = dialledInVain();
  const asked = { method: 'GET', path: '/', headers: [], body: bodyOf(Buffer.alloc(0)) };
  await expect(own.send({ ...asked, origin: upstream.url }, () => undefined)).rejects.toMatchObject({
    code: 'upstream_unreachable',
    message: expect.stringMatching(/timeout: 1ms/i),
  });
  expect(dialled.map(({ destroyed }) => destroyed)).toEqual([true]);
});

/** Resolves once so much of an answer has come. */
async function arrived(bytesMin: number): Promise<void> {
  const channel = 'undici:request:bodyChunkReceived';
  const { promise, resolve } = Promise.withResolvers<void>();
  let bytes = 0;
  const onChunk = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('chunk' in message)) return;
    if (Buffer.isBuffer(message.chunk)) bytes += message.chunk.length;
    if (bytes >= bytesMin) resolve();
  };
  subscribe(channel, onChunk);
  await promise;
  unsubscribe(channel, onChunk);
}

describe('where the sidecar put its key in,', () => {
  const key = 'sk-REAL-0123456789abcdef';
  const stars = '*'.repeat(key.length);

  test('an answer that ends with what the key begins with arrives whole', async () => {
    upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], 'that asks')));
    expect(await textOf(await ask(key))).toBe('that asks');
  });

  test('a field behind the answer does not tell it', async () => {
    upstream.script((_request, answer) =>
      answer.send(`${chunkedHead}\r\n${chunk('Hello.')}0\r\nX-Sent: Bearer ${key}\r\n\r\n`),
    );
    const answer = await ask(key);
    await textOf(answer);
    expect(answer.trailers()).toEqual(['X-Sent', `Bearer ${stars}`]);
  });

  test('one that comes compressed, and is too large to be looked into, is stopped', async () => {
    const stopped = Promise.withResolvers<void>();
    upstream.script(async (_request, answer) => {
      answer.send(`${chunkedHead}Content-Encoding: gzip\r\n\r\n`);
      answer.send(chunk(Buffer.concat([gzipSync('Hello.'), Buffer.alloc(bounds.codedBytesMax)])));
      await answer.closed;
      stopped.resolve();
    });
    await expect(ask(key)).rejects.toMatchObject({ code: 'response_too_large' });
    await stopped.promise;
  });
});
