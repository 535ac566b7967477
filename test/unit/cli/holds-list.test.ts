/** The queue as lines. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rulingsIn } from '../../../src/cli/hold-answers.ts';
import { printQueue } from '../../../src/cli/holds.ts';
import { whoRules } from '../../../src/cli/who-rules.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

it('shows that more of a headline is there than fits its column', () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const headline = `transfer_funds ${'0123456789'.repeat(8)}`;
  const names = { workload: 'billing', model: 'gpt-test', digest: '', contentDigest: '', assignee: '' };
  const times = { openedAt: '2026-11-26T10:00:00.000Z', expiresAt: '2026-11-26T10:15:00.000Z' };
  const approvals = { needed: 1, given: [], byRole: [] };
  const hold = {
    ...{ id: 'h-1', decisionId: 'd-1', state: 'pending', severity: 'high', headline, commentCount: 0 },
    ...{ ...names, ...times, approvals, caller: 'waiting', possibleDuplicate: false, roles: ['reviewer'] },
  };
  printQueue(
    { items: [hold, { ...hold, id: 'h-2', headline: 'short', workload: '' }], total: 2 },
    'pending',
    0,
  );
  const rows = written.join('').split('\n');
  expect(rows[1]).toContain(`  ${headline.slice(0, 59)}…  billing`);
  expect(rows[2]).toContain('  short ');
  expect(rows[2]).not.toContain('…');
  expect(rows[2]).toContain('  unnamed   gpt-test  ');
});

it('shows of holds that ended how each did, and no time that is left', () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const times = { openedAt: '2026-11-26T10:00:00.000Z', expiresAt: '2999-11-26T10:15:00.000Z' };
  const { exchange: _, ...hold } = { ...terms, ...times, caller: 'gone' };
  printQueue({ items: [hold, { ...hold, state: 'expired' }], total: 2 }, undefined, 0);
  const [head, ...rows] = written.join('').split('\n');
  expect(head).toMatch(/ AGE +STATE +APPROVALS /);
  expect(rows[0]).toMatch(/ released +0\/1 +gone/);
  expect(rows[1]).toMatch(/ expired +0\/1 +gone/);
  printQueue({ items: [], total: 0 }, 'expired', 0);
  expect(written.at(-1)).toContain('holdpoint decisions list');
});

const terms = {
  ...{ approvals: { needed: 1, given: [], byRole: [] }, rulings: [], roles: ['reviewer'] },
  ...{ escalated: [], escalation: [], breakGlass: [], breakGlassCollectInMs: null, collectInMs: 60_000 },
  ...{ state: 'released', notRequester: true },
  ...{ id: 'h-1', decisionId: 'd-1', severity: 'high', headline: '', workload: '', model: '', digest: '' },
  ...{ contentDigest: '', assignee: '', commentCount: 0, openedAt: '', expiresAt: '', caller: '' },
  ...{ exchange: null, comments: [], unreadable: [], review: null, rules: [], policy: { version: '1' } },
  ...{ possibleDuplicate: false, inStead: [], outcome: null },
  actions: { release: '', deny: '', amend: '', releaseCalls: '', breakGlass: '' },
};

describe('who asked', () => {
  it.each([
    ['ada', 'may not: ada, who asked'],
    ['', 'may not: whoever asked'],
  ])('%j is told as who may not rule', (requester, said) => {
    expect(whoRules({ ...terms, requester })).toContain(said);
  });
});

it('an approval that counts no more is not told as one that was given', () => {
  const approved = (by: string) => ({
    by,
    role: 'reviewer',
    verdict: 'release',
    at: '2026-11-26T10:01:00.000Z',
    breakGlass: false,
    withheld: [],
    inStead: '',
    reason: '',
  });
  const approvals = { needed: 3, given: ['otto'], byRole: [] };
  const rulings = [approved('ada'), approved('otto')];
  expect(whoRules({ ...terms, state: 'pending', requester: '', approvals, rulings })[0]).toBe(
    '[ ] 3 x reviewer, approved by otto (reviewer), 2 still needed',
  );
});

it('of a hold that is over nothing is said to be needed or offered, nor of what comes once it is released', () => {
  expect(whoRules({ ...terms, state: 'denied', requester: '' })).toEqual([
    '[ ] 1 x reviewer',
    'could rule: reviewer',
    'may not: whoever asked',
    'break glass: nobody may',
  ]);
});

it('a ruling that nobody made is told as one', () => {
  const expired = { by: 'holdpoint', role: 'holdpoint', verdict: 'expired', at: '2026-11-26T10:15:00.000Z' };
  const rulings = [{ ...expired, breakGlass: false, withheld: [], inStead: '', reason: null }];
  expect(rulingsIn({ ...terms, requester: '', rulings })).toEqual([
    { title: 'expired at 2026-11-26T10:15:00.000Z: nobody ruled in time', reason: '' },
  ]);
});
