import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseRecordKey, recordKey } from '../../../src/ledger/block.ts';
import type { RecordStore, StoredRecord } from '../../../src/ledger/store.ts';
import { openLedgerCopy } from '../../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';
import { openLevelCopy, openLevelScratch, openLevelStore } from '../../../src/store/level.ts';
import { encodeReach, isReachKey, type Reach, readReach } from '../../../src/store/reach.ts';

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
