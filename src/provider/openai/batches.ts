/**
 * OpenAI's batches: a file of requests, and the file of their answers
 * (https://platform.openai.com/docs/api-reference/batch). Pure; bounded; hostile bytes in, lines and defects out.
 */

import { type BatchEntry, batchEntriesFrom, batchEntriesOf, jsonBytes } from '../batches/batch-lines.ts';
import type { ResultLines } from '../batches/batch-results.ts';
import type { BatchRequest, BatchResult, OperationName, RequestHead, RequestReading } from '../protocol.ts';
import { asksTwice, wordMembersIn } from '../reading/asked-twice.ts';
import { readFormRequest } from '../reading/form-request.ts';
import { isForm, readForm } from '../reading/multipart.ts';
import { note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';
import { openaiOperationOf } from './routes.ts';
import { readTextRequest } from './text-requests.ts';

const okStatus = 200;

/** What a line without a place asks for, as some servers take it from the batch; undefined where that is not clear. */
function operationByShape(body: unknown): OperationName | undefined {
  if (!isRecord(body)) return undefined;
  if (!isAbsent(body.messages)) return 'chat.completions';
  return isAbsent(body.prompt) ? undefined : 'completions';
}

/** The words that each of what batches run reads. */
const readBy: ReadonlyMap<OperationName, readonly string[]> = new Map([
  ['chat.completions', ['messages', 'prompt']],
  ['completions', ['prompt']],
  ['responses', ['input']],
  ['embeddings', ['input', 'messages']],
  ['moderations', ['input']],
  ['images.generations', ['prompt']],
  ['images.edits', ['prompt']],
  ['videos', ['prompt']],
  ['audio.speech', ['input']],
  ['served.words', ['messages', 'prompt', 'input', 'inputs']],
]);

/** Some servers run every line as the batch says, whatever place the line names: its words must fit no other operation. */
function doubtOfWords(body: JsonRecord, operation: OperationName): string {
  if (asksTwice(body)) return 'a line of the batch asks for two things';
  const known = readBy.get(operation) ?? [];
  const fits = wordMembersIn(body).every((name) => known.includes(name));
  return fits ? '' : 'a line of the batch asks for something else than its place says';
}

/** The request of one line of an input file, as if it had been sent alone. */
export function readBatchLine({ customId, value, defect }: BatchEntry): BatchRequest {
  const path = textOf(value.url);
  const named = openaiOperationOf(textOf(value.method) || 'POST', path);
  const { body } = value;
  const known = path === '' ? operationByShape(body) : named;
  const isWhole = isRecord(body);
  // Servers that do not look at the method run what the line's body says, and nothing reads a body that lists.
  const isSent = /^(post)?$/i.test(textOf(value.method).trim());
  const isClear = isSent && known !== undefined && known !== 'unknown';
  const unclear = isWhole ? 'a line of the batch asks for nothing known' : 'a line of the batch has no body';
  const doubt = isWhole && isClear ? doubtOfWords(body, known) : unclear;
  return {
    customId,
    operation: known ?? 'unknown',
    path,
    request: isWhole ? jsonBytes(body) : Buffer.alloc(0),
    defect: defect || doubt,
  };
}

/** One answer as its line has it; `operationOf` says of what the body of one that was answered is. */
export function resultOf(
  { customId, value, defect }: BatchEntry,
  operationOf: (body: JsonRecord) => OperationName,
): BatchResult {
  const answer = isRecord(value.response) ? value.response : {};
  const { body, status_code: status } = answer;
  // Whoever takes the body of one that was answered does not ask for its status: what has none is read as it is taken.
  const untold = isRecord(body) ? okStatus : 0;
  const isWhole = isRecord(body) || isRecord(value.error);
  return {
    customId,
    operation: isRecord(body) ? operationOf(body) : 'unknown',
    status: typeof status === 'number' && status > 0 ? status : untold,
    response: isRecord(body) ? jsonBytes(body) : Buffer.alloc(0),
    defect: defect || (isWhole ? '' : 'a line of the batch has no answer'),
  };
}

/** An output file does not repeat what was asked; the object that was answered tells. */
const operationByObject: ReadonlyMap<string, OperationName> = new Map([
  ['chat.completion', 'chat.completions'],
  ['response', 'responses'],
  ['text_completion', 'completions'],
  ['list', 'embeddings'],
]);

function operationOfAnswer(body: JsonRecord): OperationName {
  // What is not known is read as what can say the most; its reader makes a defect of what it cannot read.
  return operationByObject.get(textOf(body.object)) ?? 'chat.completions';
}

/** One answer of an output or error file. */
export function resultOfLine(line: BatchEntry): BatchResult {
  return resultOf(line, operationOfAnswer);
}

/** Reads an upload; of a file that is to be run as a batch, every line, by `requestOf`. */
export function readFileUpload(
  body: Buffer,
  head: RequestHead,
  requestOf: (line: BatchEntry) => BatchRequest = readBatchLine,
): RequestReading {
  const reading = readFormRequest(body, head);
  if (reading.facts.params['purpose'] !== 'batch') return reading;
  const [file, second] = readForm(head.contentType, body).parts.filter((part) => part.fileName !== null);
  const defects = [...reading.defects];
  // Of two files of one name, some readers run the first and others the last.
  if (file === undefined || second !== undefined) {
    note(defects, 'the batch file cannot be told from the form');
    return { ...reading, defects };
  }
  return {
    ...reading,
    defects,
    batch: function* () {
      for (const entry of batchEntriesOf(file.content)) yield requestOf(entry);
    },
    batchFrom: async function* (pieces) {
      for await (const entry of batchEntriesFrom(pieces)) yield requestOf(entry);
    },
  };
}

/** An upload in parts cannot be read line by line, so a batch must not come that way. */
export function refuseBatchInParts(reading: RequestReading): RequestReading {
  if (reading.facts.params['purpose'] !== 'batch') return reading;
  const defect = 'a batch file that comes in parts cannot be judged: send it whole to /v1/files';
  return { ...reading, defects: [...reading.defects, defect] };
}

/** The id that an upload was answered with; '' where the answer does not say it in one way only. */
export function readFileId(answer: Buffer): string {
  const { value, defect } = readJson(answer, 'the answer');
  return isRecord(value) && defect === '' ? textOf(value.id) : '';
}

/**
 * OpenAI's own; what Azure takes in its place, the address of a file in the customer's storage; and the data sets of
 * Cohere and Fireworks.
 */
const fileMembers: ReadonlySet<string> = new Set(['inputfileid', 'inputblob', 'inputdatasetid', 'datasetid']);

/** Reads the body that creates a batch of a file, and which file that is. However it is spelt, a server may take it. */
export function readBatchCreation(bytes: Buffer, head: RequestHead): RequestReading {
  const reading = readTextRequest(bytes, head, { system: [], text: [] });
  const defects = [...reading.defects];
  const { value } = isForm(head.contentType)
    ? { value: reading.facts.params }
    : readJson(bytes, 'the request body');
  const batchFiles: string[] = [];
  for (const [name, file] of isRecord(value) ? Object.entries(value) : []) {
    if (!fileMembers.has(name.toLowerCase().replaceAll(/[_-]/g, '')) || isAbsent(file) || file === '')
      continue;
    if (typeof file === 'string') batchFiles.push(file);
    else note(defects, `\`${name}\` is not a text`);
  }
  return { ...reading, defects, batchFiles };
}

const brace = 0x7b;
const blanks: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** U+FEFF in UTF-8: some readers of JSON pass over it. */
const byteOrderMark = Buffer.from('\ufeff');

/** True where a file may be the results of a batch: JSON texts. */
export function mayBeResults(firstBytes: Buffer): boolean {
  const mark = byteOrderMark.subarray(0, firstBytes.length);
  let at = firstBytes.subarray(0, mark.length).equals(mark) ? mark.length : 0;
  while (blanks.has(firstBytes[at])) at += 1;
  // Where nothing but blanks came yet, anything may follow.
  return firstBytes[at] === brace || (at > 0 && at === firstBytes.length);
}

/** Also one whose id is no text or is not there: who reads its answer need not look at it. Lines to train with are none. */
function isOutputLine({ value }: BatchEntry): boolean {
  if (isRecord(value.response) && 'body' in value.response) return true;
  return 'custom_id' in value && ('response' in value || 'error' in value);
}

export const openaiResultLines: ResultLines = {
  idName: 'custom_id',
  isAnswer: isOutputLine,
  resultOf: resultOfLine,
};
