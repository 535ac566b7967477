import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openLevelStore } from '../../../src/store/level.ts';
import { tableDefect } from '../../../src/store/level-table.ts';
import { checkTableFile } from '../../../src/store/table-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdpoint-table-file-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A table as LevelDB writes it, several times as long as the window over it, with one block longer than that. */
const made = join(dir, 'made');
const store = await openLevelStore(made);
const records = Array.from({ length: 100 }, (_, index) => ({
  key: Buffer.from(`key ${String(index).padStart(3, '0')}`),
  value: Buffer.alloc(index === 50 ? 300_000 : 5_000, index),
}));
await store.commit(records, true);
await store.flush();
await store.close();
const name = readdirSync(made).find((file) => file.endsWith('.ldb')) ?? '';
const whole = join(made, name);
const copy = join(dir, 'copy.ldb');

/** What is said of the file with one byte changed. */
function defectWith(byte: number): string | null {
  const bytes = readFileSync(whole);
  bytes[byte] = (bytes[byte] ?? 0) ^ 1;
  writeFileSync(copy, bytes);
  return checkTableFile(copy).defect;
}

it('a whole table has no defect, and its size is told', () => {
  expect(statSync(whole).size).toBeGreaterThan(3 * 256 * 1024);
  expect(checkTableFile(whole)).toEqual({ bytes: statSync(whole).size, defect: null });
});

it('a changed byte is found wherever it lies, in the same words as in memory', () => {
  const { size } = statSync(whole);
  for (const byte of [0, 4_000, 256 * 1024, 300_000, 500_000, size - 2_000, size - 60, size - 4]) {
    const defect = defectWith(byte);
    const bytes = readFileSync(copy);
    expect(defect, `byte ${byte}`).not.toBeNull();
    expect(defect).toBe(tableDefect({ size, read: (from, end) => bytes.subarray(from, end) }));
  }
});

it('a table that was cut is found', () => {
  for (const bytes of [0, 20, 5_000, 700_000]) {
    copyFileSync(whole, copy);
    truncateSync(copy, bytes);
    expect(checkTableFile(copy).defect, `cut to ${bytes}`).not.toBeNull();
  }
});
