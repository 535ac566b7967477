/** Writing to the workload: exact bytes, the one header the contract adds, and refusals in the provider's own words. */
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ErrorCode, HoldpointError, httpStatusByCode, messageOf } from '../core/errors.ts';
import { grpcTrailers, speaksGrpc } from '../core/grpc.ts';
import { endToEndHeaders, type RawHeaders } from '../core/http-message.ts';
import type { Call } from './call.ts';

export const decisionHeader = 'holdpoint-decision';

const discardedBytesMax = 256 * 1024 * 1024;

/** Ours to give, whatever the upstream claims. */
const replaced = (name: string): boolean => name === decisionHeader;
/** Of an answer that may end otherwise than it began, the length is not known either. */
const replacedInStream = (name: string): boolean => name === decisionHeader || name === 'content-length';

/** Starts the answer with the upstream's status line and headers, and the decision's id. */
export function writeHead(
  res: ServerResponse,
  status: number,
  statusText: string,
  headers: RawHeaders,
  decisionId: string,
): void {
  startWith(res, status, statusText, endToEndHeaders(headers, replaced), decisionId);
}

/** Starts an answer whose end is not decided: a denial may still take the place of what the upstream sent. */
export function writeStreamHead(
  res: ServerResponse,
  status: number,
  statusText: string,
  headers: RawHeaders,
  decisionId: string,
): void {
  startWith(res, status, statusText, endToEndHeaders(headers, replacedInStream), decisionId);
}

function startWith(
  res: ServerResponse,
  status: number,
  statusText: string,
  kept: string[],
  decisionId: string,
): void {
  kept.push(decisionHeader, decisionId);
  res.sendDate = false;
  if (statusText === '') res.writeHead(status, kept);
  else res.writeHead(status, statusText, kept);
}

/** Ends the answer; resolves true once all of it was handed to the operating system, false when the caller left. */
export function endWith(
  res: ServerResponse,
  bytes: Buffer | string,
  trailers: RawHeaders = [],
): Promise<boolean> {
  return new Promise((resolve) => {
    if (res.destroyed || res.closed) {
      resolve(false);
      return;
    }
    res.once('finish', () => resolve(true));
    res.once('close', () => resolve(res.writableFinished));
    if (trailers.length > 0) res.addTrailers(pairsOf(trailers));
    res.end(bytes);
  });
}

/** The same of an answer on disk, in pieces within backpressure. Rejects when it cannot be read; then it is cut short. */
export async function endWithPieces(
  res: ServerResponse,
  pieces: AsyncIterable<Buffer>,
  trailers: RawHeaders = [],
): Promise<boolean> {
  for await (const piece of pieces) {
    const drained = writeChunk(res, piece);
    if (drained !== null) await drained;
    if (res.destroyed) return false;
  }
  return endWith(res, '', trailers);
}

function pairsOf(raw: RawHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return pairs;
}

/** Writes within backpressure: resolves when more may be written, or when the caller left. */
export function writeChunk(res: ServerResponse, bytes: Buffer | string): Promise<void> | null {
  if (res.destroyed || res.write(bytes)) return null;
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done);
      res.off('close', done);
      resolve();
    };
    res.on('drain', done);
    res.on('close', done);
  });
}

/**
 * What was written goes out now. node:http gathers until the work at hand is over, and that may be to read, judge and
 * seal all the rest of an answer whose pieces arrived together.
 */
export function sendAtOnce(res: ServerResponse): void {
  res.socket?.uncork();
}

/** Writes bytes after which the answer goes on: true once they were handed to the operating system, false when the caller left. */
export function writeWhole(res: ServerResponse, bytes: Buffer): Promise<boolean> {
  if (res.destroyed || res.closed) return Promise.resolve(false);
  if (bytes.length === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const left = (): void => resolve(false);
    res.once('close', left);
    res.write(bytes, (error) => {
      res.off('close', left);
      resolve(error === null || error === undefined);
    });
  });
}

/**
 * Ends an answer that is not whole so that nobody takes it for whole. To HTTP/1.0 (RFC 9112 section 9.3) the end of a
 * connection is the end of a body without a length; only a reset is none.
 */
export function breakOff(res: ServerResponse): void {
  const { socket, req } = res;
  const isBare = req.httpVersionMajor === 1 && req.httpVersionMinor === 0;
  if (isBare && socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
  else res.destroy();
}

/** Codes after which asking again cannot help, and those after which it should be tried. */
const retryByCode: Partial<Readonly<Record<ErrorCode, boolean>>> = {
  denied_by_policy: false,
  denied_by_reviewer: false,
  hold_expired: false,
  host_not_allowed: false,
  bad_request: false,
  body_too_large: false,
  no_upstream: false,
  response_too_large: false,
  held: true,
  ledger_unavailable: true,
  overloaded: true,
  shutting_down: true,
};

/** After these no further request is taken on the connection. */
const lastCodes: ReadonlySet<ErrorCode> = new Set(['body_too_large', 'shutting_down']);

/** Refuses a call in the error envelope that its client expects; false when the caller had left. */
export function refuse(
  res: ServerResponse,
  asked: Pick<Call, 'upstream' | 'operation'> | null,
  error: HoldpointError,
  decisionId: string | null,
): Promise<boolean> {
  if (res.headersSent) {
    breakOff(res);
    return Promise.resolve(false);
  }
  const status = httpStatusByCode[error.code];
  const message = error.next === '' ? error.message : `${error.message} ${error.next}`;
  const protocol = asked?.upstream.protocol ?? null;
  const body =
    asked === null || protocol === null
      ? genericBody(error.code, message)
      : protocol.errorBody(asked.operation, error.code, status, message);
  const retry = retryByCode[error.code];
  // One that nobody has begun to read node:http reads by itself.
  const isCut = lastCodes.has(error.code) || (res.req.readableDidRead && !res.req.complete);
  if (speaksGrpc(res.req.rawHeaders)) return refuseGrpc(res, status, message, decisionId, isCut);
  // What failed may have been to write the head, and a phrase that node:http did not take would be taken again.
  res.statusMessage = '';
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(retry === undefined ? {} : { 'x-should-retry': String(retry) }),
    ...(retry === true ? { 'retry-after': '1' } : {}),
    ...(protocol === null ? {} : protocol.errorHeaders(error.code, status)),
    ...(decisionId === null ? {} : { [decisionHeader]: decisionId }),
    // A body that was not read to its end cannot be followed by another request.
    ...(isCut ? { connection: 'close' } : {}),
  });
  return isCut ? endAfterBody(res, body) : endWith(res, body);
}

/** A client of gRPC reads nothing but the trailers of an answer that has no message, and those only at status 200. */
function refuseGrpc(
  res: ServerResponse,
  status: number,
  message: string,
  decisionId: string | null,
  isCut: boolean,
): Promise<boolean> {
  res.statusMessage = '';
  res.writeHead(200, {
    'content-type': 'application/grpc',
    ...(decisionId === null ? {} : { [decisionHeader]: decisionId }),
    ...(isCut ? { connection: 'close' } : {}),
  });
  return endWith(res, '', grpcTrailers(status, message));
}

/**
 * Answers at once and reads on for a while: a connection that is closed over unread bytes is reset, and the
 * caller would see that instead of its answer (RFC 9112 section 9.6).
 */
async function endAfterBody(res: ServerResponse, body: string): Promise<boolean> {
  res.write(body);
  const { req } = res;
  let bytes = 0;
  await new Promise<void>((resolve) => {
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > discardedBytesMax) resolve();
    });
    for (const over of ['end', 'error', 'close']) req.once(over, () => resolve());
    if (req.complete || req.destroyed) resolve();
    req.resume();
  });
  return endWith(res, '');
}

function genericBody(code: ErrorCode, message: string): string {
  return JSON.stringify({ error: { message, type: 'holdpoint_error', param: null, code } });
}

/** Anything that was thrown, as an error with a code; what is not ours is a defect and stays closed. */
export function toHoldpointError(error: unknown): HoldpointError {
  if (error instanceof HoldpointError) return error;
  return new HoldpointError(
    'internal',
    `Holdpoint failed: ${messageOf(error)}.`,
    'The call was not let through. See the log.',
    error,
  );
}
