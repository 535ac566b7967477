/** What a ruling does, in the words a reviewer reads before pressing. */
import { describe, expect, it } from 'vitest';
import type { HoldSummary } from '../../../../src/console/answers/hold-data.ts';
import type { HoldDetail } from '../../../../src/console/answers/hold-detail.ts';
import { closedActions, effectOf, stillNeeded, wasRuled } from '../../../../src/console/desk/ruling-words.ts';
import { needsOf } from '../../../../src/console/hold/who-rules.ts';
import { hold } from '../holds.ts';

const open = { release: '', deny: '', amend: '', amendText: '', releaseCalls: '', breakGlass: '' };
const byRole = [
  { needed: 1, roles: ['reviewer'], left: 1 },
  { needed: 1, roles: ['privacy'], left: 1 },
];

function detail(change: Partial<HoldSummary> = {}, more: Partial<HoldDetail> = {}): HoldDetail {
  return {
    summary: hold('a', change),
    rules: [],
    policy: { version: '1', digest: '' },
    rulings: [],
    history: [],
    workloadHolds: [],
    workloadUnreadable: [],
    unreadable: [],
    comments: [],
    review: null,
    actions: open,
    inStead: [],
    notRequester: false,
    escalated: [],
    collectInMs: 900_000,
    breakGlassCollectInMs: null,
    exchange: null,
    ...more,
  };
}

describe('who is still needed', () => {
  it.each([
    ['nobody, where one suffices', { needed: 1, given: [], byRole: [] }, 'reviewer', ''],
    ['so many more', { needed: 3, given: ['ada'], byRole: [] }, 'reviewer', '1 more person'],
    ['the other role', { needed: 2, given: [], byRole }, 'reviewer', '1 privacy'],
    [
      'the own role, where another of it is missing',
      { needed: 3, given: [], byRole: [{ needed: 2, roles: ['reviewer'], left: 2 }] },
      'reviewer',
      '1 reviewer',
    ],
  ])('is %s', (_what, approvals, role, words) => {
    expect(stillNeeded(approvals, role, [])).toBe(words);
  });

  it('counts whom it escalated to for any role', () => {
    const approvals = { needed: 2, given: ['ada'], byRole: [{ needed: 1, roles: ['privacy'], left: 1 }] };
    expect(stillNeeded(approvals, 'admin', ['admin'])).toBe('');
    expect(stillNeeded(approvals, 'admin', [])).toBe('1 privacy');
  });
});

describe('what a release does', () => {
  it('is to send the held bytes, and how long they wait where the caller is gone', () => {
    expect(effectOf('release', detail(), 'reviewer', new Set())).toBe(
      'The workload gets exactly the held bytes, once.',
    );
    const gone = detail({ callerWaits: false }, { collectInMs: 7_200_000 });
    expect(effectOf('release', gone, 'reviewer', new Set())).toContain('a retry within 2 h collects it');
  });

  it('is not to send anything while somebody else is needed', () => {
    const held = detail({ approvals: { needed: 2, given: [], byRole } });
    expect(effectOf('release', held, 'reviewer', new Set())).toBe(
      'Your approval is sealed; it goes once 1 privacy approved as well.',
    );
  });

  it('is to leave out the calls that are withheld', () => {
    expect(effectOf('release', detail(), 'reviewer', new Set([1]))).toContain(
      'without the calls you withhold',
    );
  });
});

describe('who approved', () => {
  const ruling = { atMs: 0, verdict: 'release', withheld: [], breakGlass: false, inStead: '', reason: '' };
  it('stands beside the role it counts for', () => {
    const held = detail(
      { approvals: { needed: 2, given: ['ada'], byRole } },
      { rulings: [{ ...ruling, by: 'ada', role: 'reviewer' }] },
    );
    expect(needsOf(held).map(({ by }) => by)).toEqual([['ada (reviewer)'], []]);
  });

  it('stands in every place that somebody counts for whom it escalated to', () => {
    const held = detail(
      { approvals: { needed: 2, given: ['olga'], byRole } },
      {
        rulings: [{ ...ruling, by: 'olga', role: 'admin' }],
        escalated: [{ atMs: 0, roles: ['admin'] }],
      },
    );
    expect(needsOf(held).map(({ by }) => by)).toEqual([['olga (admin)'], ['olga (admin)']]);
  });

  it.each([
    ['whoever may', []],
    ['a role', [{ needed: 3, roles: ['reviewer'], left: 2 }]],
  ])('is not told as given by %s once it counts no more', (_whom, byRoleNow) => {
    const held = detail(
      { approvals: { needed: 3, given: ['otto'], byRole: byRoleNow } },
      { rulings: ['ada', 'otto'].map((by) => ({ ...ruling, by, role: 'reviewer' })) },
    );
    expect(needsOf(held).map(({ by, left }) => [by, left])).toEqual([[['otto (reviewer)'], 2]]);
  });
});

it('actions that are closed for the same reason are told together', () => {
  const actions = { ...open, amend: 'Two must agree.', 'break-glass': '', breakGlass: 'Two must agree.' };
  expect(closedActions(actions, ['release', 'amend', 'break-glass'])).toEqual([
    { closed: ['amend', 'break-glass'], why: 'Two must agree.' },
  ]);
});

it.each([
  [{ verdict: 'release' }, 'Released by ada.'],
  [{ verdict: 'release', breakGlass: true }, 'Released by ada alone, who broke the glass.'],
  [{ verdict: 'amend', withheld: [0] }, 'Released by ada without 1 of its calls, which was withheld.'],
  [{ verdict: 'amend', withheld: [0, 2] }, 'Released by ada without 2 of its calls, which were withheld.'],
  [{ verdict: 'expired' }, 'Expired: nobody ruled in time.'],
])('the ruling %j reads: %s', (ruling, words) => {
  expect(
    wasRuled({
      by: 'ada',
      role: 'reviewer',
      atMs: 0,
      withheld: [],
      breakGlass: false,
      inStead: '',
      reason: null,
      ...ruling,
    }),
  ).toBe(words);
});
