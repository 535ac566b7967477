/**
 * The forward proxy: what workloads reach by HTTPS_PROXY when their base URL cannot be changed. CONNECT to a
 * configured upstream's host is decrypted, an absolute target is taken as it stands (RFC 9112 section 3.2.2), and
 * both run through the pipeline. Everything else is refused, or passes unread where that is configured.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoldpointError, httpStatusByCode } from '../core/errors.ts';
import type { Outcome } from '../ledger/entry.ts';
import { publicAddressOf } from './intercept/address.ts';
import { type Destination, defaultPorts, findSite, readDestination } from './intercept/destination.ts';
import { type Entrance, hostOf, refuseConnect, requireSame } from './intercept/entrance.ts';
import { type Door, listenDoor } from './intercept/listen.ts';
import { type Asked, refusalOf, sealPassage } from './intercept/passage.ts';
import { type Interception, receiveTls } from './intercept/receive.ts';
import { relayHttp } from './intercept/relay-http.ts';
import { toHoldpointError } from './respond.ts';
import type { Upstream } from './upstream.ts';

/** Listens; `accept` gives each connection to the data plane's HTTP server. */
export function listenForwardProxy(
  address: { readonly host: string; readonly port: number },
  it: Interception,
  accept: (socket: Duplex, entrance: Entrance) => void,
): Promise<Door> {
  const entrance: Entrance = {
    admit: (req, res) => admit(req, res, it),
    connect: (req, socket, head) => openTo(req, socket, head, it),
  };
  return listenDoor(address, 'proxy.forward.listen', (socket) => accept(socket, entrance));
}

/** CONNECT (RFC 9110 section 9.3.6). */
async function openTo(req: IncomingMessage, socket: Duplex, head: Buffer, it: Interception): Promise<void> {
  const target = req.url ?? '';
  const asked: Asked = {
    method: 'CONNECT',
    target,
    headers: req.rawHeaders,
    destination: readDestination(target, null),
  };
  socket.on('error', () => socket.destroy());
  try {
    const { destination } = asked;
    const site = destination === null ? null : findSite(it.sites, 'https', destination);
    const refusal = site === null ? refusalOf(destination, it.others, it.sites) : null;
    if (refusal !== null) await sealPassage(asked, refusal, it.house);
  } catch (thrown) {
    const error = toHoldpointError(thrown);
    if (error.code === 'internal') it.house.onError('CONNECT failed inside Holdpoint', thrown);
    refuseConnect(socket, statusLineOf(error), `${error.message} ${error.next}`);
    return;
  }
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  if (head.length > 0) socket.unshift(head);
  await receiveTls(socket, asked, it);
}

function statusLineOf({ code }: HoldpointError): string {
  const reason = code === 'host_not_allowed' ? 'Holdpoint does not let this host through' : 'Refused';
  return `${httpStatusByCode[code]} ${reason}`;
}

/** A request with an absolute target; any other is for the port of base URLs. */
async function admit(
  req: IncomingMessage,
  res: ServerResponse | null,
  it: Interception,
): Promise<readonly Upstream[] | null> {
  const url = req.url ?? '';
  const absolute = /^http:\/\/([^/?#]*)([/?].*)?$/i.exec(url);
  if (absolute === null) {
    throw new HoldpointError(
      'bad_request',
      'This port is a forward proxy: it takes CONNECT and absolute http targets.',
      'Set it as HTTPS_PROXY; base URLs belong to proxy.listen.',
    );
  }
  const destination = readDestination(absolute[1] ?? '', defaultPorts.http);
  const rest = absolute[2] ?? '/';
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  if (destination !== null) requireSame(destination, hostOf(req, defaultPorts.http), 'Host header');
  const site = destination === null ? null : findSite(it.sites, 'http', destination);
  if (site !== null) {
    req.url = path;
    return site.upstreams;
  }
  await passPlain(req, res, { destination, path }, it);
  return null;
}

async function passPlain(
  req: IncomingMessage,
  res: ServerResponse | null,
  { destination, path }: { readonly destination: Destination | null; readonly path: string },
  it: Interception,
): Promise<void> {
  const asked: Asked = {
    method: req.method ?? 'GET',
    target: req.url ?? '',
    headers: req.rawHeaders,
    destination,
  };
  const refusal =
    refusalOf(destination, it.others, it.sites) ??
    (res === null ? new HoldpointError('host_not_allowed', 'An upgrade does not pass in the clear.') : null);
  const decision = await sealPassage(asked, refusal, it.house);
  let outcome: Outcome = 'upstream_error';
  try {
    if (destination === null || res === null) return;
    const address = await publicAddressOf(destination.host, it.lookUp);
    outcome = await relayHttp(req, res, { ...destination, address, path }, it.bounds);
  } finally {
    it.house.holds.settle(decision, outcome);
  }
}
