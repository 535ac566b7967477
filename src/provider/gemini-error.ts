/**
 * Errors as Google's APIs give them (https://cloud.google.com/apis/design/errors, AIP-193): the machine-readable
 * code is the reason of an ErrorInfo among the details. Pure.
 */
import type { ErrorCode } from '../core/errors.ts';
import type { StreamForm } from './protocol.ts';

/** google.rpc.Code by HTTP status. */
const statusNames: ReadonlyMap<number, string> = new Map([
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [409, 'ABORTED'],
  [429, 'RESOURCE_EXHAUSTED'],
  [500, 'INTERNAL'],
  [504, 'DEADLINE_EXCEEDED'],
]);

function statusName(httpStatus: number): string {
  return statusNames.get(httpStatus) ?? (httpStatus >= 500 ? 'UNAVAILABLE' : 'INVALID_ARGUMENT');
}

/** The error envelope. The reason is in upper case, as its specification wants; the metadata has the code as it is. */
export function googleErrorBody(code: ErrorCode, httpStatus: number, message: string): string {
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: code.toUpperCase(),
    domain: 'holdpoint',
    metadata: { code },
  };
  const status = statusName(httpStatus);
  return JSON.stringify({ error: { code: httpStatus, message, status, details: [info] } });
}

/** For a stream that began: refusals all, so that no SDK asks again. */
const inBandStatus = 403;

/** The error as an event; in an array it is the last element, and closes the array. */
export function googleErrorEvent(
  form: StreamForm,
  code: ErrorCode,
  message: string,
  isFirst: boolean,
): string {
  const body = googleErrorBody(code, inBandStatus, message);
  if (form === 'json-array') return `${isFirst ? '[' : ','}${body}]`;
  return `data: ${body}\n\n`;
}
