/**
 * What becomes of a connection that begins with TLS: to a configured site it is decrypted and its requests run
 * through the pipeline; to anywhere else it is refused or passes unread. The name in the ClientHello decides, and
 * must be the one the connection was opened to.
 */
import { isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HoldpointError } from '../../core/errors.ts';
import type { Outcome } from '../../ledger/entry.ts';
import type { House } from '../house.ts';
import { toHoldpointError } from '../respond.ts';
import { type LookUp, publicAddressOf, requireNotClosed } from './address.ts';
import { type Far, type OwnConnections, openBlindTunnel, type TunnelBounds } from './blind.ts';
import { type HelloReading, readHello } from './client-hello.ts';
import { type Destination, defaultPorts, findSite, nameOf, readHost, type Site } from './destination.ts';
import { type Asked, type Others, refusalOf, sealPassage } from './passage.ts';
import type { Terminate } from './terminate.ts';

/** What both ways in work with. */
export interface Interception {
  readonly house: House;
  readonly sites: readonly Site[];
  readonly others: Others;
  readonly terminate: Terminate;
  readonly lookUp: LookUp;
  readonly own: OwnConnections;
  /** Connections that have not said what they are: nobody waits for them when the sidecar stops. */
  readonly waiting: Set<Duplex>;
  readonly bounds: TunnelBounds;
}

/** For the first bytes of TLS to arrive. */
const helloMsMax = 10_000;

/**
 * Reads the ClientHello and acts on it. `opened` is what CONNECT named, null where only TLS names anything.
 * Resolves when the connection was handed over or is closed; never rejects.
 */
export async function receiveTls(socket: Duplex, opened: Asked | null, it: Interception): Promise<void> {
  const { house } = it;
  socket.on('error', () => socket.destroy());
  try {
    const { hello, bytes } = await firstBytes(socket, it);
    if (hello.state === 'more') {
      socket.destroy();
      return;
    }
    const name = hello.state === 'hello' && hello.name !== null ? readHost(hello.name) : null;
    const asked = opened ?? askedBy(name);
    const { destination } = asked;
    const doubt = doubtAbout(socket, hello, name, destination, it.own);
    const site = doubt === null && destination !== null ? findSite(it.sites, 'https', destination) : null;
    if (site !== null) {
      socket.unshift(bytes);
      it.terminate(socket, site);
      return;
    }
    const refusal = doubt ?? refusalOf(destination, it.others, it.sites);
    // Throws the refusal once that is sealed.
    if (refusal === null && hello.state === 'hello' && hello.mayHideName)
      await sealPassage(asked, hiddenHost(), house, 'holdpoint:hidden-host');
    await pass(socket, bytes, asked, refusal, it);
  } catch (thrown) {
    const error = toHoldpointError(thrown);
    if (error.code === 'internal') house.onError('A connection failed inside Holdpoint', thrown);
    if (socket.writable) socket.end(alertFor(error), () => socket.destroy());
    else socket.destroy();
  }
}

/** A fatal alert in the clear (RFC 8446 section 6.2), so that the client can say more than that it was cut off. */
function alertFor({ code }: HoldpointError): Buffer {
  const unrecognizedName = 112;
  const accessDenied = 49;
  const internalError = 80;
  const reason =
    code === 'host_not_allowed'
      ? unrecognizedName
      : code === 'denied_by_policy'
        ? accessDenied
        : internalError;
  return Buffer.of(0x15, 3, 3, 0, 2, 2, reason);
}

/** Where only TLS says where it goes, the port is the one that was redirected. */
function askedBy(name: string | null): Asked {
  const destination: Destination | null = name === null ? null : { host: name, port: defaultPorts.https };
  const target = destination === null ? '' : nameOf(destination);
  return { method: 'CONNECT', target, headers: [], destination };
}

/** Why the connection is refused wherever it leads; null when it is clear where that is. */
function doubtAbout(
  socket: Duplex,
  hello: HelloReading,
  name: string | null,
  destination: Destination | null,
  own: OwnConnections,
): HoldpointError | null {
  const refused = (what: string, next: string): HoldpointError =>
    new HoldpointError('host_not_allowed', what, next);
  if (socket instanceof Socket && own.includes(socket))
    return refused('This is a connection of the sidecar itself.', 'Exempt its user from the redirect.');
  if (hello.state !== 'hello') return refused('The connection does not begin with TLS.', 'Speak TLS.');
  const unnamed = hello.name === null && destination !== null && isIP(destination.host) !== 0;
  if (unnamed || (name !== null && name === destination?.host)) return null;
  return hello.name === null
    ? refused('TLS names no host (SNI).', 'Use a client that sends it.')
    : refused('TLS names another host than the connection was opened to.', 'Name one host.');
}

/** Where it passes unread nobody would learn that another host was meant, such as a provider's. */
function hiddenHost(): HoldpointError {
  return new HoldpointError(
    'host_not_allowed',
    'The ClientHello is encrypted in part (ECH) and may mean another host than it names.',
    'Turn Encrypted Client Hello off, its imitation (GREASE) included.',
  );
}

async function pass(
  socket: Duplex,
  bytes: Buffer,
  asked: Asked,
  refusal: HoldpointError | null,
  it: Interception,
): Promise<void> {
  const { house } = it;
  const decision = await sealPassage(asked, refusal, house);
  let outcome: Outcome = 'upstream_error';
  try {
    const { host = '', port = 0 } = asked.destination ?? {};
    const far = await farOf(host, port, it);
    socket.unshift(bytes);
    outcome = await openBlindTunnel(socket, far, it.own, it.bounds);
  } finally {
    house.holds.settle(decision, outcome);
  }
}

/** Throws `host_not_allowed` before anything is opened. */
async function farOf(host: string, port: number, { house, lookUp }: Interception): Promise<Far> {
  const open = house.egress.through(host, port);
  if (open === null) return { address: await publicAddressOf(host, lookUp), port };
  await requireNotClosed(host, lookUp);
  return { open };
}

/** Waits until the ClientHello is whole, or cannot become one; `more` when the caller left or took too long. */
function firstBytes(
  socket: Duplex,
  { house, waiting }: Interception,
): Promise<{ hello: HelloReading; bytes: Buffer }> {
  const { promise, resolve } = Promise.withResolvers<{ hello: HelloReading; bytes: Buffer }>();
  let bytes: Buffer = Buffer.alloc(0);
  let hello: HelloReading = { state: 'more' };
  const done = (): void => {
    cancel();
    waiting.delete(socket);
    socket.off('readable', read);
    socket.off('end', done);
    socket.off('close', done);
    resolve({ hello, bytes });
  };
  const read = (): void => {
    const chunk: unknown = socket.read();
    if (!(chunk instanceof Buffer)) return;
    bytes = Buffer.concat([bytes, chunk]);
    hello = readHello(bytes);
    // One that grows too long is none.
    if (hello.state !== 'more') done();
  };
  const cancel = house.schedule(helloMsMax, done);
  waiting.add(socket);
  socket.on('readable', read);
  socket.once('end', done);
  socket.once('close', done);
  if (socket.destroyed) done();
  return promise;
}
