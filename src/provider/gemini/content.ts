/**
 * The operations on contents that Gemini has at Google AI and at Vertex AI alike, by the names `operationOf`
 * gives them. Pure.
 */
import { unamendable } from '../amending/amendment.ts';
import { readFileContent, readFileContentFrom } from '../batches/batch-results.ts';
import { mayBeResults } from '../openai/batches.ts';
import type { OperationName } from '../protocol.ts';
import { openArrayStream } from '../reading/json-array-stream.ts';
import { unreadRequest, unreadResponse } from '../reading/reading.ts';
import { openEventStream, openUnreadableStream, openUnreadStream } from '../reading/stream.ts';
import { fillerOf, streamFormOf } from '../reading/stream-form.ts';
import { readTokenRequest } from '../realtime/gemini-session.ts';
import { amendGemini } from './amend.ts';
import { createGeminiStreamReader, readGeminiResponse } from './answer.ts';
import { readBatch } from './batch.ts';
import { geminiResultLines } from './batch-file.ts';
import { googleErrorEvent } from './error.ts';
import { readPrediction, readPredictRequest } from './predict.ts';
import type { Dialect } from './protocol.ts';
import { readGeminiRequest } from './request.ts';
import { googleRoute, modelIn } from './route.ts';

/** True where the answer is Gemini's own, which may call tools. */
function isGenerated(operation: OperationName): boolean {
  return operation === 'generate_content' || operation === 'stream_generate_content';
}

/** Those whose answers hold numbers, or a receipt. */
const answeredOtherwise: ReadonlySet<OperationName> = new Set([
  'count_tokens',
  'embed_content',
  'batch_generate_content',
  'cached_contents',
  'live.tokens',
]);

/** True for every operation that this file reads. */
export function isContentOperation(operation: OperationName): boolean {
  if (['predict', 'batches.status', 'batches.results'].includes(operation)) return true;
  return isGenerated(operation) || answeredOtherwise.has(operation);
}

/**
 * A chunk that says nothing. Google's own SDKs take a comment, or even a blank line, badly: of three that were
 * read one drops the event after it and two fail. Texts that are empty come in real streams too.
 */
const emptyChunk = { candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, index: 0 }] };

export const content: Dialect = {
  readsAnswer: (operation) => operation !== 'batches.results' && !answeredOtherwise.has(operation),
  readsAnswerBy: (operation) => (operation === 'batches.results' ? mayBeResults : null),
  readRequest(operation, body, head) {
    const model = modelIn(googleRoute(head.path));
    if (operation === 'batches.results') return unreadRequest('');
    if (operation === 'predict') return readPredictRequest(body, model);
    if (operation === 'live.tokens') return readTokenRequest(body);
    return readGeminiRequest(body, model, operation === 'stream_generate_content');
  },
  readResponse(operation, status, body) {
    if (operation === 'predict') return readPrediction(status, body);
    if (operation === 'batches.status') return readBatch(status, body);
    if (operation === 'batches.results') return readFileContent(status, body, geminiResultLines);
    return isGenerated(operation) ? readGeminiResponse(status, body) : unreadResponse(status, '');
  },
  readResponseFrom: (operation, status, file) =>
    operation === 'batches.results' ? readFileContentFrom(status, file, geminiResultLines) : null,
  /** The stream is an array unless events were asked for (`alt=sse`); the type says which it is. */
  streamFormOf(operation, contentType) {
    // A file of answers is judged as one, whatever its type says.
    if (operation === 'batches.results') return null;
    const form = streamFormOf(contentType);
    const isJson = /^\s*application\/json\s*(;|$)/i.test(contentType);
    return form === null && isJson && operation === 'stream_generate_content' ? 'json-array' : form;
  },
  openStream(operation, status, form) {
    if (answeredOtherwise.has(operation)) return openUnreadStream(status);
    // Google gives whatever it is asked for as events where the address says so (`alt=sse`).
    if (!isGenerated(operation)) return openUnreadableStream(status);
    const reader = createGeminiStreamReader(status);
    return form === 'json-array' ? openArrayStream(reader) : openEventStream(reader);
  },
  errorEvent: (_operation, form, code, message, isFirst = false) =>
    googleErrorEvent(form, code, message, isFirst),
  keepAliveEvent(operation, form) {
    return isGenerated(operation) && form === 'sse' ? `data: ${JSON.stringify(emptyChunk)}\n\n` : null;
  },
  filler: (_operation, form) => (form === 'sse' ? null : fillerOf(form)),
  amendResponse(operation, original, form, amendment) {
    if (isGenerated(operation)) return amendGemini(original, form, amendment);
    throw unamendable('an answer of this operation is not understood');
  },
};
