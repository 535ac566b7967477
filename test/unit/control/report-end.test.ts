/** Where a report is passed over: bounds of what one report may say, and of what is kept for whoever does not read. */
import { describe, expect, it } from 'vitest';
import { firstOf } from '../../../src/control/routes/reports.ts';
import type { Line } from '../../../src/report/split.ts';

async function* lines(count: number): AsyncGenerator<Line> {
  for (let number = 1; number <= count; number++) yield { number, bytes: Buffer.from('{}') };
}

/** How many lines are read of so many, where so much more of the answer waits to be read with each of them. */
async function read(count: number, bytesPerLine: number) {
  const stopped = { early: false };
  const res = { writableLength: 0 };
  let read = 0;
  for await (const _ of firstOf(lines(count), stopped, res)) {
    read += 1;
    res.writableLength += bytesPerLine;
  }
  return { read, early: stopped.early };
}

describe('a report', () => {
  it('is read whole up to twenty thousand lines', async () => {
    expect(await read(20_000, 1_000)).toEqual({ read: 20_000, early: false });
    expect(await read(20_001, 0)).toEqual({ read: 20_000, early: true });
  });

  it('is passed over where twenty thousand KiB of its answer wait', async () => {
    expect(await read(2_001, 10 * 1024)).toEqual({ read: 2_000, early: true });
    expect(await read(2_000, 10 * 1024)).toEqual({ read: 2_000, early: false });
  });
});
