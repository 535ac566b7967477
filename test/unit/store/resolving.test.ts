/** A bodies record is read from where it lies, also where it was moved between two looks. */
import { describe, expect, it } from 'vitest';
import { parseRecordKey, recordKey } from '../../../src/ledger/block.ts';
import type { RecordStore, ScanRange } from '../../../src/ledger/store.ts';
import type { JournalReader } from '../../../src/store/journal-reader.ts';
import { encodeReach } from '../../../src/store/reach.ts';
import { encodeReference } from '../../../src/store/reference.ts';
import { resolved, scanResolved } from '../../../src/store/resolving.ts';

const key = recordKey(0, 'bodies');
const body = Buffer.from('HPV1 a body');
const referenceTo = (segment: number): Buffer => encodeReference({ segment, offset: 37, bytes: body.length });

/** A journal in which these segments have the body; any other is gone. */
function readerOf(segments: readonly number[]): JournalReader {
  return {
    read: async ({ segment, bytes }) =>
      segments.includes(segment) ? body.subarray(0, bytes) : Buffer.alloc(0),
    forget: () => undefined,
    close: () => undefined,
  };
}

it.each([
  ['a segment that was given back', readerOf([2])],
  [
    'a place that was overwritten',
    {
      ...readerOf([]),
      read: async ({ segment }: { segment: number }) => (segment === 2 ? body : Buffer.alloc(body.length)),
    },
  ],
])('one that was in %s is read from where it is by now', async (_what, reader) => {
  expect(await resolved(reader, key, referenceTo(1), async () => referenceTo(2))).toEqual(body);
});

it('one that was erased meanwhile is none', async () => {
  expect(await resolved(readerOf([]), key, referenceTo(1), async () => undefined)).toBeUndefined();
});

it('one that lies nowhere is empty, which no bodies record is', async () => {
  expect(await resolved(readerOf([]), key, referenceTo(1), async () => referenceTo(1))).toEqual(
    Buffer.alloc(0),
  );
  expect(await resolved(readerOf([1]), key, Buffer.from('no reference'), async () => undefined)).toEqual(
    Buffer.alloc(0),
  );
});

it('one whose segment ends early is empty too', async () => {
  const reader = { ...readerOf([]), read: async () => body.subarray(0, 5) };
  expect(await resolved(reader, key, referenceTo(1), async () => referenceTo(1))).toEqual(Buffer.alloc(0));
});

describe('records of a range', () => {
  const place = { segment: 1, offset: 37 };
  const block = (seq: number) => ({ key: recordKey(seq, 'block'), value: Buffer.from(`block ${seq}`) });
  const bodies = (seq: number) => ({ key: recordKey(seq, 'bodies'), value: referenceTo(seq) });
  /** As LevelDB has them: a reach after each block, and behind all of them keys that are no records. */
  const stored = [0, 1, 2]
    .flatMap((seq) => [bodies(seq), block(seq), encodeReach({ seq, taken: place, inTables: null })])
    .concat({ key: Buffer.from('wiping'), value: Buffer.alloc(0) })
    .toSorted((a, b) => Buffer.compare(a.key, b.key));
  const level: RecordStore = {
    commit: () => Promise.reject(new Error('nothing is written')),
    get: async () => undefined,
    close: async () => undefined,
    scan: async function* ({ to = Buffer.alloc(9, 0xff), reverse, limit }: ScanRange) {
      const within = stored.filter((one) => Buffer.compare(one.key, to) <= 0);
      yield* (reverse === true ? within.toReversed() : within).slice(0, limit);
    },
  };
  const found = async (range: ScanRange, segments = [0, 1, 2]): Promise<readonly string[]> => {
    const seen: string[] = [];
    const current = async (at: Buffer) => stored.find((one) => one.key.equals(at))?.value;
    for await (const { key: at, value } of scanResolved(level, readerOf(segments), range, current))
      seen.push(`${parseRecordKey(at)?.kind} ${parseRecordKey(at)?.seq}: ${value}`);
    return seen;
  };

  it('are blocks and bodies alone, none of what LevelDB has besides', async () => {
    expect(await found({})).toEqual(
      [0, 1, 2].flatMap((seq) => [`block ${seq}: block ${seq}`, `bodies ${seq}: ${body}`]),
    );
  });

  it.each([false, true])('are as many as were asked for, reversed: %s', async (reverse) => {
    const all = await found({ reverse });
    for (const limit of [1, 2, 3, 4, 5]) expect(await found({ reverse, limit })).toEqual(all.slice(0, limit));
  });

  it('have bodies that lie nowhere among them, so that whoever verifies misses them', async () => {
    expect(await found({}, [0, 2])).toContain('bodies 1: ');
  });
});
