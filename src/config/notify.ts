/** The part of the configuration file about who is told of holds outside the console. */
import { z } from 'zod';
import { isHostAlone, webUrl } from './address.ts';
import { secret } from './secret.ts';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/, 'expected a name of lower-case letters, digits and _');
const types = ['opened', 'reminder', 'ruled', 'expired', 'glass_broken', 'review_overdue'] as const;

const common = {
  events: z
    .array(z.enum(types))
    .min(1)
    .max(types.length)
    .default(['opened', 'reminder', 'expired', 'glass_broken', 'review_overdue'])
    .describe('What it is told of.'),
  severityMin: z
    .enum(['low', 'medium', 'high', 'critical'])
    .default('low')
    .describe('It is told of holds that are at least so severe; glass_broken and review_overdue always are.'),
};

const webhook = z.strictObject({
  kind: z.literal('webhook'),
  url: webUrl.describe('Redirects are not followed.'),
  secret: secret.describe(
    'A Standard Webhooks secret: whsec_ and 24 to 64 bytes in base64. Each message is signed with it.',
  ),
  ...common,
});
const slack = z.strictObject({
  kind: z.literal('slack'),
  url: secret.describe('Where the address of the incoming webhook is; it is a secret itself.'),
  ...common,
});
const teams = z.strictObject({
  kind: z.literal('teams'),
  url: secret.describe('Where the address of the workflow is; it is a secret itself.'),
  ...common,
});
const mailbox = z
  .string()
  .max(320)
  .regex(/^[^\s<>,;:"@\p{C}]+@[^\s<>,;:"@\p{C}]+$/u, 'expected an address such as ops@example.com');
const email = z
  .strictObject({
    kind: z.literal('email'),
    host: z
      .string()
      .min(1)
      .max(253)
      .refine(isHostAlone, 'expected a host alone, such as smtp.example.com; its port is port'),
    port: z.int().min(1).max(65_535).default(587),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe(
        'starttls is demanded, not merely tried; implicit for port 465; none for a relay on loopback.',
      ),
    user: z.string().min(1).max(256).optional(),
    password: secret.optional(),
    from: mailbox,
    to: z.array(mailbox).min(1).max(32),
    ...common,
  })
  .refine(
    ({ user, password }) => (user === undefined) === (password === undefined),
    'expected user and password together',
  )
  .refine(
    ({ tls, user }) => tls !== 'none' || user === undefined,
    'expected tls: a password does not go over the network in the clear',
  );

export const notifySchema = z
  .strictObject({
    consoleUrl: webUrl
      .optional()
      .describe(
        'Where people reach the console, for links; control.publicUrl or the address of control.listen when absent, which one of them must replace where that is 0.0.0.0.',
      ),
    remindBeforeMs: z
      .array(
        z
          .int()
          .min(1_000)
          .max(30 * 24 * 3_600_000),
      )
      .max(8)
      .default([300_000])
      .describe('How long before a hold expires those it is told to are reminded.'),
    timeoutMs: z.int().min(100).max(60_000).default(10_000).describe('How long a receiver may take.'),
    giveUpAfterMs: z
      .int()
      .min(1_000)
      .max(30 * 24 * 3_600_000)
      .default(24 * 3_600_000)
      .describe('How long a message is tried; then it is a dead letter, which can be sent again.'),
    queueMax: z.int().min(1).max(50_000).default(10_000).describe('Messages that wait for each receiver.'),
    to: z
      .record(name, z.discriminatedUnion('kind', [webhook, slack, teams, email]))
      .refine((all) => Object.keys(all).length <= 32, 'expected at most 32 receivers')
      .default({})
      .describe('The receivers, by name.'),
  })
  .prefault({});

export type ReceiverConfig = z.output<typeof webhook | typeof slack | typeof teams | typeof email>;
export type SecretPlace = z.output<typeof secret>;
