/** The text of a proof about one entry, as c2sp.org/tlog-proof has it. Pure. */

export interface ProvenEntry {
  readonly seq: number;
  /** Base64, from the leaf's sibling upwards. */
  readonly hashes: readonly string[];
  /** The signed checkpoint whose root they lead to. */
  readonly note: string;
  /** The entry's bytes, put into the proof so that it needs no other file. */
  readonly leaf?: Uint8Array;
}

/** A `.tlog-proof` file. */
export function formatTlogProof({ seq, hashes, note, leaf }: ProvenEntry): string {
  const extra = leaf === undefined ? [] : [`extra ${Buffer.from(leaf).toString('base64')}`];
  return ['c2sp.org/tlog-proof@v1', ...extra, `index ${seq}`, ...hashes, '', note].join('\n');
}
