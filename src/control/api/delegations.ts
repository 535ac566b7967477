/** Who rules in whose stead: what goes in and out. */
import { z } from 'zod';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { personName } from './names.ts';

const delegationSchema = z
  .object({
    seq: z.int().min(0).describe('Of the entry that began it, which names it.'),
    from: z.string().describe('Who is away.'),
    role: z.string().describe('The role that is lent.'),
    to: z.string().describe('Who rules in their stead.'),
    until: z.string(),
    inForce: z.boolean(),
  })
  .meta({ id: 'Delegation', description: 'A role that somebody lent while they are away.' });
export type DelegationShown = Sent<z.output<typeof delegationSchema>>;

export const newDelegationSchema = z
  .strictObject({
    to: personName.describe('Who rules in your stead.'),
    until: z.iso.datetime({ offset: true }).describe('Within 90 days.'),
  })
  .meta({ id: 'NewDelegation', description: 'That somebody rules in one’s stead until a time.' });

const example = {
  ...{ seq: 31, from: 'petra', role: 'privacy', to: 'otto' },
  ...{ until: '2026-11-29T08:00:00.000Z', inForce: true },
} satisfies DelegationShown;

export const listDelegations: Operation = {
  id: 'listDelegations',
  tag: 'holds',
  summary: 'Who rules in whose stead',
  description: 'In the order of their beginning: all that nothing ended, and the newest of the others.',
  ...allowed('see'),
  answers: [
    jsonAnswer('The delegations.', z.object({ items: z.array(delegationSchema) }), { items: [example] }),
  ],
  refusals: [],
};

export const beginDelegation: Operation = {
  id: 'beginDelegation',
  tag: 'holds',
  summary: 'Let somebody rule in your stead while you are away',
  description:
    'They then name you as `inStead` in a ruling, which is made in your role. Neither of you counts twice, nor rules on what the other asked for, and nobody breaks the glass so. One at a time. Answered once it is sealed.',
  ...allowed('rule'),
  body: { schema: newDelegationSchema, example: { to: example.to, until: example.until } },
  answers: [jsonAnswer('It is in force.', delegationSchema, example, 201)],
  refusals: ['body_too_large', 'ledger_unavailable'],
};

export const endDelegation: Operation = {
  id: 'endDelegation',
  tag: 'holds',
  summary: 'End a delegation before its time',
  description: 'By whoever is away or an admin. Answered once it is sealed.',
  ...allowed('rule'),
  body: { schema: z.strictObject({}), example: {} },
  answers: [jsonAnswer('It is over.', delegationSchema, { ...example, inForce: false })],
  refusals: ['not_found', 'body_too_large', 'ledger_unavailable'],
};
