/** Whatever people, callers and restarts left in a ledger, in any order: verify.py says of it what we do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playHistories } from '../property/hold/histories.ts';
import { type Folder, makeFolder, streamOf } from './ledgers.ts';
import { missing, ours, second } from './opinions.ts';

describe.skipIf(missing.length > 0)('a second opinion on histories', () => {
  let folder: Folder;
  beforeAll(() => {
    folder = makeFolder();
  });
  afterAll(() => folder.remove());

  it('is the same as the first', async () => {
    let played = 0;
    const seen = await playHistories(25, 60, async (house) => {
      played += 1;
      const bytes = streamOf(house.disk.records());
      const [first, other] = await Promise.all([
        ours(bytes),
        second(folder.write(`history-${played}`, bytes)),
      ]);
      const { ok, size, root } = first;
      expect(other).toMatchObject({ ok, size, root, findings: [] });
      expect(ok).toBe(true);
    });
    expect(played).toBeGreaterThanOrEqual(25);
    for (const often of [seen.released, seen.expired, seen.lent]) expect(often).toBeGreaterThan(0);
  }, 120_000);
});
