/**
 * The OpenAI family: all of its API behind one `Protocol`
 * (https://platform.openai.com/docs/api-reference). Pure.
 */
import type { ErrorCode } from '../../core/errors.ts';
import { unamendable } from '../amending/amendment.ts';
import { anthropic } from '../anthropic/family.ts';
import { readFileContentFrom } from '../batches/batch-results.ts';
import { ollamaOwn } from '../ollama/own.ts';
import type { OperationName, Protocol, StreamForm } from '../protocol.ts';
import { unreadRequest, unreadResponse } from '../reading/reading.ts';
import { openSegments, type SegmentReader } from '../reading/segments.ts';
import { openEventStream, openUnreadStream } from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { endsWithSegments, routeSegments } from '../route.ts';
import { speakingAlso } from '../speaking-also.ts';
import { mayBeJson } from '../wire/media-signature.ts';
import { createAgentStreamReader } from './agent-stream.ts';
import { mayBeResults, openaiResultLines, readFileId } from './batches.ts';
import { openaiOperation } from './operations.ts';
import { openaiOperationOf } from './routes.ts';
import { createRunSegmentReader } from './run-segments.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

/** A stream of events of an agent's session. */
const agentStream: OperationName = 'agents.sessions.stream';

/** What also draws and speaks. */
const drawing: ReadonlySet<OperationName> = new Set(['served.generate', 'hosted.model']);

/** Streams that are read in segments. */
const segmentReaders: ReadonlyMap<OperationName, (status: number) => SegmentReader> = new Map([
  [agentStream, createAgentStreamReader],
  ['threads.runs', createRunSegmentReader],
]);

function errorType(httpStatus: number): string {
  if (httpStatus === 403) return 'permission_error';
  return httpStatus >= 500 ? 'server_error' : 'invalid_request_error';
}

/**
 * The JavaScript SDK raises on `error` in the data or on the event's name, the Python SDK on both
 * together with a nested `error`, and older Responses clients read the flat members: all are given.
 * Of an agent's session, they hand errors on as events.
 */
function errorEvent(operation: OperationName, _form: StreamForm, code: ErrorCode, message: string): string {
  const error = { message, type: 'permission_error', param: null, code };
  if (operation === agentStream) {
    const told = { type: 'error', event_id: '', session_id: '', error };
    return `event: error\ndata: ${JSON.stringify(told)}\n\n`;
  }
  // The SDK hands on what has a type, and breaks on what has none.
  if (operation === 'gateway.model') return `data: ${JSON.stringify({ type: 'error', error })}\n\n`;
  if (operation !== 'responses') return `data: ${JSON.stringify({ error })}\n\n`;
  const data = { type: 'error', code, message, param: null, sequence_number: 0, error };
  return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The empty id keeps the SDK's accumulator from taking this chunk's other members over. */
function keepAliveEvent(operation: OperationName, _form: StreamForm, model: string): string | null {
  const said = {
    'chat.completions': { object: 'chat.completion.chunk', choice: { delta: {} } },
    completions: { object: 'text_completion', choice: { text: '', logprobs: null } },
  };
  if (operation !== 'chat.completions' && operation !== 'completions') return null;
  const { object, choice } = said[operation];
  const choices = [{ index: 0, ...choice, finish_reason: null }];
  return `data: ${JSON.stringify({ id: '', object, created: 0, model, choices })}\n\n`;
}

const own: Protocol = {
  name: 'openai',
  operationOf: openaiOperationOf,
  readsAnswer: (operation) =>
    operation !== 'files.content' && (openaiOperation(operation)?.answer ?? null) !== null,
  readsAnswerBy: (operation) =>
    operation === 'files.content' ? mayBeResults : drawing.has(operation) ? mayBeJson : null,
  readRequest(operation, body, head) {
    return openaiOperation(operation)?.request(body, head) ?? unreadRequest('');
  },
  readResponse(operation, status, body) {
    if (status >= errorStatusMin) return unreadResponse(status, '');
    return openaiOperation(operation)?.answer?.whole(status, body) ?? unreadResponse(status, '');
  },
  readResponseFrom: (operation, status, file) =>
    operation === 'files.content' && status < errorStatusMin
      ? readFileContentFrom(status, file, openaiResultLines)
      : null,
  fileIdIn: (operation, body) => (operation === 'files' ? readFileId(body) : ''),
  // A file of answers is judged as one, whatever its type says.
  streamFormOf: (operation, contentType) =>
    operation === 'files.content' || operation === 'batches.outputs' ? null : streamFormOf(contentType),
  openStream(operation, status) {
    const answer = status >= errorStatusMin ? null : openaiOperation(operation)?.answer;
    return answer ? openEventStream(answer.stream(status)) : openUnreadStream(status);
  },
  segmentsOf(operation) {
    const openReader = segmentReaders.get(operation);
    return openReader === undefined ? null : (status) => openSegments(() => openReader(status));
  },
  errorBody(_operation, code, httpStatus, message) {
    return JSON.stringify({ error: { message, type: errorType(httpStatus), param: null, code } });
  },
  errorHeaders: () => ({}),
  errorEvent,
  keepAliveEvent,
  amendResponse(operation, original, form, amendment) {
    const answer = openaiOperation(operation)?.answer;
    if (answer) return answer.amend(original, form !== null, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};

/** vLLM, llama.cpp and LM Studio offer Anthropic's messages beside: unread they would go round every rule. */
export const anthropicOperations: ReadonlySet<OperationName> = new Set([
  'messages',
  'messages.count_tokens',
  'messages.batches',
  'messages.batches.results',
]);

/** Of Anthropic's API before messages, which xAI and gateways have too. Elsewhere the last word means that an upload is whole. */
const textCompletion: OperationName = 'complete';
const completing: Protocol = {
  ...anthropic,
  operationOf: (method, path) =>
    endsWithSegments(routeSegments(path), ['v1', 'complete'])
      ? anthropic.operationOf(method, path)
      : 'unknown',
};

/** What Ollama answers beside them, which is often set up as a server of this family. */
const ollamaOperations: ReadonlySet<OperationName> = new Set(['chat', 'generate', 'embed', 'web']);

export const openai: Protocol = speakingAlso(own, [
  { protocol: anthropic, operations: anthropicOperations },
  { protocol: completing, operations: new Set([textCompletion]) },
  { protocol: ollamaOwn, operations: ollamaOperations },
]);
