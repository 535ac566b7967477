/** Machines whose disk does as a test says. */
import { systemClock, systemSchedule } from '../../../src/core/clock.ts';
import type { LedgerStore } from '../../../src/ledger/store.ts';
import { systemLookUp } from '../../../src/proxy/intercept/address.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';

/** The machine there is, but for how its ledger's store behaves. */
export const machineWith = <Store extends LedgerStore>(change: (store: LedgerStore) => Store) => ({
  clock: systemClock,
  schedule: systemSchedule,
  lookUp: systemLookUp,
  openLedgerStore: async (dir: string) => change(await openLedgerStore(dir)),
});

/** Nothing is sealed before `until` says so. */
export const stallingMachine = (until: () => Promise<void>) =>
  machineWith((store) => ({
    ...store,
    commit: async (...args: Parameters<typeof store.commit>) => {
      await until();
      return store.commit(...args);
    },
  }));

export function failingMachine() {
  let failing = false;
  const machine = machineWith((store) => ({
    ...store,
    commit: (...args: Parameters<typeof store.commit>) =>
      failing ? Promise.reject(new Error('ENOSPC: no space left')) : store.commit(...args),
  }));
  return {
    machine,
    fail: (on: boolean) => {
      failing = on;
    },
  };
}
