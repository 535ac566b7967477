import {
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamHeader } from '../../src/ledger/frame.ts';
import { type Journal, openJournal, segmentFile } from '../../src/store/journal.ts';

interface AskedSync {
  readonly fd: number;
  readonly inode: number;
  /** Lets it go: with null as the disk does it, or with what it fails with. */
  readonly end: (failure: Error | null) => void;
}

const { asked, zeros } = vi.hoisted(() => ({
  asked: [] as AskedSync[],
  /** What the disk says to writes of zeros; null as long as it takes them. Otherwise syncs end at once. */
  zeros: { refusal: null as Error | null, refusals: 0, areHeld: true },
}));
vi.mock('node:fs', async (importOriginal) => {
  const { promisify } = await import('node:util');
  const fs = await importOriginal<typeof import('node:fs')>();
  const fdatasync = (fd: number, done: (error: Error | null) => void) => {
    const end = (failure: Error | null): void => (failure === null ? fs.fdatasync(fd, done) : done(failure));
    asked.push({ fd, inode: fs.fstatSync(fd).ino, end });
    if (!zeros.areHeld) end(null);
  };
  const writeAt = promisify(fs.write);
  const written = async (fd: number, bytes: Buffer, offset: number, length: number, position: number) => {
    if (zeros.refusal === null || bytes.some((byte) => byte !== 0))
      return writeAt(fd, bytes, offset, length, position);
    zeros.refusals += 1;
    throw zeros.refusal;
  };
  const write = Object.assign(() => undefined, { [promisify.custom]: written });
  return { ...fs, fdatasync, write };
});

const dir = mkdtempSync(join(tmpdir(), 'holdpoint-journal-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => {
  asked.splice(0);
  zeros.refusal = null;
  zeros.refusals = 0;
  zeros.areHeld = true;
});

describe('a journal that is not written through', () => {
  it('lets a segment go only once the sync under way has ended', async () => {
    const journal = await openJournal(mkdtempSync(join(dir, 'ends-')), null);
    await journal.append(Buffer.alloc(100, 1), false);
    const synced = journal.sync();
    const rotating = journal.rotate();
    for (let round = 0; round < 10; round += 1) await nextRound();
    const [sync] = asked;
    if (sync === undefined) throw new Error('nothing was synced');
    expect(fstatSync(sync.fd).ino).toBe(sync.inode);
    sync.end(null);
    await synced;
    await rotating;
    expect(journal.end().segment).toBe(2);
    await journal.close();
  });

  it('takes nothing more, and says of nothing that it is on disk, after a sync failed', async () => {
    const journal = await openJournal(mkdtempSync(join(dir, 'fails-')), null);
    await journal.append(Buffer.alloc(100, 1), false);
    const failure = new Error('EIO');
    const synced = journal.sync();
    await nextRound();
    asked[0]?.end(failure);
    await expect(synced).rejects.toBe(failure);
    await expect(journal.sync()).rejects.toBe(failure);
    await expect(journal.append(Buffer.alloc(100, 1), false)).rejects.toBe(failure);
    await journal.close();
  });
});

describe('a journal whose disk refused a write', () => {
  it('takes nothing more, though the disk would: of what it refused some may be there', async () => {
    const into = mkdtempSync(join(dir, 'refuses-'));
    const journal = await openJournal(into, null);
    const file = segmentFile(into, 1);
    renameSync(file, `${file}.away`);
    mkdirSync(file);
    await expect(journal.append(Buffer.alloc(100, 1), true)).rejects.toMatchObject({ code: 'EISDIR' });
    rmdirSync(file);
    renameSync(`${file}.away`, file);
    await expect(journal.append(Buffer.alloc(100, 1), true)).rejects.toMatchObject({ code: 'EISDIR' });
    await journal.close();
  });
});

/** Made as soon as it can be, and small: what it does shows after few frames. */
const room = { bytes: 1000, afterBytes: 0, frameBytesMax: 5_000 };
const frameOf = (bytes: number, byte = 1): Buffer => Buffer.alloc(bytes, byte);
const fileBytes = (into: string, segment = 1): number => statSync(segmentFile(into, segment)).size;

async function roomy(frames: readonly Buffer[] = []) {
  const into = mkdtempSync(join(dir, 'room-'));
  const journal = await openJournal(into, null, room);
  for (const frame of frames) await journal.append(frame, true);
  return { into, journal };
}

/** The files below a directory that this process has open. */
const openBelow = (path: string): string[] =>
  readdirSync('/proc/self/fd')
    .flatMap((fd) => (existsSync(`/proc/self/fd/${fd}`) ? [readlinkSync(`/proc/self/fd/${fd}`)] : []))
    .filter((target) => target.startsWith(path));

/** Rounds of the event loop, in which what can end does. */
async function aWhile(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await nextRound();
}

/** Lets the zeros on their way get to the disk. */
async function made(count = 1): Promise<void> {
  await expect.poll(() => asked.length).toBe(count);
  asked[count - 1]?.end(null);
  await aWhile();
}

/** Waits until the disk refused zeros; it takes the next. */
async function refused(): Promise<void> {
  await expect.poll(() => zeros.refusals).toBe(1);
  zeros.refusal = null;
  await aWhile();
}

describe('room behind the last frame', () => {
  const header = streamHeader.length;

  it('is made where little is left, and frames take its place without the file growing', async () => {
    const { into, journal } = await roomy([frameOf(100)]);
    await made();
    expect(fileBytes(into)).toBe(header + 100 + room.bytes);
    for (const byte of [2, 3, 4]) await journal.append(frameOf(100, byte), true);
    expect(fileBytes(into)).toBe(header + 100 + room.bytes);
    const frames = Buffer.concat([1, 2, 3, 4].map((byte) => frameOf(100, byte)));
    expect(readFileSync(segmentFile(into, 1)).subarray(header)).toEqual(
      Buffer.concat([frames, Buffer.alloc(room.bytes - 300)]),
    );
    await journal.append(frameOf(200, 5), true);
    await made(2);
    expect(fileBytes(into)).toBe(header + 100 + 2 * room.bytes);
    await journal.close();
  });

  it('is not made before so much was appended, nor for frames that no disk is waited for', async () => {
    const into = mkdtempSync(join(dir, 'late-'));
    const journal = await openJournal(into, null, { ...room, afterBytes: 300 });
    for (let count = 0; count < 3; count += 1) await journal.append(frameOf(100), true);
    await journal.append(frameOf(500), false);
    await aWhile();
    expect(asked).toEqual([]);
    await journal.append(frameOf(100), true);
    await made();
    expect(fileBytes(into)).toBe(header + 900 + 1000);
    await journal.close();
  });

  it('is not made for long frames, which may go into what there is', async () => {
    const { into, journal } = await roomy([frameOf(100)]);
    await made();
    await journal.append(frameOf(5_001, 2), true);
    await aWhile();
    expect(fileBytes(into)).toBe(header + 5_101);
    await journal.append(frameOf(5_000, 3), true);
    await made(2);
    expect(fileBytes(into)).toBe(header + 10_101 + room.bytes);
    await journal.close();
  });

  it('lets frames into what there is of it while more is made, and those beyond wait', async () => {
    const { into, journal } = await roomy([frameOf(100)]);
    await made();
    await journal.append(frameOf(600, 2), true);
    await expect.poll(() => asked.length).toBe(2);
    await journal.append(frameOf(300, 3), true);
    let isAppended = false;
    const beyond = journal.append(frameOf(200, 4), true).then(() => {
      isAppended = true;
    });
    await aWhile();
    expect(isAppended).toBe(false);
    await made(2);
    await beyond;
    const frames = [frameOf(100), frameOf(600, 2), frameOf(300, 3), frameOf(200, 4)];
    expect(readFileSync(segmentFile(into, 1)).subarray(header, header + 1200)).toEqual(Buffer.concat(frames));
    await journal.close();
  });

  it('goes when the journal is closed, once nothing is written into it any more', async () => {
    const { into, journal } = await roomy([frameOf(100)]);
    await expect.poll(() => asked.length).toBe(1);
    let isClosed = false;
    const closed = journal.close().then(() => {
      isClosed = true;
    });
    await aWhile();
    expect(isClosed).toBe(false);
    await made();
    await closed;
    expect(fileBytes(into)).toBe(header + 100);
    expect(openBelow(into)).toEqual([]);
  });

  it('of what another has opened since does not go where the journal is closed a second time', async () => {
    const { into, journal } = await roomy([frameOf(100)]);
    await made();
    await journal.close();
    const other = await openJournal(into, journal.end());
    await other.append(frameOf(100, 2), true);
    await journal.close();
    expect(fileBytes(into)).toBe(header + 200);
    await other.close();
  });

  it('goes when the next segment begins, which gets its own', async () => {
    const { into, journal } = await roomy([frameOf(100)]);
    await made();
    await journal.rotate();
    expect(fileBytes(into)).toBe(header + 100);
    await journal.append(frameOf(50), true);
    await made(2);
    expect(fileBytes(into, 2)).toBe(header + 50 + room.bytes);
    await journal.close();
  });

  it('that a kill left goes at the next opening', async () => {
    const { into, journal } = await roomy([frameOf(100)]);
    await made();
    const again = await openJournal(into, journal.end());
    expect(fileBytes(into)).toBe(header + 100);
    await again.close();
  });

  it.each(['ENOSPC', 'EDQUOT'])('is done without where the disk has no place for it (%s)', async (code) => {
    zeros.refusal = Object.assign(new Error(code), { code });
    const { into, journal } = await roomy([frameOf(100)]);
    await refused();
    for (const byte of [2, 3]) await journal.append(frameOf(700, byte), true);
    await aWhile();
    expect(asked).toEqual([]);
    expect(fileBytes(into)).toBe(header + 1500);
    await journal.close();
  });

  it('is done without where its file cannot be opened', async () => {
    const into = mkdtempSync(join(dir, 'unopened-'));
    const journal = await openJournal(into, null, { ...room, afterBytes: 150 });
    await journal.append(frameOf(100), true);
    const file = segmentFile(into, 1);
    renameSync(file, `${file}.away`);
    for (const byte of [2, 3, 4]) await journal.append(frameOf(700, byte), true);
    await journal.close();
    renameSync(`${file}.away`, file);
    expect(asked).toEqual([]);
    expect(fileBytes(into)).toBe(header + 2200);
  });

  it('of which the disk said that it failed lets no frame go where it was to be', async () => {
    const { journal } = await roomy([frameOf(100)]);
    await made();
    zeros.refusal = Object.assign(new Error('EIO'), { code: 'EIO' });
    await journal.append(frameOf(600), true);
    await refused();
    await journal.append(frameOf(300), true);
    await expect(journal.append(frameOf(200), true)).rejects.toMatchObject({ code: 'EIO' });
    await expect(journal.append(frameOf(10), true)).rejects.toMatchObject({ code: 'EIO' });
    await journal.close();
  });

  it('overwrites no frame, however long they are and whatever is being written meanwhile', async () => {
    zeros.areHeld = false;
    const step = fc.oneof(
      fc.record({ bytes: fc.integer({ min: 1, max: 2500 }), sync: fc.boolean() }),
      fc.constantFrom('rotate' as const, 'open again' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const into = mkdtempSync(join(dir, 'any-'));
        let journal: Journal = await openJournal(into, null, room);
        const written: Buffer[][] = [[]];
        for (const [index, step] of steps.entries()) {
          if (step === 'rotate') {
            await journal.rotate();
            written.push([]);
          } else if (step === 'open again') {
            await journal.close();
            journal = await openJournal(into, journal.end(), room);
          } else {
            const frame = frameOf(step.bytes, (index % 255) + 1);
            await journal.append(frame, step.sync);
            written.at(-1)?.push(frame);
          }
        }
        await journal.close();
        for (const [index, frames] of written.entries())
          expect(readFileSync(segmentFile(into, index + 1))).toEqual(
            Buffer.concat([streamHeader, ...frames]),
          );
      }),
    );
  });
});
