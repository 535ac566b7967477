/**
 * The files that Gemini's batches are read from and written to: one JSON text a line, told apart by a key that the
 * workload chose (https://ai.google.dev/gemini-api/docs/batch-api). Pure; bounded; hostile bytes in, lines and defects
 * out.
 */
import { type BatchEntry, jsonBytes } from '../batches/batch-lines.ts';
import type { ResultLines } from '../batches/batch-results.ts';
import type { BatchResult, OperationName } from '../protocol.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';

const okStatus = 200;

/** What is not known is read as what can say the most; its reader makes a defect of what it cannot read. */
function operationOf(answer: JsonRecord): OperationName {
  return isAbsent(answer['embedding']) ? 'generate_content' : 'embed_content';
}

/** An answer as if it had come alone; a request that failed has none. */
function resultOf({ customId, value, defect }: BatchEntry): BatchResult {
  const answer = value['response'];
  const isWhole = isRecord(answer) || isRecord(value['error']) || isRecord(value['status']);
  return {
    customId,
    operation: isRecord(answer) ? operationOf(answer) : 'unknown',
    status: isRecord(answer) ? okStatus : 0,
    response: isRecord(answer) ? jsonBytes(answer) : Buffer.alloc(0),
    defect: defect || (isWhole ? '' : 'a line of the batch has no answer'),
  };
}

export const geminiResultLines: ResultLines = { idName: 'key', isAnswer: isOutputLine, resultOf };

function isOutputLine({ value }: BatchEntry): boolean {
  return 'response' in value || 'error' in value;
}
