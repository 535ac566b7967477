/**
 * Ollama's own API (https://docs.ollama.com/api). Pure; must not import the families whose APIs the same server
 * speaks, as they import this one.
 *
 * What changes the server itself is recognised too: `create` carries prompts, `pull` brings models in from
 * elsewhere, `push` sends them out, `copy` and `delete` change what a name means. Their answers hold nothing
 * that rules judge. Blobs, listings and `show` pass as unknown.
 */
import type { ErrorCode } from '../../core/errors.ts';
import { unamendable } from '../amending/amendment.ts';
import { readTextRequest } from '../openai/text-requests.ts';
import type { OperationName, Protocol, RequestHead, RequestReading, StreamForm } from '../protocol.ts';
import { noteRespelled } from '../reading/member-spelling.ts';
import { openLineStream, openUnreadLines } from '../reading/ndjson-stream.ts';
import { unreadRequest, unreadResponse } from '../reading/reading.ts';
import { openUnreadStream } from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { endsWithSegments, routeSegments } from '../route.ts';
import { readJson, textOf } from '../wire/json.ts';
import { amendOllama } from './amend.ts';
import { type OllamaTalk, readOllamaRequest, readOllamaResponse } from './chat.ts';
import { createOllamaStreamReader } from './stream.ts';

/** Answers from this status on carry an error envelope and no tool calls. */
const errorStatusMin = 400;

const operationByAction: ReadonlyMap<string, OperationName> = new Map([
  ['chat', 'chat'],
  ['generate', 'generate'],
  ['embed', 'embed'],
  ['embeddings', 'embed'],
  ['create', 'create'],
  ['web_search', 'web'],
  ['web_fetch', 'web'],
  ['pull', 'pull'],
  ['push', 'push'],
  ['copy', 'copy'],
  ['delete', 'delete'],
]);
const methodsWithoutBody: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What the web says of a question has been here before it was where it is now. */
function isOwn(segments: readonly string[], action: string): boolean {
  const isEarly = endsWithSegments(segments, ['api', 'experimental', action]);
  return isEarly || endsWithSegments(segments, ['api', action]);
}

/** Any prefix is allowed, as gateways mount the API anywhere. */
function operationOf(method: string, path: string): OperationName {
  const segments = routeSegments(path);
  const action = segments.at(-1) ?? '';
  const own = isOwn(segments, action) ? operationByAction.get(action) : undefined;
  return own === undefined || methodsWithoutBody.has(method.trim().toUpperCase()) ? 'unknown' : own;
}

function talkOf(operation: OperationName): OllamaTalk | null {
  return operation === 'chat' || operation === 'generate' ? operation : null;
}

/** What requests of the server's own say which model they mean by. */
const modelMembers: ReadonlySet<string> = new Set(['model', 'name', 'source', 'destination']);
const embedMembers: ReadonlySet<string> = new Set(['model', 'input', 'prompt']);
const webMembers: ReadonlySet<string> = new Set(['query', 'url']);

/** The reading, with a defect for every member that this server would take for another. */
function withRespelled(reading: RequestReading, body: Buffer, names: ReadonlySet<string>): RequestReading {
  const { value } = readJson(body, 'the request body');
  const defects = [...reading.defects];
  noteRespelled(value, names, defects);
  return { ...reading, defects };
}

/** `pull` and its like name a model, in a member that has changed over time. */
function readModelRequest(body: Buffer, head: RequestHead): RequestReading {
  const reading = readTextRequest(body, head, { system: [], text: [] });
  const { name = '', source = '' } = reading.facts.params;
  const model = reading.facts.model || textOf(name) || textOf(source);
  return withRespelled({ ...reading, facts: { ...reading.facts, model } }, body, modelMembers);
}

function readEmbedRequest(body: Buffer, head: RequestHead): RequestReading {
  const reading = readTextRequest(body, head, { system: [], text: ['input', 'prompt'] });
  return withRespelled(reading, body, embedMembers);
}

/** What is looked up for the workload, which hands it to a model then. */
function readWebRequest(body: Buffer, head: RequestHead): RequestReading {
  const reading = readTextRequest(body, head, { system: [], text: [...webMembers] });
  return withRespelled(reading, body, webMembers);
}

/** The JavaScript and Python clients raise what stands in `error`, which must be a text. */
function errorLine(code: ErrorCode, message: string): string {
  return `${JSON.stringify({ error: message, type: 'permission_error', code })}\n`;
}

/** A line with nothing in it, as the server itself sends them; its time is a time, as the Go client wants. */
function emptyLine(operation: OperationName, model: string): string | null {
  const line = { model, created_at: '1970-01-01T00:00:00Z' };
  if (operation === 'chat') {
    return `${JSON.stringify({ ...line, message: { role: 'assistant', content: '' }, done: false })}\n`;
  }
  return operation === 'generate' ? `${JSON.stringify({ ...line, response: '', done: false })}\n` : null;
}

function openUnread(status: number, form: StreamForm) {
  return form === 'sse' ? openUnreadStream(status) : openUnreadLines(status);
}

export const ollamaOwn: Protocol = {
  name: 'ollama',
  operationOf,
  readsAnswer: (operation) => talkOf(operation) !== null,
  readRequest(operation, body, head) {
    if (operation === 'unknown') return unreadRequest('');
    if (talkOf(operation) !== null || operation === 'create') return readOllamaRequest(body);
    if (operation === 'web') return readWebRequest(body, head);
    return operation === 'embed' ? readEmbedRequest(body, head) : readModelRequest(body, head);
  },
  readResponse(operation, status, body) {
    const talk = talkOf(operation);
    if (status >= errorStatusMin || talk === null) return unreadResponse(status, '');
    return readOllamaResponse(talk, status, body);
  },
  streamFormOf: (_operation, contentType) => streamFormOf(contentType),
  openStream(operation, status, form) {
    const talk = talkOf(operation);
    if (status >= errorStatusMin || talk === null) return openUnread(status, form);
    // In any other form every line is one that cannot be read.
    return openLineStream(createOllamaStreamReader(talk, status));
  },
  errorBody: (_operation, code, _httpStatus, message) => JSON.stringify({ error: message, code }),
  errorHeaders: () => ({}),
  errorEvent: (_operation, _form, code, message) => errorLine(code, message),
  keepAliveEvent: (operation, _form, model) => emptyLine(operation, model),
  amendResponse(operation, original, form, amendment) {
    const talk = talkOf(operation);
    if (talk !== null) return amendOllama(talk, original, form !== null, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};
