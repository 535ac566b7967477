/** Decisions that were only reported: what a verifier demands of them, as a specification. */
import { describe, expect, it } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, type Fields, type LedgerBuilder } from '../../support/ledger-builder.ts';

async function codesOf(scenario: (builder: LedgerBuilder) => void): Promise<readonly string[]> {
  const builder = createLedgerBuilder();
  builder.genesis();
  scenario(builder);
  builder.commit();
  const { findings } = await verifyLedger(builder.source());
  return findings.map(({ code, seq }) => `${code} at ${seq}`);
}

const closed = (outcome: string, request: (builder: LedgerBuilder) => number) =>
  codesOf((builder) => builder.close([[request(builder), outcome]]));

describe('a decision that was only reported', () => {
  const told = {
    ...{ at: '2026-11-26T08:15:00.000Z', by: 'loans', decider: 'engine', id: 'e-1', outcome: 'denied' },
  };
  const reported = (b: LedgerBuilder, others: Fields = {}): number =>
    b.request({ reported: told, ...others });

  it('is closed as reported, with an answer or without', async () => {
    expect(await closed('reported', (b) => reported(b))).toEqual([]);
    const answered = await codesOf((b) => {
      const decision = reported(b, { verdict: 'flag' });
      b.response(decision, { verdict: 'flag', reported: true });
      b.close([[decision, 'reported']]);
    });
    expect(answered).toEqual([]);
  });

  it.each(['interrupted', 'ledger_unavailable'])('can be %s before that', async (outcome) => {
    expect(await closed(outcome, (b) => reported(b))).toEqual([]);
  });

  it.each(['delivered', 'denied', 'carried', 'client_abort', 'upstream_error'])(
    'is never %s: nothing of it passed here',
    async (outcome) => {
      expect(await closed(outcome, (b) => reported(b))).toEqual(['outcome_contradicts at 2']);
    },
  );

  it('is not what passed here', async () => {
    expect(await closed('reported', (b) => b.request())).toEqual(['outcome_contradicts at 2']);
  });

  it('has no hold, and no rule that held or denied its answer', async () => {
    const withHold = await codesOf((b) => {
      const decision = reported(b);
      b.hold(decision, decision);
      b.close([[decision, 'reported']]);
    });
    expect(withHold).toEqual(['outcome_contradicts at 3']);
    const denied = await codesOf((b) => {
      const decision = reported(b);
      b.response(decision, { verdict: 'deny' });
      b.close([[decision, 'reported']]);
    });
    expect(denied).toEqual(['outcome_contradicts at 3']);
  });

  it.each([
    ['a rule that holds', { verdict: 'hold' }],
    ['a rule that denies', { verdict: 'deny' }],
    ['a connection', { recorded: false }],
    ['no reporter', { reported: { ...told, by: '' } }],
    ['no time', { reported: { ...told, at: 'yesterday' } }],
    ['no object', { reported: 'yes' }],
    ['a number in it', { reported: { ...told, class: 7 } }],
  ])('is malformed with %s', async (_, others) => {
    expect(await codesOf((b) => reported(b, others))).toEqual(['leaf_malformed at 1']);
  });

  it('is counted apart from exchanges, and said to be what it is', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.close([[reported(builder), 'reported']]);
    builder.commit();
    const { findings, decisions, notes } = await verifyLedger(builder.source());
    expect(findings).toEqual([]);
    expect(decisions).toMatchObject({ total: 0, reported: 1, byOutcome: { reported: 1 } });
    expect(notes.join(' ')).toContain('1 decision was made elsewhere and reported');
  });
});
