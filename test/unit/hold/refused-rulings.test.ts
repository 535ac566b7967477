/** Which rulings a hold takes and which it refuses, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import {
  type Approval,
  afterExpiry,
  afterRuling,
  type HoldState,
  needsOf,
  openState,
  type RulingRequest,
  refuseUnlessOpen,
  releasesOf,
  rolesNow,
} from '../../../src/hold/state.ts';
import type { HoldTermsFixed } from '../../../src/hold/terms.ts';

const digest = '7d'.repeat(32);
const expiresAtMs = 9;
const held = (terms: Partial<HoldTermsFixed> = {}): HoldState =>
  openState({
    ...{ approvals: 1, roles: ['reviewer'], notRequester: true, requester: 'agent', digest, expiresAtMs },
    ...terms,
  });
const release: RulingRequest = { by: 'ada', role: 'reviewer', verdict: 'release', digest, reason: '' };
const ruled = (state: HoldState, ruling: Partial<RulingRequest> = {}, nowMs = 0): HoldState =>
  afterRuling(state, { ...release, ...ruling }, nowMs);

it('a release, a denial and an amendment each end a hold that needs one approval', () => {
  expect(ruled(held()).status).toBe('released');
  expect(ruled(held(), { verdict: 'deny', reason: 'no' }).status).toBe('denied');
  expect(ruled(held(), { verdict: 'amend', reason: 'less' }).status).toBe('amended');
});

it('one denial denies what needs two approvals, and one release does not let it go', () => {
  expect(ruled(held({ approvals: 2 }), { verdict: 'deny', reason: 'no' }).status).toBe('denied');
  const once = ruled(held({ approvals: 2 }));
  expect(once.status).toBe('pending');
  expect(once.rulings).toStrictEqual([{ by: 'ada', role: 'reviewer', verdict: 'release', atMs: 0 }]);
});

it('a denial is no approval', () => {
  const denied = ruled(ruled(held({ approvals: 3 })), { by: 'bob', verdict: 'deny', reason: 'no' });
  expect(releasesOf(denied).map(({ by }) => by)).toEqual(['ada']);
});

describe('a ruling is refused', () => {
  const adaIsAgent = { otherNames: (name: string) => (name === 'ada' ? ['agent'] : []), counts: () => true };
  const breaks = { breakGlass: true, reason: 'ward 4 waits' };
  it.each<[why: string, ruling: Partial<RulingRequest>, code: string]>([
    ['that names other bytes', { digest: '00'.repeat(32) }, 'digest_mismatch'],
    ['in a role that the hold does not name', { role: 'admin' }, 'forbidden'],
    ['of the requester', { by: 'agent' }, 'forbidden'],
    ['in the stead of the requester', { inStead: 'agent' }, 'forbidden'],
    ['of the requester by another of their names', { people: adaIsAgent }, 'forbidden'],
    [
      'of the requester by another name, that breaks the glass',
      { ...breaks, people: adaIsAgent },
      'forbidden',
    ],
    ['that denies without a reason', { verdict: 'deny', reason: ' ' }, 'invalid_argument'],
    ['that amends without a reason', { verdict: 'amend' }, 'invalid_argument'],
  ])('%s', (_why, ruling, code) => {
    const breakGlass = { roles: ['reviewer'], collectInMs: 1 };
    expect(() => ruled(held({ breakGlass }), ruling)).toThrow(expect.objectContaining({ code }));
  });

  it('that amends alone what needs two', () => {
    const amend = { verdict: 'amend', reason: 'less' } as const;
    expect(() => ruled(held({ approvals: 2 }), amend)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining('several approvals'),
      }),
    );
  });

  it('of whoever ruled for themselves or was ruled for', () => {
    const once = ruled(held({ approvals: 3 }), { inStead: 'bob' });
    expect(() => ruled(once)).toThrow('ada has ruled on this hold already.');
    expect(() => ruled(once, { by: 'bob' })).toThrow('in the stead of bob already.');
    expect(() => ruled(once, { by: 'cyd', inStead: 'bob' })).toThrow('in the stead of bob already.');
    expect(() => ruled(once, { by: 'cyd', inStead: 'ada' })).toThrow('ada has ruled on this hold already.');
    expect(ruled(ruled(once, { by: 'cyd' }), { by: 'dan' }).status).toBe('released');
  });
});

it('the requester may rule where the rule says so', () => {
  expect(ruled(held({ notRequester: false }), { by: 'agent' }).status).toBe('released');
});

describe('breaking the glass', () => {
  const glass = held({ approvals: 2, breakGlass: { roles: ['admin'], collectInMs: 1 } });
  const breaking = { role: 'admin', breakGlass: true, reason: 'ward 4 waits' } as const;

  it('releases alone, in a role that may', () => {
    expect(ruled(glass, breaking).status).toBe('released');
  });

  it.each<[why: string, ruling: Partial<RulingRequest>, told: string]>([
    ['to deny', { verdict: 'deny' }, 'releases what is held as it is'],
    ['in another role', { role: 'reviewer' }, 'Only the roles admin may break the glass.'],
    ['in the stead of another', { inStead: 'bob' }, 'in the stead of another'],
    ['for a call of one’s own', { by: 'agent' }, 'requester'],
    ['without a reason', { reason: '' }, 'A reason is required to break the glass'],
    ['on other bytes', { digest: '' }, 'other bytes'],
  ])('is refused %s', (_why, ruling, told) => {
    expect(() => ruled(glass, { ...breaking, ...ruling })).toThrow(told);
  });

  it('names whom to ask where some may', () => {
    expect(() => ruled(glass, { ...breaking, role: 'reviewer' })).toThrow(
      expect.objectContaining({ next: 'Ask somebody who has one of them.' }),
    );
  });

  it('is for nobody where the rule names none', () => {
    expect(() => ruled(held(), breaking)).toThrow(
      expect.objectContaining({
        message: 'Nobody may break the glass on this hold.',
        next: 'Ask for the approvals that it needs.',
      }),
    );
  });

  it('is for nobody to do to their own call, even where they might rule on it', () => {
    const own = held({ notRequester: false, breakGlass: { roles: ['admin'], collectInMs: 1 } });
    expect(() => ruled(own, { ...breaking, by: 'agent' })).toThrow('requester');
  });
});

describe('time', () => {
  it('lets a hold be ruled on before it is over, and not from then on', () => {
    expect(ruled(held(), {}, expiresAtMs - 1).status).toBe('released');
    expect(() => ruled(held(), {}, expiresAtMs)).toThrow(expect.objectContaining({ code: 'ruling_expired' }));
  });

  it('expires what waits, once it is over', () => {
    const waits = held();
    expect(afterExpiry(waits, expiresAtMs - 1)).toBe(waits);
    const expired = afterExpiry(waits, expiresAtMs);
    expect(expired.status).toBe('expired');
    expect(() => refuseUnlessOpen(expired, 0)).toThrow(expect.objectContaining({ code: 'ruling_expired' }));
  });

  it('changes nothing about what was ruled before', () => {
    const released = ruled(held());
    expect(afterExpiry(released, expiresAtMs)).toBe(released);
    expect(() => refuseUnlessOpen(released, expiresAtMs)).toThrow(
      expect.objectContaining({ code: 'already_ruled', message: 'The hold is already released.' }),
    );
  });
});

describe('a ladder', () => {
  const escalation = [
    { atMs: 1, roles: ['admin'] },
    { atMs: 2, roles: ['privacy', 'admin'] },
  ];
  const climbed = (escalated: number): HoldState => ({
    ...held({ escalation, needs: [{ approvals: 1, roles: ['reviewer'] }] }),
    escalated,
  });

  it('lets further roles rule, a step at a time', () => {
    expect([0, 1, 2].map((steps) => rolesNow(climbed(steps)))).toEqual([
      ['reviewer'],
      ['reviewer', 'admin'],
      ['reviewer', 'admin', 'privacy'],
    ]);
  });

  it('has those whom it reached count for what is asked for by role', () => {
    expect(ruled(climbed(1), { role: 'admin' }).status).toBe('released');
    expect(needsOf({ ...climbed(0), rulings: ruled(climbed(1), { role: 'admin' }).rulings })).toMatchObject([
      { left: 1 },
    ]);
  });
});

describe('approvals that count no more', () => {
  const bobIsOut = { otherNames: () => [], counts: ({ by }: Approval) => by !== 'bob' };
  const bobIsBack = { ...bobIsOut, counts: () => true };
  const twice = ruled(ruled(held({ approvals: 2 })), { by: 'bob', people: bobIsOut });

  it('release nothing, and let nothing go by themselves once they count again', () => {
    expect(twice.status).toBe('pending');
    expect(() => ruled(twice, { people: bobIsOut })).toThrow('ada has ruled');
  });

  it('have the last word once they count again, of one who approved and in no other way', () => {
    expect(ruled(twice, { people: bobIsBack }).status).toBe('released');
    expect(ruled(twice, { by: 'bob', people: bobIsBack }).status).toBe('released');
    expect(() => ruled(twice, { inStead: 'bob', people: bobIsBack })).toThrow('has ruled');
    expect(() => ruled(twice, { verdict: 'deny', reason: 'no', people: bobIsBack })).toThrow('ada has ruled');
    expect(() => ruled(twice, { by: 'cyd', inStead: 'ada', people: bobIsBack })).toThrow('ada has ruled');
    const alias = { ...bobIsBack, otherNames: (name: string) => (name === 'oidc:ada' ? ['ada'] : []) };
    expect(() => ruled(twice, { by: 'oidc:ada', people: alias })).toThrow(
      'ada, who is the same person, has ruled on this hold already.',
    );
  });
});
