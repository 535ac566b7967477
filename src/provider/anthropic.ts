/**
 * The Anthropic family: messages behind one `Protocol` (https://docs.anthropic.com/en/api). Pure.
 */
import type { ErrorCode } from '../core/errors.ts';
import { unamendable } from './amendment.ts';
import { readMessagesRequest, readMessagesResponse } from './anthropic-messages.ts';
import { amendMessages } from './anthropic-messages-amend.ts';
import { createMessagesStreamReader } from './anthropic-messages-stream.ts';
import type { OperationName, Protocol } from './protocol.ts';
import { unreadRequest, unreadResponse } from './reading.ts';
import { endsWithSegments, routeSegments } from './route.ts';
import { openEventStream, openUnreadStream } from './stream.ts';
import { streamFormOf } from './stream-form.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

const methodsWithoutAnswer: ReadonlySet<string> = new Set(['GET', 'DELETE', 'HEAD', 'OPTIONS']);

/** Any prefix is allowed, as gateways mount the API anywhere. */
function operationOf(method: string, path: string): OperationName {
  if (methodsWithoutAnswer.has(method.trim().toUpperCase())) return 'unknown';
  return endsWithSegments(routeSegments(path), ['messages']) ? 'messages' : 'unknown';
}

/** Anthropic's own type names by status (https://docs.anthropic.com/en/api/errors). */
const errorTypes: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

function errorType(httpStatus: number): string {
  return errorTypes.get(httpStatus) ?? (httpStatus >= 500 ? 'api_error' : 'invalid_request_error');
}

function envelope(type: string, code: ErrorCode, message: string): string {
  return JSON.stringify({ type: 'error', error: { type, message, code } });
}

export const anthropic: Protocol = {
  name: 'anthropic',
  operationOf,
  readsAnswer: (operation) => operation !== 'unknown',
  readRequest(operation, body) {
    return operation === 'messages' ? readMessagesRequest(body) : unreadRequest('');
  },
  readResponse(operation, status, body) {
    if (status >= errorStatusMin || operation !== 'messages') return unreadResponse(status, '');
    return readMessagesResponse(status, body);
  },
  streamFormOf: (_operation, contentType) => streamFormOf(contentType),
  openStream(operation, status) {
    if (status >= errorStatusMin || operation !== 'messages') return openUnreadStream(status);
    return openEventStream(createMessagesStreamReader(status));
  },
  errorBody: (code, httpStatus, message) => envelope(errorType(httpStatus), code, message),
  errorHeaders: () => ({}),
  errorEvent(_operation, _form, code, message) {
    return `event: error\ndata: ${envelope('permission_error', code, message)}\n\n`;
  },
  keepAliveEvent(operation) {
    return operation === 'messages' ? 'event: ping\ndata: {"type":"ping"}\n\n' : null;
  },
  amendResponse(operation, original, form, amendment) {
    if (operation === 'messages') return amendMessages(original, form !== null, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};
