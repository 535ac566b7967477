import { describe, expect, it } from 'vitest';
import { type VerifyOptions, verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, signNote } from '../../support/ledger-builder.ts';
import { sourceOf } from '../../support/ledger-tampering.ts';

const [first, second] = ['one', 'second key'];

/** Entries 0 to 3 under the first key, which entry 4 revokes. */
function revoked(size: number, of = first) {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  const decision = builder.request();
  builder.commit();
  builder.close([[decision, 'interrupted']]);
  builder.rotate(second);
  builder.commit();
  const key = builder.keyOf(of);
  builder.seal({ type: 'key', data: { action: 'revoke', by: 'olga', key, reason: 'stolen', size } });
  builder.commit();
  return builder;
}

async function verdictOf(builder: ReturnType<typeof revoked>, options: VerifyOptions = {}) {
  return verifyLedger(sourceOf(builder.records), options);
}
const codes = async (builder: ReturnType<typeof revoked>, options: VerifyOptions = {}) =>
  (await verdictOf(builder, options)).findings.map(({ code, seq }) => `${code} at ${seq}`);
const kept = (builder: ReturnType<typeof revoked>, seed: string, size: number): string =>
  signNote(seed, builder.origin, size, builder.root(size));

describe('a revoked key', () => {
  it('leaves what it signed up to the size trusted, to whoever trusts its successor', async () => {
    const builder = revoked(4);
    const verdict = await verdictOf(builder, { trustedKeys: [builder.keyOf(second)] });
    expect(verdict.findings).toEqual([]);
    expect(verdict.keys[0]).toEqual({ key: builder.keyOf(first), from: 0, revokedTo: 4 });
    expect(verdict.notes.join('\n')).toContain(
      'only a checkpoint or witness kept elsewhere tells them apart',
    );
  });

  it.each([
    [3, 2],
    [2, 3],
  ])('counts down to the lesser of two sizes, whichever came first: %i and %i', async (one, other) => {
    const builder = revoked(one);
    const key = builder.keyOf(first);
    const data = { action: 'revoke', by: 'olga', key, reason: 'stolen earlier', size: other };
    builder.seal({ type: 'key', data });
    builder.commit();
    const verdict = await verdictOf(builder);
    expect(verdict.findings.map(({ code, seq }) => `${code} at ${seq}`)).toEqual(['key_revoked at 2']);
    expect(verdict.keys[0]?.revokedTo).toBe(2);
  });

  it('leaves what it signed after the size a finding', async () => {
    expect(await codes(revoked(2))).toEqual(['key_revoked at 2']);
  });

  it.each([
    [first, 1, ['key_revoked at 2']],
    [first, 2, ['key_revoked at 2']],
    [first, 4, []],
    [second, 4, []],
    [second, 5, []],
  ])('is made good by a checkpoint of %s that was kept over %i entries: %j', async (seed, size, findings) => {
    const builder = revoked(2);
    expect(await codes(builder, { checkpoint: kept(builder, seed, size) })).toEqual(findings);
  });

  it('vouches for nobody after it, unless a checkpoint from after its time was kept', async () => {
    const builder = revoked(4);
    const trustedKeys = [builder.keyOf(first)];
    expect(await codes(builder, { trustedKeys })).toEqual(['key_revoked at 4']);
    expect(await codes(builder, { trustedKeys, checkpoint: kept(builder, second, 4) })).toEqual([]);
    const both = [...trustedKeys, builder.keyOf(second)];
    expect(await codes(builder, { trustedKeys: both })).toEqual([]);
  });

  it('can sign another history from before the rotation, and only outside memory shows which is real', async () => {
    const real = revoked(4);
    const fork = createLedgerBuilder();
    fork.genesis();
    fork.commit();
    fork.rotate('thief');
    fork.commit();
    const options = { trustedKeys: [real.keyOf(first)] };
    const verdict = await verifyLedger(sourceOf(fork.records), options);
    expect(verdict).toMatchObject({ ok: true, assurance: 'LOCAL' });
    const remembered = await verifyLedger(sourceOf(fork.records), {
      ...options,
      checkpoint: kept(real, first, 2),
    });
    expect(remembered.findings.map(({ code }) => code)).toEqual(['checkpoint_not_in_ledger']);
  });
});

describe('a revocation is refused', () => {
  it.each([
    ['of the key in use', revoked(4, second)],
    ['of a key that the ledger was never under', revoked(4, 'stranger')],
  ])('%s', async (_what, builder) => {
    expect(await codes(builder)).toEqual(['revocation_unfounded at 4']);
  });

  it('of more entries than there were', async () => {
    expect(await codes(revoked(5))).toEqual(['leaf_malformed at 4']);
  });

  it('is not revoked down to more entries than it signed', async () => {
    const builder = revoked(4);
    const key = builder.keyOf(first);
    builder.seal({ type: 'key', data: { action: 'revoke', by: 'olga', key, reason: 'stolen', size: 5 } });
    builder.commit();
    expect(await codes(builder)).toEqual(['revocation_unfounded at 5']);
  });
});
