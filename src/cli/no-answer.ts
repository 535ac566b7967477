/** Why a sidecar gave no answer, in words: what happened, whether an order may have been carried out, what to do next. */
import { connect } from 'node:tls';
import { HoldpointError, messageOf } from '../core/errors.ts';

const probeMs = 2_000;

/** The call that was made. */
export interface Asked {
  readonly url: URL;
  /** Null for what changes nothing; else how to find out whether it was done, '' where there is no such way. */
  readonly findOut: string | null;
  readonly timeoutMs: number;
}

/** @returns what to throw, `sidecar_unreachable`; asks once more, without the token, whether TLS is spoken there */
export async function noAnswer({ url, findOut, timeoutMs }: Asked, error: unknown): Promise<HoldpointError> {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const said = notSent(url, codeOf(cause)) ?? (await plainAgainstTls(url, codeOf(cause)));
  if (said !== null)
    return unreachable(`The sidecar at ${url.origin} cannot be reached: ${said.what}.`, said.next, error);
  const isLate = cause instanceof Error && cause.name === 'TimeoutError';
  const what = isLate
    ? `The sidecar at ${url.origin} did not answer within ${timeoutMs / 1000} s.`
    : `The sidecar at ${url.origin} cannot be reached: ${messageOf(cause) || 'no answer'}.`;
  if (findOut === null) return unreachable(what, isRunning, error);
  return unreachable(
    `${what} Whether it carried out what was asked is not known: it may have.`,
    findOut || 'Look whether it was done before you order it again.',
    error,
  );
}

interface Said {
  readonly what: string;
  readonly next: string;
}

const isRunning = 'Is it running? Name its control port with --url or HOLDPOINT_URL.';
const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Where nothing of the call reached anybody; null where it may have. */
function notSent(url: URL, code: string): Said | null {
  const { host } = url;
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/.test(code))
    return {
      what: `what listens there speaks plain HTTP, and was asked for TLS`,
      next: `Name it with --url http://${host} or HOLDPOINT_URL; for TLS the sidecar needs control.tls.`,
    };
  if (untrusted.has(code))
    return {
      what: `nobody that Node trusts has signed its certificate (${code})`,
      next: 'Name its authority: NODE_EXTRA_CA_CERTS=FILE.',
    };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      what: `its certificate is for other names than ${url.hostname}`,
      next: 'Name it with --url or HOLDPOINT_URL as its certificate does.',
    };
  if (code === 'CERT_HAS_EXPIRED')
    return { what: 'its certificate has expired', next: 'Renew the files that control.tls names.' };
  if (/^ERR_SSL_|^EPROTO$/.test(code))
    return {
      what: `no TLS connection comes about (${code})`,
      next: 'Is it the control port, with control.tls?',
    };
  if (code === 'ECONNREFUSED') return { what: `nothing listens there (${code})`, next: isRunning };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { what: `there is no address for ${url.hostname} (${code})`, next: isRunning };
  if (/^(EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(code))
    return { what: `no connection comes about (${code})`, next: isRunning };
  return null;
}

/** A port with TLS answers plain HTTP with an alert, or hangs up; so may others. */
async function plainAgainstTls(url: URL, code: string): Promise<Said | null> {
  if (url.protocol !== 'http:' || !/^HPE_|^UND_ERR_SOCKET$|^ECONNRESET$/.test(code)) return null;
  if (!(await speaksTls(url))) return null;
  return {
    what: 'what listens there speaks TLS, and was asked in plain HTTP',
    next: `Name it with --url https://${url.host} or HOLDPOINT_URL.`,
  };
}

/** Whether a handshake comes about, with whatever certificate: nothing is sent over it. */
function speaksTls({ hostname, port }: URL): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connect({ host, port: Number(port || 80), rejectUnauthorized: false, timeout: probeMs });
  socket.once('secureConnect', () => resolve(true));
  // It speaks something else, or nothing in time: what was said of the first attempt stands.
  for (const event of ['error', 'close', 'timeout']) socket.once(event, () => resolve(false));
  return promise.finally(() => socket.destroy());
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function unreachable(message: string, next: string, cause: unknown): HoldpointError {
  return new HoldpointError('sidecar_unreachable', message, next, cause);
}
