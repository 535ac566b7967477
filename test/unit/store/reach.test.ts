import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseRecordKey, recordKey } from '../../../src/ledger/block.ts';
import type { LedgerStore, RecordStore, StoredRecord } from '../../../src/ledger/store.ts';
import { lastSeqOf } from '../../../src/store/absorbing.ts';
import type { Place } from '../../../src/store/journal.ts';
import { framesFrom } from '../../../src/store/journal-frames.ts';
import { openLedgerCopy } from '../../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';
import { openLevelCopy, openLevelScratch, openLevelStore } from '../../../src/store/level.ts';
import { encodeReach, isBefore, isReachKey, type Reach, readReach } from '../../../src/store/reach.ts';
import { copyAsKilled } from '../../support/killed-copy.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-reach-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const freshDir = (): string => join(root, `${++made}`);

const reach: Reach = {
  seq: 258,
  taken: { segment: 3, offset: 65_537 },
  inTables: { segment: 2, offset: 16 },
};
const blockAt = (seq: number, bytes = 10): StoredRecord => ({
  key: recordKey(seq, 'block'),
  value: Buffer.alloc(bytes, seq + 1),
});

async function seqsIn(store: RecordStore): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for await (const { key } of store.scan({})) found.push(parseRecordKey(key)?.seq);
  return found;
}

/** Reading waits until LevelDB has all that was committed. */
async function handOver(store: RecordStore): Promise<void> {
  for await (const _ of store.scan({ limit: 1 })) break;
}

async function readFrom(records: readonly StoredRecord[]): Promise<Reach | null> {
  const level = await openLevelScratch(root);
  try {
    await level.commit(records, false);
    return await readReach(level);
  } finally {
    await level.close();
  }
}

async function readIn(dir: string): Promise<Reach | null> {
  const level = await openLevelCopy(dir, root);
  try {
    return await readReach(level);
  } finally {
    await level.close();
  }
}

/** The blocks that LevelDB still has when all of its logs are lost. */
async function seqsInTables(dir: string): Promise<number[]> {
  const without = freshDir();
  copyAsKilled(dir, without);
  for (const name of readdirSync(without).filter((other) => other.endsWith('.log')))
    truncateSync(join(without, name));
  const level = await openLevelStore(without);
  const seqs: number[] = [];
  for await (const { key } of level.scan({}))
    if (parseRecordKey(key)?.kind === 'block') seqs.push(Number(key.readBigUInt64BE()));
  await level.close();
  return seqs;
}

describe('a reach', () => {
  it('has the bytes of the format', () => {
    const { key, value } = encodeReach(reach);
    expect(key.toString('hex')).toBe('000000000000010204');
    expect(value.toString('hex')).toBe(
      `${Buffer.from('HPR1').toString('hex')}00000003000000000001000100000000` +
        `${Buffer.from('HPR1').toString('hex')}00000002000000000000001000000000`,
    );
  });

  it('is read back where it follows the records that it counts in', async () => {
    expect(await readFrom([blockAt(258), encodeReach(reach)])).toEqual(reach);
    const fresh = { ...reach, inTables: null };
    expect(await readFrom([blockAt(258), encodeReach(fresh)])).toEqual(fresh);
  });

  it('counts only where nothing comes after it, and the latest of several does', async () => {
    expect(await readFrom([])).toBeNull();
    expect(await readFrom([encodeReach(reach), blockAt(259)])).toBeNull();
    expect(await readFrom([{ ...encodeReach(reach), key: recordKey(259, 'bodies') }])).toBeNull();
    const later = { ...reach, seq: 259, taken: { segment: 3, offset: 70_000 } };
    expect(await readFrom([encodeReach(reach), blockAt(259), encodeReach(later)])).toEqual(later);
  });

  it('that cannot be read is none', async () => {
    const { key, value } = encodeReach(reach);
    for (const damaged of [value.subarray(1), value.subarray(0, 20), Buffer.alloc(40)])
      expect(await readFrom([{ key, value: damaged }])).toBeNull();
  });
});

describe('the reach of a ledger that grows', () => {
  it('says every 32 MiB of the journal that no start need read what lies before', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    const bodiesBytes = 1024 * 1024;
    for (let seq = 0; seq < 40; seq += 1) {
      const bodies = { key: recordKey(seq, 'bodies'), value: Buffer.alloc(bodiesBytes, 1) };
      await store.commit([blockAt(seq), bodies], false);
      await handOver(store);
    }
    const level = await openLevelCopy(dir, root);
    const found = await readReach(level);
    await level.close();
    await store.close();
    expect(found).toMatchObject({ seq: 39, taken: { segment: 1 }, inTables: { segment: 1 } });
    expect(found?.taken.offset).toBeGreaterThan(40 * bodiesBytes);
    expect(found?.inTables?.offset).toBeGreaterThan(32 * bodiesBytes);
    expect(found?.inTables?.offset).toBeLessThan(34 * bodiesBytes);
  });
});

describe('what a reach says is in tables', () => {
  const bodiesAt = (seq: number): StoredRecord => ({
    key: recordKey(seq, 'bodies'),
    value: Buffer.from(`HPV1 ${seq}`),
  });
  async function commitFive(store: LedgerStore): Promise<void> {
    for (let seq = 0; seq < 5; seq += 1) await store.commit([blockAt(seq), bodiesAt(seq)], true);
    await handOver(store);
  }

  it('is there once a ledger is closed, also where nothing but a kill went before', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    await commitFive(store);
    const killed = freshDir();
    copyAsKilled(dir, killed);
    await store.close();
    await (await openLedgerStore(killed)).close();
    for (const closed of [dir, killed]) {
      const told = await readIn(closed);
      expect([told?.seq, told?.inTables]).toEqual([4, told?.taken]);
      expect(await seqsInTables(closed)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('is there before anything is overwritten, and is all there is', async () => {
    const dir = freshDir();
    const atOverwriting: { told: Reach | null; inTables: number[] }[] = [];
    const left: string[] = [];
    const store = await openLedgerStore(dir, (step) => {
      if (step !== 'settled') return;
      left.push(freshDir());
      copyAsKilled(dir, left.at(-1) ?? '');
    });
    await commitFive(store);
    await store.rewriteBodies([recordKey(1, 'bodies')], () => Buffer.from('HPV1 less'));
    await store.close();
    for (const copy of left)
      atOverwriting.push({ told: await readIn(copy), inTables: await seqsInTables(copy) });
    expect(atOverwriting).toHaveLength(1);
    const [{ told, inTables } = { told: null, inTables: [] }] = atOverwriting;
    expect([told?.seq, told?.inTables]).toEqual([4, told?.taken]);
    expect(inTables).toEqual([0, 1, 2, 3, 4]);
  });

  it('is there while a ledger grows', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    const bodies = Buffer.alloc(1024 * 1024, 1);
    for (let seq = 0; seq < 40; seq += 1) {
      await store.commit([blockAt(seq), { key: recordKey(seq, 'bodies'), value: bodies }], false);
      await handOver(store);
    }
    const killed = freshDir();
    copyAsKilled(dir, killed);
    await store.close();
    const inTables = (await readIn(killed))?.inTables ?? null;
    const before: number[] = [];
    for await (const { records, end } of framesFrom(killed, null))
      if (inTables !== null && !isBefore(inTables, end)) before.push(lastSeqOf(records));
    expect(before.length).toBeGreaterThan(30);
    expect(await seqsInTables(killed)).toEqual(expect.arrayContaining(before));
  });
});

describe('a ledger without a reach', () => {
  it('is read from the start of its journal, and goes on', async () => {
    const dir = freshDir();
    const first = await openLedgerStore(dir);
    for (let seq = 0; seq < 5; seq += 1) await first.commit([blockAt(seq)], true);
    await first.close();
    const level = await openLevelStore(dir);
    const reaches: Buffer[] = [];
    for await (const { key } of level.scan({})) if (isReachKey(key)) reaches.push(key);
    expect(reaches).toHaveLength(1);
    // All that LevelDB had is lost with them, and under a key of no use there is something.
    const lost = [0, 1, 2, 3, 4].map((seq) => recordKey(seq, 'block'));
    const changes = [...reaches, ...lost].map((key) => ({ key, value: null }));
    await level.write([...changes, { key: Buffer.from('journal'), value: Buffer.alloc(20) }], true);
    await level.close();
    const copy = await openLedgerCopy(dir, root);
    expect(await seqsIn(copy)).toEqual([0, 1, 2, 3, 4]);
    await copy.close();
    const again = await openLedgerStore(dir);
    await again.commit([blockAt(5)], true);
    expect(await seqsIn(again)).toEqual([0, 1, 2, 3, 4, 5]);
    await again.close();
    const marked = await openLevelStore(dir);
    expect(await readReach(marked)).toMatchObject({ seq: 5 });
    await marked.close();
  });
});

describe('the tables of a ledger that grows', () => {
  it('are written once: none overlaps another, so that LevelDB moves them and merges none', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (let seq = 0; seq < 120; seq += 1) {
      await store.commit([blockAt(seq, 256 * 1024)], false);
      if (seq % 4 === 3) await handOver(store);
    }
    await store.close();
    const log = readFileSync(join(dir, 'LOG'), 'utf8');
    expect(log.match(/Level-0 table #\d+: started/g)?.length).toBeGreaterThan(6);
    expect(log).not.toMatch(/Compacted \d+@/);
    expect(readdirSync(dir).filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(6);
  });
});

describe('records with reaches between them', () => {
  it('are no more than a limit asks for, where none has a reach after it either', async () => {
    const store = await openLedgerStore(freshDir());
    for (let seq = 0; seq < 6; seq += 1) await store.commit([blockAt(seq)], true);
    const found: Buffer[] = [];
    for await (const { key } of store.scan({ limit: 3 })) found.push(key);
    expect(found).toEqual([0, 1, 2].map((seq) => recordKey(seq, 'block')));
    await store.close();
  });

  it('have the highest seq in the last reach where an older one is written again', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (let seq = 0; seq < 3; seq += 1) await store.commit([blockAt(seq)], true);
    await handOver(store);
    await store.commit([{ key: recordKey(0, 'bodies'), value: Buffer.from('HPV1') }], true);
    await handOver(store);
    const found = await readIn(dir);
    const ends: Place[] = [];
    for await (const { end } of framesFrom(dir, null)) ends.push(end);
    expect([found?.seq, found?.taken]).toEqual([2, ends.at(-1)]);
    await store.close();
  });

  it('are not disturbed by reaches when a range is read with a limit', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (let seq = 0; seq < 6; seq += 1) {
      await store.commit([blockAt(seq)], true);
      await handOver(store);
    }
    const found: Buffer[] = [];
    for await (const { key } of store.scan({ limit: 3, reverse: true })) found.push(key);
    expect(found).toEqual([5, 4, 3].map((seq) => recordKey(seq, 'block')));
    await store.close();
    const level = await openLevelStore(dir);
    let keys = 0;
    for await (const _ of level.scan({})) keys += 1;
    await level.close();
    expect(keys).toBe(12);
  });
});

it('a place is before another by its segment, and within one by its offset', () => {
  const places = [1, 2].flatMap((segment) => [5, 9].map((offset) => ({ segment, offset })));
  for (const [i, place] of places.entries())
    expect(places.map((other) => isBefore(place, other))).toEqual(places.map((_, j) => i < j));
});
