/** The Sigstore project's verifier for JavaScript checks our checkpoint and inclusion proofs as it does those of its own logs. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { verifyTLogInclusion } from '@sigstore/verify/dist/tlog/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import {
  createLedgerUnderTest,
  exchange,
  type LedgerUnderTest,
  sealMarked,
  signingKey,
} from '../fault/ledger-under-test.ts';

const entries = 300;

type Proof = Awaited<ReturnType<Ledger['tree']['inclusion']>>;
type LogEntry = Parameters<typeof verifyTLogInclusion>[0];
type Log = Parameters<typeof verifyTLogInclusion>[1][number];

const noteOf = ({ note }: Proof): string => note?.toString() ?? '';

/** A proof of ours in the words of a Sigstore bundle; the leaf is what was logged. */
function entryOf(proof: Proof, changed: Partial<LogEntry['inclusionProof']> = {}): LogEntry {
  const envelope = noteOf(proof);
  return {
    logIndex: String(proof.seq),
    logId: { keyId: keyIdOf(envelope) },
    kindVersion: { kind: 'holdpoint', version: '1' },
    integratedTime: '0',
    inclusionPromise: undefined,
    inclusionProof: {
      logIndex: String(proof.seq),
      rootHash: Buffer.from(proof.root),
      treeSize: String(proof.size),
      hashes: proof.hashes.map((hash) => Buffer.from(hash)),
      checkpoint: { envelope },
      ...changed,
    },
    canonicalizedBody: Buffer.from(proof.leaf),
  };
}

/** The key hash in the signature line. */
function keyIdOf(note: string): Buffer {
  return Buffer.from(/\u2014 \S+ (\S+)\n/.exec(note)?.[1] ?? '', 'base64').subarray(0, 4);
}

const logOf = (note: string, key = signingKey): Log => ({
  logID: keyIdOf(note),
  baseURL: note.split('\n')[0] ?? '',
  publicKey: createPublicKey(key),
  validFor: { start: new Date(0), end: new Date(8.64e15) },
});

describe('@sigstore/verify', () => {
  let house: LedgerUnderTest;
  let ledger: Ledger;
  beforeAll(async () => {
    house = createLedgerUnderTest();
    ledger = await house.open();
    await exchange(ledger, () => undefined);
    const draft = { type: 'access' as const, data: { by: 'ada', role: 'auditor', action: 'read' } };
    await Promise.all(Array.from({ length: entries }, () => sealMarked(ledger, draft)));
  });
  afterAll(() => ledger.close('test'));

  it('accepts the checkpoint, and the proof of every entry under it', async () => {
    const { size } = ledger.durable();
    expect(size).toBeGreaterThan(entries);
    for (let seq = 0; seq < size; seq += 1) {
      const proof = await ledger.tree.inclusion(seq);
      expect(() => verifyTLogInclusion(entryOf(proof), [logOf(noteOf(proof))])).not.toThrow();
    }
  });

  it('refuses another leaf, another place, a hash of the path changed and a hash too few', async () => {
    const proof = await ledger.tree.inclusion(77);
    const logs = [logOf(noteOf(proof))];
    const hashes = proof.hashes.map((hash) => Buffer.from(hash));
    const altered = hashes.map((hash, at) => (at === 3 ? Buffer.alloc(32) : hash));
    const refused = [
      { ...entryOf(proof), canonicalizedBody: Buffer.from('{}') },
      entryOf(proof, { logIndex: '78' }),
      entryOf(proof, { hashes: altered }),
      entryOf(proof, { hashes: hashes.slice(1) }),
    ];
    for (const entry of refused)
      expect(() => verifyTLogInclusion(entry, logs)).toThrow(/inclusion proof|hash count/);
  });

  it('refuses a checkpoint with another root or size, and one by another key', async () => {
    const proof = await ledger.tree.inclusion(77);
    const note = noteOf(proof);
    const root = Buffer.alloc(32).toString('base64');
    const edited = [
      note.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${root}\n`),
      note.replace(/\n\d+\n/, '\n999\n'),
    ];
    for (const envelope of edited) {
      const entry = entryOf(proof, { checkpoint: { envelope } });
      expect(() => verifyTLogInclusion(entry, [logOf(note)])).toThrow('invalid checkpoint signature');
    }
    const stranger = generateKeyPairSync('ed25519').privateKey;
    expect(() => verifyTLogInclusion(entryOf(proof), [logOf(note, stranger)])).toThrow(
      'invalid checkpoint signature',
    );
  });
});
