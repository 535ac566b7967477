import { describe, expect, it } from 'vitest';
import { createPeople } from '../../../src/core/people.ts';
import {
  type Approval,
  afterRuling,
  needsOf,
  openState,
  type PeopleNow,
  type RulingRequest,
  releasesOf,
} from '../../../src/hold/state.ts';

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

describe('two approvals that turn out to be one person’s', () => {
  const held = openState({
    ...{ approvals: 3, roles: ['reviewer'], notRequester: true, requester: 'agent', digest, expiresAtMs: 9 },
  });
  const release = (by: string, people?: PeopleNow): RulingRequest => ({
    ...{ by, role: 'reviewer', verdict: 'release', digest, reason: '' },
    ...(people === undefined ? {} : { people }),
  });
  // Nobody had listed the names together when these came.
  const twice = afterRuling(afterRuling(held, release('ada'), 0), release('oidc:ada'), 1);
  const joined = { otherNames: createPeople([['ada', 'oidc:ada']]), counts: () => true };

  it('count once from then on, for whoever completes the quorum', () => {
    expect(releasesOf(twice, joined).map(({ by }) => by)).toEqual(['ada']);
    const third = afterRuling(twice, release('bob', joined), 2);
    expect(third.status).toBe('pending');
    expect(afterRuling(third, release('cyd', joined), 3).status).toBe('released');
  });

  it('count once, too, where somebody gave one of them in that person’s stead', () => {
    const once = afterRuling(held, { ...release('otto'), inStead: 'ada' }, 0);
    const both = afterRuling(once, release('oidc:ada'), 1);
    expect(releasesOf(both).map(({ by }) => by)).toEqual(['otto', 'oidc:ada']);
    expect(releasesOf(both, joined).map(({ by }) => by)).toEqual(['otto']);
  });

  it('count twice as long as nobody says so', () => {
    expect(afterRuling(twice, release('bob'), 2).status).toBe('released');
  });

  it('count not at all once the first of them counts no more', () => {
    const people = { ...joined, counts: ({ by }: Approval) => by !== 'ada' };
    expect(releasesOf(twice, people)).toEqual([]);
  });

  it('count once for what is asked for by role', () => {
    const needs = [{ approvals: 2, roles: ['reviewer'] }];
    const byRole = { ...twice, terms: { ...twice.terms, needs } };
    expect(needsOf(byRole, joined)).toMatchObject([{ left: 1 }]);
  });
});
