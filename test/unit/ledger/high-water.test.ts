import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseHighWater } from '../../../src/ledger/verify/high-water.ts';
import { openHighWater } from '../../../src/store/high-water.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-mark-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const freshFile = (): string => join(root, `high-water-${++made}`);
const rootAt = (size: number): Buffer => Buffer.alloc(32, size & 0xff);

it('remembers the last size and root, across processes, and never grows', () => {
  const file = freshFile();
  const mark = openHighWater(file);
  expect(mark.read()).toBeNull();
  mark.write(3, rootAt(3));
  const { size } = statSync(file);
  mark.write(12_345_678, rootAt(7));
  expect(openHighWater(file).read()).toEqual({ size: 12_345_678, root: rootAt(7).toString('hex') });
  expect(statSync(file).size).toBe(size);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  mark.close();
  mark.write(12_345_679, rootAt(8));
  expect(openHighWater(file).read()?.size).toBe(12_345_679);
  mark.close();
});

it('reads the same to the independent reader', () => {
  const file = freshFile();
  const mark = openHighWater(file);
  mark.write(42, rootAt(42));
  mark.close();
  expect(parseHighWater(readFileSync(file, 'utf8'))).toEqual({ size: 42, root: rootAt(42).toString('hex') });
});

it('is refused with any one bit flipped, cut anywhere, or followed by anything', () => {
  const file = freshFile();
  const mark = openHighWater(file);
  mark.write(42, rootAt(42));
  mark.close();
  const whole = readFileSync(file);
  const isRefused = (bytes: Buffer): boolean => {
    writeFileSync(file, bytes);
    try {
      openHighWater(file).read();
      return false;
    } catch {
      return true;
    }
  };
  const accepted: string[] = [];
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (!isRefused(flipped)) accepted.push(`bit ${bit}`);
  }
  for (let length = 0; length < whole.length; length += 1)
    if (!isRefused(whole.subarray(0, length))) accepted.push(`cut to ${length}`);
  if (!isRefused(Buffer.concat([whole, Buffer.from('\n')]))) accepted.push('longer');
  expect(accepted).toEqual([]);
});
