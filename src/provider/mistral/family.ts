/**
 * The Mistral family: completions, conversations and what reads documents and speech behind one `Protocol`
 * (https://docs.mistral.ai/api). Pure.
 */
import type { ErrorCode } from '../../core/errors.ts';
import { unamendable } from '../amending/amendment.ts';
import { readFileContent, readFileContentFrom } from '../batches/batch-results.ts';
import { mayBeResults, readFileId, readFileUpload } from '../openai/batches.ts';
import { readChatRequest } from '../openai/chat.ts';
import { readTextRequest } from '../openai/text-requests.ts';
import { readTranscript } from '../openai/transcripts.ts';
import type { OperationName, Protocol, ResponseReading } from '../protocol.ts';
import { unreadRequest, unreadResponse } from '../reading/reading.ts';
import {
  openEventStream,
  openUnreadableStream,
  openUnreadStream,
  type StreamReader,
} from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { endsWithSegments, routeSegments } from '../route.ts';
import { mistralResultLines, readJobRequest, readJobResponse, readMistralLine } from './batches.ts';
import { createMistralStreamReader, readMistralResponse } from './chat.ts';
import { amendMistralChat } from './chat-amend.ts';
import { readConversationRequest, readConversationResponse } from './conversations.ts';
import { amendConversation } from './conversations-amend.ts';
import { createConversationStreamReader } from './conversations-stream.ts';
import { createTranscriptionStreamReader, readOcrResponse } from './documents.ts';
import { keptOperationOf, keptOperations, readKept } from './kept.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

const completions: ReadonlySet<OperationName> = new Set([
  'chat.completions',
  'fim.completions',
  'agents.completions',
]);

/** Routes by their last segments, the more exact first. */
const routes: readonly (readonly [readonly string[], OperationName])[] = [
  [['chat', 'completions'], 'chat.completions'],
  [['fim', 'completions'], 'fim.completions'],
  [['agents', 'completions'], 'agents.completions'],
  [['chat', 'moderations'], 'chat.moderations'],
  [['chat', 'classifications'], 'chat.classifications'],
  [['audio', 'transcriptions'], 'audio.transcriptions'],
  [['audio', 'speech'], 'audio.speech'],
  [['batch', 'jobs'], 'batch.jobs'],
  [['files'], 'files'],
  [['moderations'], 'moderations'],
  [['classifications'], 'classifications'],
  [['embeddings'], 'embeddings'],
  [['ocr'], 'ocr'],
  [['conversations'], 'conversations'],
  [['agents'], 'agents'],
  // A key for a browser that is to speak to it.
  [['client', 'sessions'], 'realtime.sessions'],
];

const methodsWithoutAnswer: ReadonlySet<string> = new Set(['DELETE', 'HEAD', 'OPTIONS']);

/**
 * Any prefix is allowed, as gateways mount the API anywhere. What a conversation holds can be read back by its
 * id, calls included, whatever became of the answer that made them.
 */
function operationOf(method: string, path: string): OperationName {
  const verb = method.trim().toUpperCase();
  if (methodsWithoutAnswer.has(verb)) return 'unknown';
  const segments = routeSegments(path);
  const last = segments.at(-1) ?? '';
  const above = segments.slice(0, -1);
  const inConversation = segments.at(-3) === 'conversations';
  if (inConversation && (last === 'history' || last === 'messages')) return 'conversations';
  if (verb === 'GET') {
    if (last === 'content' && segments.at(-3) === 'files') return 'files.content';
    const isJob = endsWithSegments(above, ['batch', 'jobs']) || endsWithSegments(segments, ['batch', 'jobs']);
    return isJob ? 'batch.jobs' : 'unknown';
  }
  if (last === 'call' && segments.at(-3) === 'tools' && segments.at(-5) === 'connectors')
    return 'connectors.call';
  if (last === 'cancel' && endsWithSegments(segments.slice(0, -2), ['batch', 'jobs'])) return 'batch.jobs';
  for (const [tail, operation] of routes) if (endsWithSegments(segments, tail)) return operation;
  if (endsWithSegments(above, ['conversations'])) return 'conversations';
  if (inConversation && last === 'restart') return 'conversations';
  return endsWithSegments(above, ['agents']) ? 'agents' : keptOperationOf(segments);
}

/** Of requests that are no conversation, which members are words. */
const textMembers: ReadonlyMap<OperationName, Parameters<typeof readTextRequest>[2]> = new Map([
  ['fim.completions', { system: [], text: ['prompt', 'suffix'] }],
  // One conversation, or a list of them.
  ['chat.moderations', { system: [], text: null }],
  ['chat.classifications', { system: [], text: null }],
  ['moderations', { system: [], text: ['input'] }],
  ['classifications', { system: [], text: ['input'] }],
  ['embeddings', { system: [], text: ['input'] }],
  ['audio.transcriptions', { system: [], text: ['context_bias'] }],
  ['audio.speech', { system: [], text: ['input'] }],
  ['ocr', { system: ['document_annotation_prompt'], text: [] }],
  // A tool that the workload has Mistral call, and what it is handed.
  ['connectors.call', { system: [], text: null }],
]);

function readAnswer(operation: OperationName, status: number, body: Buffer): ResponseReading {
  if (completions.has(operation)) return readMistralResponse(status, body);
  if (operation === 'conversations') return readConversationResponse(status, body);
  if (operation === 'batch.jobs') return readJobResponse(status, body);
  if (operation === 'files.content') return readFileContent(status, body, mistralResultLines);
  if (operation === 'ocr') return readOcrResponse(status, body);
  if (operation === 'audio.transcriptions') return readTranscript(status, body);
  return unreadResponse(status, '');
}

function streamReader(operation: OperationName, status: number): StreamReader | null {
  if (completions.has(operation)) return createMistralStreamReader(status);
  if (operation === 'conversations') return createConversationStreamReader(status);
  return operation === 'audio.transcriptions' ? createTranscriptionStreamReader(status) : null;
}

const answersRead: ReadonlySet<OperationName> = new Set([
  ...completions,
  'conversations',
  'ocr',
  'audio.transcriptions',
  'batch.jobs',
]);

const errorTypes: ReadonlyMap<number, string> = new Map([
  [403, 'permission_error'],
  [429, 'rate_limited'],
  [503, 'service_unavailable'],
]);

function errorType(httpStatus: number): string {
  return (
    errorTypes.get(httpStatus) ?? (httpStatus >= 500 ? 'internal_server_error' : 'invalid_request_error')
  );
}

function envelope(type: string, code: ErrorCode, message: string) {
  return { object: 'error', message, type, param: null, code };
}

/**
 * The SDK checks every event against what it expects and raises when one does not fit, as this does not; an
 * event of a conversation it hands on, of the type that says it failed.
 */
function errorEvent(operation: OperationName, code: ErrorCode, message: string): string {
  const error = envelope('permission_error', code, message);
  if (operation !== 'conversations') return `data: ${JSON.stringify(error)}\n\n`;
  const type = 'conversation.response.error';
  const data = { type, message, code: 403, error };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const mistral: Protocol = {
  name: 'mistral',
  operationOf,
  readsAnswer: (operation) => answersRead.has(operation),
  readsAnswerBy: (operation) => (operation === 'files.content' ? mayBeResults : null),
  readRequest(operation, body, head) {
    if (operation === 'chat.completions' || operation === 'agents.completions') return readChatRequest(body);
    if (operation === 'conversations' || operation === 'agents') return readConversationRequest(body);
    if (operation === 'batch.jobs') return readJobRequest(body);
    if (operation === 'files') return readFileUpload(body, head, readMistralLine);
    if (keptOperations.has(operation)) return readKept(operation, body, head);
    const members = textMembers.get(operation);
    return members === undefined ? unreadRequest('') : readTextRequest(body, head, members);
  },
  readResponse(operation, status, body) {
    return status >= errorStatusMin ? unreadResponse(status, '') : readAnswer(operation, status, body);
  },
  readResponseFrom: (operation, status, file) =>
    operation === 'files.content' && status < errorStatusMin
      ? readFileContentFrom(status, file, mistralResultLines)
      : null,
  fileIdIn: (operation, body) => (operation === 'files' ? readFileId(body) : ''),
  // A file of answers is judged as one, whatever its type says.
  streamFormOf: (operation, contentType) =>
    operation === 'files.content' ? null : streamFormOf(contentType),
  openStream(operation, status) {
    const reader = status >= errorStatusMin ? null : streamReader(operation, status);
    if (reader !== null) return openEventStream(reader);
    const isJudged = status < errorStatusMin && answersRead.has(operation);
    return isJudged ? openUnreadableStream(status) : openUnreadStream(status);
  },
  errorBody: (_operation, code, httpStatus, message) =>
    JSON.stringify(envelope(errorType(httpStatus), code, message)),
  errorHeaders: () => ({}),
  errorEvent: (operation, _form, code, message) => errorEvent(operation, code, message),
  keepAliveEvent(operation, _form, model) {
    if (!completions.has(operation)) return null;
    const choices = [{ index: 0, delta: {}, finish_reason: null }];
    const chunk = { id: '', object: 'chat.completion.chunk', created: 0, model, choices };
    return `data: ${JSON.stringify(chunk)}\n\n`;
  },
  amendResponse(operation, original, form, amendment) {
    if (completions.has(operation)) return amendMistralChat(original, form !== null, amendment);
    if (operation === 'conversations') return amendConversation(original, form !== null, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};
