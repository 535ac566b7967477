/**
 * The OpenAI family: chat completions and responses behind one `Protocol`
 * (https://platform.openai.com/docs/api-reference). Pure.
 */
import type { ErrorCode } from '../core/errors.ts';
import { unamendable } from './amendment.ts';
import { readChatRequest, readChatResponse } from './openai-chat.ts';
import { amendChat } from './openai-chat-amend.ts';
import { createChatStreamReader } from './openai-chat-stream.ts';
import { readResponsesRequest, readResponsesResponse } from './openai-responses.ts';
import { amendResponses } from './openai-responses-amend.ts';
import { createResponsesStreamReader } from './openai-responses-stream.ts';
import type { OperationName, Protocol, StreamForm } from './protocol.ts';
import { unreadRequest, unreadResponse } from './reading.ts';
import { endsWithSegments, routeSegments } from './route.ts';
import { openEventStream, openUnreadStream } from './stream.ts';
import { streamFormOf } from './stream-form.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

const methodsWithoutAnswer: ReadonlySet<string> = new Set(['DELETE', 'HEAD', 'OPTIONS']);

/**
 * Any prefix is allowed, as compatible servers mount the API anywhere. Reading a stored or background
 * answer back by its id gives the same object, tool calls included, so that is the same operation;
 * counting tokens is not.
 */
function operationOf(method: string, path: string): OperationName {
  const verb = method.trim().toUpperCase();
  if (methodsWithoutAnswer.has(verb)) return 'unknown';
  const segments = routeSegments(path);
  const above = segments.slice(0, -1);
  const last = segments.at(-1);
  if (endsWithSegments(above, ['chat', 'completions'])) return 'chat.completions';
  if (endsWithSegments(above, ['responses'])) return last === 'input_tokens' ? 'unknown' : 'responses';
  if (endsWithSegments(above, ['responses', above.at(-1) ?? '']) && last === 'cancel') return 'responses';
  if (verb === 'GET') return 'unknown';
  if (endsWithSegments(segments, ['chat', 'completions'])) return 'chat.completions';
  return last === 'responses' ? 'responses' : 'unknown';
}

function errorType(httpStatus: number): string {
  if (httpStatus === 403) return 'permission_error';
  return httpStatus >= 500 ? 'server_error' : 'invalid_request_error';
}

/**
 * The JavaScript SDK raises on `error` in the data or on the event's name, the Python SDK on both
 * together with a nested `error`, and older Responses clients read the flat members: all are given.
 */
function errorEvent(operation: OperationName, _form: StreamForm, code: ErrorCode, message: string): string {
  const error = { message, type: 'permission_error', param: null, code };
  if (operation !== 'responses') return `data: ${JSON.stringify({ error })}\n\n`;
  const data = { type: 'error', code, message, param: null, sequence_number: 0, error };
  return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The empty id keeps the SDK's accumulator from taking this chunk's other members over. */
function keepAliveEvent(operation: OperationName, _form: StreamForm, model: string): string | null {
  if (operation !== 'chat.completions') return null;
  const choices = [{ index: 0, delta: {}, finish_reason: null }];
  const chunk = { id: '', object: 'chat.completion.chunk', created: 0, model, choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

export const openai: Protocol = {
  name: 'openai',
  operationOf,
  readsAnswer: (operation) => operation !== 'unknown',
  readRequest(operation, body) {
    if (operation === 'chat.completions') return readChatRequest(body);
    return operation === 'responses' ? readResponsesRequest(body) : unreadRequest('');
  },
  readResponse(operation, status, body) {
    if (status >= errorStatusMin) return unreadResponse(status, '');
    if (operation === 'chat.completions') return readChatResponse(status, body);
    return operation === 'responses' ? readResponsesResponse(status, body) : unreadResponse(status, '');
  },
  streamFormOf: (_operation, contentType) => streamFormOf(contentType),
  openStream(operation, status) {
    if (status >= errorStatusMin) return openUnreadStream(status);
    if (operation === 'chat.completions') return openEventStream(createChatStreamReader(status));
    if (operation === 'responses') return openEventStream(createResponsesStreamReader(status));
    return openUnreadStream(status);
  },
  errorBody(code, httpStatus, message) {
    return JSON.stringify({ error: { message, type: errorType(httpStatus), param: null, code } });
  },
  errorHeaders: () => ({}),
  errorEvent,
  keepAliveEvent,
  amendResponse(operation, original, form, amendment) {
    const streaming = form !== null;
    if (operation === 'chat.completions') return amendChat(original, streaming, amendment);
    if (operation === 'responses') return amendResponses(original, streaming, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};
