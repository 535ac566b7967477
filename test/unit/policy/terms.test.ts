/** What rules may ask of the people who rule, and what several rules ask together. */
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../../src/config/yaml.ts';
import type { HoldTerms } from '../../../src/policy/policy.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { strictest } from '../../../src/policy/terms.ts';
import { policyText, thrown } from './support.ts';

const read = (hold: string) =>
  readYaml('policy.yaml', policyText('response.text == "yes"', { hold }), policySchema, 'policy_invalid')
    .rules[0]?.hold;
const complaint = (hold: string): string => thrown(() => read(hold)).message;

const base: HoldTerms = { expiresInMs: 900_000, approvals: 1, roles: ['reviewer'], notRequester: true };

describe('the terms of a rule', () => {
  it('asks for people by role, which then are the only ones who rule', () => {
    expect(read('{ approvals: { reviewer: 2, privacy: 1 } }')).toEqual({
      ...base,
      approvals: 3,
      roles: ['reviewer', 'privacy'],
      needs: [
        { approvals: 2, roles: ['reviewer'] },
        { approvals: 1, roles: ['privacy'] },
      ],
    });
  });

  it('keeps the time to rule apart from the time to collect', () => {
    expect(read('{ expiresIn: 1h, collectIn: 30s }')).toMatchObject({
      expiresInMs: 3_600_000,
      collectInMs: 30_000,
    });
  });

  it('reads a ladder and who may break the glass', () => {
    expect(
      read('{ escalate: [{ after: 5m, roles: [admin] }], breakGlass: { roles: [admin] } }'),
    ).toMatchObject({
      escalation: [{ afterMs: 300_000, roles: ['admin'] }],
      breakGlass: { roles: ['admin'], collectInMs: 300_000 },
    });
  });

  it('reads by when what was released so is reviewed', () => {
    expect(read('{ breakGlass: { roles: [admin], reviewIn: 2d } }')?.breakGlass).toEqual({
      roles: ['admin'],
      collectInMs: 300_000,
      reviewInMs: 172_800_000,
    });
  });

  it('may ask for one person of a role, and for as many as a hold may ask for', () => {
    expect(read('{ approvals: { admin: 1 } }')?.approvals).toBe(1);
    expect(read('{ approvals: { reviewer: 6, admin: 4 } }')?.approvals).toBe(10);
    expect(complaint('{ approvals: { reviewer: 6, admin: 5 } }')).toContain(
      'asks for 11 people; it must be 1 to 10 in all',
    );
  });

  const glass = (terms: string) => `{ breakGlass: { roles: [admin], ${terms} } }`;
  it.each([
    ['{ expiresIn: 7d }', '{ expiresIn: 604801s }', 'from 1s to 7d'],
    ['{ collectIn: 1d }', '{ collectIn: 86401s }', 'from 1s to 1d'],
    [glass('collectIn: 1h'), glass('collectIn: 3601s'), 'from 1s to 1h'],
    [glass('reviewIn: 60s'), glass('reviewIn: 59s'), 'from 1m to 30d'],
    [glass('reviewIn: 30d'), glass('reviewIn: 721h'), 'from 1m to 30d'],
  ])('takes %s, and refuses %s', (last, beyond, bounds) => {
    expect(read(last)).toBeDefined();
    expect(complaint(beyond)).toContain(`it must be ${bounds}`);
  });

  it.each([
    ['{ approvals: { reviewer: 1 }, roles: [admin] }', 'stands beside approvals by role'],
    ['{ approvals: {} }', 'asks for 0 people'],
    ['{ approvals: { reviewer: 6, admin: 6 } }', 'asks for 12 people'],
    ['{ escalate: [{ after: 15m, roles: [admin] }] }', 'earlier than expiresIn'],
    [
      '{ escalate: [{ after: 5m, roles: [admin] }, { after: 5m, roles: [privacy] }] }',
      'later than the step before',
    ],
    ['{ breakGlass: { roles: [admin], collectIn: 2h } }', 'from 1s to 1h'],
    ['{ breakGlass: {} }', 'breakGlass.roles'],
    ['{ approvals: { viewer: 1 } }', 'approvals'],
  ])('refuses %s', (hold, why) => {
    expect(complaint(hold)).toContain(why);
  });
});

describe('the terms of several rules', () => {
  it('are the most people, the shortest times and the roles that all of them allow', () => {
    const other = {
      ...base,
      expiresInMs: 60_000,
      collectInMs: 5_000,
      approvals: 2,
      roles: ['admin', 'reviewer'],
    };
    expect(strictest([base, { ...other, notRequester: false }])).toEqual({
      ...base,
      expiresInMs: 60_000,
      collectInMs: 5_000,
      approvals: 2,
    });
  });

  it('ask for the people of each where no role satisfies all', () => {
    expect(strictest([base, { ...base, roles: ['privacy'] }])).toMatchObject({
      approvals: 2,
      roles: ['reviewer', 'privacy'],
      needs: [
        { approvals: 1, roles: ['reviewer'] },
        { approvals: 1, roles: ['privacy'] },
      ],
    });
  });

  it('ask for the people of each where one names them by role, whatever role the others allow too', () => {
    const byRole = { ...base, approvals: 2, roles: ['reviewer', 'privacy'] };
    const needs = [
      { approvals: 1, roles: ['reviewer'] },
      { approvals: 1, roles: ['privacy'] },
    ];
    expect(strictest([{ ...byRole, needs }, base])).toMatchObject({
      approvals: 2,
      roles: ['reviewer', 'privacy'],
      needs: [...needs, { approvals: 1, roles: ['reviewer'] }],
    });
  });

  it('count the people of one role once, and never fewer than a rule asks for', () => {
    const one = { ...base, needs: [{ approvals: 1, roles: ['reviewer'] }] };
    expect(strictest([one, { ...base, approvals: 3 }]).approvals).toBe(3);
    expect(strictest([{ ...base, approvals: 3 }, one]).approvals).toBe(3);
  });

  it('are met by no role that one of three does not allow', () => {
    const roles = (...names: string[]): HoldTerms => ({ ...base, roles: names });
    const { needs } = strictest([roles('reviewer', 'privacy'), roles('reviewer'), roles('privacy')]);
    expect(needs?.map((need) => need.roles)).toEqual([['reviewer', 'privacy'], ['reviewer'], ['privacy']]);
  });

  it('leave the shortest time to collect, and to review what was let through alone', () => {
    const terms = (ms: number): HoldTerms => ({
      ...base,
      collectInMs: ms,
      breakGlass: { roles: ['admin'], collectInMs: ms, reviewInMs: 100 * ms },
    });
    for (const all of [
      [terms(5_000), terms(30_000)],
      [terms(30_000), terms(5_000)],
    ] as const)
      expect(strictest(all)).toMatchObject({
        collectInMs: 5_000,
        breakGlass: { collectInMs: 5_000, reviewInMs: 500_000 },
      });
  });

  it('escalate to a role once the last of them does, and not to one that any of them withholds', () => {
    const ladder = (steps: readonly [number, string][]): HoldTerms => ({
      ...base,
      escalation: steps.map(([afterMs, role]) => ({ afterMs, roles: [role] })),
    });
    const [first, second] = [
      ladder([
        [1_000, 'admin'],
        [2_000, 'privacy'],
      ]),
      ladder([[3_000, 'admin']]),
    ];
    expect(strictest([first, second]).escalation).toEqual([{ afterMs: 3_000, roles: ['admin'] }]);
    expect(strictest([first, base]).escalation).toBeUndefined();
    const later = ladder([
      [3_000, 'admin'],
      [2_500, 'privacy'],
    ]);
    expect(strictest([first, later]).escalation).toEqual([
      { afterMs: 2_500, roles: ['privacy'] },
      { afterMs: 3_000, roles: ['admin'] },
    ]);
    const together = ladder([
      [3_000, 'admin'],
      [3_000, 'privacy'],
    ]);
    expect(strictest([first, together]).escalation).toEqual([
      { afterMs: 3_000, roles: ['admin', 'privacy'] },
    ]);
  });

  it('let nobody break the glass unless each of them does', () => {
    const glass = { ...base, breakGlass: { roles: ['admin', 'privacy'], collectInMs: 9_000 } };
    const other = { ...base, breakGlass: { roles: ['admin'], collectInMs: 60_000 } };
    expect(strictest([glass, other]).breakGlass).toEqual({ roles: ['admin'], collectInMs: 9_000 });
    expect(strictest([glass, base]).breakGlass).toBeUndefined();
  });
});
