/**
 * Being a witness, c2sp.org/tlog-witness: for each ledger that is known, remembers the latest checkpoint that was
 * cosigned, and cosigns another only when it continues that one. What is remembered is on disk before anybody is
 * given the cosignature. Knows nothing of HTTP but the status that each answer has.
 *
 *     <data>/witness/<SHA-256 of the origin, hex>    the last checkpoint, with the ledger's signature and ours
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256, sha256Hex } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { createInTurn, type InTurn } from '../core/in-turn.ts';
import { cosignatureOf, parseWitnessKey } from '../ledger/verify/cosignature.ts';
import { equalBytes } from '../ledger/verify/encoding.ts';
import {
  type Checkpoint,
  type NoteSignature,
  parseCheckpoint,
  type VerifierKey,
} from '../ledger/verify/note.ts';
import { provesConsistency } from '../ledger/verify/proof.ts';
import { isRefusal } from '../ledger/verify/reasons.ts';
import { type Cosigner, isCosignature, isNoteSignature } from './cosign.ts';
import { replaceFile } from './durable-file.ts';
import { type AddCheckpoint, decodeAddCheckpoint } from './witness-request.ts';

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422 | 503;
  readonly type: 'text/plain; charset=utf-8' | 'text/x.tlog.size';
  readonly body: string;
}

export interface Witness {
  readonly verifierKey: string;
  /** Resolves once what it remembers is durable; rejects when that cannot be known: then nothing was cosigned. */
  addCheckpoint(body: Buffer): Promise<WitnessAnswer>;
  /** The last cosigned checkpoint of the ledger whose origin has this SHA-256 in hex. */
  latest(originHash: string): Buffer | null;
}

export interface WitnessOptions {
  readonly directory: string;
  readonly cosigner: Cosigner;
  readonly peers: readonly VerifierKey[];
  readonly clock: Clock;
}

/** How many checkpoints of one ledger may wait for the one before them. */
const waitingMax = 16;
const emptyRoot = sha256(Buffer.alloc(0));

interface Remembered {
  readonly size: number;
  readonly root: Uint8Array;
  readonly bytes: Buffer;
}

interface Peer {
  readonly keys: readonly VerifierKey[];
  readonly file: string;
  last: Remembered | null;
  waiting: number;
  /** One at a time: what is compared with and what is written are one step. */
  readonly inTurn: InTurn;
  /** Set when a write failed: the next checkpoint is compared with what is on disk then, old or new. */
  unsure: boolean;
}

/**
 * Opens the witness's memory in `directory`, which is there, on disk by its name: a witness that forgets would cosign a
 * second history. Throws `config_invalid` where what it remembers cannot be read.
 */
export function openWitness({ directory, cosigner, peers: keys, clock }: WitnessOptions): Witness {
  const peers = new Map<string, Peer>();
  for (const key of keys) {
    const known = peers.get(key.origin);
    const file = join(directory, sha256Hex(key.origin));
    peers.set(key.origin, {
      keys: [...(known?.keys ?? []), key],
      file,
      last: known?.last ?? readLast(file, key.origin, cosigner),
      waiting: 0,
      inTurn: createInTurn(),
      unsure: false,
    });
  }
  const byHash = new Map([...peers].map(([origin, peer]) => [sha256Hex(origin), peer]));

  async function cosign(peer: Peer, note: Checkpoint, signatures: string): Promise<WitnessAnswer> {
    const line = cosigner.cosign(note.text, Math.floor(clock.nowMs() / 1000));
    const bytes = Buffer.concat([note.text, Buffer.from(`\n${signatures}${line}`)]);
    try {
      await replaceFile(peer.file, bytes);
    } catch (error) {
      peer.unsure = true;
      throw error;
    }
    // Durable from this line on.
    peer.last = { size: note.size, root: note.root, bytes };
    return plain(200, line);
  }

  async function decide(peer: Peer, note: Checkpoint, request: AddCheckpoint): Promise<WitnessAnswer> {
    if (peer.unsure) {
      peer.last = readLast(peer.file, note.origin, cosigner);
      peer.unsure = false;
    }
    const { last } = peer;
    const size = last?.size ?? 0;
    if (request.oldSize !== size) return { status: 409, type: 'text/x.tlog.size', body: `${size}\n` };
    const refusal = inconsistency(note, last, request.proof);
    if (refusal !== '') return plain(422, refusal);
    return cosign(peer, note, signaturesOf(note, peer.keys));
  }

  return {
    verifierKey: cosigner.verifierKey,
    latest: (originHash) => byHash.get(originHash)?.last?.bytes ?? null,
    addCheckpoint: async (body) => {
      const request = decodeAddCheckpoint(body);
      const note = request === null ? null : parseCheckpoint(request.note);
      if (request === null || note === null || isRefusal(note))
        return plain(400, 'Not an add-checkpoint body.\n');
      const peer = peers.get(note.origin);
      if (peer === undefined) return plain(404, 'This witness does not know that origin.\n');
      if (!isSignedBy(note, peer.keys)) return plain(403, 'Not signed by a key of that origin.\n');
      if (request.oldSize > note.size) return plain(400, 'The old size is above that of the checkpoint.\n');
      if (peer.waiting >= waitingMax) return plain(503, 'Too many checkpoints of that origin at once.\n');
      peer.waiting += 1;
      try {
        return await peer.inTurn(() => decide(peer, note, request));
      } finally {
        peer.waiting -= 1;
      }
    },
  };
}

function plain(status: WitnessAnswer['status'], body: string): WitnessAnswer {
  return { status, type: 'text/plain; charset=utf-8', body };
}

/** Why the checkpoint does not continue the last one; '' when it does. */
function inconsistency(note: Checkpoint, last: Remembered | null, proof: readonly Uint8Array[]): string {
  if (note.size === 0 && !equalBytes(note.root, emptyRoot)) return 'A tree of no leaves has another root.\n';
  if (last === null || last.size === 0) {
    return proof.length === 0 ? '' : 'From a tree of no leaves nothing is to be proved.\n';
  }
  const isContinued = provesConsistency(last.size, last.root, note.size, note.root, proof);
  return isContinued ? '' : 'The checkpoint does not continue the one that was cosigned last.\n';
}

const isOf =
  (keys: readonly VerifierKey[]) =>
  ({ name, keyHash }: NoteSignature): VerifierKey | undefined =>
    keys.find((key) => key.origin === name && key.keyHash === keyHash);

/** True when a known key signed it and no signature in a known key's name fails: such a note is malformed. */
function isSignedBy(note: Checkpoint, keys: readonly VerifierKey[]): boolean {
  const known = note.signatures.flatMap((signature) => {
    const key = isOf(keys)(signature);
    return key === undefined ? [] : [{ signature, key }];
  });
  return (
    known.length > 0 &&
    known.length <= keys.length &&
    known.every(({ signature, key }) => isNoteSignature(note.text, signature, key))
  );
}

/** The lines that were checked; what else a note carries is not passed on. */
function signaturesOf(note: Checkpoint, keys: readonly VerifierKey[]): string {
  return note.signatures
    .filter((signature) => isOf(keys)(signature) !== undefined)
    .map(({ name, keyHash, signature }) => {
      const packed = Buffer.concat([Buffer.from(keyHash, 'hex'), signature]);
      return `\u2014 ${name} ${packed.toString('base64')}\n`;
    })
    .join('');
}

function readLast(file: string, origin: string, cosigner: Cosigner): Remembered | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw unreadable(file, origin, messageOf(error));
  }
  const note = parseCheckpoint(bytes);
  const key = parseWitnessKey(cosigner.verifierKey);
  if (isRefusal(note)) throw unreadable(file, origin, note.message);
  if (isRefusal(key)) throw new TypeError(key.message);
  const cosignature = cosignatureOf(note, key);
  if (note.origin !== origin || cosignature === undefined || !isCosignature(note.text, cosignature, key))
    throw unreadable(file, origin, 'it is not a checkpoint that this witness cosigned');
  return { size: note.size, root: note.root, bytes };
}

function unreadable(file: string, origin: string, why: string): HoldpointError {
  return new HoldpointError(
    'config_invalid',
    `What this witness remembers of ${origin} cannot be read from ${file}: ${why}.`,
    'Restore it with its witness.pem. A witness that forgot must go on under a new key and a new name.',
  );
}
