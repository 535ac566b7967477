/**
 * OpenAI's batches: a file of requests, and the file of their answers
 * (https://platform.openai.com/docs/api-reference/batch). Pure; bounded; hostile bytes in, lines and defects out.
 */
import { type BatchRequest, type BatchResult, batchEntriesOf, jsonBytes } from './batch-lines.ts';
import { isRecord, textOf } from './json.ts';
import { openaiOperationOf } from './openai-routes.ts';

/** The requests of an input file, as if each had been sent alone. */
export function* readBatchLines(file: Buffer): Generator<BatchRequest> {
  for (const { customId, value, defect } of batchEntriesOf(file)) {
    const path = textOf(value.url);
    const operation = openaiOperationOf(textOf(value.method) || 'POST', path);
    const isWhole = isRecord(value.body);
    yield {
      customId,
      operation,
      path,
      request: isWhole ? jsonBytes(value.body) : Buffer.alloc(0),
      defect: defect || (isWhole ? '' : 'a line of the batch has no body'),
    };
  }
}

/** The answers of an output or error file, as if each had come alone. */
export function* readBatchResults(file: Buffer): Generator<BatchResult> {
  for (const { customId, value, defect } of batchEntriesOf(file)) {
    const answer = isRecord(value.response) ? value.response : {};
    const status = typeof answer.status_code === 'number' ? answer.status_code : 0;
    const isWhole = isRecord(answer.body) || isRecord(value.error);
    yield {
      customId,
      status,
      response: isRecord(answer.body) ? jsonBytes(answer.body) : Buffer.alloc(0),
      defect: defect || (isWhole ? '' : 'a line of the batch has no answer'),
    };
  }
}
