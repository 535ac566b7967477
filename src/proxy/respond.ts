/** Writing to the workload: exact bytes, the one header the contract adds, and refusals in the provider's own words. */
import type { ServerResponse } from 'node:http';
import { type ErrorCode, HoldpointError, httpStatusByCode, messageOf } from '../core/errors.ts';
import { endToEndHeaders, type RawHeaders } from '../core/http-message.ts';
import type { Protocol } from '../provider/protocol.ts';

export const decisionHeader = 'holdpoint-decision';

const nothing = (): boolean => false;

/** Starts the answer with the upstream's status line and headers, and the decision's id. */
export function writeHead(
  res: ServerResponse,
  status: number,
  statusText: string,
  headers: RawHeaders,
  decisionId: string,
): void {
  const kept = endToEndHeaders(headers, nothing);
  kept.push(decisionHeader, decisionId);
  res.sendDate = false;
  if (statusText === '') res.writeHead(status, kept);
  else res.writeHead(status, statusText, kept);
}

/** Ends the answer; resolves true once all of it was handed to the operating system, false when the caller left. */
export function endWith(res: ServerResponse, bytes: Buffer | string): Promise<boolean> {
  return new Promise((resolve) => {
    if (res.destroyed || res.closed) {
      resolve(false);
      return;
    }
    res.once('finish', () => resolve(true));
    res.once('close', () => resolve(res.writableFinished));
    res.end(bytes);
  });
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

/** Codes after which asking again cannot help, and those after which it should be tried. */
const retryByCode: Partial<Readonly<Record<ErrorCode, boolean>>> = {
  denied_by_policy: false,
  denied_by_reviewer: false,
  hold_expired: false,
  bad_request: false,
  body_too_large: false,
  no_upstream: false,
  response_too_large: false,
  held: true,
  ledger_unavailable: true,
  overloaded: true,
  shutting_down: true,
};

/** Refuses a call in the provider's own error envelope; false when the caller had left. */
export function refuse(
  res: ServerResponse,
  protocol: Protocol | null,
  error: HoldpointError,
  decisionId: string | null,
): Promise<boolean> {
  if (res.headersSent) {
    res.destroy();
    return Promise.resolve(false);
  }
  const status = httpStatusByCode[error.code];
  const message = error.next === '' ? error.message : `${error.message} ${error.next}`;
  const body =
    protocol === null ? genericBody(error.code, message) : protocol.errorBody(error.code, status, message);
  const retry = retryByCode[error.code];
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(retry === undefined ? {} : { 'x-should-retry': String(retry) }),
    ...(retry === true ? { 'retry-after': '1' } : {}),
    ...(decisionId === null ? {} : { [decisionHeader]: decisionId }),
    // A body that was not read to its end cannot be followed by another request.
    ...(error.code === 'body_too_large' ? { connection: 'close' } : {}),
  });
  return endWith(res, body);
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
