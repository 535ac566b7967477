/**
 * `holdpoint/verify`: the offline verifier for programs, in Node and in browsers. SHA-256 from @noble/hashes, Ed25519
 * from tweetnacl, AES-GCM from Web Crypto, the first and last replaceable through `primitives`; nothing of Node and nothing of what seals. FORMAT.md says what is verified.
 */
import { readStream } from './stream.ts';
import { type Verdict, type VerifyOptions, verifyLedger } from './verify.ts';

export type { BlockLeaves, BodyCounts, UnwrapKeys, WrappedKeys } from './bodies.ts';
export type { Outcome } from './outcomes.ts';
export { type Primitives, portable, type SealedBytes, type Sha256 } from './primitives.ts';
export { type Finding, type ReasonCode, reasons } from './reasons.ts';
export { readStream, type StreamRecord } from './stream.ts';
export { type ProofVerdict, verifyTlogProof } from './tlog-proof.ts';
export { type LedgerRecord, type Verdict, type VerifyOptions, verifyLedger } from './verify.ts';

/**
 * Verifies what `holdpoint ledger export` wrote.
 * @param chunks the file's bytes, cut anywhere: a Node stream, or a browser's `file.stream()` where that can be iterated
 * @returns the verdict; damage is a finding in it. Never throws on what the bytes say or when `chunks` fails.
 *   Holds one frame (a commit, at most 1 GiB and usually far below 16 MiB) and one chunk in memory.
 */
export function verifyExport(
  chunks: AsyncIterable<Uint8Array>,
  options: VerifyOptions = {},
): Promise<Verdict> {
  return verifyLedger(readStream(chunks, options.primitives), options);
}
