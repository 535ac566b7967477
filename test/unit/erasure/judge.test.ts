/** Whether one decision may be erased, and what the refusal cites. */
import { describe, expect, it } from 'vitest';
import { type Candidate, judge, type RetentionTerms } from '../../../src/erasure/judge.ts';
import type { JsonObject } from '../../../src/ledger/canonical.ts';
import type { Basis } from '../../../src/ledger/erasure.ts';

const dayMs = 86_400_000;
const now = 1000 * dayMs;
const data = {
  model: 'm-1',
  operation: 'chat',
  provider: 'openai',
  workload: 'agent',
  subject: 'ab'.repeat(8),
};
const candidate: Candidate = { seq: 7, atMs: now - 10 * dayMs, data, isOpen: false };
const noTerms: RetentionTerms = { rules: [], exemptions: [] };

interface Asked {
  readonly of?: Partial<Candidate>;
  readonly basis?: Basis;
  readonly terms?: Partial<RetentionTerms>;
  readonly holds?: readonly JsonObject[];
}

function judged({ of = {}, basis = 'objection', terms = {}, holds = [] }: Asked) {
  const legalHolds = holds.map((scope, at) => ({ seq: 100 + at, scope, by: 'petra' }));
  return judge({ ...candidate, ...of }, basis, { ...noTerms, ...terms }, legalHolds, now);
}

describe('a decision', () => {
  it('is erased where nothing forbids it', () => {
    expect(judged({})).toBeNull();
  });

  it('is refused without an outcome, whatever else forbids it', () => {
    expect(judged({ of: { isOpen: true }, holds: [{ decision: 7 }] })).toEqual({ why: 'open', cites: '' });
  });

  it('is refused on the first of its grounds: a legal hold, then a minimum, then an exemption', () => {
    const rules = [{ id: 'ten years', match: {}, minimumDays: 3653 }];
    const exemptions = [{ id: 'claims', match: {} }];
    const terms = { rules, exemptions };
    expect(judged({ terms, holds: [{ decision: 7 }] })).toEqual({ why: 'legal_hold', cites: '100' });
    expect(judged({ terms })).toEqual({ why: 'statutory_minimum', cites: 'ten years' });
    expect(judged({ terms: { exemptions } })).toEqual({ why: 'exemption', cites: 'claims' });
  });
});

describe('a legal hold', () => {
  it.each<[string, JsonObject, boolean]>([
    ['on it', { decision: 7 }, true],
    ['on another decision', { decision: 8 }, false],
    ['on its subject', { subject: data.subject }, true],
    ['on another subject', { subject: 'cd'.repeat(8) }, false],
    ['on its class', { match: { model: 'm-1', workload: 'agent' } }, true],
    [
      'on a class of which it has one value and not the other',
      { match: { model: 'm-1', workload: 'x' } },
      false,
    ],
    ['on a class of another value', { match: { provider: 'x' } }, false],
    ['on everything', { match: {} }, true],
    ['on its class by a field that nobody knows', { match: { operation: 'chat', colour: 'red' } }, true],
    [
      'on another class, by a field that nobody knows too',
      { match: { operation: 'x', colour: 'red' } },
      false,
    ],
    ['that cannot be read', {}, true],
    ['whose class is a list', { match: ['model'] }, true],
    ['whose class is a text', { match: 'model' }, true],
  ])('%s: %j', (_what, scope, isHeld) => {
    expect(judged({ holds: [scope] })).toEqual(isHeld ? { why: 'legal_hold', cites: '100' } : null);
  });

  it('on a subject is none on a decision without one', () => {
    const { subject: _subject, ...without } = data;
    expect(judged({ of: { data: without }, holds: [{ subject: data.subject }] })).toBeNull();
  });

  it('that stands is cited, not one beside it', () => {
    expect(judged({ holds: [{ decision: 8 }, { decision: 7 }] })).toEqual({
      why: 'legal_hold',
      cites: '101',
    });
  });
});

describe('a statutory minimum', () => {
  const rules = (minimumDays: number | undefined, model = 'm-1') => [
    { id: 'm', match: { model }, minimumDays },
  ];
  it('keeps what is younger, to the millisecond, and nothing that is as old', () => {
    expect(judged({ terms: { rules: rules(10) } })).toBeNull();
    expect(judged({ terms: { rules: rules(10) }, of: { atMs: candidate.atMs + 1 } })).toEqual({
      why: 'statutory_minimum',
      cites: 'm',
    });
  });

  it('keeps nothing of another class, and a rule without one keeps nothing', () => {
    expect(judged({ terms: { rules: rules(11, 'm-2') } })).toBeNull();
    expect(judged({ terms: { rules: rules(undefined) } })).toBeNull();
  });
});

describe('an exemption', () => {
  const exemptions = (bases?: readonly Basis[], model = 'm-1') => [{ id: 'e', match: { model }, bases }];
  it.each<[string, RetentionTerms['exemptions'], Basis, boolean]>([
    ['on any basis', exemptions(), 'retention', true],
    ['on the basis that is given', exemptions(['objection']), 'objection', true],
    ['on another basis', exemptions(['objection']), 'unlawful', false],
    ['of another class', exemptions(undefined, 'm-2'), 'objection', false],
  ])('%s', (_what, given, basis, isExempt) => {
    const found = judged({ basis, terms: { exemptions: given } });
    expect(found).toEqual(isExempt ? { why: 'exemption', cites: 'e' } : null);
  });
});
