import { expect, it } from 'vitest';
import { afterRuling, openState, type RulingRequest } from '../../../src/hold/state.ts';

const digest = '7d'.repeat(32);
const byCyd: RulingRequest = { by: 'cyd', role: 'admin', verdict: 'release', digest, reason: 'ward 4 waits' };
const approved = afterRuling(
  openState({
    ...{ approvals: 2, roles: ['admin'], notRequester: true, requester: 'agent', digest, expiresAtMs: 9 },
    breakGlass: { roles: ['admin'], collectInMs: 60_000, reviewInMs: 60_000 },
  }),
  byCyd,
  0,
);

it('whoever approved does not approve twice', () => {
  expect(() => afterRuling(approved, byCyd, 1)).toThrow('cyd has ruled on this hold already.');
});

it('whoever approved may still break the glass when nobody else comes', () => {
  const { status, rulings } = afterRuling(approved, { ...byCyd, breakGlass: true }, 1);
  expect(status).toBe('released');
  expect(rulings.map(({ by, breakGlass = false }) => [by, breakGlass])).toEqual([
    ['cyd', false],
    ['cyd', true],
  ]);
});
