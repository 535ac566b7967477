/**
 * The Cohere family: its second API, its first, and OpenAI's where it offers that
 * (https://docs.cohere.com/reference/about) behind one `Protocol`. Pure.
 */
import type { ErrorCode } from '../../core/errors.ts';
import { unamendable } from '../amending/amendment.ts';
import { readBatchCreation } from '../openai/batches.ts';
import { openai } from '../openai/family.ts';
import { readTextRequest } from '../openai/text-requests.ts';
import { readTranscript } from '../openai/transcripts.ts';
import type { OperationName, Protocol, ResponseReading, StreamForm } from '../protocol.ts';
import { openLineStream, openUnreadLines } from '../reading/ndjson-stream.ts';
import { unreadRequest, unreadResponse } from '../reading/reading.ts';
import {
  openEventStream,
  openUnreadableStream,
  openUnreadStream,
  type StreamReader,
} from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { endsWithSegments, routeSegments } from '../route.ts';
import { speakingAlso } from '../speaking-also.ts';
import { readCohereResponse } from './chat.ts';
import { amendCohereChat } from './chat-amend.ts';
import { createCohereStreamReader } from './chat-stream.ts';
import { readParsedDocument } from './documents.ts';
import { readCohereRequest } from './request.ts';
import { readCohereV1Response } from './v1.ts';
import { amendCohereV1 } from './v1-amend.ts';
import { createCohereV1StreamReader } from './v1-stream.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

const operationByAction: ReadonlyMap<string, OperationName> = new Map([
  ['chat', 'chat.v1'],
  ['generate', 'generate'],
  ['summarize', 'summarize'],
  ['embed', 'embed'],
  ['rerank', 'rerank'],
  ['classify', 'classify'],
  ['tokenize', 'tokenize'],
  ['batches', 'batches'],
  ['embed-jobs', 'embed_jobs'],
]);
/** What of OpenAI's API is offered, wherever it is mounted. */
const openaiOperations: ReadonlySet<OperationName> = new Set([
  'chat.completions',
  'responses',
  'completions',
  'embeddings',
]);
const methodsWithoutAnswer: ReadonlySet<string> = new Set(['GET', 'DELETE', 'HEAD', 'OPTIONS']);

/** Any prefix is allowed, as gateways mount the API anywhere. */
function operationOf(method: string, path: string): OperationName {
  const segments = routeSegments(path);
  if (methodsWithoutAnswer.has(method.trim().toUpperCase())) return 'unknown';
  if (endsWithSegments(segments, ['v2', 'chat'])) return 'chat';
  if (endsWithSegments(segments, ['v2', 'audio', 'transcriptions'])) return 'transcriptions';
  if (endsWithSegments(segments, ['v2', 'parse'])) return 'parse';
  return operationByAction.get(segments.at(-1) ?? '') ?? 'unknown';
}

/** Of requests that are no conversation, which members are words. */
const textMembers: ReadonlyMap<OperationName, Parameters<typeof readTextRequest>[2]> = new Map([
  ['generate', { system: [], text: ['prompt'] }],
  ['summarize', { system: ['additional_command'], text: ['text'] }],
  ['embed', { system: [], text: ['texts', 'inputs'] }],
  ['rerank', { system: [], text: ['query', 'documents'] }],
  ['classify', { system: [], text: ['inputs', 'examples'] }],
  ['tokenize', { system: [], text: ['text'] }],
  ['transcriptions', { system: [], text: ['prompt'] }],
  ['parse', { system: [], text: [] }],
]);

const answersRead: ReadonlySet<OperationName> = new Set(['chat', 'transcriptions', 'parse']);
const answersOfV1: ReadonlySet<OperationName> = new Set(['chat.v1', 'generate', 'summarize']);

function readAnswer(operation: OperationName, status: number, body: Buffer): ResponseReading {
  if (operation === 'chat') return readCohereResponse(status, body);
  if (answersOfV1.has(operation)) return readCohereV1Response(status, body);
  if (operation === 'parse') return readParsedDocument(status, body);
  return operation === 'transcriptions' ? readTranscript(status, body) : unreadResponse(status, '');
}

function streamReader(operation: OperationName, status: number): StreamReader | null {
  if (operation === 'chat') return createCohereStreamReader(status);
  return answersOfV1.has(operation) ? createCohereV1StreamReader(status) : null;
}

function framed(form: StreamForm, eventType: string, data: object): string {
  const text = JSON.stringify(data);
  return form === 'sse' ? `event: ${eventType}\ndata: ${text}\n\n` : `${text}\n`;
}

/**
 * The last event of an answer that failed, as the provider sends it. Its SDK raises nothing on any event but
 * hands this one on; Vercel's raises, as the usage it expects here is missing.
 */
function errorEvent(operation: OperationName, form: StreamForm, code: ErrorCode, message: string): string {
  const error = { message, type: 'permission_error', code };
  if (operation === 'chat') {
    const type = 'message-end';
    return framed(form, type, { type, delta: { error: message, finish_reason: 'ERROR' }, error });
  }
  const end = { is_finished: true, finish_reason: 'ERROR' };
  if (operation === 'chat.v1') {
    const response = {
      response_id: '',
      generation_id: '',
      text: '',
      chat_history: [],
      finish_reason: 'ERROR',
    };
    return framed(form, 'stream-end', { ...end, event_type: 'stream-end', response, error });
  }
  return framed(form, 'stream-error', { ...end, event_type: 'stream-error', err: message, error });
}

/** A piece of text without any; of the second API a comment must do, as clients place every piece. */
function emptyPiece(operation: OperationName, form: StreamForm): string | null {
  if (form !== 'ndjson' || operation === 'chat') return null;
  return framed(form, '', { is_finished: false, event_type: 'text-generation', text: '' });
}

const own: Protocol = {
  name: 'cohere',
  operationOf,
  readsAnswer: (operation) => answersRead.has(operation) || answersOfV1.has(operation),
  readRequest(operation, body, head) {
    if (operation === 'chat' || operation === 'chat.v1') return readCohereRequest(body);
    if (operation === 'batches' || operation === 'embed_jobs') return readBatchCreation(body, head);
    const members = textMembers.get(operation);
    return members === undefined ? unreadRequest('') : readTextRequest(body, head, members);
  },
  readResponse(operation, status, body) {
    return status >= errorStatusMin ? unreadResponse(status, '') : readAnswer(operation, status, body);
  },
  streamFormOf(_operation, contentType) {
    const mediaType = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
    return mediaType === 'application/stream+json' ? 'ndjson' : streamFormOf(contentType);
  },
  openStream(operation, status, form) {
    const reader = status >= errorStatusMin ? null : streamReader(operation, status);
    if (reader === null && status < errorStatusMin && answersRead.has(operation))
      return openUnreadableStream(status);
    if (form === 'sse') return reader === null ? openUnreadStream(status) : openEventStream(reader);
    return reader === null ? openUnreadLines(status) : openLineStream(reader);
  },
  errorBody: (_operation, code, _httpStatus, message) => JSON.stringify({ message, code }),
  errorHeaders: () => ({}),
  errorEvent,
  keepAliveEvent: emptyPiece,
  amendResponse(operation, original, form, amendment) {
    if (operation === 'chat') return amendCohereChat(original, form !== null, amendment);
    if (answersOfV1.has(operation)) return amendCohereV1(original, form, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};

export const cohere: Protocol = speakingAlso(own, [{ protocol: openai, operations: openaiOperations }]);
