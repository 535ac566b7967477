/** A ledger and a witness for tests: notes by the key of a log, proofs over its leaves, a witness in a folder. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cosignerOf } from '../../src/anchor/cosign.ts';
import { openWitness, type Witness } from '../../src/anchor/witness.ts';
import { type LocalSigner, signCheckpoint, signerOf } from '../../src/ledger/checkpoint.ts';
import { parseVerifierKey, type VerifierKey } from '../../src/ledger/verify/note.ts';
import { leafHashOf, merkleRoot } from '../support/ledger-builder.ts';

export const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

export interface Log {
  readonly signer: LocalSigner;
  readonly key: VerifierKey;
  root(size: number): Buffer;
  note(size: number): Buffer;
  /** RFC 6962 section 2.1.2, as the recursion is written there. */
  proof(from: number, to: number): readonly Buffer[];
}

/** A log of leaves that are their own numbers; `fork` makes those from there on others. */
export function makeLog(
  origin = 'log.example/one',
  privateKey = newKey(),
  fork = Number.POSITIVE_INFINITY,
): Log {
  const signer = signerOf(origin, privateKey);
  const key = parseVerifierKey(signer.verifierKey);
  if ('code' in key) throw new Error(key.message);
  const hashes = Array.from({ length: 64 }, (_, i) =>
    leafHashOf(Buffer.from(i >= fork ? `other ${i}` : `${i}`)),
  );
  const root = (size: number): Buffer => merkleRoot(hashes.slice(0, size));
  return {
    signer,
    key,
    root,
    note: (size) => signCheckpoint(signer, size, root(size)),
    proof: (from, to) => subproof(from, hashes.slice(0, to), true),
  };
}

function subproof(from: number, hashes: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (from === hashes.length) return isWhole ? [] : [merkleRoot(hashes)];
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return from <= split
    ? [...subproof(from, hashes.slice(0, split), isWhole), merkleRoot(hashes.slice(split))]
    : [...subproof(from - split, hashes.slice(split), false), merkleRoot(hashes.slice(0, split))];
}

export interface WitnessPlace {
  readonly directory: string;
  readonly witnessKey: KeyObject;
  open(peers: readonly VerifierKey[]): Witness;
  remove(): void;
}

export const witnessSeconds = Date.UTC(2026, 10, 26) / 1000;

export function makeWitnessPlace(): WitnessPlace {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-witness-'));
  const directory = join(folder, 'witness');
  mkdirSync(directory);
  const witnessKey = newKey();
  return {
    directory,
    witnessKey,
    open: (peers) =>
      openWitness({
        directory,
        cosigner: cosignerOf('witness.example/w1', witnessKey),
        peers,
        clock: { nowMs: () => witnessSeconds * 1000 + 500, monoUs: () => 0 },
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A body of add-checkpoint, written out. */
export function bodyOf(oldSize: number | string, proof: readonly Buffer[], note: Uint8Array): Buffer {
  const lines = proof.map((hash) => `${hash.toString('base64')}\n`).join('');
  return Buffer.concat([Buffer.from(`old ${oldSize}\n${lines}\n`), note]);
}
