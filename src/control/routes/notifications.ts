/** Messages to receivers: seen, sent again, tried. */
import type { z } from 'zod';
import { HoldpointError } from '../../core/errors.ts';
import { wrongInput } from '../../core/wrong-input.ts';
import type { Message } from '../../notify/outbox.ts';
import {
  listNotifications,
  type NotificationShown,
  notificationQuerySchema,
  replayNotification,
  replaySchema,
  testNotification,
  testSchema,
} from '../api/notifications.ts';
import { type ControlRequest, type Route, readJsonBody, sendJson } from '../http.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';

export function notificationRoutes({ notifier }: ControlParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/notifications',
      operation: listNotifications,
      handle: ({ res, query }) => {
        const { state, limit } = readQuery(query, notificationQuerySchema);
        const found = notifier.messages().filter((message) => state === undefined || message.state === state);
        sendJson(res, 200, { items: found.slice(0, limit).map(shown), total: found.length });
      },
    },
    {
      method: 'POST',
      path: '/api/v1/notifications/replay',
      operation: replayNotification,
      handle: async (request) => {
        const { id } = await bodyOf(request, replaySchema);
        sendJson(request.res, 202, shown(await notifier.replay(id)));
      },
    },
    {
      method: 'POST',
      path: '/api/v1/notifications/test',
      operation: testNotification,
      handle: async (request) => {
        const { receiver } = await bodyOf(request, testSchema);
        sendJson(request.res, 202, shown(await notifier.test(receiver)));
      },
    },
  ];
}

async function bodyOf<T>(request: ControlRequest, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJsonBody(request));
  if (parsed.success) return parsed.data;
  throw new HoldpointError('invalid_argument', wrongInput(parsed.error), 'See /openapi.json.');
}

function shown({ key, receiver, notice, state, reason, queuedAtMs }: Message): NotificationShown {
  return {
    id: key,
    receiver,
    type: notice.type,
    severity: notice.severity,
    holdId: notice.hold?.id ?? null,
    state,
    reason,
    queuedAt: new Date(queuedAtMs).toISOString(),
  };
}
