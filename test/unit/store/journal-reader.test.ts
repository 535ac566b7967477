import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
