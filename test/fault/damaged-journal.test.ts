/** A bit of the journal that was flipped is no write that was cut off: nothing is cut away, or begun in its place. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Durability } from '../../src/ledger/entry.ts';
import { readFrames, streamHeader } from '../../src/ledger/frame.ts';
import { frameBehind } from '../../src/store/frame-behind.ts';
import { fsck } from '../../src/store/fsck.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { createLedgerUnderTest, exchange } from './ledger-under-test.ts';

const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-damaged-journal-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;
const freshDir = (): string => join(scratch, `${++made}`);

interface Made {
  readonly journal: Buffer;
  /** The byte at which each frame begins. */
  readonly frames: readonly number[];
}

/** The journal of a small ledger, one commit after the other. */
async function journalOf(durability: Durability): Promise<Made> {
  const dir = freshDir();
  const house = createLedgerUnderTest();
  house.durability = durability;
  const ledger = await house.open({ openStore: () => openLedgerStore(dir) });
  for (let turn = 0; turn < 3; turn += 1) await exchange(ledger, () => undefined);
  await ledger.close('test');
  const journal = readFileSync(segmentFile(dir, 1));
  const frames: number[] = [];
  const chunks = (async function* () {
    yield journal;
  })();
  for await (const frame of readFrames(chunks)) frames.push(frame.at);
  return { journal, frames };
}

/** A directory as a power failure leaves it before LevelDB was told of anything, with this journal. */
async function withJournal(journal: Buffer): Promise<string> {
  const dir = freshDir();
  await (await openLevelStore(dir)).close();
  writeFileSync(segmentFile(dir, 1), journal);
  return dir;
}

function flipped(journal: Buffer, byte: number): Buffer {
  const changed = Buffer.from(journal);
  changed[byte] = (changed[byte] ?? 0) ^ 1;
  return changed;
}

let strict: Made;
let relaxed: Made;
beforeAll(async () => {
  strict = await journalOf('strict');
  relaxed = await journalOf('relaxed');
});

describe('a flipped bit of the journal', () => {
  /** In the stream's header, and in the length, the checksum and the body of each frame. */
  const placesIn = ({ frames }: Made, which: (frame: number, index: number) => boolean): readonly number[] =>
    frames.filter(which).flatMap((at) => [at, at + 3, at + 6, at + 60]);

  it('in any frame but the last refuses a start, and nothing is cut away', async () => {
    const { journal, frames } = strict;
    expect(frames.length).toBeGreaterThan(5);
    for (const byte of [2, ...placesIn(strict, (at) => at !== frames.at(-1))]) {
      const harmed = flipped(journal, byte);
      const dir = await withJournal(harmed);
      const damaged = { code: 'ledger_damaged', message: expect.stringContaining('has no whole frame') };
      await expect(openLedgerCopy(dir), `byte ${byte}`).rejects.toMatchObject(damaged);
      await expect(openLedgerStore(dir), `byte ${byte}`).rejects.toMatchObject(damaged);
      expect(readFileSync(segmentFile(dir, 1)).equals(harmed)).toBe(true);
    }
  });

  it('in the last frame is taken for a write that was cut off', async () => {
    const { journal, frames } = strict;
    const last = frames.at(-1) ?? 0;
    for (const byte of placesIn(strict, (at) => at === last)) {
      const dir = await withJournal(flipped(journal, byte));
      await (await openLedgerStore(dir)).close();
      expect(readFileSync(segmentFile(dir, 1)).equals(journal.subarray(0, last))).toBe(true);
    }
  });

  it('of entries that no disk was waited for is taken for what a power failure took', async () => {
    const { journal, frames } = relaxed;
    const [, second = 0] = frames;
    const dir = await withJournal(flipped(journal, second + 60));
    await (await openLedgerStore(dir)).close();
    expect(readFileSync(segmentFile(dir, 1)).equals(journal.subarray(0, second))).toBe(true);
  });

  it('is found where what is behind it lies far away', async () => {
    const { journal, frames } = strict;
    const [first = 0, second = 0, third = 0] = frames;
    // So that the magic of the one frame behind lies across the end of the first piece that is read.
    for (const gap of [1024 * 1024 - 22, 1024 * 1024 + 1, 3 * 1024 * 1024]) {
      const torn = Buffer.concat([
        journal.subarray(0, first),
        Buffer.alloc(gap, 7),
        journal.subarray(second, third),
      ]);
      const dir = await withJournal(torn);
      await expect(openLedgerStore(dir), `${gap} bytes`).rejects.toMatchObject({ code: 'ledger_damaged' });
    }
  });

  it('is told by verify with where it is, after all that comes before', async () => {
    const { journal, frames } = strict;
    const dataDir = freshDir();
    const third = frames[2] ?? 0;
    cpSync(await withJournal(flipped(journal, third + 60)), join(dataDir, 'ledger'), { recursive: true });
    const { ok, size, findings } = await verifyDirectory(dataDir, {});
    expect([ok, size > 0]).toEqual([false, true]);
    expect(findings).toMatchObject([{ code: 'store_unreadable', seq: size }]);
    expect(findings[0]?.message).toContain(`at byte ${third} it has no whole frame (checksum)`);
  });

  it('of which the disk lets nothing be read is a finding of verify, and no error', async () => {
    const dataDir = freshDir();
    const dir = await withJournal(strict.journal);
    rmSync(segmentFile(dir, 1));
    mkdirSync(segmentFile(dir, 1));
    cpSync(dir, join(dataDir, 'ledger'), { recursive: true });
    const { ok, findings } = await verifyDirectory(dataDir, {});
    expect(ok).toBe(false);
    expect(findings[0]).toMatchObject({ code: 'store_unreadable', seq: 0 });
    expect(findings[0]?.message).toContain('EISDIR');
  });

  it('in a frame that is the only one left refuses a start where LevelDB once took something in', async () => {
    const dir = freshDir();
    const house = createLedgerUnderTest();
    const ledger = await house.open({ openStore: () => openLedgerStore(dir) });
    await ledger.close('test');
    const level = await openLevelStore(dir);
    const reaches: Buffer[] = [];
    for await (const { key } of level.scan({})) if (key[8] === 4) reaches.push(key);
    await level.write(
      reaches.map((key) => ({ key, value: Buffer.from('no reach') })),
      true,
    );
    await level.close();
    const harmed = Buffer.concat([streamHeader, Buffer.from('a frame that is none')]);
    writeFileSync(segmentFile(dir, 1), harmed);
    await expect(openLedgerStore(dir)).rejects.toMatchObject({ code: 'ledger_damaged' });
    expect(readFileSync(segmentFile(dir, 1)).equals(harmed)).toBe(true);
    expect(readdirSync(dir)).toContain('CURRENT');
  });
});

describe('zeros in the journal', () => {
  const room = Buffer.alloc(5_000);

  it('behind its last frame are room that a kill left, for verify and for a start', async () => {
    const { journal } = strict;
    const dataDir = freshDir();
    const dir = await withJournal(Buffer.concat([journal, room]));
    cpSync(dir, join(dataDir, 'ledger'), { recursive: true });
    expect(await verifyDirectory(dataDir, {})).toMatchObject({ ok: true, findings: [] });
    await (await openLedgerStore(dir)).close();
    expect(readFileSync(segmentFile(dir, 1)).equals(journal)).toBe(true);
  });

  it('of which one is none any more are a write that was cut off', async () => {
    const { journal } = strict;
    for (const byte of [0, 7, 8, 4_999]) {
      const dir = await withJournal(flipped(Buffer.concat([journal, room]), journal.length + byte));
      await (await openLedgerStore(dir)).close();
      expect(readFileSync(segmentFile(dir, 1)).equals(journal), `byte ${byte}`).toBe(true);
    }
  });

  it('in place of a frame refuse a start, whatever is behind them', async () => {
    const { journal, frames } = strict;
    const [, second = 0, third = 0] = frames;
    const lost = Buffer.from(journal).fill(0, second, third);
    for (const harmed of [lost, Buffer.concat([lost, room])]) {
      const dir = await withJournal(harmed);
      await expect(openLedgerStore(dir)).rejects.toMatchObject({ code: 'ledger_damaged' });
      expect(readFileSync(segmentFile(dir, 1)).equals(harmed)).toBe(true);
    }
  });

  it('at the end of a segment refuse a start where another follows: what was done with has no room', async () => {
    const { journal } = strict;
    const dir = await withJournal(Buffer.concat([journal, room]));
    writeFileSync(segmentFile(dir, 2), streamHeader);
    await expect(openLedgerStore(dir)).rejects.toMatchObject({
      code: 'ledger_damaged',
      message: expect.stringContaining(`at byte ${journal.length} it has no whole frame (zeros)`),
    });
    const { findings } = await fsck({ ledgerDir: dir, indexDir: '', highWater: '' });
    expect(findings).toContainEqual({
      kind: 'damage',
      file: segmentFile(dir, 1),
      byte: journal.length,
      message: 'no whole frame (zeros); 5000 bytes follow',
    });
  });
});

it('a frame that was being written when it was read is no damage once it is whole', async () => {
  const { journal, frames } = strict;
  const file = segmentFile(await withJournal(journal), 1);
  const [first = 0, second = 0, third = 0] = frames;
  expect(await frameBehind(file, second)).toBeNull();
  writeFileSync(file, flipped(journal, second + 60));
  expect(await frameBehind(file, second)).toBe(third);
  expect(await frameBehind(file, first)).toBeNull();
});
