/**
 * The worked example of FORMAT.md, checked as a stranger would: from the bytes and the keys alone, with
 * node:crypto and nothing of the product but, at the end, its readers. It must pass in every later version.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  decodeBlock,
  decodeBodies,
  encodeBlock,
  encodeBodies,
  parseRecordKey,
} from '../../../src/ledger/block.ts';
import { isCheckpointOf, signCheckpoint, signerOf } from '../../../src/ledger/checkpoint.ts';
import { decodeLeaf, encodeLeaf } from '../../../src/ledger/entry.ts';
import { decodeSnapshot } from '../../../src/ledger/head.ts';
import { appendLeaf, emptyTree, leafHash, treeRoot } from '../../../src/ledger/tree.ts';
import { kekOf, openPart } from '../../../src/ledger/vault.ts';
import { parseCheckpoint } from '../../../src/ledger/verify/note.ts';
import { isRefusal } from '../../../src/ledger/verify/reasons.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { merkleRoot } from '../../support/ledger-builder.ts';

const vector = z
  .object({
    signingSeed: z.string(),
    verifierKey: z.string(),
    kek: z.string(),
    kekId: z.string(),
    ledger: z.string(),
    records: z.array(z.object({ key: z.string(), value: z.string() })),
    entries: z.array(z.object({ seq: z.number(), leaf: z.string(), leafHash: z.string() })),
    checkpoints: z.array(
      z.object({ first: z.number(), size: z.number(), root: z.string(), note: z.string() }),
    ),
    bodies: z.array(
      z.object({
        seq: z.number(),
        partIndex: z.number(),
        name: z.string(),
        plaintext: z.string(),
        dataKey: z.string(),
        c: z.string(),
        e: z.string(),
        ciphertext: z.string(),
      }),
    ),
    snapshot: z.object({ seq: z.number(), text: z.string(), digest: z.string() }),
  })
  .parse(JSON.parse(readFileSync(new URL('format-1.json', import.meta.url), 'utf8')));

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const sha256 = (...chunks: (Buffer | string)[]): string => {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
};
const u64 = (value: number): Buffer => bytes(value.toString(16).padStart(16, '0'));

const privateKey = createPrivateKey({
  key: Buffer.concat([bytes('302e020100300506032b657004220420'), bytes(vector.signingSeed)]),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = createPublicKey(privateKey);
const rawPublicKey = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const origin = `holdpoint/${vector.ledger}`;
const keyHash = sha256(`${origin}\n`, Buffer.of(1), rawPublicKey).slice(0, 8);

describe('by hand', () => {
  it('the verifier key is origin, key hash and public key', () => {
    const typed = Buffer.concat([Buffer.of(1), rawPublicKey]).toString('base64');
    expect(vector.verifierKey).toBe(`${origin}+${keyHash}+${typed}`);
  });

  it('each leaf hashes, with 0x00 before it, to what the next one names', () => {
    let prev = '0'.repeat(64);
    for (const { seq, leaf, leafHash: stated } of vector.entries) {
      expect(JSON.parse(leaf)).toMatchObject({ seq, prev, ledger: vector.ledger, kid: keyHash, v: 1 });
      prev = sha256(Buffer.of(0), leaf);
      expect(stated).toBe(prev);
    }
  });

  it('each checkpoint is over the tree so far, signed with Ed25519', () => {
    for (const { size, root, note } of vector.checkpoints) {
      const hashes = vector.entries.slice(0, size).map((entry) => bytes(entry.leafHash));
      expect(merkleRoot(hashes).toString('hex')).toBe(root);
      const text = `${origin}\n${size}\n${bytes(root).toString('base64')}\n`;
      const signature = sign(null, Buffer.from(text), privateKey);
      const line = Buffer.concat([bytes(keyHash), signature]).toString('base64');
      expect(note).toBe(`${text}\n\u2014 ${origin} ${line}\n`);
      expect(verify(null, Buffer.from(text), publicKey, signature)).toBe(true);
    }
  });

  it('each part is encrypted under its key, and committed to with its salt, its place and its name', () => {
    for (const { seq, name, plaintext, dataKey, c, e, ciphertext } of vector.bodies) {
      const [aesKey, salt] = [bytes(dataKey).subarray(0, 32), bytes(dataKey).subarray(32)];
      const cipher = createCipheriv('aes-256-gcm', aesKey, Buffer.alloc(12));
      const encrypted = Buffer.concat([cipher.update(bytes(plaintext)), cipher.final(), cipher.getAuthTag()]);
      expect(encrypted.toString('hex')).toBe(ciphertext);
      expect(sha256('holdpoint/ct/1\0', encrypted)).toBe(e);
      const place = Buffer.concat([
        bytes(vector.ledger),
        u64(seq),
        Buffer.of(name.length),
        Buffer.from(name),
      ]);
      expect(sha256('holdpoint/commit/1\0', place, salt, bytes(plaintext))).toBe(c);
    }
  });

  it('the data keys of a block are wrapped under the key-encryption key, bound to ledger and block', () => {
    expect(sha256('holdpoint/kek/1\0', bytes(vector.kek)).slice(0, 8)).toBe(vector.kekId);
    let unwrapped = '';
    for (const { key, value } of vector.records.filter((record) => record.key.endsWith('02'))) {
      const record = bytes(value);
      const [nonce, wrapped] = [record.subarray(13, 25), record.subarray(29, 29 + record.readUInt32BE(25))];
      const decipher = createDecipheriv('aes-256-gcm', bytes(vector.kek), nonce);
      decipher.setAAD(
        Buffer.concat([Buffer.from('holdpoint/wrap/1\0'), bytes(vector.ledger), bytes(key).subarray(0, 8)]),
      );
      decipher.setAuthTag(wrapped.subarray(-16));
      unwrapped += Buffer.concat([decipher.update(wrapped.subarray(0, -16)), decipher.final()]).toString(
        'hex',
      );
    }
    expect(unwrapped).toBe(vector.bodies.map(({ dataKey }) => dataKey).join(''));
  });

  it('the snapshot is what its heartbeat names', () => {
    expect(sha256(vector.snapshot.text)).toBe(vector.snapshot.digest);
    expect(JSON.parse(vector.entries[vector.snapshot.seq]?.leaf ?? '')).toMatchObject({
      type: 'heartbeat',
      data: { open: 1, snapshot: vector.snapshot.digest },
    });
  });
});

describe('by the product', () => {
  const signer = signerOf(origin, privateKey);
  const records = vector.records.map(({ key, value }) => ({ key: bytes(key), value: bytes(value) }));

  it('the same bytes are written again from what is read', () => {
    let tree = emptyTree;
    for (const { key, value } of records) {
      const kind = parseRecordKey(key)?.kind;
      if (kind === 'bodies') expect(encodeBodies(decodeBodies(value)).equals(value)).toBe(true);
      if (kind === 'snapshot') expect(decodeSnapshot(value)?.size).toBe(vector.snapshot.seq);
      if (kind !== 'block') continue;
      const { leaves } = decodeBlock(value);
      for (const leaf of leaves) tree = appendLeaf(tree, leafHash(leaf));
      const again = leaves.map((leaf) => encodeLeaf(decodeLeaf(leaf)));
      expect(encodeBlock(again, signCheckpoint(signer, tree.size, treeRoot(tree))).equals(value)).toBe(true);
    }
  });

  it('each body opens to its plaintext', () => {
    for (const { key, value } of records) {
      const place = parseRecordKey(key);
      if (place?.kind !== 'bodies') continue;
      const bodies = decodeBodies(value);
      for (const { seq, partIndex, name, plaintext, c, e } of vector.bodies) {
        if (!bodies.items.some((item) => item.seq === seq)) continue;
        const commitment = { c, e, name, size: plaintext.length / 2 };
        const opened = openPart(
          kekOf(bytes(vector.kek)),
          bytes(vector.ledger),
          place.seq,
          bodies,
          seq,
          partIndex,
          commitment,
        );
        expect(opened.toString('hex')).toBe(plaintext);
      }
    }
  });

  it('the whole ledger verifies, every signature and every body', async () => {
    const source = async function* () {
      yield* records;
    };
    const verdict = await verifyLedger(source(), {
      trustedKeys: [vector.verifierKey],
      openBody: new Uint8Array(bytes(vector.kek)),
      everySignature: true,
    });
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, size: vector.entries.length, keyTrust: 'given' });
    expect(verdict.bodies.opened).toBe(vector.bodies.length);
    expect(verdict.decisions.byOutcome.delivered).toBe(1);
  });
});

describe('a checkpoint', () => {
  const signer = signerOf(origin, privateKey);
  const [checkpoint] = vector.checkpoints;
  if (checkpoint === undefined) throw new Error('the vector has checkpoints');
  const { size, root, note } = checkpoint;

  it('is read by the independent reader', () => {
    const read = parseCheckpoint(Buffer.from(note));
    if (isRefusal(read)) throw new Error(read.message);
    expect([read.origin, read.size, Buffer.from(read.root).toString('hex')]).toEqual([origin, size, root]);
    expect(read.signatures.map(({ name, keyHash: hash }) => [name, hash])).toEqual([[origin, keyHash]]);
  });

  it('is refused with any one bit flipped, at another size and over another root', () => {
    expect(isCheckpointOf(signer, Buffer.from(note), size, bytes(root))).toBe(true);
    const whole = Buffer.from(note);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(isCheckpointOf(signer, flipped, size, bytes(root)), `bit ${bit}`).toBe(false);
    }
    expect(isCheckpointOf(signer, whole, size + 1, bytes(root))).toBe(false);
    expect(isCheckpointOf(signer, whole, size, Buffer.alloc(32))).toBe(false);
  });
});
