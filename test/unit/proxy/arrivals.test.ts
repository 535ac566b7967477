/** What a relay of a stream without end waits for, that nothing of the stream is lost over it, and that nothing is left of it. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import type { Schedule } from '../../../src/core/clock.ts';
import { createArrivals } from '../../../src/proxy/session/arrivals.ts';

/** A time that is due when the test says so. */
function dueTime(): { readonly schedule: Schedule; due(): void; isWaitedFor(): boolean } {
  let run: (() => void) | null = null;
  return {
    schedule: (_delayMs, fn) => {
      run = fn;
      return () => {
        run = null;
      };
    },
    due: () => run?.(),
    isWaitedFor: () => run !== null,
  };
}

/** Chunks that arrive one after the other when the test says so. */
function arriving(count: number) {
  const chunks = Array.from({ length: count }, () => Promise.withResolvers<Buffer>());
  async function* all(): AsyncGenerator<Buffer> {
    for (const { promise } of chunks) yield await promise;
  }
  return {
    chunks: all(),
    arrive: (place: number, text: string) => chunks[place]?.resolve(Buffer.from(text)),
  };
}

test('what arrives after something was due, before anybody waits again, is the next chunk', async () => {
  const { schedule, due } = dueTime();
  const { chunks, arrive } = arriving(2);
  const arrivals = createArrivals(chunks, { schedule, draining: new AbortController().signal });
  const waited = arrivals.next(1_000, false);
  due();
  expect(await waited).toBe('due');
  arrive(0, 'first');
  arrive(1, 'second');
  await new Promise(setImmediate);
  expect(String(await arrivals.next(null, false))).toBe('first');
  expect(String(await arrivals.next(null, false))).toBe('second');
  expect(await arrivals.next(null, false)).toBe('ended');
});

test('what ends the stream after something was due, before anybody waits again, is thrown at who waits next', async () => {
  const { schedule, due } = dueTime();
  const broken = Promise.withResolvers<Buffer>();
  async function* all(): AsyncGenerator<Buffer> {
    yield await broken.promise;
  }
  const arrivals = createArrivals(all(), { schedule, draining: new AbortController().signal });
  const waited = arrivals.next(1_000, false);
  due();
  expect(await waited).toBe('due');
  broken.reject(new Error('broken off'));
  await new Promise(setImmediate);
  await expect(arrivals.next(null, false)).rejects.toThrow('broken off');
});

test('while the sidecar stops, a chunk that is there is not asked for twice', async () => {
  const { schedule } = dueTime();
  const { chunks, arrive } = arriving(1);
  const stopping = new AbortController();
  const arrivals = createArrivals(chunks, { schedule, draining: stopping.signal });
  const waited = arrivals.next(null, true);
  stopping.abort();
  expect(await waited).toBe('draining');
  arrive(0, 'last');
  await new Promise(setImmediate);
  expect(String(await arrivals.next(null, false))).toBe('last');
});

test('a sidecar that stops already is heeded before a chunk that is there', async () => {
  const { schedule } = dueTime();
  const { chunks, arrive } = arriving(1);
  const arrivals = createArrivals(chunks, { schedule, draining: AbortSignal.abort() });
  arrive(0, 'last');
  expect(await arrivals.next(null, true)).toBe('draining');
});

test('of a wait that a chunk ended nothing is left: no timer, and nobody who listens for the stop', async () => {
  const { schedule, isWaitedFor } = dueTime();
  const { chunks, arrive } = arriving(1);
  const draining = new AbortController().signal;
  const waited = createArrivals(chunks, { schedule, draining }).next(1_000, true);
  arrive(0, 'first');
  expect(String(await waited)).toBe('first');
  expect(isWaitedFor()).toBe(false);
  expect(getEventListeners(draining, 'abort')).toEqual([]);
});
