/** Whether a commit waits for more entries, by how often it looks at the clock meanwhile. */
import { expect, it } from 'vitest';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';

const draft = {
  type: 'policy',
  data: { digest: 'c'.repeat(64), result: 'loaded', version: '1' },
  parts: [{ name: 'source', bytes: Buffer.from('rules: []') }],
} as const;
const usPerLook = 10;

it('begins at once for an entry that is alone, and waits where the commit before was shared', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  async function looksFor(entries: number): Promise<number> {
    const from = house.clock.us;
    await Promise.all(Array.from({ length: entries }, () => ledger.seal(draft).durable));
    // Each entry looks once for its own time.
    return (house.clock.us - from) / usPerLook - entries;
  }
  await looksFor(1);
  expect(await looksFor(1)).toBe(0);
  await looksFor(3);
  expect(await looksFor(1)).toBeGreaterThan(0);
  expect(await looksFor(1)).toBe(0);
  await ledger.close('done');
});
