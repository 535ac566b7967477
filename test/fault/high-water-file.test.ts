/** The high-water mark and the orders of erasures as files: whole, on disk when it is said so, and their owner's alone. */
import {
  existsSync,
  mkdirSync,
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
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { KeptOrder } from '../../src/ledger/erasure.ts';
import { openErasureOrders } from '../../src/store/erasure-orders.ts';
import { openHighWater, replaceHighWater } from '../../src/store/high-water.ts';
import { readRestored } from '../../src/store/restored.ts';
import { watchDisk } from './disk-calls.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdpoint-mark-'));
  file = join(dir, 'high-water');
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

const rootOf = (byte: number): Buffer => Buffer.alloc(32, byte);
const markOf = (size: number, byte: number) => ({ size, root: rootOf(byte).toString('hex') });

/** What is synced while `work` runs, and what the directory held then. */
function syncsDuring(work: () => void): readonly string[] {
  const synced: string[] = [];
  const unwatch = watchDisk({
    dir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file: name }) => {
      if (kind === 'sync') synced.push(`${name || 'directory'}: ${readdirSync(dir)}`);
    },
  });
  try {
    work();
  } finally {
    unwatch();
  }
  return synced;
}

describe('the high-water mark', () => {
  it('is what was written last, in a file that only its owner reads', () => {
    const mark = openHighWater(file);
    expect(mark.read()).toBeNull();
    for (const size of [1, 2, 3]) mark.write(size, rootOf(size));
    expect(mark.read()).toEqual(markOf(3, 3));
    mark.close();
    mark.close();
    expect(openHighWater(file).read()).toEqual(markOf(3, 3));
    expect([statSync(file).mode & 0o777, readdirSync(dir)]).toEqual([0o600, ['high-water']]);
  });

  it('is written on over one that is there, and after it was closed', () => {
    replaceHighWater(file, 9, rootOf(9));
    const mark = openHighWater(file);
    mark.write(10, rootOf(1));
    mark.close();
    mark.write(11, rootOf(2));
    mark.close();
    expect(openHighWater(file).read()).toEqual(markOf(11, 2));
  });

  it('is on disk with its name before it has one, and again when it is closed', () => {
    const mark = openHighWater(file);
    const first = ['high-water.new: high-water.new', 'directory: high-water'];
    expect(syncsDuring(() => mark.write(1, rootOf(1)))).toEqual(first);
    expect(syncsDuring(() => mark.write(2, rootOf(2)))).toEqual([]);
    expect(syncsDuring(() => mark.close())).toEqual(['high-water: high-water']);
    const replaced = syncsDuring(() => replaceHighWater(file, 1, rootOf(1)));
    expect(replaced.map((line) => line.split(':')[0])).toEqual(['high-water.new', 'directory']);
  });

  it('has all of it when it gets its name: an empty one would refuse every start', () => {
    const synced: string[] = [];
    const unwatch = watchDisk({
      dir,
      fateOf: () => 'done',
      failureOf: () => new Error('none fails'),
      done: ({ kind, file: name }) => {
        if (kind === 'sync' && name !== '') synced.push(readFileSync(join(dir, name), 'utf8'));
      },
    });
    try {
      openHighWater(file).write(1, rootOf(1));
    } finally {
      unwatch();
    }
    expect(synced).toEqual([readFileSync(file, 'utf8')]);
  });

  it.each<[string, () => void]>([
    ['is a directory', () => void mkdirSync(file)],
    ['leads in a circle', () => symlinkSync('high-water', file)],
  ])('that %s is not taken for one that is missing, and the refusal says so', (_what, make) => {
    make();
    expect(() => openHighWater(file).read()).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(file) }),
    );
    expect(() => readRestored(file)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  });

  it('holds no file open once it is closed', () => {
    const mark = openHighWater(file);
    const openFiles = (): number => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    mark.write(1, rootOf(1));
    mark.close();
    expect(openFiles()).toBe(before);
  });

  it.each<[string, (line: string) => string]>([
    ['that is empty', () => ''],
    ['of another size than its check', (line) => line.replace('01 ', '02 ')],
    ['with something after it', (line) => `${line}\n`],
  ])('%s is refused, and left as it is', (_what, altered) => {
    replaceHighWater(file, 1, rootOf(1));
    writeFileSync(file, altered(readFileSync(file, 'utf8')));
    const left = readFileSync(file, 'utf8');
    expect(() => openHighWater(file).read()).toThrow(expect.objectContaining({ code: 'ledger_damaged' }));
    expect(readFileSync(file, 'utf8')).toBe(left);
  });
});

it('an order of an erasure is on disk under its name when it is kept, and gone from there when it is dropped', () => {
  const orders = openErasureOrders(join(dir, 'erasures.json'));
  const order: KeptOrder = {
    id: 'ab'.repeat(8),
    by: 'petra',
    role: 'privacy',
    basis: 'objection',
    reason: 'request 1',
    meant: 'e5'.repeat(32),
    scope: { decision: 1 },
  };
  expect(syncsDuring(() => orders.keep(order))).toEqual([
    'erasures.json.new: erasures.json.new',
    'directory: erasures.json',
  ]);
  expect(syncsDuring(() => orders.drop(order.id))).toEqual(['directory: ']);
  expect(existsSync(join(dir, 'erasures.json'))).toBe(false);
});

it('an order that is refused because its name cannot be synced is not there at the next start', () => {
  const kept = join(dir, 'erasures.json');
  const orders = openErasureOrders(kept);
  const order: KeptOrder = {
    ...{ id: 'ab'.repeat(8), by: 'petra', role: 'privacy', basis: 'objection', reason: 'request 1' },
    ...{ meant: '', scope: { subject: 'cd'.repeat(8) } },
  };
  let failing = true;
  const unwatch = watchDisk({
    dir,
    fateOf: ({ kind, file: name }) => {
      const fails = failing && kind === 'sync' && name === '';
      if (fails) failing = false;
      return fails ? 'before' : 'done';
    },
    failureOf: () => new Error('EIO'),
  });
  try {
    expect(() => orders.keep(order)).toThrow(expect.objectContaining({ code: 'ledger_unavailable' }));
  } finally {
    unwatch();
  }
  expect([failing, orders.all(), openErasureOrders(kept).all()]).toEqual([false, [], []]);
});
