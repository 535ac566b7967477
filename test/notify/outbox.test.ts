/** What is still to be told, on disk: bounded, private, and the same after it was written anew. */
import { readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { noticeOf } from '../../src/notify/notice.ts';
import { type Message, type Outbox, openOutbox } from '../../src/notify/outbox.ts';
import { makePrivateDirectory } from '../../src/store/directory.ts';
import { newDirectory, startMs, testHold } from './scene.ts';

const bounds = { deadMax: 2, sentMax: 2 };

function opening(directory = join(newDirectory(), 'notices')) {
  const dropped: string[] = [];
  const made: string[] = [];
  const makeDirectory = (path: string): void => {
    makePrivateDirectory(path);
    made.push(path);
  };
  const outbox = openOutbox(directory, makeDirectory, bounds, ({ key }) => dropped.push(key));
  const linesOnDisk = (): number =>
    readFileSync(join(directory, 'outbox.ndjson'), 'utf8').split('\n').length - 1;
  return { directory, outbox, dropped, made, linesOnDisk };
}

function queued(outbox: Outbox, seq: number): Message {
  const notice = noticeOf('holdpoint.hold.opened', testHold(seq), `d-${seq}`, startMs);
  expect(outbox.add('oncall', notice, startMs)).toBe(true);
  const message = outbox.get(keyOf(seq));
  if (message === undefined) throw new Error('It is not there.');
  return message;
}

const keyOf = (seq: number): string => `oncall/${testHold(seq).id}.opened`;
const keysIn = (outbox: Outbox): string[] => outbox.all().map(({ key, state }) => `${key} ${state}`);

test('dead letters beyond the bound go, the oldest first, which is said', () => {
  const { outbox, dropped } = opening();
  for (const seq of [1, 2, 3]) outbox.dead(queued(outbox, seq), 'answered 410', startMs);
  expect(dropped).toEqual([keyOf(1)]);
  expect(keysIn(outbox)).toEqual([`${keyOf(2)} dead`, `${keyOf(3)} dead`]);
});

test('what was sent is forgotten beyond the bound, the oldest first, without a word', () => {
  const { outbox, dropped } = opening();
  for (const seq of [1, 2, 3]) outbox.sent(queued(outbox, seq));
  expect([keysIn(outbox), dropped]).toEqual([[`${keyOf(2)} sent`, `${keyOf(3)} sent`], []]);
});

test('a dead letter that waits again is no longer one of those that go', () => {
  const { outbox, dropped } = opening();
  const first = queued(outbox, 1);
  outbox.dead(first, 'answered 410', startMs);
  outbox.again(first, startMs + 5);
  for (const seq of [2, 3]) outbox.dead(queued(outbox, seq), 'answered 410', startMs);
  expect(dropped).toEqual([]);
  expect(outbox.get(keyOf(1))).toMatchObject({ state: 'pending', reason: '', queuedAtMs: startMs + 5 });
});

test('the directory is made for the first message, so that its name outlasts a power failure, and not before', async () => {
  const { directory, outbox, made } = opening();
  await outbox.flush();
  expect(made).toEqual([]);
  queued(outbox, 1);
  await outbox.flush();
  expect(made).toEqual([directory]);
});

test('file and directory are their owner’s alone', async () => {
  const { outbox, directory } = opening();
  queued(outbox, 1);
  await outbox.flush();
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  expect([modeOf(directory), modeOf(join(directory, 'outbox.ndjson'))]).toEqual([0o700, 0o600]);
  await outbox.close();
});

test('the file is written anew when most of it is past', async () => {
  const { outbox, linesOnDisk } = opening();
  for (let seq = 1; seq <= 600; seq += 1) {
    outbox.sent(queued(outbox, seq));
    await outbox.flush();
  }
  // Two of each message that is kept, and as many as may be past.
  expect(linesOnDisk()).toBeLessThan(1_100);
  await outbox.close();
});

test('after a write that failed, the next one has all of it on disk', async () => {
  const { outbox, directory, linesOnDisk } = opening();
  queued(outbox, 1);
  await outbox.flush();
  const handle = await open(directory, 'r');
  const appending = vi.spyOn(Object.getPrototypeOf(handle), 'appendFile');
  await handle.close();
  appending.mockRejectedValueOnce(new Error('input/output error'));
  queued(outbox, 2);
  await expect(outbox.flush()).rejects.toThrow('input/output error');
  appending.mockRestore();
  expect(linesOnDisk()).toBe(1);
  await outbox.flush();
  expect(linesOnDisk()).toBe(2);
  await outbox.close();
});

test('written anew, it has all that is kept: what waits, what was sent, and dead letters with why and when', async () => {
  const first = opening();
  queued(first.outbox, 1);
  first.outbox.sent(queued(first.outbox, 2));
  first.outbox.dead(queued(first.outbox, 3), 'answered 410', startMs + 7);
  await first.outbox.flush();
  await first.outbox.close();
  // The first thing that is said after a start is what has it written.
  const second = opening(first.directory);
  queued(second.outbox, 4);
  await second.outbox.flush();
  await second.outbox.close();
  const { outbox } = opening(first.directory);
  expect(keysIn(outbox)).toEqual([
    `${keyOf(1)} pending`,
    `${keyOf(2)} sent`,
    `${keyOf(3)} dead`,
    `${keyOf(4)} pending`,
  ]);
  expect(outbox.get(keyOf(3))).toMatchObject({ reason: 'answered 410', endedAtMs: startMs + 7 });
});
