import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { segmentFile } from '../../../src/store/journal.ts';
import { type JournalReader, openJournalReader } from '../../../src/store/journal-reader.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdpoint-journal-reader-'));
const bytes = Buffer.from('HPV1 and what follows it');
let reader: JournalReader;
beforeAll(() => {
  writeFileSync(segmentFile(dir, 1), bytes);
  reader = openJournalReader(dir);
});
afterAll(() => {
  reader.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('a value of the journal', () => {
  it('is read from its place', async () => {
    expect(await reader.read({ segment: 1, offset: 5, bytes: 3 })).toEqual(Buffer.from('and'));
  });

  // The largest is more than a Buffer can have.
  it.each([100, 64 * 1024, 64 * 1024 + 1, 2 ** 32 - 1, 2 ** 53 - 1])(
    'whose reference asks for %i bytes has those that there are, and memory for no more',
    async (asked) => {
      const found = await reader.read({ segment: 1, offset: 5, bytes: asked });
      expect(found).toEqual(bytes.subarray(5));
      expect(found.buffer.byteLength).toBeLessThanOrEqual(64 * 1024);
    },
  );

  it('is empty beyond the end of its segment, and in one that is gone', async () => {
    for (const asked of [10, 100_000]) {
      expect(await reader.read({ segment: 1, offset: 1_000, bytes: asked })).toHaveLength(0);
      expect(await reader.read({ segment: 2, offset: 0, bytes: asked })).toHaveLength(0);
    }
  });
});

/** The numbers of the segments of `of` that this process has open, in order. */
function openSegments(of: string): number[] {
  const paths = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch (error) {
      // What listed them is closed by now.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  });
  return paths
    .filter((path) => path.startsWith(`${of}/`))
    .map((path) => Number(/journal-(\d+)/.exec(path)?.[1]))
    .sort((a, b) => a - b);
}

describe('segments that are read', () => {
  const many = mkdtempSync(join(tmpdir(), 'holdpoint-journal-segments-'));
  afterAll(() => rmSync(many, { recursive: true, force: true }));
  const segments = Array.from({ length: 20 }, (_, index) => index + 1);
  const readOf = (of: JournalReader, segment: number) => of.read({ segment, offset: 5, bytes: 3 });
  beforeAll(() => {
    for (const segment of segments) writeFileSync(segmentFile(many, segment), bytes);
  });

  it('are kept open, the sixteen that were read last, and none once the reader is closed', async () => {
    const of = openJournalReader(many);
    for (const segment of [...segments, 5, 6]) await readOf(of, segment);
    expect(openSegments(many)).toEqual([5, 6, ...segments.slice(6)]);
    of.close();
    expect(openSegments(many)).toEqual([]);
  });

  it('are all read at once, more than are kept open, and by several at a time', async () => {
    const of = openJournalReader(many);
    const found = await Promise.all([...segments, ...segments].map((segment) => readOf(of, segment)));
    expect(new Set(found.map(String))).toEqual(new Set(['and']));
    expect(openSegments(many)).toHaveLength(16);
    of.close();
    expect(openSegments(many)).toEqual([]);
  });

  it('are let go when they are removed: at once, or by whoever reads from one still', async () => {
    const of = openJournalReader(many);
    await readOf(of, 1);
    of.forget(1);
    expect(openSegments(many)).toEqual([]);
    const reading = readOf(of, 2);
    of.forget(2);
    expect(openSegments(many)).toEqual([2]);
    expect(String(await reading)).toBe('and');
    expect(openSegments(many)).toEqual([]);
    of.close();
  });
});
