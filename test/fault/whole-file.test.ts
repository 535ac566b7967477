/** Small files that are replaced whole: the old one or the new one, on disk when it is said so, and their readers' alone. */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { writeWholeFile } from '../../src/store/whole-file.ts';
import { type DiskCall, type Fate, systemError, watchDisk } from './disk-calls.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdpoint-whole-'));
  file = join(dir, 'small');
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

/** The calls of the disk while `work` runs, and what the directory held after each. */
function callsDuring(work: () => void, fateOf: (call: DiskCall) => Fate = () => 'done'): readonly string[] {
  const calls: string[] = [];
  const done = ({ kind, file: name }: DiskCall): void => {
    if (kind === 'write' || kind === 'sync')
      calls.push(`${kind} ${name || 'directory'}: ${readdirSync(dir)}`);
  };
  const failureOf = (call: DiskCall): Error => systemError('ENOSPC', call);
  const unwatch = watchDisk({ dir, fateOf, failureOf, done });
  try {
    work();
  } finally {
    unwatch();
  }
  return calls;
}

it('is on disk before it has its name, and with it when the call returns', () => {
  expect(callsDuring(() => writeWholeFile(file, 'new'))).toEqual([
    'write small.new: small.new',
    'sync small.new: small.new',
    'sync directory: small',
  ]);
  expect(readFileSync(file, 'utf8')).toBe('new');
});

it.each<[DiskCall['kind'], Fate]>([
  ['open', 'before'],
  ['write', 'before'],
  ['write', 'after'],
  ['sync', 'before'],
])('is what was there, and nothing lies beside it, where the disk fails at %s, %s', (kind, fate) => {
  writeFileSync(file, 'old');
  const failing = (call: DiskCall): Fate => (call.kind === kind && call.file === 'small.new' ? fate : 'done');
  expect(() => callsDuring(() => writeWholeFile(file, 'new'), failing)).toThrow('ENOSPC');
  expect([readdirSync(dir), readFileSync(file, 'utf8')]).toEqual([['small'], 'old']);
});

it('is read by its owner alone, or by whom it is said to be, whatever the umask', () => {
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  const modeOf = (): number => statSync(file).mode & 0o777;
  writeWholeFile(file, 'of its owner');
  expect(modeOf()).toBe(0o600);
  writeWholeFile(file, Buffer.from('of all'), 0o644);
  expect(modeOf()).toBe(0o644);
});

it('goes through no link that somebody left under the name it is written under', () => {
  const elsewhere = join(dir, 'elsewhere');
  writeFileSync(elsewhere, 'of somebody else');
  symlinkSync(elsewhere, `${file}.new`);
  writeWholeFile(file, 'new');
  expect([readFileSync(elsewhere, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['of somebody else', 'new']);
});
