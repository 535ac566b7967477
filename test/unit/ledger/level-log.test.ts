import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { openLevelStore } from '../../../src/store/level.ts';
import { logDefect } from '../../../src/store/level-log.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdpoint-log-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A log as LevelDB writes it: small records, and some in parts over the ends of blocks. */
const store = await openLevelStore(dir);
for (let index = 0; index < 60; index += 1)
  await store.commit([{ key: Buffer.from(`key ${index}`), value: Buffer.alloc(40 * index, index) }], true);
await store.commit([{ key: Buffer.from('large'), value: Buffer.alloc(70_000, 1) }], true);
const name = readdirSync(dir).find((file) => /^\d+\.log$/.test(file)) ?? '';
const log = readFileSync(join(dir, name));
await store.close();

it('a log that LevelDB wrote has all of them', () => {
  expect(log.length).toBeGreaterThan(4 * 32 * 1024);
  expect(logDefect(log)).toBeNull();
});

it('a flipped bit is found in every byte, but for a length that makes the last record look cut off', () => {
  const unnoticed: number[] = [];
  for (let byte = 0; byte < log.length; byte += 17) {
    const flipped = Buffer.from(log);
    flipped[byte] = (flipped[byte] ?? 0) ^ (1 << (byte & 7));
    if (logDefect(flipped) === null) unnoticed.push(byte);
  }
  const lastBlock = log.length - (log.length % (32 * 1024));
  expect(unnoticed.filter((byte) => byte < lastBlock || byte > lastBlock + 6)).toEqual([]);
});

it('a log that was cut off anywhere is what a kill leaves', () => {
  for (let length = 0; length < log.length; length += 101)
    expect(logDefect(log.subarray(0, length)), `cut to ${length}`).toBeNull();
});

it('zeros to the end of a block hold no record, and those behind them are read', () => {
  const block = Buffer.alloc(32 * 1024);
  expect(logDefect(Buffer.concat([block, log]))).toBeNull();
  expect(logDefect(Buffer.concat([block, Buffer.from('00000000030001414243', 'hex')]))).toBe(
    `the record at byte ${block.length} does not have its checksum`,
  );
});

const blockBytes = 32 * 1024;
/** Around a value of this key: LevelDB's header of 7 bytes, 12 of a batch, and 6 of the key and the two lengths. */
const aroundValue = 25;

/** A log whose first record ends so many bytes before the end of its block, with another after it. */
async function logWith(leftInBlock: number): Promise<Buffer> {
  const at = mkdtempSync(join(tmpdir(), 'holdpoint-log-'));
  onTestFinished(() => rmSync(at, { recursive: true, force: true }));
  const into = await openLevelStore(at);
  const value = Buffer.alloc(blockBytes - aroundValue - leftInBlock, 1);
  await into.commit([{ key: Buffer.from('k'), value }], true);
  await into.commit([{ key: Buffer.from('l'), value: Buffer.alloc(100, 2) }], true);
  const file = readdirSync(at).find((one) => /^\d+\.log$/.test(one)) ?? '';
  const bytes = readFileSync(join(at, file));
  await into.close();
  return bytes;
}

const flippedAt = (bytes: Buffer, byte: number, bit: number): Buffer => {
  const flipped = Buffer.from(bytes);
  flipped[byte] = (flipped[byte] ?? 0) ^ (1 << bit);
  return flipped;
};

it.each([1, 3, 6])('the last %i bytes of a block begin no record, and the next block does', async (left) => {
  const bytes = await logWith(left);
  expect(bytes.length).toBeGreaterThan(blockBytes + 100);
  expect(logDefect(bytes)).toBeNull();
  expect(logDefect(flippedAt(bytes, blockBytes + 40, 0))).toBe(
    `the record at byte ${blockBytes} does not have its checksum`,
  );
});

it('a record without a byte of its own has a checksum too', async () => {
  const bytes = (await logWith(7)).subarray(0, blockBytes);
  expect(logDefect(bytes)).toBeNull();
  expect(logDefect(flippedAt(bytes, blockBytes - 7, 0))).toContain('does not have its checksum');
});

it('a length that leads past its block is none that a kill leaves', () => {
  const lastBlock = log.length - (log.length % blockBytes);
  expect(logDefect(flippedAt(log, lastBlock + 5, 7))).toBe(
    `the record at byte ${lastBlock} is said to end past its block`,
  );
});
