/** A store whose blocks are not what was written: damaged, or gone. */
import { parseRecordKey } from '../../../src/ledger/block.ts';
import type { RecordStore } from '../../../src/ledger/store.ts';

/** The store, with what it holds of each block as `change` has it; null for one that it has lost. */
export function withBlocks(
  store: RecordStore,
  change: (seq: number, value: Buffer) => Buffer | null,
): RecordStore {
  return {
    ...store,
    scan: async function* (range) {
      for await (const { key, value } of store.scan(range)) {
        const place = parseRecordKey(key);
        const changed = place?.kind === 'block' ? change(place.seq, Buffer.from(value)) : value;
        if (changed !== null) yield { key, value: changed };
      }
    },
    get: async (key) => {
      const value = await store.get(key);
      const place = parseRecordKey(key);
      if (value === undefined || place?.kind !== 'block') return value;
      return change(place.seq, Buffer.from(value)) ?? undefined;
    },
  };
}
