/**
 * The boundary of a rotation, byte for byte: what both keys sign, the entry, and its checkpoint. Checked with
 * node:crypto alone, then against the product. It must pass in every later version.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { decodeBlock, parseRecordKey } from '../../../src/ledger/block.ts';
import { rotationStatement } from '../../../src/ledger/rotation.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerUnderTest, signingKey, signingKeyOf } from '../../fault/ledger-under-test.ts';
import { merkleRoot } from '../../support/ledger-builder.ts';

const vector = z
  .object({
    ledger: z.string(),
    /** SHA-256 of these words are the seeds of the two keys. */
    seeds: z.tuple([z.string(), z.string()]),
    statement: z.string(),
    records: z.array(z.object({ key: z.string(), value: z.string() })),
    leaf: z.string(),
    note: z.string(),
  })
  .parse(JSON.parse(readFileSync(new URL('rotation-1.json', import.meta.url), 'utf8')));

const sha256 = (...chunks: (Buffer | string)[]): Buffer =>
  createHash('sha256')
    .update(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))))
    .digest();
const keys = vector.seeds.map((seed) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), sha256(seed)]),
    format: 'der',
    type: 'pkcs8',
  }),
);
const origin = `holdpoint/${vector.ledger}`;
const rawOf = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
const kidOf = (key: KeyObject): Buffer => sha256(`${origin}\n`, Buffer.of(1), rawOf(key)).subarray(0, 4);
const verifierKeyOf = (key: KeyObject): string =>
  `${origin}+${kidOf(key).toString('hex')}+${Buffer.concat([Buffer.of(1), rawOf(key)]).toString('base64')}`;
const leaf: unknown = JSON.parse(vector.leaf);
const [oldKey, newKey] = keys;
if (oldKey === undefined || newKey === undefined) throw new Error('the vector has two keys');

it('both keys sign the ledger, the place, the old key and the new one', () => {
  const seq = z.object({ seq: z.number() }).parse(leaf).seq;
  const statement = Buffer.from(
    `holdpoint/rotate/1\0${vector.ledger}\n${seq}\n${verifierKeyOf(oldKey)}\n${verifierKeyOf(newKey)}\n`,
  );
  expect(statement.toString('hex')).toBe(vector.statement);
  expect(rotationStatement(vector.ledger, seq, verifierKeyOf(oldKey), verifierKeyOf(newKey))).toEqual(
    statement,
  );
  expect(leaf).toMatchObject({
    type: 'key',
    kid: kidOf(oldKey).toString('hex'),
    data: {
      action: 'rotate',
      key: verifierKeyOf(newKey),
      endorsement: sign(null, statement, oldKey).toString('base64'),
      possession: sign(null, statement, newKey).toString('base64'),
    },
  });
});

it('the checkpoint that ends its block has a line of the old key and then one of the new', () => {
  const blocks = vector.records
    .filter(({ key }) => key.endsWith('01'))
    .map(({ value }) => decodeBlock(Buffer.from(value, 'hex')));
  const at = blocks.findIndex(({ leaves }) => leaves.at(-1)?.toString() === vector.leaf);
  const hashes = blocks
    .slice(0, at + 1)
    .flatMap(({ leaves }) => leaves.map((bytes) => sha256(Buffer.of(0), bytes)));
  const text = `${origin}\n${hashes.length}\n${merkleRoot(hashes).toString('base64')}\n`;
  const lines = keys.map((key) => {
    const signature = sign(null, Buffer.from(text), key);
    expect(verify(null, Buffer.from(text), createPublicKey(key), signature)).toBe(true);
    return `\u2014 ${origin} ${Buffer.concat([kidOf(key), signature]).toString('base64')}\n`;
  });
  expect(blocks[at]?.note.toString()).toBe(`${text}\n${lines.join('')}`);
  expect(vector.note).toBe(`${text}\n${lines.join('')}`);
});

function timesIn(bytes: Buffer): { readonly atMs: number; readonly monoUs: number } {
  const { at, mono } = z.object({ at: z.string(), mono: z.number() }).parse(JSON.parse(bytes.toString()));
  return { atMs: Date.parse(at), monoUs: mono };
}

it('the product writes these bytes', async () => {
  expect([signingKey.equals(oldKey), signingKeyOf('next').equals(newKey)]).toEqual([true, true]);
  const house = createLedgerUnderTest();
  // How often the clock is looked at besides is no part of the format: each entry has the time of the vector's.
  const times = vector.records.flatMap(({ key, value }) =>
    key.endsWith('01') ? decodeBlock(Buffer.from(value, 'hex')).leaves.map(timesIn) : [],
  );
  let entry = -1;
  const clock = {
    nowMs: () => {
      entry += 1;
      return times[entry]?.atMs ?? Number.NaN;
    },
    monoUs: () => times[Math.max(0, entry)]?.monoUs ?? Number.NaN,
  };
  const ledger = await house.open({ clock });
  await ledger.rotateSigningKey(newKey, { by: 'olga', reason: 'yearly' });
  await ledger.close('done');
  const written = house.disk
    .records()
    .filter(({ key }) => parseRecordKey(key)?.kind === 'block')
    .map(({ key, value }) => ({ key: key.toString('hex'), value: value.toString('hex') }));
  expect(written).toEqual(vector.records);
});

it('the ledger around it verifies, with either key', async () => {
  for (const key of keys) {
    const source = async function* () {
      for (const { key: at, value } of vector.records)
        yield { key: Buffer.from(at, 'hex'), value: Buffer.from(value, 'hex') };
    };
    const verdict = await verifyLedger(source(), { trustedKeys: [verifierKeyOf(key)], everySignature: true });
    expect(verdict.findings).toEqual([]);
  }
});
