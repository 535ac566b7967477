/** Receivers over HTTP: what of their answers counts, and how little of a failure is said. */
import { createServer, type RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { noProxy } from '../../src/core/egress.ts';
import { noticeOf } from '../../src/notify/notice.ts';
import { NotTaken } from '../../src/notify/receiver.ts';
import { openWebReceiver, receiverUrl, type WebReceiverOptions } from '../../src/notify/web-receiver.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { listeningOn } from '../support/listening-on.ts';
import { startMs, testHold, testTime } from './scene.ts';

afterEach(endAll);

const notice = noticeOf('holdpoint.hold.opened', testHold(17), 'd-0a1b2c3d-16', startMs);

/** Tells a server that answers so; how many were asked, and why it was not taken. */
async function telling(
  answer: RequestListener,
  given: Partial<WebReceiverOptions> = {},
  signal = new AbortController().signal,
) {
  let asked = 0;
  const server = createServer((req, res) => {
    asked += 1;
    answer(req, res);
  });
  const { url, close } = await listeningOn(server);
  atEnd(close);
  const receiver = openWebReceiver({
    name: 'oncall',
    url: () => url,
    contentType: 'application/json',
    bodyOf: ({ id }) => ({ id }),
    secret: null,
    clock: testTime().clock,
    egress: noProxy,
    ...given,
  });
  const failure = await receiver.deliver(notice, signal).then(
    () => null,
    (error: unknown) => error,
  );
  if (failure !== null && !(failure instanceof NotTaken)) throw failure;
  return { asked, failure };
}

const answering = (status: number, headers: Readonly<Record<string, string>> = {}): RequestListener => {
  return (_req, res) => res.writeHead(status, headers).end();
};
const gone = (): string => {
  throw new Error('/run/secrets/SECRET is not there');
};

describe('an answer', () => {
  test.each([
    [200, null],
    [299, null],
    [300, false],
    [404, false],
    [410, true],
    [413, true],
    [500, false],
  ])('of %i is final: %s', async (status, isFinal) => {
    expect((await telling(answering(status))).failure?.isFinal ?? null).toBe(isFinal);
  });

  test.each([
    ['90', 90_000],
    ['0', 0],
    [new Date(startMs + 120_000).toUTCString(), 120_000],
    [new Date(startMs - 120_000).toUTCString(), 0],
    ['86400', 3_600_000],
    ['soon', 0],
  ])('that asks to be left alone (%s) has %i ms', async (text, waitMs) => {
    expect((await telling(answering(429, { 'retry-after': text }))).failure?.waitMs).toBe(waitMs);
  });

  test('whose body never ends is not waited for', async () => {
    const closed = Promise.withResolvers<void>();
    const { failure } = await telling((req, res) => {
      req.socket.once('close', () => closed.resolve());
      res.writeHead(200).write('on and on');
    });
    await closed.promise;
    expect(failure).toBeNull();
  });
});

test('a receiver that has not answered in time took too long', async () => {
  const late = new AbortController();
  const silent: RequestListener = () => late.abort(new DOMException('too late', 'TimeoutError'));
  expect((await telling(silent, {}, late.signal)).failure?.message).toBe('no answer (took too long)');
});

describe('nothing is sent', () => {
  test('unsigned where the secret is gone, and its place is not said', async () => {
    const { asked, failure } = await telling(answering(200), { secret: gone });
    expect([asked, failure?.message]).toEqual([0, 'its secret is not there or not one']);
  });

  test('where the address is gone, and its place is not said', async () => {
    const { asked, failure } = await telling(answering(200), { url: gone });
    expect([asked, failure?.message]).toEqual([0, 'its address is not there or not one']);
  });

  test('where nobody listens, and the address is not said', async () => {
    const { failure } = await telling(answering(200), { url: () => 'http://127.0.0.1:9/SECRET' });
    expect(failure?.message).toBe('no answer (ECONNREFUSED)');
  });
});

test.each(['ftp://x.example', 'https://user@x.example', 'https://:pass@x.example', 'x.example', ''])(
  'is no address of a receiver: %s',
  (text) => {
    expect(receiverUrl(text)).toBeNull();
  },
);
