/** Server-sent events: that something happened to which hold; never content. */
import type { ServerResponse } from 'node:http';
import { HoldpointError } from '../../core/errors.ts';
import type { HoldEvent } from '../../hold/desk.ts';
import type { HoldQueue } from '../../hold/queue.ts';
import { rolesNow } from '../../hold/state.ts';
import { events, type HoldEventData } from '../api/sidecar.ts';
import type { ControlRequest, Route } from '../http.ts';

const clientsMax = 256;
/** Nobody keeps the others from hearing what is held. */
const clientsOfOneMax = 32;
/** Whoever may not listen any more is cut off so soon, whatever they showed when they began. */
const lookEveryMs = 1_000;
const looksPerComment = 15;
/** A reader this far behind is cut off; it reads the queue again when it reconnects. */
const backlogBytesMax = 1024 * 1024;

type Client = Pick<ControlRequest, 'res' | 'stillMay' | 'identity'>;

/** Of the control plane's parts, what events need. */
interface Parts {
  readonly holds: Pick<HoldQueue, 'subscribe'> & { readonly looking: Pick<HoldQueue['looking'], 'leave'> };
}

export function eventRoutes(parts: Parts): Route[] {
  const clients = new Set<Client>();
  /** Those of them whose right is being asked about. */
  const asking = new Set<Client>();
  let nextId = 1;
  let looks = 0;

  function look(client: Client): void {
    if (asking.has(client)) return;
    asking.add(client);
    client
      .stillMay()
      // Whoever comes back is told why.
      .catch(() => client.res.destroy())
      .finally(() => asking.delete(client));
  }

  parts.holds.subscribe((event) => {
    const text = `id: ${nextId++}\nevent: hold.${event.kind}\ndata: ${JSON.stringify(describe(event))}\n\n`;
    for (const { res } of clients) send(res, text);
  });
  const timer = setInterval(() => {
    looks += 1;
    for (const client of clients) {
      look(client);
      if (looks % looksPerComment === 0) send(client.res, ': still here\n\n');
    }
  }, lookEveryMs);
  timer.unref();
  return [
    {
      method: 'GET',
      path: '/api/v1/events',
      operation: events,
      handle: ({ req, res, stillMay, identity }) => {
        const theirs = [...clients].filter((client) => client.identity.name === identity.name);
        if (clients.size >= clientsMax || theirs.length >= clientsOfOneMax)
          throw new HoldpointError('overloaded', 'Too many readers of events.', 'Close other consoles.');
        res.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
        if (req.method === 'HEAD') {
          res.end();
          return;
        }
        res.write(': connected\n\n');
        const client = { res, stillMay, identity };
        clients.add(client);
        res.once('close', () => {
          clients.delete(client);
          // A console that was killed says nothing; this closes all the same. Another one of theirs hears that they
          // left, and says at once that it is still here.
          parts.holds.looking.leave(identity.name);
        });
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
