/** Whether a ledger that is opened can be told from one that lost its end depends on the mark beside it. */
import { expect, test } from 'vitest';
import type { LedgerOptions } from '../../src/ledger/ledger-options.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';
import { createMemoryMark } from './memory-disk.ts';

test('a ledger that is continued without its high-water mark says so, a new one and one with it do not', async () => {
  const house = createLedgerUnderTest();
  const opened = async (options: Partial<LedgerOptions> = {}): Promise<unknown> => {
    const ledger = await house.open(options);
    await ledger.close('test over');
    return house.events.findLast(({ kind }) => kind === 'opened');
  };
  expect(await opened()).toMatchObject({ isRemembered: true });
  expect(await opened()).toMatchObject({ isRemembered: true });
  expect(await opened({ highWater: createMemoryMark() })).toMatchObject({ isRemembered: false });
});
