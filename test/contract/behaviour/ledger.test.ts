/** The ledger's entries, checkpoints and proofs, as control calls. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { leafHash } from '../../../src/ledger/tree.ts';
import { provesConsistency, provesInclusion } from '../../../src/ledger/verify/proof.ts';
import { eventually, type House, startHouse } from '../support/sidecar.ts';
import { entrySchema } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
  // A tree with a few levels.
  for (let i = 0; i < 20; i += 1) await house.ask(`good morning ${i}`);
});
afterAll(() => house.close());

describe('the ledger', () => {
  const entriesSchema = z.object({ items: z.array(entrySchema), next: z.number().nullable() });
  const read = async (query: string) =>
    entriesSchema.parse((await house.call(`/api/v1/ledger/entries?${query}`, { as: 'auditor' })).json);

  it('gives its entries in order, dense, from any place', async () => {
    const first = await read('limit=5');
    expect(first.items.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
    expect(first.items[0]?.type).toBe('genesis');
    expect((await read('from=3&limit=4')).items.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    expect(first.next).toBe(5);
  });

  it('ends where it ends', async () => {
    const { json } = await house.call('/api/v1/ledger/checkpoint');
    const { size, note, key } = z.object({ size: z.number(), note: z.string(), key: z.string() }).parse(json);
    expect(note.split('\n')[1]).toBe(String(size));
    expect(note.startsWith(`${key.split('+')[0]}\n`)).toBe(true);
    // Another one may be sealed while it is read.
    await eventually(async () => (await read(`from=${size - 1}&limit=1000`)).next === null);
    expect(await read(`from=${size + 1000}`)).toEqual({ items: [], next: null });
    expect((await house.call('/checkpoint', { as: 'auditor' })).text.split('\n')[0]).toBe(key.split('+')[0]);
  });
});

describe('proofs', () => {
  const as = 'auditor' as const;
  const proofSchema = z.object({
    size: z.number(),
    leafHash: z.base64(),
    root: z.base64(),
    hashes: z.array(z.base64()),
    note: z.string().nullable(),
  });
  const bytes = (text: string) => Buffer.from(text, 'base64');

  it('lead from the leaf of an entry bundle to the root of the checkpoint', async () => {
    const { controlUrl } = house.sidecar;
    const headers = { authorization: `Bearer ${house.tokens.auditor}` };
    const bundle = Buffer.from(
      await (await fetch(`${controlUrl}/tile/entries/000.p/2`, { headers })).arrayBuffer(),
    );
    const second = bundle.subarray(4 + bundle.readUInt16BE(0));
    const { json } = await house.call('/api/v1/ledger/proofs/inclusion?seq=1', { as });
    const { size, leafHash: stated, root, hashes, note } = proofSchema.parse(json);
    expect(bytes(stated)).toEqual(leafHash(second));
    expect(provesInclusion(leafHash(second), 1, size, hashes.map(bytes), bytes(root))).toBe(true);
    expect(note?.split('\n').slice(1, 3)).toEqual([String(size), root]);
  });

  it('show that an older tree is the beginning of a later one', async () => {
    const { json } = await house.call('/api/v1/ledger/proofs/consistency?from=2&to=5', { as });
    const proof = z
      .object({ fromRoot: z.base64(), toRoot: z.base64(), hashes: z.array(z.base64()) })
      .parse(json);
    const [older, newer] = [bytes(proof.fromRoot), bytes(proof.toRoot)];
    expect(provesConsistency(2, older, 5, newer, proof.hashes.map(bytes))).toBe(true);
  });

  it.each([
    'inclusion',
    'inclusion?seq=-1',
    'inclusion?seq=99999999',
    'inclusion?seq=3&size=3',
    'inclusion?seq=0&size=99999999',
    'consistency?from=0',
    'consistency?from=3&to=2',
    'consistency?from=1&to=99999999',
  ])('%s is refused', async (query) => {
    const answer = await house.call(`/api/v1/ledger/proofs/${query}`, { as });
    expect([answer.status, answer.json]).toMatchObject([400, { code: 'invalid_argument' }]);
  });

  it.each([
    '/tile/0/x001/000',
    '/tile/0/x001/000.p/1',
    '/tile/2/000.p/1',
    '/tile/00/000.p/1',
    '/tile/0/0.p/1',
    '/tile/0/000.p/0',
    '/tile/0/000.p/256',
    '/tile/64/000.p/1',
    '/tile/entries/x001/000',
    '/tile/entries/000.p/',
    '/tile/data/000.p/1',
    '/tile/0/000.p/1/',
  ])('there is nothing at %s', async (path) => {
    expect((await house.call(path, { as })).status).toBe(404);
  });
});
