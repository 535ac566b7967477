/** The other holds of a workload are sought by an index, which is made again from the ledger and is never evidence. */
import { afterEach, expect, test } from 'vitest';
import { createDamage } from '../../src/control/damage.ts';
import { otherHoldsOfWorkload } from '../../src/control/workload-holds.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createLedgerUnderTest, exchange } from './ledger-under-test.ts';

let ledger: Ledger | undefined;
afterEach(() => ledger?.close('test over'));

test('an index that names what is no request of the workload leads to no other hold, and to no failure', async () => {
  const opened = await createLedgerUnderTest().open();
  ledger = opened;
  const data = { method: 'POST', operation: 'chat.completions', path: '/v1/chat/completions' };
  const asked = opened.seal({
    type: 'request',
    data: { ...data, provider: 'openai', rules: ['r'], verdict: 'hold', workload: 'w' },
  });
  await asked.durable;
  await exchange(opened, () => undefined);
  const misled = {
    ...opened,
    newest: async function* () {
      for (let seq = opened.durable().size - 1; seq >= 0; seq -= 1) yield await opened.entry(seq);
    },
  };
  const noHold = { get: (seq: number) => Promise.reject(new Error(`${seq} is no hold`)) };
  const damage = createDamage(opened);
  const hold = { decision: asked.seq, seq: -1 };
  expect(await otherHoldsOfWorkload({ ledger: misled, holds: noHold }, hold, damage)).toEqual([]);
  expect(damage.told()).toEqual([]);
});
