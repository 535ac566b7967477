/**
 * Verifies the proof of one entry, offline: a text as c2sp.org/tlog-proof has it, the entry, and the keys that are
 * trusted. Bytes in, verdict out. Portable; imports only its own folder.
 */
import { ascii, fromBase64, fromUtf8, toBase64 } from './encoding.ts';
import { createFindings } from './findings.ts';
import { readLeaf } from './leaf.ts';
import {
  type Checkpoint,
  checkSignature,
  noteBytesMax,
  parseCheckpoint,
  parseVerifierKey,
  type VerifierKey,
} from './note.ts';
import { proofHashesMax, provesInclusion } from './proof.ts';
import { type Finding, isRefusal, type Refusal } from './reasons.ts';
import { leafHash } from './tree.ts';

export interface TlogProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  readonly note: Uint8Array;
  /** Unauthenticated; the entry's own bytes where Holdpoint wrote the proof. */
  readonly extra: Uint8Array | undefined;
}

export interface ProofVerdict {
  readonly ok: boolean;
  /** The entry's number as the proof states it; -1 when it cannot be read. */
  readonly seq: number;
  /** Entries in the tree of the checkpoint. */
  readonly size: number;
  readonly origin: string;
  /** Base64 of the entry's leaf hash; '' when there is no entry. */
  readonly leafHash: string;
  /** The entry's text, only when it is proven. */
  readonly entry: string;
  readonly findings: readonly Finding[];
}

export const proofBytesMax = noteBytesMax + 200_000;

/** Reads the text of a proof; every line has one accepted form. */
export function parseTlogProof(text: string): TlogProof | Refusal {
  const malformed = (why: string): Refusal => ({ code: 'proof_malformed', message: why });
  if (text.length > proofBytesMax) return malformed('it is longer than any proof');
  const end = text.indexOf('\n\n');
  if (end < 0) return malformed('no blank line parts the proof from its checkpoint');
  const [version, ...lines] = text.slice(0, end).split('\n');
  if (version !== 'c2sp.org/tlog-proof@v1') return malformed('it does not begin with c2sp.org/tlog-proof@v1');
  let extra: Uint8Array | undefined;
  if (lines[0]?.startsWith('extra ') === true) {
    extra = fromBase64(lines.shift()?.slice('extra '.length) ?? '');
    if (extra === undefined) return malformed('its extra data is not base64');
  }
  const digits = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '')?.[1];
  const index = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(index)) return malformed('it names no index');
  if (lines.length > proofHashesMax) return malformed('it has more hashes than any tree is high');
  const hashes = lines.map(fromBase64);
  const whole = hashes.filter((hash) => hash?.length === 32).filter((hash) => hash !== undefined);
  if (whole.length !== lines.length) return malformed('a line of it is not a SHA-256 hash in base64');
  return { index, hashes: whole, note: ascii.encode(text.slice(end + 2)), extra };
}

/**
 * Verifies a proof. The entry is what was given, or else what the proof carries; either way it must hash to what
 * the checkpoint covers. Never throws on what the texts say.
 */
export function verifyTlogProof(
  text: string,
  options: { readonly trustedKeys: readonly string[]; readonly entry?: Uint8Array },
): ProofVerdict {
  const findings = createFindings();
  const refuse = (refusal: Refusal, seq = -1): void => findings.add(refusal.code, seq, refusal.message);
  const proof = parseTlogProof(text);
  const note = isRefusal(proof) ? undefined : parseCheckpoint(proof.note);
  if (isRefusal(proof)) refuse(proof);
  else if (note !== undefined && isRefusal(note)) refuse(note);
  const read = isRefusal(proof) ? undefined : proof;
  const checkpoint = note === undefined || isRefusal(note) ? undefined : note;
  const entry = options.entry ?? read?.extra;
  if (read !== undefined && checkpoint !== undefined) {
    const untrusted = checkTrust(checkpoint, options.trustedKeys);
    if (untrusted !== undefined) refuse(untrusted);
    const unproven = checkEntry(read, checkpoint, entry);
    if (unproven !== undefined) refuse(unproven, read.index);
  }
  const ok = findings.count() === 0;
  return {
    ok,
    seq: read?.index ?? -1,
    size: checkpoint?.size ?? 0,
    origin: checkpoint?.origin ?? '',
    leafHash: entry === undefined ? '' : toBase64(leafHash(entry)),
    entry: ok && entry !== undefined ? (fromUtf8(entry) ?? '') : '',
    findings: findings.list,
  };
}

function checkTrust(checkpoint: Checkpoint, trustedKeys: readonly string[]): Refusal | undefined {
  const keys: VerifierKey[] = [];
  for (const text of trustedKeys) {
    const key = parseVerifierKey(text);
    if (isRefusal(key)) return key;
    keys.push(key);
  }
  const ofOrigin = keys.filter((key) => key.origin === checkpoint.origin);
  return checkSignature(checkpoint, ofOrigin);
}

function checkEntry(
  { index, hashes }: TlogProof,
  checkpoint: Checkpoint,
  entry: Uint8Array | undefined,
): Refusal | undefined {
  if (entry === undefined)
    return { code: 'entry_missing', message: 'the proof carries no entry and none was given beside it' };
  if (!provesInclusion(leafHash(entry), index, checkpoint.size, hashes, checkpoint.root)) {
    const where = `entry ${index} of ${checkpoint.size}`;
    return {
      code: 'inclusion_invalid',
      message: `the hashes do not lead from this entry to the root: ${where}`,
    };
  }
  const leaf = readLeaf(entry);
  if (isRefusal(leaf)) return leaf;
  if (leaf.seq !== index)
    return { code: 'seq_mismatch', message: `the entry calls itself ${leaf.seq}, the proof ${index}` };
  if (checkpoint.origin !== `holdpoint/${leaf.ledger}`)
    return {
      code: 'ledger_mismatch',
      message: `the entry is of ledger ${leaf.ledger}, not ${checkpoint.origin}`,
    };
  return undefined;
}
