/** A disk for the ledger that takes nothing while it is full. */
import type { Machine } from '../../src/sidecar.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';

export interface FullDisk extends Pick<Machine, 'openLedgerStore'> {
  isFull: boolean;
}

export function createFullDisk(): FullDisk {
  const disk: FullDisk = {
    isFull: false,
    openLedgerStore: async (dir) => {
      const store = await openLedgerStore(dir);
      return {
        ...store,
        commit: (records, sync) =>
          disk.isFull ? Promise.reject(new Error('ENOSPC: no space left')) : store.commit(records, sync),
      };
    },
  };
  return disk;
}
