/** Where a connection came in decides which upstreams its requests can mean, and what else it may ask for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoldpointError } from '../../core/errors.ts';
import { valuesOf } from '../../core/http-message.ts';
import { dropTheRest } from '../upgrade-refusal.ts';
import type { Upstream } from '../upstream.ts';
import { type Destination, defaultPorts, nameOf, readDestination, type Site } from './destination.ts';

export interface Entrance {
  /**
   * The upstreams that a request may mean, its target made a path; null once it was answered here, which needs
   * `res`. Rejects with why it is refused.
   */
  readonly admit: (req: IncomingMessage, res: ServerResponse | null) => Promise<readonly Upstream[] | null>;
  /** CONNECT; resolves when the connection was handed over or is closed. Never rejects. */
  readonly connect: (req: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;
}

/** What a request on a decrypted connection can mean: the site it was opened to, whatever else it says. */
export function entranceTo(site: Site): Entrance {
  return {
    admit: async (req) => {
      const url = req.url ?? '';
      const absolute = /^https:\/\/([^/?#]*)(\/.*)?$/i.exec(url);
      if (absolute !== null) {
        requireSame(site, readDestination(absolute[1] ?? '', defaultPorts.https), 'target');
        req.url = absolute[2] ?? '/';
      }
      requireSame(site, hostOf(req, defaultPorts.https), 'Host header');
      return site.upstreams;
    },
    connect: async (_req, socket) => refuseConnect(socket, '400 No tunnel within a tunnel'),
  };
}

/** The one Host header; null when there is none, or several, or it is no host. */
export function hostOf(req: IncomingMessage, defaultPort: number): Destination | null {
  const [host, ...others] = valuesOf(req.rawHeaders, 'host');
  return host === undefined || others.length > 0 ? null : readDestination(host, defaultPort);
}

/** A request that names two hosts is judged for neither. */
export function requireSame(wanted: Destination, found: Destination | null, what: string): void {
  if (found !== null && found.host === wanted.host && found.port === wanted.port) return;
  throw new HoldpointError(
    'bad_request',
    `The ${what} does not name ${nameOf(wanted)}, to which the connection was opened.`,
    'Send each host its own requests.',
  );
}

/** Says no to CONNECT. Most clients show nothing but the status line, so it carries the reason. */
export function refuseConnect(socket: Duplex, status: string, text = ''): void {
  if (!socket.writable) return;
  const body = text === '' ? '' : `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  dropTheRest(socket);
}
