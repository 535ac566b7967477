/**
 * Ends TLS in place of a configured site, with certificates of the local authority: one short-lived certificate for
 * each site, made when it is first called and again before it runs out.
 */
import { constants, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Site } from './destination.ts';

/** Certificates for hosts; the authority behind it holds the key. */
export interface Issuer {
  issue(host: string): {
    readonly certificate: string;
    readonly key: KeyObject;
    readonly fromMs: number;
    readonly untilMs: number;
  };
}

/** Takes a connection whose next bytes are a ClientHello, and hands it over decrypted. */
export type Terminate = (socket: Duplex, site: Site) => void;

const renewMs = 2 * 86_400_000;
const handshakeMsMax = 10_000;

/** `onSecure` gets each connection once its handshake is done and it named the site it was opened to. */
export function createTerminator(
  issuer: Issuer,
  nowMs: () => number,
  onSecure: (socket: TLSSocket, site: Site) => void,
): Terminate {
  // As many as there are configured sites, and never more.
  const servers = new Map<Site, { readonly server: Server; fromMs: number; untilMs: number }>();
  return (socket, site) => {
    const kept = servers.get(site) ?? { server: listenFor(site, onSecure), fromMs: 0, untilMs: 0 };
    servers.set(site, kept);
    const now = nowMs();
    if (now < kept.fromMs || now > kept.untilMs - renewMs) {
      const { certificate, key, fromMs, untilMs } = issuer.issue(site.host);
      kept.server.setSecureContext({
        cert: certificate,
        key: key.export({ type: 'pkcs8', format: 'pem' }),
        minVersion: 'TLSv1.2',
        // Every connection shakes hands in full, so that every one is checked.
        secureOptions: constants.SSL_OP_NO_TICKET,
      });
      kept.fromMs = fromMs;
      kept.untilMs = untilMs;
    }
    kept.server.emit('connection', socket);
  };
}

/** In our order: HTTP/2 only with clients that can do nothing else, as Amazon's SDK for JavaScript. */
const applicationProtocols = ['http/1.1', 'h2'];

/** A server that never listens: connections are given to it. */
function listenFor(site: Site, onSecure: (socket: TLSSocket, site: Site) => void): Server {
  const named = isIP(site.host) === 0;
  const options = { ALPNProtocols: applicationProtocols, handshakeTimeout: handshakeMsMax };
  const server = createServer(options, (socket) => {
    // TLS itself must have read the name that the ClientHello was judged by.
    const name = nameGivenTo(socket);
    if (name === '' ? named : name.toLowerCase() !== site.host) socket.destroy();
    else onSecure(socket, site);
  });
  // The client does not trust the authority, or left: its own error says so.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** What SNI said; on a server Node gives false where it said nothing. */
function nameGivenTo(socket: TLSSocket): string {
  const name: unknown = Reflect.get(socket, 'servername');
  return typeof name === 'string' ? name.replace(/\.$/, '') : '';
}
