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
        const { state, before, limit } = readQuery(query, notificationQuerySchema);
        const found = notifier
          .messages()
          .filter((message) => state === undefined || message.state === state)
          .sort(newestFirst);
        // By its key and not by its place, so that messages that come or go between two pages move no other.
        const behind =
          before === undefined ? found : found.filter((message) => newestFirst(message, before) > 0);
        const page = behind.slice(0, limit);
        const last = behind.length > limit ? page.at(-1) : undefined;
        const next = last === undefined ? null : `${last.queuedAtMs}-${last.key}`;
        sendJson(res, 200, { items: page.map(shown), total: found.length, next });
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

type Place = Pick<Message, 'queuedAtMs' | 'key'>;

/** Of those queued in the same millisecond the order is any, and always the same. */
function newestFirst(a: Place, b: Place): number {
  return b.queuedAtMs - a.queuedAtMs || (a.key < b.key ? 1 : a.key > b.key ? -1 : 0);
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
