import { describe, expect, it } from 'vitest';
import {
  isOver,
  readErasure,
  readLegalHolds,
  readRetention,
} from '../../../../src/console/answers/erasure-data.ts';
import { ShapeError } from '../../../../src/console/answers/shape.ts';
import { exampleErasure } from '../../../../src/control/api/erasures.ts';

/** As the API's own description shows one. */
const erasure = exampleErasure;

describe('an erasure', () => {
  it('is read with what it is about, how far it is and what it left', () => {
    const { startedAt, bytesReclaimed: _reclaimed, endedAt: _ended, ...told } = erasure;
    expect(readErasure(erasure)).toEqual({ ...told, startedAtMs: Date.parse(startedAt) });
  });

  it.each([
    [{ decision: 15 }],
    [{ subject: '94430afaa7338b4f' }],
    [{ rule: 'chat', before: '2026-10-01T00:00:00.000Z' }],
  ])('about %j keeps that', (scope) => {
    expect(readErasure({ ...erasure, scope }).scope).toEqual(scope);
  });

  it.each([
    ['waiting', false],
    ['running', false],
    ['paused', false],
    ['done', true],
    ['stopped', true],
    ['failed', true],
  ])('that is %s is over: %s', (state, over) => {
    expect(isOver(readErasure({ ...erasure, state }))).toBe(over);
  });

  it.each([
    { refused: { open: 'many' } },
    { entries: ['4711'] },
    { scope: { match: { workload: 7 } } },
    { startedAt: 'soon' },
  ])('with %j is of another version, and says so', (field) => {
    expect(() => readErasure({ ...erasure, ...field })).toThrow(ShapeError);
  });
});

describe('what is kept', () => {
  it('by a legal hold is read without its reason where that is not for the reader', () => {
    const hold = { id: 'l-3f9a01c2-4700', seq: 4700, by: 'petra', reason: null, scope: { decision: 15 } };
    expect(readLegalHolds({ items: [hold] })).toEqual([hold]);
  });

  it('by age is read with the last run of each rule', () => {
    const rule = { id: 'chat', match: {}, keepDays: 90, minimumDays: null, dueBefore: null };
    const { nextAtMs, rules, exemptions } = readRetention({
      everyHours: 24,
      nextAt: null,
      rules: [
        { ...rule, last: null },
        { ...rule, last: erasure },
      ],
      exemptions: [{ id: 'claims', match: { workload: 'billing-agent' }, bases: null }],
    });
    expect([nextAtMs, rules.map(({ last }) => last?.id ?? null)]).toEqual([null, [null, erasure.id]]);
    expect(exemptions).toEqual([{ id: 'claims', match: { workload: 'billing-agent' }, bases: null }]);
  });
});
