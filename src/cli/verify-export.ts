/** The verdict on a file that `holdpoint ledger export` wrote. */
import { createReadStream } from 'node:fs';
import { openEscrow } from '../ledger/verify/escrow.ts';
import { portable } from '../ledger/verify/primitives.ts';
import { readStream } from '../ledger/verify/stream.ts';
import { type Verdict, verifyLedger } from '../ledger/verify/verify.ts';
import { readFileOrThrow, readTrust } from '../store/trust.ts';
import { readEscrowKey, readKeks, type VerifyOptions } from '../store/verify-directory.ts';

/** Of the file, read at once. */
const chunkBytes = 1_048_576;

/**
 * Verifies an export. Damage is a finding; throws `usage` where an option cannot be read. Without keys, bodies are
 * checked by their ciphertext only.
 */
export async function verifyExport(file: string, options: VerifyOptions): Promise<Verdict> {
  const {
    trust,
    checkpoint,
    keys,
    escrowKey,
    everySignature = false,
    primitives = portable,
    witnesses = [],
    anchors = [],
  } = options;
  const records = () => readStream(createReadStream(file, { highWaterMark: chunkBytes }), primitives);
  const escrow = escrowKey === undefined ? null : readEscrowKey(escrowKey);
  const keks = keys === undefined ? [] : readKeks(keys);
  return verifyLedger(records(), {
    everySignature,
    primitives,
    witnesses,
    anchors,
    ...(trust === undefined ? {} : { trustedKeys: readTrust(trust) }),
    ...(checkpoint === undefined ? {} : { checkpoint: readFileOrThrow(checkpoint).toString('utf8') }),
    ...(keks.length === 0 ? {} : { openBody: keks }),
    ...(escrow === null ? {} : { openBody: await openEscrow(records(), escrow) }),
  });
}
