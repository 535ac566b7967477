/** A start that lists names of the same people, as bytes: every later version counts by it as this one does. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createPeople } from '../../../src/core/people.ts';
import { holdFromEntries } from '../../../src/hold/record.ts';
import { releasesOf } from '../../../src/hold/state.ts';
import { decodeBlock } from '../../../src/ledger/block.ts';
import { decodeLeaf, encodeLeaf } from '../../../src/ledger/entry.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';

const vector = z
  .object({
    verifierKey: z.string(),
    kek: z.string(),
    records: z.array(z.object({ key: z.string(), value: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('people-1.json', import.meta.url), 'utf8')));
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const leaves = vector.records
  .filter(({ key }) => key.endsWith('01'))
  .flatMap(({ value }) => decodeBlock(bytes(value)).leaves);
const entries = leaves.map(decodeLeaf);

it('the same bytes are written again from what is read', () => {
  for (const leaf of leaves) expect(encodeLeaf(decodeLeaf(leaf)).equals(leaf)).toBe(true);
});

it('verifies with its bodies opened, and says how many people there are by how many names', async () => {
  const source = async function* () {
    for (const { key, value } of vector.records) yield { key: bytes(key), value: bytes(value) };
  };
  const verdict = await verifyLedger(source(), {
    trustedKeys: [vector.verifierKey],
    openBody: new Uint8Array(bytes(vector.kek)),
    everySignature: true,
  });
  expect(verdict.findings).toEqual([]);
  expect(verdict.notes).toContain(
    'The last start says that 4 names are those of 2 people, who count once each; that nobody else has two is not said.',
  );
});

it('the queue counts the people of the last start, and not their names', () => {
  const hold = holdFromEntries(
    entries.filter(({ data }) => data['decision'] === entries.find(({ type }) => type === 'request')?.seq),
    String,
  );
  const people = z
    .array(z.array(z.string()))
    .parse(entries.findLast(({ type }) => type === 'start')?.data['people']);
  expect(
    hold === null
      ? []
      : releasesOf(hold.state, { otherNames: createPeople(people), counts: () => true }).map(({ by }) => by),
  ).toEqual(['rita', 'otto', 'petra']);
});
