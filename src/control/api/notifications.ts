/** Notifications: what waits, what was given up, and sending it again. */
import { z } from 'zod';
import type { Role } from '../../core/roles.ts';
import { noticeTypes, severities } from '../../notify/notice.ts';
import { allowed, integerParameter, jsonAnswer, type Operation, type Sent } from '../operation.ts';

const senders: readonly Role[] = ['admin'];
const states = ['pending', 'sent', 'dead'] as const;
const key = z.string().min(1).max(512).describe('Receiver and notice: `<receiver>/<notice>`.');

const notificationSchema = z
  .object({
    id: key,
    receiver: z.string().describe('Its name in the configuration.'),
    type: z.enum(noticeTypes),
    severity: z.enum(severities),
    holdId: z.string().nullable().describe('Null for a test.'),
    state: z.enum(states).describe('Dead ones were given up and can be sent again.'),
    reason: z.string().describe("Why it was given up; '' before."),
    queuedAt: z.string(),
  })
  .meta({ id: 'Notification', description: 'One message to one receiver; ids and states, never content.' });
export type NotificationShown = Sent<z.output<typeof notificationSchema>>;

const pageSchema = z
  .object({
    items: z.array(notificationSchema),
    total: z.int().min(0).describe('How many there are on all pages.'),
    next: z.string().nullable().describe('Pass as `before` for those queued earlier; null at the end.'),
  })
  .meta({ id: 'NotificationPage', description: 'Messages, the one queued last in front.' });

export const notificationQuerySchema = z.strictObject({
  state: z.enum(states).optional().describe('Only messages in this state.'),
  before: z
    .string()
    .regex(/^\d{1,16}-.{1,512}$/, 'expected the `next` of a page')
    .transform((text) => {
      const at = text.indexOf('-');
      return { queuedAtMs: Number(text.slice(0, at)), key: text.slice(at + 1) };
    })
    .optional()
    .describe('Only what was queued before this; `next` of the page before.'),
  limit: integerParameter({ min: 1, max: 500, fallback: 100 }).describe('The most that is answered.'),
});
export const replaySchema = z
  .strictObject({ id: key })
  .meta({ id: 'ReplayNotification', description: 'Which dead letter is sent again.' });
export const testSchema = z
  .strictObject({ receiver: z.string().min(1).max(64) })
  .meta({ id: 'TestNotification', description: 'Which receiver is sent a test.' });

const example = {
  id: 'oncall/h-3f9a01c2-17.opened',
  receiver: 'oncall',
  type: 'holdpoint.hold.opened',
  severity: 'high',
  holdId: 'h-3f9a01c2-17',
  state: 'dead',
  reason: 'answered 500',
  queuedAt: '2026-11-26T10:00:00.000Z',
} satisfies NotificationShown;

export const listNotifications: Operation = {
  id: 'listNotifications',
  tag: 'notifications',
  summary: 'Messages to receivers',
  description: 'What waits, what was taken lately and what was given up.',
  ...allowed('read_notifications'),
  query: notificationQuerySchema,
  answers: [jsonAnswer('The messages.', pageSchema, { items: [example], total: 1, next: null })],
  refusals: [],
};

export const replayNotification: Operation = {
  id: 'replayNotification',
  tag: 'notifications',
  summary: 'Send a dead letter again',
  description: 'It is queued as if it were new, under the same id, once it is sealed who asked for that.',
  roles: senders,
  body: { schema: replaySchema, example: { id: example.id } },
  answers: [
    jsonAnswer(
      'It waits for its receiver.',
      notificationSchema,
      { ...example, state: 'pending', reason: '' },
      202,
    ),
  ],
  refusals: ['not_found', 'body_too_large', 'ledger_unavailable'],
};

export const testNotification: Operation = {
  id: 'testNotification',
  tag: 'notifications',
  summary: 'Send a test to a receiver',
  description: 'A message about no hold, sent the way all are, once it is sealed who asked for it.',
  roles: senders,
  body: { schema: testSchema, example: { receiver: 'oncall' } },
  answers: [jsonAnswer('It waits for its receiver.', notificationSchema, undefined, 202)],
  refusals: ['not_found', 'body_too_large', 'ledger_unavailable'],
};
