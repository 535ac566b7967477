/** Messages to receivers: seen, sent again, tried. */
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
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
import { readQuery } from '../operation.ts';
import type { ControlParts } from '../parts.ts';

export function notificationRoutes({ notifier, ledger }: ControlParts): Route[] {
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
        const { id } = await readOrder(request, replaySchema);
        sendJson(request.res, 202, shown(await notifier.replay(id, recordOf(ledger, request, 'send again'))));
      },
    },
    {
      method: 'POST',
      path: '/api/v1/notifications/test',
      operation: testNotification,
      handle: async (request) => {
        const { receiver } = await readOrder(request, testSchema);
        sendJson(
          request.res,
          202,
          shown(await notifier.test(receiver, recordOf(ledger, request, 'send test'))),
        );
      },
    },
  ];
}

/** Seals that somebody had a message sent, and from which address. */
function recordOf(
  ledger: ControlParts['ledger'],
  { identity, req }: ControlRequest,
  action: 'send again' | 'send test',
): (key: string) => Promise<void> {
  const { name: by, role } = identity;
  const from = req.socket.remoteAddress ?? '';
  return (notification) =>
    ledger.seal({ type: 'access', data: { action, by, from, notification, role } }).durable;
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
