/**
 * A disk that takes its time with one entry: the sidecar goes on with all that need not wait for it. What must wait has not
 * happened once everything else has.
 */
import { expect, onTestFinished } from 'vitest';
import { decodeBlock, parseRecordKey } from '../../src/ledger/block.ts';
import { decodeLeaf, type Entry, type EntryType } from '../../src/ledger/entry.ts';
import type { StoredRecord } from '../../src/ledger/store.ts';
import type { Machine } from '../../src/sidecar.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';

export interface LateEntry {
  /** Resolves once the disk was told to write it and everything has happened that does not wait for it. */
  awaited(): Promise<void>;
  /** The disk takes it, and all after it. */
  arrive(): void;
}

export interface LateDisk extends Pick<Machine, 'openLedgerStore'> {
  /** Keeps back the next entry that `isLate` is true of, until it is told to arrive or the test is over. */
  keepBack(sidecar: { readonly controlUrl: string }, isLate: (entry: Entry) => boolean): LateEntry;
}

interface Late {
  readonly isLate: (entry: Entry) => boolean;
  readonly handedIn: PromiseWithResolvers<void>;
  readonly arrival: PromiseWithResolvers<void>;
}

/** Of a sidecar that has nothing else to do: more turns of its event loop than anything it does at once takes. */
const roundTrips = 5;

export function createLateDisk(): LateDisk {
  let late: Late | null = null;
  return {
    openLedgerStore: async (dir) => {
      const store = await openLedgerStore(dir);
      const commit: typeof store.commit = async (records, sync) => {
        const kept = late;
        if (kept !== null && entriesOf(records).some(kept.isLate)) {
          late = null;
          kept.handedIn.resolve();
          await kept.arrival.promise;
        }
        await store.commit(records, sync);
      };
      return { ...store, commit };
    },
    keepBack: ({ controlUrl }, isLate) => {
      const handedIn = Promise.withResolvers<void>();
      const arrival = Promise.withResolvers<void>();
      late = { isLate, handedIn, arrival };
      onTestFinished(() => {
        late = null;
        arrival.resolve();
      });
      return {
        awaited: async () => {
          await handedIn.promise;
          const headers = { connection: 'close' };
          for (let i = 0; i < roundTrips; i++)
            expect((await fetch(`${controlUrl}/healthz`, { headers })).status).toBe(200);
        },
        arrive: arrival.resolve,
      };
    },
  };
}

function entriesOf(records: readonly StoredRecord[]): readonly Entry[] {
  const blocks = records.filter(({ key }) => parseRecordKey(key)?.kind === 'block');
  return blocks.flatMap(({ value }) => decodeBlock(value).leaves.map(decodeLeaf));
}

/** What is asked for is not answered before the entry is on disk; resolves with the answer that comes then. */
export async function answerAfter<T>(entry: LateEntry, asked: Promise<T>): Promise<T> {
  const tooEarly = asked.then((answer) => {
    throw new Error(`It was answered before its entry was on disk: ${JSON.stringify(answer)}`);
  });
  await Promise.race([entry.awaited(), tooEarly]);
  tooEarly.catch(() => undefined); // It is answered now, and that is what is asked for below.
  entry.arrive();
  return asked;
}

/** An entry of this type in which `data` stands. */
export const isEntry =
  (type: EntryType, data: Readonly<Record<string, unknown>> = {}) =>
  (entry: Entry): boolean =>
    entry.type === type && Object.entries(data).every(([name, value]) => entry.data[name] === value);
