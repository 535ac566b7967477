/** Append-only files of anchored checkpoints beside a ledger whose signing key changed. */
import { expect, it } from 'vitest';
import { type VerifyOptions, verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, type LedgerBuilder, signNote } from '../../support/ledger-builder.ts';
import { sourceOf } from '../../support/ledger-tampering.ts';

const [first, next, thief] = ['one', 'second key', 'key of a thief'];

/** Genesis, a request, then what `make` seals; another `story` is another history from the request on. */
function ledgerOf(make: (builder: LedgerBuilder) => void, story = 'as it was'): LedgerBuilder {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  builder.request({ purpose: story });
  builder.commit();
  make(builder);
  builder.commit();
  return builder;
}

const rotateTo =
  (seed: string) =>
  (builder: LedgerBuilder): void => {
    builder.rotate(seed);
    builder.commit();
    builder.close([[1, 'interrupted']]);
  };

/** Four entries: the third is the rotation. */
const rotated = ledgerOf(rotateTo(next));

const line = (seed: string, { origin, root }: LedgerBuilder, size: number): string =>
  `holdpoint-anchor-1 2026-11-26T08:00:00.000Z ${Buffer.from(signNote(seed, origin, size, root(size))).toString('base64')}\n`;

async function judge({ records }: LedgerBuilder, lines: readonly string[], options: VerifyOptions = {}) {
  const verdict = await verifyLedger(sourceOf(records), { anchors: [lines.join('')], ...options });
  const { assurance, covered, findings, notes } = verdict;
  return {
    assurance,
    anchored: covered.anchoredSize,
    found: findings.map(({ code, seq }) => `${code} at ${seq}`),
    notes: notes.join(),
  };
}

it('what was anchored under a former key is memory of the part that it signed', async () => {
  const under = await judge(rotated, [line(first, rotated, 2)]);
  expect(under).toMatchObject({ assurance: 'ANCHORED', anchored: 2, found: [] });
  const late = await judge(rotated, [line(first, rotated, 4)]);
  expect(late).toMatchObject({ assurance: 'LOCAL', found: ['anchor_missing at -1'] });
});

it('who has a former key cannot rotate away from what it signed, whatever is appended to the file', async () => {
  const forged = ledgerOf(rotateTo(thief), 'as a thief wants it');
  const file = [line(first, rotated, 2), line(thief, forged, 4)];
  expect(await judge(forged, file)).toMatchObject({ found: ['anchored_other_history at 1'] });
});

it('a ledger rolled back to before a rotation is shorter than the file says, to who trusts the newer key too', async () => {
  const short = ledgerOf((builder) => builder.seal({ type: 'stop', data: { reason: 'test' } }));
  const file = [line(first, short, 2), line(next, rotated, 4)];
  const trustedKeys = [rotated.keyOf(first), rotated.keyOf(next)];
  expect(await judge(short, file, { trustedKeys })).toMatchObject({ found: ['truncated_by_anchor at 3'] });
  const { found, notes } = await judge(short, file);
  expect([found, notes]).toEqual([
    [],
    expect.stringContaining('1 lines of anchor files are of this ledger, under keys'),
  ]);
});

it('what a revoked key signed later than its revocation lets it is no memory in a file that others append to', async () => {
  const revoked = ledgerOf((builder) => {
    builder.rotate(next);
    builder.commit();
    const key = builder.keyOf(first);
    builder.seal({ type: 'key', data: { action: 'revoke', by: 'olga', key, reason: 'stolen', size: 2 } });
  });
  expect(await judge(revoked, [line(first, revoked, 2)])).toMatchObject({
    anchored: 2,
    found: ['key_revoked at 2'],
  });
  expect(await judge(revoked, [line(first, revoked, 3)])).toMatchObject({
    anchored: 0,
    found: ['anchor_missing at -1', 'key_revoked at 2'],
  });
});
