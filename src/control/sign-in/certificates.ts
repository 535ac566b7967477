/**
 * TLS on the control port, and people by their certificates (RFC 5280, RFC 8446). OpenSSL judges the chain against the
 * configured authorities; what is read here is whom a good certificate names. Files are read again when they change.
 */
import { constants } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { HoldpointError, messageOf } from '../../core/errors.ts';
import type { Caller } from './caller.ts';

/** PEM; null where the file is gone or empty. */
export type PemFile = () => string | null;

export interface TlsOptions {
  readonly cert: PemFile;
  readonly key: PemFile;
  /** Null where no certificate names anybody. */
  readonly clientCa: PemFile | null;
  /** The first that fits counts. */
  readonly clients: readonly ClientMapping[];
}

export interface ClientMapping {
  /** A URI among the subject alternative names; else the only common name. */
  readonly uri?: string | undefined;
  readonly commonName?: string | undefined;
  readonly role: string;
}

interface Material {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

export interface TlsServer {
  readonly server: Server;
  /** Takes changed files up; connections under other authorities end. Called before each request. */
  refresh(): void;
  /** Ends every connection, those that have not shaken hands included. */
  cut(): void;
  /** False while the files are gone or wrong: whoever took an authority away meant it. */
  takesClients(): boolean;
}

const handshakeMsMax = 10_000;

type Handler = ConstructorParameters<typeof Server>[1];

/**
 * @param http the bounds of the server below TLS
 * @throws `config_invalid` where the files make no TLS
 */
export function openTlsServer(
  options: TlsOptions,
  http: Readonly<Record<string, number | boolean>>,
  handler: NonNullable<Handler>,
  onError: (what: string, error: unknown) => void,
): TlsServer {
  let current = materialOf(options);
  let failed: Material | null = null;
  let problem = '';
  const server = createServer(
    {
      handshakeTimeout: handshakeMsMax,
      ...http,
      ...contextOf(current),
      minVersion: 'TLSv1.2',
      // A certificate is asked for and not demanded: tokens and sessions are good without.
      requestCert: options.clientCa !== null,
      rejectUnauthorized: false,
    },
    handler,
  );

  /** Below TLS: node:https knows only of those that have shaken hands. */
  const connections = new Set<Socket>();
  function cut(): void {
    // A request that is being answered asks at once whether its connection is there.
    server.closeAllConnections();
    for (const connection of connections) connection.destroy();
  }

  function apply(next: Material): void {
    failed = next;
    refuseUnfit(next);
    server.setSecureContext(contextOf(next));
    const isOtherAuthority = next.ca !== current.ca;
    current = next;
    // Who was let in by the authorities before, or is about to be, has to show a certificate of these.
    if (isOtherAuthority) cut();
  }

  function refresh(): void {
    try {
      const next = materialOf(options);
      // Tried once: until it changes again, the certificate before stays in use.
      if (isSame(next, failed)) return;
      if (!isSame(next, current)) apply(next);
      failed = null;
      problem = '';
    } catch (error) {
      if (problem !== messageOf(error)) onError('The certificate of the control port was not changed', error);
      problem = messageOf(error);
    }
  }
  // Before the server's own listener, which begins the handshake with the certificate that is there then.
  server.prependListener('connection', (connection: Socket) => {
    refresh();
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  // An answer in the clear would wait for the handshake that did not come about, and keep the connection.
  server.prependListener('tlsClientError', (_error, socket) => socket.destroy());
  return { server, refresh, cut, takesClients: () => options.clientCa !== null && problem === '' };
}

function isSame(one: Material, other: Material | null): boolean {
  return one.cert === other?.cert && one.key === other.key && one.ca === other.ca;
}

function materialOf({ cert, key, clientCa }: TlsOptions): Material {
  return {
    cert: pemOf('cert', cert),
    key: pemOf('key', key),
    ca: clientCa === null ? undefined : pemOf('clientCa', clientCa),
  };
}

function pemOf(setting: string, file: PemFile): string {
  const text = file();
  if (text !== null) return text;
  throw new HoldpointError(
    'config_invalid',
    `control.tls.${setting}: the file holds no PEM.`,
    'Put it there.',
  );
}

/**
 * Without `ca` OpenSSL would take any authority that Node knows for one of clients. A connection has one handshake: after
 * another one (TLS 1.2) Node goes on to call it authorized, by the certificate before, and shows the new one.
 */
function contextOf({ cert, key, ca }: Material) {
  return { cert, key, ...(ca === undefined ? {} : { ca }), secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
}

/** Throws `config_invalid` where the files do not belong together. */
export function checkTls(options: TlsOptions): void {
  refuseUnfit(materialOf(options));
}

function refuseUnfit(material: Material): void {
  try {
    createSecureContext(contextOf(material));
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `control.tls: OpenSSL does not take the files: ${messageOf(error)}.`,
      'Check that cert, key and clientCa are PEM and belong together.',
      error,
    );
  }
}

export interface CertificateHolder {
  readonly caller: Caller;
  /** For the record: the certificate's own number and hash. */
  readonly grant: string;
}

/**
 * Whom the certificate of a connection names; undefined where there is none, null where it names nobody here: it is of
 * no configured authority, out of date, or not mapped.
 */
export function certificateHolder(
  req: IncomingMessage,
  clients: readonly ClientMapping[],
  clock: Clock,
): CertificateHolder | null | undefined {
  const { socket } = req;
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const nowMs = clock.nowMs();
  // A connection may last longer than the certificate that it began with.
  const isInTime = nowMs >= Date.parse(certificate.validFrom) && nowMs <= Date.parse(certificate.validTo);
  if (!socket.authorized || !isInTime) return null;
  const uris = urisIn(certificate.subjectAltName ?? '');
  const { CN: commonName } = socket.getPeerCertificate().subject;
  const mapping = clients.find((client) =>
    client.uri === undefined ? client.commonName === commonName : uris.includes(client.uri),
  );
  if (mapping === undefined) return null;
  const name = mapping.uri ?? `cn=${mapping.commonName}`;
  return {
    caller: { name: `certificate:${name}`, role: mapping.role },
    grant: `certificate ${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`,
  };
}

/**
 * The URIs of a certificate as Node writes its alternative names. A name with anything in it that could be taken for
 * the end of one stands in quotes there, and is none that can be configured.
 */
function urisIn(alternativeNames: string): string[] {
  return [
    ...alternativeNames.matchAll(/(?:^|, )(?:URI:([^",]+)|[^",]+:(?:"(?:[^"\\]|\\.)*"|[^",]*))(?=, |$)/g),
  ].flatMap(([, uri]) => (uri === undefined ? [] : [uri]));
}
