/** What an attacker with write access to the stored records can do, without any key. */
import {
  canonicalize,
  createLedgerBuilder,
  decodeBlock,
  decodeBodies,
  encodeBlock,
  encodeBodies,
  type Fields,
  type LedgerBuilder,
  type LedgerRecord,
  recordKey,
} from './ledger-builder.ts';

export type Records = readonly LedgerRecord[];

export async function* sourceOf(records: Records): AsyncGenerator<LedgerRecord> {
  yield* records;
}

export const isRecord = (record: LedgerRecord, seq: number, kind: number): boolean =>
  recordKey(seq, kind).equals(record.key);

export function editRecord(
  records: Records,
  seq: number,
  kind: number,
  edit: (value: Buffer) => Buffer,
): Records {
  return records.map((record) =>
    isRecord(record, seq, kind) ? { key: record.key, value: edit(Buffer.from(record.value)) } : record,
  );
}

export const dropRecord = (records: Records, seq: number, kind: number): Records =>
  records.filter((record) => !isRecord(record, seq, kind));

type Block = ReturnType<typeof decodeBlock>;

export function editBlock(records: Records, seq: number, edit: (block: Block) => Block): Records {
  return editRecord(records, seq, 1, (value) => {
    const { leaves, note } = edit(decodeBlock(value));
    return encodeBlock(leaves, note);
  });
}

/** Rewrites the leaf at `position` of the block as text. */
export function editLeaf(
  records: Records,
  seq: number,
  position: number,
  edit: (text: string) => string,
): Records {
  return editBlock(records, seq, ({ leaves, note }) => ({
    leaves: leaves.map((leaf, index) => (index === position ? Buffer.from(edit(leaf.toString())) : leaf)),
    note,
  }));
}

/** Sets top-level fields of a leaf, written canonically. */
export function setFields(records: Records, seq: number, position: number, fields: Fields): Records {
  return editLeaf(records, seq, position, (text) => canonicalize({ ...JSON.parse(text), ...fields }));
}

export const editNote = (records: Records, seq: number, edit: (text: string) => string): Records =>
  editBlock(records, seq, ({ leaves, note }) => ({ leaves, note: Buffer.from(edit(note.toString())) }));

type Bodies = ReturnType<typeof decodeBodies>;

export function editBodies(records: Records, seq: number, edit: (bodies: Bodies) => Bodies): Records {
  return editRecord(records, seq, 2, (value) => {
    const { head, items } = edit(decodeBodies(value));
    return encodeBodies(head, items);
  });
}

/** A ledger of blocks at 0, 1 (three requests), 4, 5 and 6: long enough that something follows each. */
export function buildPlainLedger(seed = 'one'): LedgerBuilder {
  const builder = createLedgerBuilder({ seed });
  builder.genesis();
  builder.commit();
  const decisions = [builder.request(), builder.request(), builder.request()];
  builder.commit();
  for (const decision of decisions) {
    builder.response(decision);
    builder.commit();
  }
  builder.close(decisions.map((decision) => [decision, 'delivered'] as const));
  builder.seal({ type: 'stop', data: { reason: 'done' } });
  builder.commit();
  return builder;
}
