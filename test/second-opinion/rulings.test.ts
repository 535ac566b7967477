/** Who may rule on a hold, and how many of whom it takes: what both verifiers find of ledgers validly signed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createLedgerBuilder,
  type Fields,
  type HeldExchange,
  type LedgerBuilder,
  sealHeldResponse,
} from '../support/ledger-builder.ts';
import { type Folder, makeFolder, streamOf } from './ledgers.ts';
import { missing, ours, second } from './opinions.ts';

let folder: Folder;
beforeAll(() => {
  folder = makeFolder();
});
afterAll(() => folder.remove());

type Scenario = (builder: LedgerBuilder, held: HeldExchange) => void;

const rule = (builder: LedgerBuilder, held: HeldExchange, data: Fields, parts = {}): number =>
  builder.ruling(held.decision, held.hold, { digest: held.digest, ...data }, parts);

function escalate(builder: LedgerBuilder, { decision, hold }: HeldExchange, step = 1): void {
  const data = { action: 'escalation', by: 'holdpoint', decision, hold, role: 'holdpoint', step };
  builder.seal({ type: 'access', data, refs: [decision, hold] });
}

const byRole = {
  approvals: 2,
  roles: ['reviewer', 'privacy'],
  needs: [
    { approvals: 1, roles: ['reviewer'] },
    { approvals: 1, roles: ['privacy'] },
  ],
};
const ladder = { escalation: [{ at: 1, roles: ['admin'] }] };
const glass = { approvals: 2, breakGlass: { collect: 300_000, roles: ['admin'] } };
const reason = { reason: 'The plant is on fire.' };
const alone = { by: 'olga', role: 'admin', breakGlass: true };

const scenarios: readonly (readonly [string, Fields, Scenario, readonly string[]])[] = [
  [
    'one of each role is enough',
    byRole,
    (b, h) => {
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, { by: 'petra', role: 'privacy' });
    },
    [],
  ],
  [
    'two of one role are not one of each',
    byRole,
    (b, h) => {
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, { by: 'otto' });
    },
    ['quorum_not_met at 5'],
  ],
  [
    'one person in two roles is one person',
    byRole,
    (b, h) => {
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, { by: 'rita', role: 'privacy' });
    },
    ['quorum_not_met at 5'],
  ],
  [
    'a role of the ladder may not rule before its step',
    ladder,
    (b, h) => rule(b, h, { role: 'admin' }),
    ['ruling_role_not_allowed at 4'],
  ],
  [
    'a role of the ladder may rule after its step',
    ladder,
    (b, h) => {
      escalate(b, h);
      rule(b, h, { role: 'admin' });
    },
    [],
  ],
  ['a step that the hold has not', ladder, (b, h) => escalate(b, h, 2), ['escalation_unfounded at 4']],
  ['a step of a hold without a ladder', {}, (b, h) => escalate(b, h), ['escalation_unfounded at 4']],
  [
    'a step after the hold ended',
    ladder,
    (b, h) => {
      rule(b, h, {});
      escalate(b, h);
    },
    ['escalation_unfounded at 5'],
  ],
  ['one person may break the glass, with a reason', glass, (b, h) => rule(b, h, alone, reason), []],
  [
    'breaking the glass needs a reason',
    glass,
    (b, h) => rule(b, h, alone),
    ['break_glass_without_reason at 4'],
  ],
  [
    'breaking the glass needs its own role',
    glass,
    (b, h) => rule(b, h, { ...alone, role: 'reviewer' }, reason),
    ['ruling_role_not_allowed at 4'],
  ],
  [
    'nobody breaks the glass of a hold that has none',
    {},
    (b, h) => rule(b, h, { ...alone, role: 'reviewer' }, reason),
    ['ruling_role_not_allowed at 4'],
  ],
  [
    'the requester does not break the glass, whatever the hold says of them',
    { ...glass, notRequester: false },
    (b, h) => rule(b, h, { ...alone, by: 'agent-7' }, reason),
    ['ruling_requester at 4'],
  ],
  [
    'the glass is not broken to deny',
    glass,
    (b, h) => rule(b, h, { ...alone, verdict: 'deny' }, reason),
    ['leaf_malformed at 4'],
  ],
  ['needs that are no list', { needs: 'two' }, () => undefined, ['leaf_malformed at 3']],
];

describe.skipIf(missing.length > 0)('verify.py and our verifier', () => {
  it.each(scenarios)('say alike: %s', async (name, terms, scenario, found) => {
    const builder = createLedgerBuilder();
    builder.genesis();
    scenario(builder, sealHeldResponse(builder, terms));
    builder.commit();
    const bytes = streamOf(builder.records);
    const mine = await ours(bytes);
    const opinion = await second(folder.write(name.replaceAll(/\W/g, '-'), bytes));
    expect(mine.findings.map(({ code, seq }) => `${code} at ${seq}`)).toEqual(found);
    expect(opinion.findings.map(({ code, seq }) => `${code} at ${seq}`)).toEqual(found);
  });
});
