/** What is of a span of time where the clock was set: entries' times are then out of the order in which they were sealed. */
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { UnreadableEntry } from '../../../src/ledger/reader.ts';
import type { RecordStore } from '../../../src/ledger/store.ts';
import { countBefore, openTimeSpan, strayEntriesMax } from '../../../src/ledger/time-span.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { withBlocks } from './changed-blocks.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 10, 22);
const house = createLedgerUnderTest();
house.clock.ms = startMs;
const opened = await house.open();
await opened.close('test');
const [genesis] = house.entries();
if (genesis === undefined) throw new Error('a ledger has a first entry');

const entryAt = (seq: number, minute: number): Entry => ({
  ...genesis,
  seq,
  at: new Date(startMs + minute * minuteMs).toISOString(),
});
const unreadable = (seq: number, last = seq): UnreadableEntry =>
  new UnreadableEntry(seq, new HoldpointError('ledger_damaged', 'No block has it.'), last);

describe('of a span', () => {
  const span = () => openTimeSpan(startMs, startMs + minuteMs);

  it('is what was sealed from its beginning on and before its end', () => {
    const { place } = span();
    expect([2, 1, 0.999, 0, -0.001].map((minute, i) => place(entryAt(9 - i, minute)))).toEqual([
      'outside',
      'outside',
      'within',
      'within',
      'outside',
    ]);
  });

  it('is what stands behind as many older entries as a clock may leave, and not behind more', () => {
    const first = 3 * strayEntriesMax;
    const { place } = span();
    expect(place(entryAt(first, -1))).toBe('outside');
    expect(place(entryAt(first - strayEntriesMax + 1, -1))).toBe('outside');
    expect(place(entryAt(first - strayEntriesMax, 0))).toBe('within');
    const other = span();
    for (const seq of [first, first - 1, first - strayEntriesMax]) other.place(entryAt(seq, -1));
    expect(other.place(entryAt(first - strayEntriesMax - 1, 0))).toBe('over');
  });

  it('are older entries counted anew from each one that is of it or after it', () => {
    const first = 3 * strayEntriesMax;
    for (const minute of [0, 5]) {
      const { place } = span();
      place(entryAt(first, -1));
      place(entryAt(first - strayEntriesMax, minute));
      expect(place(entryAt(first - strayEntriesMax - 1, -1))).toBe('outside');
      expect(place(entryAt(first - 2 * strayEntriesMax - 1, 0))).toBe('within');
    }
  });

  it('may be what cannot be read, as far as the last of a run of them', () => {
    const first = 3 * strayEntriesMax;
    const { place } = span();
    place(entryAt(first, -1));
    expect(place(unreadable(0, first - strayEntriesMax))).toBe('within');
    expect(place(unreadable(first - strayEntriesMax - 1))).toBe('over');
  });
});

describe('before a time', () => {
  /** A ledger of which so many entries in a row were sealed at each of these minutes. */
  async function sealedAt(...runs: readonly (readonly [entries: number, minute: number])[]) {
    const made = createLedgerUnderTest();
    const ledger = await made.open();
    const starts: number[] = [];
    for (const [entries, minute] of runs) {
      made.clock.ms = startMs + minute * minuteMs;
      starts.push(ledger.durable().size);
      const sealed = Array.from({ length: entries }, () =>
        ledger.seal({ type: 'heartbeat', data: { open: 0 } }),
      );
      await sealed.at(-1)?.durable;
    }
    const { size } = ledger.durable();
    await ledger.close('test');
    return { store: await made.disk.open(), starts, size };
  }

  const countedBefore = (store: RecordStore, size: number, minute: number): Promise<number> =>
    countBefore(store, size, startMs + minute * minuteMs);

  it('is all that was, where a clock ran ahead for a while before', async () => {
    const { store, starts, size } = await sealedAt([20, 0], [200, 99], [20, 1], [20, 10]);
    expect(await countedBefore(store, size, 10)).toBe(starts[3]);
  });

  it('is all that was, where a clock was behind for a while after', async () => {
    const { store, starts, size } = await sealedAt([200, 0], [200, 10], [2, 1], [200, 11]);
    expect(await countedBefore(store, size, 5)).toBe(starts[3]);
  });

  it('is looked for below where a page begins, and no further', async () => {
    const { store, starts } = await sealedAt([20, 0], [20, 10], [20, 1]);
    const [, second = 0, third = 0] = starts;
    expect(await countedBefore(store, third, 5)).toBe(second);
  });

  it('is all there is, where times run back too often to say', async () => {
    const back = Array.from({ length: 5 }, () => [[strayEntriesMax - 500, 10] as const, [1, 1] as const]);
    const { store, size } = await sealedAt([20, 0], ...back.flat(), [20, 10]);
    expect(await countedBefore(store, size, 5)).toBe(size);
  });

  it('is all that can be read of it beside damaged entries', async () => {
    const { store, starts, size } = await sealedAt([20, 0], [200, 99], [20, 1], [20, 10]);
    const damaged = withBlocks(store, (seq, value) =>
      seq === starts[1] ? Buffer.alloc(value.length) : value,
    );
    expect(await countedBefore(damaged, size, 10)).toBe(starts[3]);
  });
});
