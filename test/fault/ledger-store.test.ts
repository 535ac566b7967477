import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { recordKey } from '../../src/ledger/block.ts';
import type { RecordStore, StoredRecord } from '../../src/ledger/store.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { copyAsKilled } from '../support/killed-copy.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const freshDir = (): string => join(root, `${++made}`);
const journalsIn = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith('.hpj'));

/** What one commit writes; `bytes` of body, at least four: one that begins with zeros is none. */
function commitAt(seq: number, bytes = 100): StoredRecord[] {
  return [
    { key: recordKey(seq, 'block'), value: Buffer.from(`block ${seq}`) },
    { key: recordKey(seq, 'bodies'), value: Buffer.alloc(bytes, seq + 1) },
  ];
}

async function contentOf(store: RecordStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, value } of store.scan({}))
    found.push(`${key.toString('hex')} ${value.toString('hex')}`);
  return found;
}

const linesOf = (records: readonly StoredRecord[]): string[] =>
  records.map(({ key, value }) => `${key.toString('hex')} ${value.toString('hex')}`);

/** The directory as a killed process leaves it: nothing was closed. */
async function killedAfter(commits: readonly StoredRecord[][]): Promise<string> {
  const dir = freshDir();
  const store = await openLedgerStore(dir);
  for (const records of commits) await store.commit(records, true);
  const left = freshDir();
  copyAsKilled(dir, left);
  await store.close();
  return left;
}

describe("the ledger's store", () => {
  it('gives back what was committed at once, before LevelDB has taken it in', async () => {
    const store = await openLedgerStore(freshDir());
    await store.commit(commitAt(0), true);
    expect(await store.get(recordKey(0, 'block'))).toEqual(Buffer.from('block 0'));
    expect(await store.get(recordKey(0, 'bodies'))).toEqual(Buffer.alloc(100, 1));
    expect(await store.get(recordKey(1, 'block'))).toBeUndefined();
    await store.close();
  });

  it('takes nothing of what is being committed while it closes', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir, undefined, {
      bytes: 1_000,
      afterBytes: 0,
      frameBytesMax: 1_000,
    });
    await store.commit(commitAt(0), true);
    const committed = store.commit(commitAt(1, 64 * 1024 * 1024), true);
    await Promise.all([committed, store.close()]);
    const again = await openLedgerStore(dir);
    expect(await again.get(recordKey(1, 'block'))).toEqual(Buffer.from('block 1'));
    await again.close();
  });

  it('has all that was committed while it closed', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    // LevelDB is being told of this one while the others come.
    await store.commit(commitAt(0), true);
    const all = Array.from({ length: 40 }, (_, seq) => commitAt(seq));
    const committed = all.slice(1).map((records) => store.commit(records, true));
    await Promise.all([...committed, store.close()]);
    const again = await openLedgerStore(dir);
    expect(await contentOf(again)).toEqual(all.flatMap(linesOf).sort());
    await again.close();
  });

  it('writes nothing into a directory that it has let go', async () => {
    const dir = freshDir();
    const before = await openLedgerStore(dir);
    await before.commit(commitAt(0), true);
    await before.close();
    const now = await openLedgerStore(dir);
    await now.commit(commitAt(1), true);
    await expect(before.commit(commitAt(2), true)).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await now.close();
    const again = await openLedgerStore(dir);
    expect(await contentOf(again)).toEqual([...linesOf(commitAt(0)), ...linesOf(commitAt(1))].sort());
    await again.close();
  });

  it('tells whoever reads while it closes that it is away, and not that something is broken', async () => {
    const store = await openLedgerStore(freshDir());
    for (let seq = 0; seq < 4; seq += 1) await store.commit(commitAt(seq), true);
    const reading = store.scan({})[Symbol.asyncIterator]();
    await reading.next();
    await store.close();
    const readOn = async (): Promise<void> => {
      while ((await reading.next()).done !== true);
    };
    await expect(readOn()).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await expect(store.get(recordKey(9, 'block'))).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await expect(contentOf(store)).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });

  it('keeps bodies out of LevelDB, and reads them only when they are asked for', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    await store.commit(commitAt(3, 2_000_000), true);
    expect(await contentOf(store)).toEqual(linesOf(commitAt(3, 2_000_000)));
    const walked: Buffer[] = [];
    for await (const { key } of store.scan({ withoutBodies: true })) walked.push(key);
    expect(walked).toEqual([recordKey(3, 'block')]);
    await store.close();
    const bytes = readdirSync(dir)
      .filter((name) => !name.endsWith('.hpj'))
      .reduce((sum, name) => sum + readFileSync(join(dir, name)).length, 0);
    expect(bytes).toBeLessThan(10_000);
  });

  it('reads the bodies of a block from the disk once, and never what was rewritten since', async () => {
    const store = await openLedgerStore(freshDir());
    for (const seq of [0, 1]) await store.commit(commitAt(seq), true);
    const key = recordKey(0, 'bodies');
    const first = await store.get(key);
    expect(await store.get(key)).toBe(first);
    expect(await store.get(recordKey(1, 'bodies'))).toEqual(Buffer.alloc(100, 2));
    // Begun before the rewriting and ended after its beginning: it may be the old one, and is not kept.
    const early = store.get(key);
    const reduced = Buffer.alloc(60, 9);
    await store.rewriteBodies([key], () => reduced);
    await early;
    expect(await store.get(key)).toEqual(reduced);
    expect(await store.get(key)).toEqual(reduced);
    await store.rewriteBodies([key], () => null);
    expect(await store.get(key)).toBeUndefined();
    await store.close();
  });

  it('has everything again after a kill', async () => {
    const commits = [commitAt(0), commitAt(1), commitAt(2)];
    const store = await openLedgerStore(await killedAfter(commits));
    expect(await contentOf(store)).toEqual(linesOf(commits.flat()));
    await store.close();
  });

  it('has everything again when LevelDB lost all that it was not told to sync', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    const before = freshDir();
    copyAsKilled(dir, before);
    const commits = [commitAt(0), commitAt(1, 5000), commitAt(2)];
    for (const records of commits) await store.commit(records, true);
    await store.close();
    // The files of LevelDB as they were before, the journal as it is now: what a power failure may leave.
    for (const name of journalsIn(dir)) cpSync(join(dir, name), join(before, name));
    const again = await openLedgerStore(before);
    expect(await contentOf(again)).toEqual(linesOf(commits.flat()));
    await again.close();
  });

  it('is read whole by a copy while it is written, and no byte of it is changed', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    await store.commit(commitAt(0), true);
    const bytes = journalsIn(dir).map((name) => readFileSync(join(dir, name)));
    const copy = await openLedgerCopy(dir, root);
    expect(await contentOf(copy)).toEqual(linesOf(commitAt(0)));
    await copy.close();
    expect(journalsIn(dir).map((name) => readFileSync(join(dir, name)))).toEqual(bytes);
    await store.close();
  });

  it('begins another segment when one is full, and reads from all of them', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    const commits = [commitAt(0, 40_000_000), commitAt(1, 40_000_000), commitAt(2, 10)];
    for (const records of commits) await store.commit(records, false);
    expect(journalsIn(dir)).toEqual(['journal-0000000001.hpj', 'journal-0000000002.hpj']);
    await store.close();
    const again = await openLedgerStore(dir);
    for (const [block, bodies] of commits) {
      expect(await again.get(block?.key ?? Buffer.alloc(0))).toEqual(block?.value);
      expect(
        (await again.get(bodies?.key ?? Buffer.alloc(0)))?.equals(bodies?.value ?? Buffer.alloc(0)),
      ).toBe(true);
    }
    await again.close();
  });
});

describe('a write that was cut off', () => {
  it('at any byte: what came before is there, and the next commit takes its place', async () => {
    const before = [commitAt(0), commitAt(1, 30)];
    const left = await killedAfter(before);
    const whole = readFileSync(join(left, 'journal-0000000001.hpj')).length;
    const after = await killedAfter([...before, commitAt(2, 30)]);
    const bytes = readFileSync(join(after, 'journal-0000000001.hpj'));
    for (let length = whole; length < bytes.length; length += 7) {
      const dir = freshDir();
      cpSync(left, dir, { recursive: true });
      writeFileSync(join(dir, 'journal-0000000001.hpj'), bytes.subarray(0, length));
      const store = await openLedgerStore(dir);
      expect(await contentOf(store)).toEqual(linesOf(before.flat()));
      await store.commit(commitAt(7), true);
      await store.close();
      const again = await openLedgerStore(dir);
      expect(await contentOf(again)).toEqual(linesOf([...before, commitAt(7)].flat()));
      await again.close();
    }
  });
});

describe('a journal that no crash leaves', () => {
  it('is refused when it ends before what LevelDB took from it', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    await store.commit(commitAt(0), true);
    await store.close();
    truncateSync(join(dir, 'journal-0000000001.hpj'), 60);
    await expect(openLedgerStore(dir)).rejects.toMatchObject({
      code: 'ledger_damaged',
      next: expect.stringContaining('`holdpoint ledger backup`'),
    });
    rmSync(join(dir, 'journal-0000000001.hpj'));
    await expect(openLedgerStore(dir)).rejects.toMatchObject({ code: 'ledger_damaged' });
  });

  it('is refused when a damaged frame is followed by another segment', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    const before = freshDir();
    copyAsKilled(dir, before);
    for (const records of [commitAt(0, 70_000_000), commitAt(1)]) await store.commit(records, false);
    await store.close();
    for (const name of journalsIn(dir)) cpSync(join(dir, name), join(before, name));
    truncateSync(join(before, 'journal-0000000001.hpj'), 70_000_000);
    await expect(openLedgerStore(before)).rejects.toMatchObject({ code: 'ledger_damaged' });
  });

  it('has its bodies read as nothing, which no check takes for them, where a segment is gone', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    await store.commit(commitAt(0, 70_000_000), true);
    await store.commit(commitAt(1), true);
    await store.close();
    rmSync(join(dir, 'journal-0000000001.hpj'));
    const copy = await openLedgerCopy(dir, root);
    expect(await copy.get(recordKey(0, 'bodies'))).toEqual(Buffer.alloc(0));
    expect(await copy.get(recordKey(1, 'bodies'))).toEqual(Buffer.alloc(100, 2));
    await copy.close();
  });
});

it('however it is committed, closed, killed and opened again, it holds what was acknowledged', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('commit' as const),
      bytes: fc.integer({ min: 4, max: 3000 }),
      sync: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom('close' as const, 'kill' as const, 'read' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      let dir = freshDir();
      let store = await openLedgerStore(dir);
      const expected: StoredRecord[] = [];
      for (const each of steps) {
        if (each.kind === 'commit') {
          const records = commitAt(expected.length, each.bytes);
          await store.commit(records, each.sync);
          expected.push(...records);
        } else if (each.kind === 'read') {
          expect(await contentOf(store)).toEqual(linesOf(expected));
        } else {
          const left = freshDir();
          if (each.kind === 'kill') copyAsKilled(dir, left);
          await store.close();
          if (each.kind === 'kill') dir = left;
          store = await openLedgerStore(dir);
        }
      }
      expect(await contentOf(store)).toEqual(linesOf(expected));
      await store.close();
    }),
    { numRuns: 25 },
  );
});
