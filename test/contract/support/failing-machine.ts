/** A machine whose disk can be told to fail. */
import { systemClock, systemSchedule } from '../../../src/core/clock.ts';
import { systemLookUp } from '../../../src/proxy/intercept/address.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';

export function failingMachine() {
  let failing = false;
  const machine = {
    clock: systemClock,
    schedule: systemSchedule,
    lookUp: systemLookUp,
    openLedgerStore: async (dir: string) => {
      const store = await openLedgerStore(dir);
      return {
        ...store,
        commit: (...args: Parameters<typeof store.commit>) =>
          failing ? Promise.reject(new Error('ENOSPC: no space left')) : store.commit(...args),
      };
    },
  };
  return {
    machine,
    fail: (on: boolean) => {
      failing = on;
    },
  };
}
