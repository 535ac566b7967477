import { describe, expect, it } from 'vitest';
import { createLatelyRead, type LatelyRead } from '../../../src/store/lately-read.ts';

const megabyte = 1024 * 1024;
const keyOf = (name: string | number): Buffer => Buffer.from(`bodies ${name}`);

function read(lately: LatelyRead, name: string | number, bytes = 1): void {
  lately.reading()(keyOf(name), Buffer.alloc(bytes, 1));
}

function isKept(lately: LatelyRead, name: string | number): boolean {
  return lately.find(keyOf(name)) !== undefined;
}

describe('records that were read lately', () => {
  it('are found again though others were read between', () => {
    const lately = createLatelyRead();
    read(lately, 'of the request');
    read(lately, 'of the answer');
    expect([isKept(lately, 'of the request'), isKept(lately, 'of the answer')]).toEqual([true, true]);
  });

  it('are the last eight', () => {
    const lately = createLatelyRead();
    for (let name = 1; name <= 9; name += 1) read(lately, name);
    expect([1, 2, 9].map((name) => isKept(lately, name))).toEqual([false, true, true]);
  });

  it('are together no larger than 4 MB, the latest kept', () => {
    const lately = createLatelyRead();
    read(lately, 'first', 2 * megabyte);
    read(lately, 'second', 2 * megabyte);
    read(lately, 'third', 1);
    expect(['first', 'second', 'third'].map((name) => isKept(lately, name))).toEqual([false, true, true]);
  });

  it('are given as they were read last', () => {
    const lately = createLatelyRead();
    read(lately, 'one', 1);
    read(lately, 'one', 2);
    expect(lately.find(keyOf('one'))?.length).toBe(2);
  });

  it('are all forgotten when some are rewritten, and so is what is read meanwhile', async () => {
    const lately = createLatelyRead();
    read(lately, 'before');
    const begunBefore = lately.reading();
    await lately.during(async () => read(lately, 'meanwhile'));
    begunBefore(keyOf('across'), Buffer.alloc(1));
    expect(['before', 'meanwhile', 'across'].map((name) => isKept(lately, name))).toEqual([
      false,
      false,
      false,
    ]);
  });
});
