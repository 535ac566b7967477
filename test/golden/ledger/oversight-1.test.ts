/** What people do about holds besides ruling, as bytes: every later version reads these as this one does. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { assigneeOf, holdFromEntries } from '../../../src/hold/record.ts';
import { decodeBlock } from '../../../src/ledger/block.ts';
import { decodeLeaf, type Entry, encodeLeaf } from '../../../src/ledger/entry.ts';
import { openOversight } from '../../../src/ledger/oversight.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';

const vector = z
  .object({
    verifierKey: z.string(),
    kek: z.string(),
    records: z.array(z.object({ key: z.string(), value: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('oversight-1.json', import.meta.url), 'utf8')));
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const leaves = vector.records
  .filter(({ key }) => key.endsWith('01'))
  .flatMap(({ value }) => decodeBlock(bytes(value)).leaves);
const entries: readonly Entry[] = leaves.map(decodeLeaf);
const decisions = entries.filter(({ type }) => type === 'request').map(({ seq }) => seq);
const holdOf = (decision: number | undefined) =>
  holdFromEntries(
    entries.filter((entry) => entry.data['decision'] === decision),
    String,
  );

it('the same bytes are written again from what is read', () => {
  for (const leaf of leaves) expect(encodeLeaf(decodeLeaf(leaf)).equals(leaf)).toBe(true);
});

it('verifies with its bodies opened, and names the release that nobody reviewed', async () => {
  const source = async function* () {
    for (const { key, value } of vector.records) yield { key: bytes(key), value: bytes(value) };
  };
  const verdict = await verifyLedger(source(), {
    trustedKeys: [vector.verifierKey],
    openBody: new Uint8Array(bytes(vector.kek)),
    everySignature: true,
  });
  expect(verdict.findings).toEqual([]);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
  const hold = entries.findLast(({ type }) => type === 'hold')?.seq;
  expect(verdict.notes).toContain(
    `1 release by one person alone was never reviewed by another, 0 past the time for it: holds ${hold}.`,
  );
  expect(verdict.notes).toContain('1 ruling was made in the stead of somebody who was away.');
});

it('the queue reads who talked, who is on it, who stood in for whom and what was found', () => {
  const [talked, reviewed, unreviewed] = decisions.map(holdOf);
  expect(talked?.comments).toMatchObject([{ by: 'rita', role: 'reviewer' }]);
  expect(talked === null || talked === undefined ? '' : assigneeOf(talked)).toBe('otto');
  expect(talked?.state.status).toBe('released');
  expect(reviewed?.review).toMatchObject({ by: 'rita', verdict: 'justified' });
  expect(reviewed?.state.terms.breakGlass).toMatchObject({ reviewInMs: 86_400_000 });
  expect(unreviewed?.review).toBeNull();
});

it('the index reads what waits for a review and who lent a role to whom', async () => {
  const index = await openOversight(
    {
      get: async () => undefined,
      commit: async () => undefined,
      async *scan() {
        // Nothing is stored.
      },
      close: async () => undefined,
    },
    (error) => {
      throw error;
    },
  );
  index.add(entries);
  expect(index.glassBroken().map(({ by, reviewed }) => [by, reviewed !== null])).toEqual([
    ['olga', true],
    ['olga', false],
  ]);
  expect(index.delegations()).toMatchObject([{ from: 'petra', to: 'otto', role: 'privacy' }]);
  expect(index.delegations()[0]?.ended).not.toBeNull();
});
