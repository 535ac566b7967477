/** Ledgers made to keep a verifier busy: what it does for one entry does not grow with the entries before it. */
import { beforeAll, expect, it } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, type LedgerBuilder } from '../../support/ledger-builder.ts';

const many = 20_000;
const scope = { match: { model: 'm' } };

/** One block: its checkpoint is signed once, however many entries it has. */
async function verify(seal: (builder: LedgerBuilder) => void) {
  const builder = createLedgerBuilder();
  builder.genesis();
  seal(builder);
  builder.commit();
  const startedMs = performance.now();
  const verdict = await verifyLedger(builder.source());
  return { ...verdict, ms: performance.now() - startedMs };
}

/** How often longer than entries that say nothing this may take; by the number of entries it would be thousands. */
const slowerMax = 6;
let plainMs = 0;
beforeAll(async () => {
  const data = { action: 'read', by: 'ada', role: 'auditor' };
  const { ms } = await verify((builder) => {
    for (let i = 0; i < 2 * many; i += 1) builder.seal({ type: 'access', data });
  });
  plainMs = ms;
}, 120_000);

it('legal holds that stand make no later erasure slower', async () => {
  const { ok, findings, notes, ms } = await verify((builder) => {
    const by = { by: 'petra', role: 'privacy' };
    for (let i = 0; i < many; i += 1)
      builder.seal({ type: 'erasure', data: { action: 'hold', scope, ...by } });
    const data = {
      ...{ action: 'erase', basis: 'objection', final: true, request: 'ab'.repeat(8), scope },
      ...{ targets: [], ...by },
    };
    for (let i = 0; i < many; i += 1) builder.seal({ type: 'erasure', data });
  });
  expect([ok, findings]).toEqual([true, []]);
  expect(notes).toContain(`${many} legal holds stand.`);
  expect(ms).toBeLessThan(slowerMax * plainMs);
});

it('delegations that nothing ended make no later ruling slower', async () => {
  const { ok, findings, ms } = await verify((builder) => {
    const decision = builder.request({ verdict: 'hold' });
    const hold = builder.hold(decision, decision, { approvals: many + 1 });
    const lend = { action: 'delegate', by: 'rita', delegate: 'bob', role: 'reviewer' };
    for (let i = 0; i < many; i += 1) builder.seal({ type: 'access', data: { ...lend, until: i } });
    builder.seal({ type: 'access', data: { ...lend, until: Date.UTC(2027, 0, 1) } });
    const digest = builder.c(decision, 'request');
    const ruling = { decision, hold, digest, verdict: 'release', by: 'bob', role: 'reviewer' };
    for (let i = 0; i < many; i += 1)
      builder.seal({ type: 'ruling', data: { ...ruling, final: false, inStead: 'rita' } });
    builder.seal({
      type: 'access',
      data: { action: 'delegation_end', by: 'rita', role: 'reviewer', delegation: 3 },
    });
  });
  expect([ok, findings]).toEqual([true, []]);
  expect(ms).toBeLessThan(slowerMax * plainMs);
});
