/**
 * Errors as Google's APIs give them (https://cloud.google.com/apis/design/errors, AIP-193): the machine-readable
 * code is the reason of an ErrorInfo among the details. Pure.
 */
import type { ErrorCode } from '../../core/errors.ts';
import type { StreamForm } from '../protocol.ts';

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

function googleError(code: ErrorCode, httpStatus: number, message: string) {
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: code.toUpperCase(),
    domain: 'holdpoint',
    metadata: { code },
  };
  return { code: httpStatus, message, status: statusName(httpStatus), details: [info] };
}

/** The error envelope. The reason is in upper case, as its specification wants; the metadata has the code as it is. */
export function googleErrorBody(code: ErrorCode, httpStatus: number, message: string): string {
  return JSON.stringify({ error: googleError(code, httpStatus, message) });
}

/** For a stream that began: refusals all, so that no SDK asks again. */
const inBandStatus = 403;

/**
 * The error as an event; in an array it is the last element, and closes the array. Beside it stands a candidate that
 * was stopped, which is how this API tells of blocked answers: @google/generative-ai, and LangChain upon it, look for
 * no error in a stream and would show an answer that ended for no reason.
 */
export function googleErrorEvent(
  form: StreamForm,
  code: ErrorCode,
  message: string,
  isFirst: boolean,
): string {
  const error = googleError(code, inBandStatus, message);
  const content = { role: 'model', parts: [] };
  const candidates = [{ index: 0, content, finishReason: 'SAFETY', finishMessage: message }];
  const body = JSON.stringify({ error, candidates });
  if (form === 'json-array') return `${isFirst ? '[' : ','}${body}]`;
  return `data: ${body}\n\n`;
}
