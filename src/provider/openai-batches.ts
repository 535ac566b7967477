/**
 * OpenAI's batches: a file of requests, and the file of their answers
 * (https://platform.openai.com/docs/api-reference/batch). Pure; bounded; hostile bytes in, lines and defects out.
 */
import { type BatchEntry, batchEntriesFrom, batchEntriesOf, jsonBytes } from './batch-lines.ts';
import { readFormRequest } from './form-request.ts';
import { isRecord, textOf } from './json.ts';
import { readForm } from './multipart.ts';
import { openaiOperationOf } from './openai-routes.ts';
import type {
  BatchRequest,
  BatchResult,
  OperationName,
  RequestHead,
  RequestReading,
  ResponseReading,
} from './protocol.ts';
import { note, unreadResponse } from './reading.ts';

/** The requests of an input file, as if each had been sent alone. */
export function* readBatchLines(file: Buffer): Generator<BatchRequest> {
  for (const entry of batchEntriesOf(file)) yield requestIn(entry);
}

async function* readBatchLinesFrom(pieces: AsyncIterable<Buffer>): AsyncGenerator<BatchRequest> {
  for await (const entry of batchEntriesFrom(pieces)) yield requestIn(entry);
}

function requestIn({ customId, value, defect }: BatchEntry): BatchRequest {
  const path = textOf(value.url);
  const operation = openaiOperationOf(textOf(value.method) || 'POST', path);
  const isWhole = isRecord(value.body);
  return {
    customId,
    operation,
    path,
    request: isWhole ? jsonBytes(value.body) : Buffer.alloc(0),
    defect: defect || (isWhole ? '' : 'a line of the batch has no body'),
  };
}

/** The answers of an output or error file, as if each had come alone. */
export function* readBatchResults(file: Buffer): Generator<BatchResult> {
  for (const { customId, value, defect } of batchEntriesOf(file)) {
    const answer = isRecord(value.response) ? value.response : {};
    const status = typeof answer.status_code === 'number' ? answer.status_code : 0;
    const isWhole = isRecord(answer.body) || isRecord(value.error);
    yield {
      customId,
      operation: operationOfAnswer(answer.body),
      status,
      response: isRecord(answer.body) ? jsonBytes(answer.body) : Buffer.alloc(0),
      defect: defect || (isWhole ? '' : 'a line of the batch has no answer'),
    };
  }
}

/** An output file does not repeat what was asked; the object that was answered tells. */
const operationByObject: ReadonlyMap<string, OperationName> = new Map([
  ['chat.completion', 'chat.completions'],
  ['response', 'responses'],
  ['text_completion', 'completions'],
  ['list', 'embeddings'],
]);

function operationOfAnswer(body: unknown): OperationName {
  const object = isRecord(body) ? textOf(body.object) : '';
  // What is not known is read as what can say the most; its reader makes a defect of what it cannot read.
  return operationByObject.get(object) ?? (isRecord(body) ? 'chat.completions' : 'unknown');
}

/** Reads an upload; of a file that is to be run as a batch, every line. */
export function readFileUpload(body: Buffer, head: RequestHead): RequestReading {
  const reading = readFormRequest(body, head);
  if (reading.facts.params['purpose'] !== 'batch') return reading;
  const [file, second] = readForm(head.contentType, body).parts.filter((part) => part.fileName !== null);
  const defects = [...reading.defects];
  // Of two files of one name, some readers run the first and others the last.
  if (file === undefined || second !== undefined) {
    note(defects, 'the batch file cannot be told from the form');
    return { ...reading, defects };
  }
  const batch = (): Iterable<BatchRequest> => readBatchLines(file.content);
  return { ...reading, defects, batch, batchFrom: readBatchLinesFrom };
}

/** An upload in parts cannot be read line by line, so a batch must not come that way. */
export function refuseBatchInParts(reading: RequestReading): RequestReading {
  if (reading.facts.params['purpose'] !== 'batch') return reading;
  const defect = 'a batch file that comes in parts cannot be judged: send it whole to /v1/files';
  return { ...reading, defects: [...reading.defects, defect] };
}

const partialContent = 206;
const brace = 0x7b;
const blanks: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** True where a file may be the results of a batch: JSON texts. */
export function mayBeResults(firstBytes: Buffer): boolean {
  let at = 0;
  while (blanks.has(firstBytes[at])) at += 1;
  // Where nothing but blanks came yet, anything may follow.
  return firstBytes[at] === brace || (at > 0 && at === firstBytes.length);
}

/** Reads a file that was asked for; one that is no batch's output gives nothing to judge. */
export function readFileContent(status: number, body: Buffer): ResponseReading {
  // A workload may ask for a file piece by piece (RFC 9110 section 14), and no piece shows what it is of.
  if (status === partialContent) return unreadResponse(status, 'only a part of a file was asked for');
  const neutral = unreadResponse(status, '');
  const [first] = batchEntriesOf(body);
  const isOutput =
    first !== undefined && first.customId !== '' && ('response' in first.value || 'error' in first.value);
  if (!isOutput) return neutral;
  const batch = (): Iterable<BatchResult> => readBatchResults(body);
  return { ...neutral, batch };
}
