/** A bodies record is read from where it lies, also where it was moved between two looks. */
import { expect, it } from 'vitest';
import { recordKey } from '../../../src/ledger/block.ts';
import type { JournalReader } from '../../../src/store/journal-reader.ts';
import { encodeReference } from '../../../src/store/reference.ts';
import { resolved } from '../../../src/store/resolving.ts';

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
