/**
 * The body of `add-checkpoint`, c2sp.org/tlog-witness, as its client writes and its server reads it. Pure.
 *
 *     "old " || decimal size || "\n" || (base64 hash || "\n")* || "\n" || checkpoint
 */

export interface AddCheckpoint {
  readonly oldSize: number;
  /** 32 bytes each. */
  readonly proof: readonly Uint8Array[];
  readonly note: Uint8Array;
}

export const proofLinesMax = 63;
/** An old size, 63 hashes, and a checkpoint with sixteen signatures, of post-quantum length some of them. */
export const addCheckpointBytesMax = 64 * 1024;

export function encodeAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): Buffer<ArrayBuffer> {
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return Buffer.concat([Buffer.from(`old ${oldSize}\n${lines.join('')}\n`), note]);
}

/** Null for anything that is not exactly such a body. */
export function decodeAddCheckpoint(body: Buffer): AddCheckpoint | null {
  if (body.length > addCheckpointBytesMax) return null;
  const blank = body.indexOf('\n\n');
  if (blank === -1) return null;
  const [first = '', ...lines] = body.toString('latin1', 0, blank).split('\n');
  const digits = /^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1];
  const oldSize = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(oldSize) || lines.length > proofLinesMax) return null;
  const proof: Buffer[] = [];
  for (const line of lines) {
    const hash = Buffer.from(line, 'base64');
    // Node reads base64 loosely; a hash has one form.
    if (hash.length !== 32 || hash.toString('base64') !== line) return null;
    proof.push(hash);
  }
  return { oldSize, proof, note: body.subarray(blank + 2) };
}
