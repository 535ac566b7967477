/**
 * Checks proofs in this browser with the portable verifier: nothing of the sidecar's word is taken but its bytes.
 * Pure: bytes in, verdict out.
 */
import { ascii, equalBytes, fromBase64, toBase64 } from '../../ledger/verify/encoding.ts';
import {
  type Checkpoint,
  checkSignature,
  parseCheckpoint,
  parseVerifierKey,
} from '../../ledger/verify/note.ts';
import { provesConsistency, provesInclusion } from '../../ledger/verify/proof.ts';
import { isRefusal } from '../../ledger/verify/reasons.ts';
import { leafHash } from '../../ledger/verify/tree.ts';
import { countOrNull } from '../answers/decision-data.ts';
import { listIn, numberIn, type Shape, shapeOf, textIn } from '../answers/shape.ts';

export interface CheckpointAnswer {
  readonly origin: string;
  readonly size: number;
  readonly note: string;
  readonly key: string;
}

export interface Inclusion {
  readonly seq: number;
  readonly size: number;
  readonly hashes: readonly string[];
  /** Null where no checkpoint of that size is kept. */
  readonly note: string | null;
}

export interface Consistency {
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly string[];
}

export function readCheckpointAnswer(value: unknown): CheckpointAnswer {
  const from = shapeOf(value, 'checkpoint');
  return {
    origin: textIn(from, 'origin'),
    size: numberIn(from, 'size'),
    note: textIn(from, 'note'),
    key: textIn(from, 'key'),
  };
}

export function readInclusion(value: unknown): Inclusion {
  const from = shapeOf(value, 'proof');
  const note = from['note'];
  return {
    seq: numberIn(from, 'seq'),
    size: countOrNull(from, 'size') ?? 0,
    hashes: listIn(from, 'hashes', String),
    note: typeof note === 'string' ? note : null,
  };
}

export function readConsistency(value: unknown): Consistency {
  const from = shapeOf(value, 'proof');
  return { from: numberIn(from, 'from'), to: numberIn(from, 'to'), hashes: listIn(from, 'hashes', String) };
}

/** Why it does not hold; '' when it does. */
export type Complaint = string;

export type SignedTree = Pick<Checkpoint, 'origin' | 'size' | 'root'>;

/** The tree that a note signs under a verifier key, or why the note proves nothing. */
export function signedTree(note: string, key: string): SignedTree | Complaint {
  const trusted = parseVerifierKey(key);
  if (isRefusal(trusted)) return `The verifier key cannot be used: ${trusted.message}.`;
  const checkpoint = parseCheckpoint(ascii.encode(note));
  if (isRefusal(checkpoint)) return `The checkpoint cannot be read: ${checkpoint.message}.`;
  if (checkpoint.origin !== trusted.origin)
    return `The checkpoint is of ${checkpoint.origin}, the key of ${trusted.origin}.`;
  const refused = checkSignature(checkpoint, [trusted]);
  return refused === undefined ? checkpoint : `The checkpoint's signature does not hold: ${refused.message}.`;
}

/** The entry's bytes as they were sealed: RFC 8785, which for what entries hold is sorted names and JSON's own spelling. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(',')}}`;
}

/** Base64 of the RFC 6962 leaf hash of an entry. */
export function leafHashOf(entry: Shape): string {
  return toBase64(leafHash(ascii.encode(canonicalText(entry))));
}

/** Hashes the entry again and follows the proof up to the root that the tree's checkpoint signs. */
export function checkInclusion(entry: Shape, proof: Inclusion, tree: SignedTree): Complaint {
  const hashes = hashesOf(proof.hashes);
  const leaf = leafHash(ascii.encode(canonicalText(entry)));
  if (hashes === null || proof.size !== tree.size || proof.seq !== entry['seq'])
    return 'The proof is not about this entry and this checkpoint.';
  if (!provesInclusion(leaf, proof.seq, proof.size, hashes, tree.root))
    return `Entry ${proof.seq} does not lead to the root that the checkpoint signs.`;
  return '';
}

/** That an earlier tree is the beginning of a later one. */
export function checkConsistency(
  earlier: { readonly size: number; readonly root: string },
  later: SignedTree,
  proof: Consistency,
): Complaint {
  const root = fromBase64(earlier.root);
  const hashes = hashesOf(proof.hashes);
  const isAbout = proof.from === earlier.size && proof.to === later.size;
  if (root === undefined || hashes === null || !isAbout) return 'The proof is not about these checkpoints.';
  return provesConsistency(proof.from, root, proof.to, later.root, hashes)
    ? ''
    : `What was sealed up to entry ${earlier.size} is not what this browser saw then.`;
}

export function isSameRoot(tree: SignedTree, root: string): boolean {
  const other = fromBase64(root);
  return other !== undefined && equalBytes(other, tree.root);
}

export function rootText(tree: SignedTree): string {
  return toBase64(tree.root);
}

function hashesOf(texts: readonly string[]): readonly Uint8Array[] | null {
  const hashes = texts.flatMap((text) => fromBase64(text) ?? []);
  return hashes.length === texts.length ? hashes : null;
}
