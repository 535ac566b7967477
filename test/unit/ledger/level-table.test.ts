import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openLevelStore } from '../../../src/store/level.ts';
import { crc32c, tableDefect } from '../../../src/store/level-table.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdpoint-table-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A table as LevelDB writes it, of several blocks. */
const first = await openLevelStore(dir);
const records = Array.from({ length: 40 }, (_, index) => ({
  key: Buffer.from(`key ${String(index).padStart(3, '0')}`),
  value: Buffer.alloc(300, index),
}));
await first.commit(records, true);
await first.close();
await (await openLevelStore(dir)).close();
const name = readdirSync(dir).find((file) => file.endsWith('.ldb')) ?? '';
const table = readFileSync(join(dir, name));

const defectOf = (bytes: Buffer): string | null =>
  tableDefect({ size: bytes.length, read: (from, end) => bytes.subarray(from, end) });

it('the checksum is that of RFC 3720', () => {
  expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa');
  expect(crc32c(Buffer.alloc(32, 0xff)).toString(16)).toBe('62a8ab43');
  expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283');
});

it('a table that LevelDB wrote has all of them', () => {
  expect(table.length).toBeGreaterThan(12_000);
  expect(defectOf(table)).toBeNull();
});

it('a flipped bit is found in every byte but the padding of the footer', () => {
  const unnoticed: number[] = [];
  for (let byte = 0; byte < table.length; byte += byte > table.length - 400 ? 1 : 7) {
    const flipped = Buffer.from(table);
    flipped[byte] = (flipped[byte] ?? 0) ^ (1 << (byte & 7));
    if (defectOf(flipped) === null) unnoticed.push(byte);
  }
  const padding = unnoticed.filter((byte) => byte >= table.length - 48 && byte < table.length - 8);
  expect(unnoticed).toEqual(padding);
});

it('a table that was cut anywhere is found', () => {
  for (let length = 0; length < table.length; length += 13)
    expect(defectOf(table.subarray(0, length)), `cut to ${length}`).not.toBeNull();
});
