/** A machine whose disk can be told to give back some entries otherwise than it took them. */
import { systemClock, systemSchedule } from '../../../src/core/clock.ts';
import { recordKey } from '../../../src/ledger/block.ts';
import { systemLookUp } from '../../../src/proxy/intercept/address.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';

export function damagingMachine() {
  const marks: string[] = [];
  const blockMarks: string[] = [];
  const bodies = new Set<string>();
  /** JSON has no such byte within a text, and no block begins with one. */
  const spoilt = (value: Buffer): Buffer => {
    const hits = marks.map((mark) => value.indexOf(mark)).filter((at) => at !== -1);
    if (blockMarks.some((mark) => value.includes(mark))) hits.push(0);
    if (hits.length === 0) return value;
    const copy = Buffer.from(value);
    for (const at of hits) copy[at] = 0;
    return copy;
  };
  const machine = {
    clock: systemClock,
    schedule: systemSchedule,
    lookUp: systemLookUp,
    openLedgerStore: async (dir: string) => {
      const store = await openLedgerStore(dir);
      const scan = async function* (range: Parameters<typeof store.scan>[0]) {
        for await (const { key, value } of store.scan(range)) yield { key, value: spoilt(value) };
      };
      const get = async (key: Buffer): Promise<Buffer | undefined> => {
        const value = await store.get(key);
        if (value === undefined) return value;
        return bodies.has(key.toString('hex')) ? value.subarray(0, -1) : spoilt(value);
      };
      return { ...store, scan, get };
    },
  };
  return {
    machine,
    /** From now on entries that hold this text cannot be read. */
    damage: (mark: string): void => {
      marks.push(mark);
    },
    /** From now on blocks that hold this text cannot be read. */
    damageBlock: (mark: string): void => {
      blockMarks.push(mark);
    },
    /** From now on no body that was sealed with this block can be read. */
    damageBodies: (firstSeq: number): void => {
      bodies.add(recordKey(firstSeq, 'bodies').toString('hex'));
    },
  };
}
