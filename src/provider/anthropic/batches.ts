/**
 * Anthropic's message batches: one body with many requests, and a file of their answers
 * (https://docs.anthropic.com/en/api/creating-message-batches). Pure; bounded; hostile bytes in, lines, facts and
 * defects out.
 */
import { parseForRewrite } from '../amending/amendment.ts';
import {
  type BatchEntry,
  batchEntriesIn,
  batchEntriesOf,
  batchLinesMax,
  jsonBytes,
} from '../batches/batch-lines.ts';
import type { ResultLines } from '../batches/batch-results.ts';
import type { BatchRequest, BatchResult, RequestReading, ResponseReading } from '../protocol.ts';
import { boundedList, openRequest, unreadRequest, unreadResponse } from '../reading/reading.ts';
import { isRecord, readJson, textOf } from '../wire/json.ts';

const okStatus = 200;
/** Where each request of a batch would have been sent alone. */
const path = '/v1/messages';

function* requestsIn(body: Buffer): Generator<BatchRequest> {
  const value = parseForRewrite(body.toString('utf8'));
  const list: readonly unknown[] = isRecord(value) && Array.isArray(value.requests) ? value.requests : [];
  for (const { customId, value: entry, defect } of batchEntriesIn(list)) {
    const isWhole = isRecord(entry.params);
    yield {
      customId,
      operation: 'messages',
      path,
      request: isWhole ? jsonBytes(entry.params) : Buffer.alloc(0),
      defect: defect || (isWhole ? '' : 'a request of the batch has no params'),
    };
  }
}

/** The requests of a batch's body, as if each had been sent alone; none, and a defect, where it cannot be read. */
export function* readBatchLines(body: Buffer): Generator<BatchRequest> {
  const json = readJson(body, 'the request body');
  const list = isRecord(json.value) ? json.value.requests : undefined;
  const defect = json.defect || (Array.isArray(list) ? '' : 'the request body has no list of `requests`');
  if (defect === '') yield* requestsIn(body);
  else yield { customId: '', operation: 'messages', path, request: Buffer.alloc(0), defect };
}

/** The answers of a results file, as if each had come alone; what failed, expired or was cancelled has none. */
export function* readBatchResults(file: Buffer): Generator<BatchResult> {
  for (const line of batchEntriesOf(file)) yield resultOf(line);
}

function resultOf({ customId, value, defect }: BatchEntry): BatchResult {
  const result = isRecord(value.result) ? value.result : {};
  // Whoever finds a message reads it, whatever is said of how the request ended.
  const { message } = result;
  const isWhole = isRecord(message) || ['errored', 'canceled', 'expired'].includes(String(result.type));
  return {
    customId,
    operation: isRecord(message) ? 'messages' : 'unknown',
    status: isRecord(message) ? okStatus : 0,
    response: jsonBytes(message),
    defect: defect || (isWhole ? '' : 'a line of the batch has no answer'),
  };
}

export const anthropicResultLines: ResultLines = { idName: 'custom_id', isAnswer: () => true, resultOf };

/** The model that all requests name; '' where they differ. */
function commonModel(requests: readonly unknown[]): string {
  const models = new Set<string>();
  for (const request of requests) {
    const params = isRecord(request) && isRecord(request.params) ? request.params : {};
    models.add(textOf(params.model));
  }
  const [model = ''] = models;
  return models.size === 1 ? model : '';
}

/** Reads the body that creates a batch: what its requests say stands in its lines, each of which is judged. */
export function readBatchRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const requests = boundedList(body.requests, batchLinesMax, '`requests`', defects);
  const { facts } = unreadRequest('');
  const said = { model: commonModel(requests), params: { requests: requests.length } };
  return { facts: { ...facts, ...said }, defects, batch: () => requestsIn(bytes) };
}

/** Reads a results file: what its answers say stands in its lines, each of which is judged. */
export function readBatchResponse(status: number, bytes: Buffer): ResponseReading {
  return { ...unreadResponse(status, ''), batch: () => readBatchResults(bytes) };
}
