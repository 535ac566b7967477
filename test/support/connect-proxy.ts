/** A forward proxy as a company has one: it opens what CONNECT asks for, to the server that a test names for a host. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Credential } from './certificates.ts';
import { atEnd } from './endings.ts';
import { listeningOn } from './listening-on.ts';

export interface ConnectProxy {
  readonly url: string;
  /** What was asked for, in order. */
  readonly asked: { readonly target: string; readonly headers: IncomingHttpHeaders }[];
  /** The connections that it opened and that are open. */
  open(): number;
}

export interface ConnectProxyOptions {
  /** Where a target such as `provider.test:443` leads: a port of loopback. */
  readonly ports: Readonly<Record<string, number>>;
  /** What it answers in place of opening anything; `silence` for nothing. */
  readonly refusal?: string;
  /** It opens nothing before. */
  readonly opensAfter?: Promise<void>;
  /** Speaks TLS, as this one; in the clear when absent. */
  readonly identity?: Credential;
}

export async function startConnectProxy({
  ports,
  refusal,
  opensAfter,
  identity,
}: ConnectProxyOptions): Promise<ConnectProxy> {
  const asked: ConnectProxy['asked'] = [];
  const open = new Set<Duplex>();
  const server = identity === undefined ? createServer() : createTlsServer(identity);
  server.on('request', (_req, res) => res.writeHead(405).end());
  server.on('connect', async (req, client: Duplex, head: Buffer) => {
    const target = req.url ?? '';
    asked.push({ target, headers: req.headers });
    open.add(client);
    client.once('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    if (refusal === 'silence') return;
    await opensAfter;
    const port = ports[target];
    if (refusal !== undefined || port === undefined) {
      // Open for another try, as HTTP/1.1 has it: whoever has no use for that ends it.
      client.write(`HTTP/1.1 ${refusal ?? '502 Bad Gateway'}\r\ncontent-length: 0\r\n\r\n`);
      // Left unread it would hide that the sidecar closed.
      client.on('end', () => client.end()).resume();
      return;
    }
    const far = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      far.write(head);
      client.pipe(far).pipe(client);
    });
    far.on('error', () => client.destroy());
    far.once('close', () => client.destroy());
    client.once('close', () => far.destroy());
  });
  const { url, close } = await listeningOn(server, identity === undefined ? 'http' : 'https');
  atEnd(() => {
    for (const client of open) client.destroy();
    return close();
  });
  return { url, asked, open: () => open.size };
}
