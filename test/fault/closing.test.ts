/** How a ledger is let go: what was promised to be sealed is, and then the store closes. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLedgerUnderTest, requestDraft } from './ledger-under-test.ts';

it('what is sealed while the last is waited for is on disk before the store closes', async () => {
  const house = createLedgerUnderTest();
  const steps: string[] = [];
  const ledger = await house.open({
    openStore: async () => {
      const store = await house.disk.open();
      return {
        ...store,
        commit: async (records, sync) => {
          // A disk that takes its time.
          for (let i = 0; i < 20; i += 1) await turn();
          await store.commit(records, sync);
          steps.push('committed');
        },
        close: () => {
          steps.push('closed');
          return store.close();
        },
      };
    },
  });
  steps.length = 0;
  const late: Promise<void>[] = [];
  await ledger.close('test', async () => {
    late.push(ledger.seal(requestDraft).durable);
  });
  await Promise.all(late);
  expect(steps).toEqual(['committed', 'committed', 'closed']);
  expect(() => ledger.seal(requestDraft)).toThrow('cannot be written');
  expect((await house.verify()).findings).toEqual([]);
});
