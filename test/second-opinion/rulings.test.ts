/** Who may rule on a hold, and how many of whom it takes: what both verifiers find of ledgers validly signed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createLedgerBuilder,
  type Fields,
  type HeldExchange,
  type LedgerBuilder,
  reviewerKeyOf,
  sealHeldResponse,
  signAs,
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

const about = ({ decision, hold }: HeldExchange): Fields => ({
  decision,
  hold,
  by: 'rita',
  role: 'reviewer',
});
const act = (builder: LedgerBuilder, data: Fields, parts = {}): number =>
  builder.seal({ type: 'access', data, refs: [], parts });
const say = (builder: LedgerBuilder, held: HeldExchange, parts: object = { comment: 'Seen?' }): number =>
  act(builder, { ...about(held), action: 'comment' }, parts);
const hand = (builder: LedgerBuilder, held: HeldExchange, assignee: Fields[string] = 'otto'): number =>
  act(builder, { ...about(held), action: 'assign', assignee });
const find = (builder: LedgerBuilder, held: HeldExchange, data: Fields = {}): number =>
  act(
    builder,
    { ...about(held), action: 'review', verdict: 'justified', ...data },
    { finding: 'It burned.' },
  );
/** Long after every entry of these ledgers. */
const later = Date.UTC(2027, 0, 1);
const lend = (builder: LedgerBuilder, data: Fields = {}): number =>
  act(builder, { action: 'delegate', by: 'petra', role: 'privacy', delegate: 'otto', until: later, ...data });
const end = (builder: LedgerBuilder, delegation: number, data: Fields = {}): number =>
  act(builder, { action: 'delegation_end', by: 'petra', role: 'privacy', delegation, ...data });
const stead = { by: 'otto', role: 'privacy', inStead: 'petra' };

type Case = readonly [string, Fields, Scenario, readonly string[]];

/** What people do about holds besides ruling. */
const oversight: readonly Case[] = [
  [
    'people talk about a hold that waits and hand it over',
    {},
    (b, h) => {
      say(b, h);
      hand(b, h);
      hand(b, h, '');
      rule(b, h, {});
    },
    [],
  ],
  ['a comment has a text', {}, (b, h) => say(b, h, {}), ['leaf_malformed at 4']],
  ['a hold is handed to a name', {}, (b, h) => hand(b, h, 7), ['leaf_malformed at 4']],
  [
    'nobody talks about a hold that was ruled on',
    {},
    (b, h) => {
      rule(b, h, {});
      say(b, h);
    },
    ['comment_unfounded at 5'],
  ],
  [
    'nobody takes a hold that was ruled on',
    {},
    (b, h) => {
      rule(b, h, {});
      hand(b, h);
    },
    ['assignment_unfounded at 5'],
  ],
  [
    'what one released alone another reviews, after the decision ended too',
    glass,
    (b, h) => {
      rule(b, h, alone, reason);
      b.deliver(h.decision, h.hold, h.digest);
      b.close([[h.decision, 'delivered']]);
      find(b, h);
    },
    [],
  ],
  [
    'who broke the glass does not review it',
    glass,
    (b, h) => {
      rule(b, h, alone, reason);
      find(b, h, { by: 'olga' });
    },
    ['review_not_independent at 5'],
  ],
  [
    'who asked for it does not review it',
    glass,
    (b, h) => {
      rule(b, h, alone, reason);
      find(b, h, { by: 'agent-7' });
    },
    ['review_not_independent at 5'],
  ],
  [
    'a review is written once',
    glass,
    (b, h) => {
      rule(b, h, alone, reason);
      find(b, h);
      find(b, h);
    },
    ['review_unfounded at 6'],
  ],
  ['what nobody released alone is not reviewed', glass, (b, h) => find(b, h), ['review_unfounded at 4']],
  [
    'a review says one thing or the other',
    glass,
    (b, h) => find(b, h, { verdict: 'fine' }),
    ['leaf_malformed at 4'],
  ],
  [
    'who approved says the last word, where an approval counts again that did not for a while',
    { approvals: 2 },
    (b, h) => {
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, { by: 'otto', final: false });
      rule(b, h, { by: 'otto' });
    },
    [],
  ],
  [
    'who approved twice is one person',
    { approvals: 2 },
    (b, h) => {
      rule(b, h, { by: 'otto', final: false });
      rule(b, h, { by: 'otto' });
    },
    ['quorum_not_met at 5'],
  ],
  [
    'a role that was lent is one of those that are asked for',
    byRole,
    (b, h) => {
      lend(b);
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, stead);
    },
    [],
  ],
  [
    'nobody rules in a stead that nobody gave',
    byRole,
    (b, h) => rule(b, h, { ...stead, final: false }),
    ['ruling_not_delegated at 4'],
  ],
  [
    'nobody rules in a stead once it was ended',
    byRole,
    (b, h) => {
      end(b, lend(b));
      rule(b, h, { ...stead, final: false });
    },
    ['ruling_not_delegated at 6'],
  ],
  [
    'nobody rules in a stead whose time is over',
    byRole,
    (b, h) => {
      lend(b, { until: Date.UTC(2026, 10, 22, 8) });
      rule(b, h, { ...stead, final: false });
    },
    ['ruling_not_delegated at 5'],
  ],
  [
    'somebody who was given a stead twice has it for the longer of the two',
    byRole,
    (b, h) => {
      lend(b);
      lend(b, { until: Date.UTC(2026, 10, 22, 8) });
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, stead);
    },
    [],
  ],
  [
    'of two steads the one that is not ended goes on',
    byRole,
    (b, h) => {
      const short = lend(b, { until: Date.UTC(2026, 10, 22, 8) });
      lend(b);
      end(b, short);
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, stead);
    },
    [],
  ],
  [
    'nobody rules in a stead that was given to another, or in another role',
    byRole,
    (b, h) => {
      lend(b, { delegate: 'rita' });
      lend(b, { role: 'reviewer' });
      rule(b, h, { ...stead, final: false });
    },
    ['ruling_not_delegated at 6'],
  ],
  [
    'one person in their own role and in a stead is one person',
    byRole,
    (b, h) => {
      lend(b);
      rule(b, h, { by: 'otto', final: false });
      rule(b, h, stead);
    },
    ['quorum_not_met at 6'],
  ],
  [
    'who was away and who stood in are one voice',
    { approvals: 2, roles: ['reviewer', 'privacy'] },
    (b, h) => {
      lend(b);
      rule(b, h, { ...stead, final: false });
      rule(b, h, { by: 'petra', role: 'privacy' });
    },
    ['quorum_not_met at 6'],
  ],
  [
    'the requester does not rule in a stead, and nobody in the requester’s',
    { ...byRole, notRequester: true },
    (b, h) => {
      lend(b, { by: 'agent-7' });
      rule(b, h, { ...stead, inStead: 'agent-7', final: false });
    },
    ['ruling_requester at 5'],
  ],
  [
    'nobody breaks the glass in a stead',
    glass,
    (b, h) => rule(b, h, { ...alone, inStead: 'petra' }, reason),
    ['leaf_malformed at 4'],
  ],
  [
    'nobody stands in for themselves',
    {},
    (b) => lend(b, { delegate: 'petra' }),
    ['delegation_unfounded at 4'],
  ],
  [
    'another does not end a delegation, an admin does',
    {},
    (b) => {
      end(b, lend(b), { by: 'rita' });
      end(b, lend(b), { by: 'root', role: 'admin' });
    },
    ['delegation_unfounded at 5'],
  ],
  [
    'a delegation ends once',
    {},
    (b) => {
      const begun = lend(b);
      end(b, begun, { by: 'holdpoint', role: 'holdpoint' });
      end(b, begun);
    },
    ['delegation_unfounded at 6'],
  ],
];

const joined = [['rita', 'oidc:https://id.example.com#1', 'root'], ['agent-7', 'ann'], ['petra']];
const join = (builder: LedgerBuilder, people: Fields[string] = joined): number => builder.start({ people });
const [, ritaToo = ''] = joined[0] ?? [];

function enrol(builder: LedgerBuilder, by: string, owner: string): void {
  const key = reviewerKeyOf(owner);
  const possession = signAs(owner, `holdpoint/enrol/1\0${builder.origin}\n${owner}\n${key}\n`);
  const data = { action: 'enrol', by, key, owner, possession, reason: 'first', role: 'admin' };
  builder.seal({ type: 'key', data });
}

/** Names that a start lists as one person's. */
const samePerson: readonly Case[] = [
  [
    'two names of one person are one person',
    { approvals: 2 },
    (b, h) => {
      join(b);
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, { by: ritaToo });
    },
    ['quorum_not_met at 6'],
  ],
  [
    'names of two people are two people',
    { approvals: 2 },
    (b, h) => {
      join(b);
      rule(b, h, { by: ritaToo, final: false });
      rule(b, h, { by: 'ann' });
    },
    ['ruling_requester at 6'],
  ],
  [
    'two who approved before they were found to be one person count once',
    { approvals: 3 },
    (b, h) => {
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, { by: ritaToo, final: false });
      join(b);
      rule(b, h, { by: 'otto' });
    },
    ['quorum_not_met at 7'],
  ],
  [
    'what the start before said of names is over',
    { approvals: 2 },
    (b, h) => {
      join(b);
      rule(b, h, { by: 'rita', final: false });
      b.start();
      rule(b, h, { by: ritaToo });
    },
    [],
  ],
  [
    'who stood in and who was away by another name are one voice',
    { approvals: 2, roles: ['reviewer', 'privacy'] },
    (b, h) => {
      join(b);
      lend(b, { by: ritaToo });
      rule(b, h, { ...stead, inStead: ritaToo, final: false });
      rule(b, h, { by: 'rita' });
    },
    ['quorum_not_met at 7'],
  ],
  [
    'one person by two names is not one of each role',
    byRole,
    (b, h) => {
      join(b);
      rule(b, h, { by: 'rita', final: false });
      rule(b, h, { by: 'root', role: 'privacy' });
    },
    ['quorum_not_met at 6'],
  ],
  [
    'the requester does not rule by another name',
    {},
    (b, h) => {
      join(b);
      rule(b, h, { by: 'ann' });
    },
    ['ruling_requester at 5'],
  ],
  [
    'who broke the glass does not review it by another name',
    { ...glass, breakGlass: { collect: 300_000, roles: ['admin'] } },
    (b, h) => {
      join(b);
      rule(b, h, { ...alone, by: 'root' }, reason);
      find(b, h);
    },
    ['review_not_independent at 6'],
  ],
  [
    'nobody lends to another name of theirs',
    {},
    (b) => {
      join(b);
      lend(b, { by: 'rita', delegate: 'root' });
    },
    ['delegation_unfounded at 5'],
  ],
  [
    'an admin enrols for another person, and not for another name of theirs',
    {},
    (b) => {
      join(b);
      enrol(b, 'root', 'otto');
      enrol(b, 'root', 'rita');
    },
    ['enrolment_not_allowed at 6'],
  ],
  [
    'a name is one person’s',
    {},
    (b) =>
      join(b, [
        ['rita', 'root'],
        ['root', 'ann'],
      ]),
    ['leaf_malformed at 4'],
  ],
  ['a person’s names are texts', {}, (b) => join(b, [['rita', 7]]), ['leaf_malformed at 4']],
  ['a name is not empty', {}, (b) => join(b, [['rita', '']]), ['leaf_malformed at 4']],
  ['people are a list of lists', {}, (b) => join(b, ['rita']), ['leaf_malformed at 4']],
  [
    'a start says more than is known, in whatever form',
    {},
    (b) => b.start({ by: ['rita'], people: [[]] }),
    [],
  ],
];

const scenarios: readonly Case[] = [
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
  [
    'an amendment does not wait for another person, who would approve the bytes that were held',
    { approvals: 2 },
    (b, h) => {
      rule(b, h, { verdict: 'amend', final: false }, { amendment: 'HTTP/1.1 200 OK\r\n\r\nother' });
      rule(b, h, { by: 'otto' });
    },
    ['leaf_malformed at 4'],
  ],
  ['one person may break the glass, with a reason', glass, (b, h) => rule(b, h, alone, reason), []],
  [
    'whoever approved may still break the glass',
    glass,
    (b, h) => {
      rule(b, h, { by: 'olga', final: false });
      rule(b, h, alone, reason);
    },
    [],
  ],
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
  ...oversight,
  ...samePerson,
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
