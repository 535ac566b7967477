/** Server-sent events: that something happened to which hold; never content. */
import type { ServerResponse } from 'node:http';
import { HoldpointError } from '../../core/errors.ts';
import type { HoldEvent } from '../../hold/desk.ts';
import { rolesNow } from '../../hold/state.ts';
import { events, type HoldEventData } from '../api/sidecar.ts';
import type { Route } from '../http.ts';
import type { ControlParts } from '../parts.ts';

const clientsMax = 256;
const commentEveryMs = 15_000;
/** A reader this far behind is cut off; it reads the queue again when it reconnects. */
const backlogBytesMax = 1024 * 1024;

export function eventRoutes(parts: ControlParts): Route[] {
  const clients = new Set<ServerResponse>();
  let nextId = 1;
  parts.holds.subscribe((event) => {
    const text = `id: ${nextId++}\nevent: hold.${event.kind}\ndata: ${JSON.stringify(describe(event))}\n\n`;
    for (const client of clients) send(client, text);
  });
  const timer = setInterval(() => {
    for (const client of clients) send(client, ': still here\n\n');
  }, commentEveryMs);
  timer.unref();
  return [
    {
      method: 'GET',
      path: '/api/v1/events',
      operation: events,
      handle: ({ req, res }) => {
        if (clients.size >= clientsMax)
          throw new HoldpointError('overloaded', 'Too many readers of events.', 'Close other consoles.');
        res.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
        if (req.method === 'HEAD') {
          res.end();
          return;
        }
        res.write(': connected\n\n');
        clients.add(res);
        res.once('close', () => clients.delete(res));
      },
    },
  ];
}

function send(client: ServerResponse, text: string): void {
  if (client.writableLength > backlogBytesMax) client.destroy();
  else client.write(text);
}

function describe({ kind, hold, by }: HoldEvent): HoldEventData {
  return {
    kind,
    id: hold.id,
    state: hold.state.status,
    caller: hold.attached ? 'waiting' : 'gone',
    outcome: hold.outcome,
    roles: rolesNow(hold.state),
    by,
  };
}
