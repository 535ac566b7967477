/** Records for the journal, in appends of bounded size. */
import type { StoredRecord } from '../ledger/store.ts';

/** How much one append adds: what a commit waits for at most. */
const appendBytesMax = 256 * 1024;

export interface Appender {
  add(record: StoredRecord): Promise<void>;
  /** Resolves when all that was added is durable. */
  flush(): Promise<void>;
}

export function appender(store: { append(records: readonly StoredRecord[]): Promise<void> }): Appender {
  let records: StoredRecord[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (records.length > 0) await store.append(records);
    records = [];
    bytes = 0;
  };
  return {
    add: async (record) => {
      if (bytes > 0 && bytes + record.value.length > appendBytesMax) await flush();
      records.push(record);
      bytes += record.value.length;
    },
    flush,
  };
}
