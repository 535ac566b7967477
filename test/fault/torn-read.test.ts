/** A body that is erased while somebody reads it: what is read is all of what was there, or counts as erased. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { isOverwritten } from '../../src/store/absorbing.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openJournalReader } from '../../src/store/journal-reader.ts';

const between = vi.hoisted(() => ({ reads: async (): Promise<void> => undefined }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  type Told = (error: Error | null, bytesRead: number) => void;
  /** Gives half of what is asked for, as the system may, and lets the test do something before the rest. */
  const read = (fd: number, into: Buffer, at: number, length: number, position: number, told: Told): void => {
    fs.read(fd, into, at, Math.max(1, length >> 1), position, (error, bytesRead) => {
      between.reads().then(
        () => told(error, bytesRead),
        (failure: Error) => told(failure, 0),
      );
    });
  };
  // As node:fs has it, for whoever makes a promise of it.
  const promised = async (fd: number, into: Buffer, at: number, length: number, position: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ bytesRead: number; buffer: Buffer }>();
    read(fd, into, at, length, position, (error, bytesRead) => {
      if (error === null) resolve({ bytesRead, buffer: into });
      else reject(error);
    });
    return promise;
  };
  return { ...fs, read: Object.assign(read, { [Symbol.for('nodejs.util.promisify.custom')]: promised }) };
});

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-torn-read-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('never gives the beginning of a body whose end is gone', async () => {
  const body = Buffer.concat([Buffer.from('HPV1'), Buffer.alloc(4096, 7)]);
  const file = segmentFile(directory, 1);
  writeFileSync(file, body);
  const reader = openJournalReader(directory);
  const extent = { segment: 1, offset: 0, bytes: body.length };
  expect(await reader.read(extent)).toEqual(body);
  between.reads = async () => {
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(body.length), 0, body.length, 0);
    await handle.close();
  };
  expect(isOverwritten(await reader.read(extent))).toBe(true);
  reader.close();
});
