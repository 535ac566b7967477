/** Whoever stands in for whom: over rulings in any order nobody's word counts twice, and the requester's never. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { afterRuling, type HoldState, openState, releasesOf } from '../../../src/hold/state.ts';

const people = ['ada', 'bob', 'cyd', 'dan', 'agent'] as const;
const person = fc.constantFrom(...people);
const ruling = fc.record({ by: person, inStead: fc.option(person, { nil: undefined }) });
const digest = '7d'.repeat(32);

function play(rulings: readonly { by: string; inStead: string | undefined }[], approvals: number): HoldState {
  let state = openState({
    ...{ approvals, roles: ['reviewer'], notRequester: true, requester: 'agent', digest },
    expiresAtMs: 1_000,
  });
  for (const { by, inStead } of rulings) {
    if (by === inStead) continue;
    const stead = inStead === undefined ? {} : { inStead };
    try {
      state = afterRuling(
        state,
        { verdict: 'release', by, role: 'reviewer', digest, reason: '', ...stead },
        0,
      );
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
    }
  }
  return state;
}

it('a release takes so many different people, none of whom another one spoke for', () => {
  let released = 0;
  fc.assert(
    fc.property(fc.array(ruling, { maxLength: 12 }), fc.integer({ min: 1, max: 3 }), (rulings, approvals) => {
      const state = play(rulings, approvals);
      const voices = state.rulings.flatMap(({ by, inStead }) =>
        inStead === undefined ? [by] : [by, inStead],
      );
      expect(new Set(voices).size).toBe(voices.length);
      expect(voices).not.toContain('agent');
      expect(state.status).toBe(releasesOf(state).length >= approvals ? 'released' : 'pending');
      released += Number(
        state.status === 'released' && state.rulings.some(({ inStead }) => inStead !== undefined),
      );
    }),
  );
  expect(released).toBeGreaterThan(0);
});
