import { fstatSync, mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openJournal, segmentFile } from '../../src/store/journal.ts';

interface AskedSync {
  readonly fd: number;
  readonly inode: number;
  /** Lets it go: with null as the disk does it, or with what it fails with. */
  readonly end: (failure: Error | null) => void;
}

const { asked } = vi.hoisted(() => ({ asked: [] as AskedSync[] }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const fdatasync = (fd: number, done: (error: Error | null) => void) => {
    const end = (failure: Error | null): void => (failure === null ? fs.fdatasync(fd, done) : done(failure));
    asked.push({ fd, inode: fs.fstatSync(fd).ino, end });
  };
  return { ...fs, fdatasync };
});

const dir = mkdtempSync(join(tmpdir(), 'holdpoint-journal-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => asked.splice(0));

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
    journal.close();
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
    journal.close();
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
    journal.close();
  });
});
