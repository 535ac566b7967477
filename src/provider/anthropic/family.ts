/**
 * The Anthropic family: all of its API behind one `Protocol` (https://docs.anthropic.com/en/api). Pure.
 */
import type { ErrorCode } from '../../core/errors.ts';
import { unamendable } from '../amending/amendment.ts';
import { readFileContentFrom } from '../batches/batch-results.ts';
import { readTextRequest } from '../openai/text-requests.ts';
import type { OperationName, Protocol, RequestHead, RequestReading } from '../protocol.ts';
import { readFormRequest } from '../reading/form-request.ts';
import { unreadRequest, unreadResponse } from '../reading/reading.ts';
import { openSegments } from '../reading/segments.ts';
import {
  openEventStream,
  openUnreadableStream,
  openUnreadStream,
  type StreamReader,
} from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { endsWithSegments, routeSegments } from '../route.ts';
import { isRecord, readJson, textOf } from '../wire/json.ts';
import { anthropicResultLines, readBatchRequest, readBatchResponse } from './batches.ts';
import { createCompleteStreamReader, readCompleteRequest, readCompleteResponse } from './complete.ts';
import { readMessagesRequest, readMessagesResponse } from './messages.ts';
import { amendMessages } from './messages-amend.ts';
import { createMessagesStreamReader } from './messages-stream.ts';
import { amendSession } from './session-amend.ts';
import { createSessionStreamReader } from './session-stream.ts';
import { readDeploymentRun, readManagedRequest, readSessionLog } from './sessions.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

const methodsWithoutAnswer: ReadonlySet<string> = new Set(['DELETE', 'HEAD', 'OPTIONS']);

/** What takes words or files in, by the path's end. */
const sent: readonly (readonly [tail: readonly string[], operation: OperationName])[] = [
  [['messages'], 'messages'],
  [['messages', 'count_tokens'], 'messages.count_tokens'],
  [['messages', 'batches'], 'messages.batches'],
  [['complete'], 'complete'],
  [['files'], 'files'],
  [['skills'], 'skills'],
  // https://docs.anthropic.com/en/api/prompt-tools-generate
  [['experimental', 'generate_prompt'], 'prompt_tools'],
  [['experimental', 'improve_prompt'], 'prompt_tools'],
  [['experimental', 'templatize_prompt'], 'prompt_tools'],
];

/** What managed agents are made of, by the collection that it belongs to. */
const managed: ReadonlySet<string> = new Set(['agents', 'sessions', 'deployments', 'dreams']);

/** The operation on managed agents; `unknown` for none. */
function managedOperationOf(isGet: boolean, segments: readonly string[]): OperationName {
  const last = segments.at(-1) ?? '';
  const inSession = segments.at(-3) === 'sessions' || segments.at(-5) === 'sessions';
  if (isGet && last === 'stream' && segments.includes('sessions')) return 'sessions.stream';
  if (last === 'events' && inSession) return 'sessions.events';
  if (isGet) return 'unknown';
  if ([last, segments.at(-2)].includes('memory_stores')) return 'memories';
  if (last === 'resources' && segments.at(-3) === 'sessions') return 'sessions';
  if (last === 'run' && segments.at(-3) === 'deployments') return 'deployments.run';
  const collection = [last, segments.at(-2) ?? ''].find((name) => managed.has(name));
  return collection ?? 'unknown';
}

/** Any prefix is allowed, as gateways mount the API anywhere. What is not listed passes unread. */
function operationOf(method: string, path: string): OperationName {
  const verb = method.trim().toUpperCase();
  if (methodsWithoutAnswer.has(verb)) return 'unknown';
  const segments = routeSegments(path);
  const above = segments.slice(0, -2);
  const last = segments.at(-1);
  if (verb === 'GET') {
    if (last === 'results' && endsWithSegments(above, ['messages', 'batches']))
      return 'messages.batches.results';
    if (last === 'content' && endsWithSegments(above, ['files'])) return 'files.content';
    return managedOperationOf(true, segments);
  }
  if (last === 'versions' && endsWithSegments(above, ['skills'])) return 'skills';
  if ([last, segments.at(-2)].includes('memories') && segments.includes('memory_stores')) return 'memories';
  const found = sent.find(([tail]) => endsWithSegments(segments, tail))?.[1];
  return found ?? managedOperationOf(false, segments);
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

function streamReaderOf(operation: OperationName, status: number): StreamReader | null {
  if (status >= errorStatusMin) return null;
  if (operation === 'messages') return createMessagesStreamReader(status);
  if (operation === 'sessions.stream') return createSessionStreamReader(status);
  return operation === 'complete' ? createCompleteStreamReader(status) : null;
}

const answersRead: ReadonlySet<string> = new Set([
  'messages',
  'messages.batches.results',
  'complete',
  'sessions.events',
  'sessions.stream',
]);

/** What a prompt is made of, and the model that it is made for. */
function readPromptTools(body: Buffer, head: RequestHead): RequestReading {
  const reading = readTextRequest(body, head, { system: [], text: null });
  const { value } = readJson(body, 'the request body');
  const model = isRecord(value) ? textOf(value['target_model']) : '';
  return { ...reading, facts: { ...reading.facts, model: reading.facts.model || model } };
}

export const anthropic: Protocol = {
  name: 'anthropic',
  operationOf,
  readsAnswer: (operation) => answersRead.has(operation),
  readRequest(operation, body, head) {
    switch (operation) {
      case 'messages':
      case 'messages.count_tokens':
        return readMessagesRequest(body);
      case 'messages.batches':
        return readBatchRequest(body);
      case 'complete':
        return readCompleteRequest(body);
      case 'agents':
      case 'sessions':
      case 'sessions.events':
      case 'deployments':
      case 'dreams':
        return readManagedRequest(body);
      case 'deployments.run':
        return readDeploymentRun(body, head.path);
      case 'memories':
        return readTextRequest(body, head, { system: [], text: null });
      case 'prompt_tools':
        return readPromptTools(body, head);
      case 'files':
      case 'skills':
        return readFormRequest(body, head);
      default:
        return unreadRequest('');
    }
  },
  readResponse(operation, status, body) {
    if (status >= errorStatusMin) return unreadResponse(status, '');
    if (operation === 'messages') return readMessagesResponse(status, body);
    if (operation === 'messages.batches.results') return readBatchResponse(status, body);
    if (operation === 'sessions.events' || operation === 'sessions.stream')
      return readSessionLog(status, body);
    return operation === 'complete' ? readCompleteResponse(status, body) : unreadResponse(status, '');
  },
  readResponseFrom: (operation, status, file) =>
    operation === 'messages.batches.results' && status < errorStatusMin
      ? readFileContentFrom(status, file, anthropicResultLines)
      : null,
  // The results of a batch are one file, whatever its type says, and are judged as one.
  streamFormOf: (operation, contentType) =>
    operation === 'messages.batches.results' ? null : streamFormOf(contentType),
  openStream(operation, status) {
    const reader = streamReaderOf(operation, status);
    if (reader !== null) return openEventStream(reader);
    const isJudged = status < errorStatusMin && answersRead.has(operation);
    return isJudged ? openUnreadableStream(status) : openUnreadStream(status);
  },
  segmentsOf: (operation) =>
    operation === 'sessions.stream'
      ? (status) => openSegments(() => createSessionStreamReader(status))
      : null,
  errorBody: (_operation, code, httpStatus, message) => envelope(errorType(httpStatus), code, message),
  errorHeaders: () => ({}),
  errorEvent(_operation, _form, code, message) {
    return `event: error\ndata: ${envelope('permission_error', code, message)}\n\n`;
  },
  keepAliveEvent(operation) {
    return operation === 'messages' || operation === 'complete' || operation === 'sessions.stream'
      ? 'event: ping\ndata: {"type":"ping"}\n\n'
      : null;
  },
  amendResponse(operation, original, form, amendment) {
    if (operation === 'messages') return amendMessages(original, form !== null, amendment);
    if (operation === 'sessions.stream') return amendSession(original, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};
