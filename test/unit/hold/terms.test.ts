/** What a hold demands is the same after a restart: its terms are read back from what was sealed of them. */
import { expect, it } from 'vitest';
import { fixedTerms, type HoldTermsFixed, termsData, termsFromData } from '../../../src/hold/terms.ts';

const plain: HoldTermsFixed = {
  ...{ approvals: 2, roles: ['reviewer', 'privacy'], notRequester: true, requester: 'agent' },
  ...{ digest: '7d'.repeat(32), expiresAtMs: 61_000 },
};
const breakGlass = { roles: ['admin'], collectInMs: 30_000 };

it('times are counted from the opening of the hold', () => {
  const rule = { expiresInMs: 60_000, approvals: 2, roles: plain.roles, notRequester: true };
  const about = { openedAtMs: 1_000, requester: plain.requester, digest: plain.digest };
  expect(fixedTerms(rule, about)).toEqual(plain);
  const escalation = [{ afterMs: 10_000, roles: ['admin'] }];
  expect(fixedTerms({ ...rule, escalation }, about)).toEqual({
    ...plain,
    escalation: [{ atMs: 11_000, roles: ['admin'] }],
  });
});

for (const [what, more] of Object.entries<Partial<HoldTermsFixed>>({
  'that ask for the least': {},
  'that let the requester rule': { notRequester: false },
  'with approvals by role': { needs: [{ approvals: 1, roles: ['privacy', 'admin'] }] },
  'with a time to collect': { collectInMs: 5_000 },
  'with a ladder': { escalation: [{ atMs: 11_000, roles: ['admin'] }] },
  'with a glass to break': { breakGlass },
  'with a review of who broke it': { breakGlass: { ...breakGlass, reviewInMs: 90_000 } },
}))
  it(`terms ${what} are read back as they were sealed`, () => {
    const terms = { ...plain, ...more };
    const sealed = JSON.parse(JSON.stringify(termsData(terms)));
    expect(termsData(terms)).toStrictEqual(sealed);
    expect(termsFromData(sealed)).toStrictEqual(terms);
  });

it('of terms that say nothing nobody may rule, and they are over', () => {
  const nobody = { approvals: 0, roles: [], notRequester: false, requester: '', digest: '', expiresAtMs: 0 };
  expect(termsFromData({})).toStrictEqual(nobody);
  const wrong = {
    approvals: '2',
    roles: 'reviewer',
    notRequester: 'yes',
    requester: 1,
    digest: 2,
    expires: '9',
  };
  expect(termsFromData(wrong)).toStrictEqual(nobody);
});

it('what is no role, need, step or glass counts as none', () => {
  const {
    roles,
    needs,
    escalation,
    breakGlass: glass,
  } = termsFromData({
    ...{ roles: ['reviewer', 7], needs: ['privacy', [1]], escalation: 'later', breakGlass: ['admin'] },
  });
  expect([roles, needs, escalation, glass]).toEqual([['reviewer'], [], [], undefined]);
});
