/** The sidecar itself: probes, metrics, events, policy, who asks. */
import { z } from 'zod';
import { createRoleBook, permissions, roles } from '../../core/roles.ts';
import { holdStates } from '../../hold/state.ts';
import { outcomes } from '../../ledger/entry.ts';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';

const whoamiSchema = z
  .object({
    name: z.string(),
    role: z.string(),
    permissions: z
      .array(z.enum(permissions))
      .describe('What the role may do, also where the configuration made it.'),
    display: z
      .string()
      .optional()
      .describe('What people call them, where a provider says so. The name alone tells who it is.'),
  })
  .meta({ id: 'Identity', description: 'Who asks.' });
export type IdentityShown = Sent<z.output<typeof whoamiSchema>>;

const policySchema = z
  .object({
    version: z.string(),
    digest: z.string(),
    source: z.string().describe('The file as it was read.'),
  })
  .meta({ id: 'Policy', description: 'The policy in force.' });

/** The `data` of one server-sent event; ids and states, never content. */
export const eventSchema = z
  .object({
    kind: z
      .enum([
        'opened',
        'ruled',
        'approved',
        'caller',
        'settled',
        'escalated',
        'glass-broken',
        'commented',
        'assigned',
        'looking',
        'reviewed',
        'review-overdue',
      ])
      .describe(
        '`escalated`: further roles may rule. `glass-broken`: an alert; somebody released alone. `looking`: somebody opened or left its page. `review-overdue`: nobody has reviewed that in time.',
      ),
    id: z.string().describe('Of the hold.'),
    state: z.enum(holdStates),
    caller: z.enum(['waiting', 'gone']),
    outcome: z.enum(outcomes).nullable(),
    roles: z.array(z.string()).describe('Who may rule now.'),
    by: z.string().describe("Who did it; '' where nobody did."),
  })
  .meta({ id: 'HoldEvent', description: 'Something happened to a hold.' });
export type HoldEventData = Sent<z.output<typeof eventSchema>>;

const open = { roles: null, tag: 'sidecar', refusals: [] } as const;

export const healthz: Operation = {
  ...open,
  id: 'healthz',
  summary: 'Alive',
  description: 'The process answers. It does not look at the ledger: a full disk is no reason to restart.',
  answers: [jsonAnswer('It is.', z.object({ status: z.literal('alive') }), { status: 'alive' })],
};

export const readyz: Operation = {
  ...open,
  id: 'readyz',
  summary: 'Ready for calls',
  description: 'Not ready while the ledger cannot be written: then every call is refused.',
  answers: [
    jsonAnswer('It is.', z.object({ status: z.literal('ready') }), { status: 'ready' }),
    jsonAnswer(
      'It is not.',
      z.object({ status: z.literal('not ready'), why: z.string() }),
      { status: 'not ready', why: 'the ledger cannot be written' },
      503,
    ),
  ],
};

export const metrics: Operation = {
  ...open,
  id: 'metrics',
  summary: 'Prometheus metrics',
  description: 'Text format 0.0.4. Labels come from closed sets and the policy, never from content.',
  answers: [
    {
      status: 200,
      description: 'The page.',
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      schema: z.string(),
    },
  ],
};

export const openapiJson: Operation = {
  ...open,
  id: 'openapi',
  summary: 'This description',
  description: 'OpenAPI 3.1.',
  answers: [jsonAnswer('The description.', z.record(z.string(), z.unknown()))],
};

export const consolePage: Operation = {
  ...open,
  id: 'console',
  summary: 'The console',
  description: 'A page that asks for a token and then uses this API like anybody.',
  answers: [
    { status: 200, description: 'The page.', contentType: 'text/html; charset=utf-8', schema: z.string() },
  ],
};

export const whoami: Operation = {
  id: 'whoami',
  tag: 'sidecar',
  summary: 'Whom the token belongs to',
  description: 'Its name is what rulings and reads are sealed under.',
  roles,
  permission: 'any',
  answers: [
    jsonAnswer('The identity.', whoamiSchema, {
      ...{ name: 'ada', role: 'reviewer' },
      permissions: createRoleBook().permissionsOf('reviewer'),
    }),
  ],
  refusals: [],
};

export const showPolicy: Operation = {
  id: 'showPolicy',
  tag: 'sidecar',
  summary: 'The policy in force',
  description: 'Its digest is what every sealed judgement cites.',
  ...allowed('see'),
  answers: [jsonAnswer('The policy.', policySchema)],
  refusals: [],
};

export const events: Operation = {
  id: 'events',
  tag: 'sidecar',
  summary: 'Server-sent events',
  description:
    'Event names are `hold.` and the kind; each `data` line is a HoldEvent. Nothing is replayed: read the queue after connecting.',
  ...allowed('see'),
  answers: [
    {
      status: 200,
      description: 'A stream that does not end by itself.',
      contentType: 'text/event-stream',
      schema: z.string(),
      example:
        'id: 1\nevent: hold.opened\ndata: {"kind":"opened","id":"h-3f9a01c2-17","state":"pending","caller":"waiting","outcome":null,"roles":["reviewer"],"by":""}\n\n',
    },
  ],
  refusals: ['overloaded'],
};
