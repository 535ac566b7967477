/**
 * Mistral's batches: files, or lists in a job, of requests that do not say what they ask for, and of their answers
 * (https://docs.mistral.ai/capabilities/batch). Pure; bounded; hostile bytes in, lines, facts and defects out.
 */
import { parseForRewrite } from '../amending/amendment.ts';
import { withAgent } from '../asked/answering-agent.ts';
import { type BatchEntry, batchEntriesIn, batchLinesMax, jsonBytes } from '../batches/batch-lines.ts';
import type { ResultLines } from '../batches/batch-results.ts';
import { openaiResultLines, resultOf } from '../openai/batches.ts';
import type {
  BatchRequest,
  BatchResult,
  OperationName,
  RequestReading,
  ResponseReading,
} from '../protocol.ts';
import {
  boundedList,
  modelName,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  unreadRequest,
  unreadResponse,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** What a request asks for, by a member that no other kind has. Of two kinds in one body the job says which counts. */
const operationByMember: readonly (readonly [string, OperationName])[] = [
  ['messages', 'chat.completions'],
  ['inputs', 'conversations'],
  ['document', 'ocr'],
  ['prompt', 'fim.completions'],
  ['input', 'embeddings'],
  ['file_url', 'audio.transcriptions'],
  ['file_id', 'audio.transcriptions'],
];

function operationsOfRequest(body: JsonRecord): readonly OperationName[] {
  const found = operationByMember.filter(([member]) => !isAbsent(body[member]));
  return [...new Set(found.map(([, operation]) => operation))];
}

const operationByObject: ReadonlyMap<string, OperationName> = new Map([
  ['conversation.response', 'conversations'],
  ['list', 'embeddings'],
]);

function operationOfAnswer(body: JsonRecord): OperationName {
  if (Array.isArray(body.pages)) return 'ocr';
  if (Array.isArray(body.results)) return 'moderations';
  if (typeof body.text === 'string' && isAbsent(body.choices)) return 'audio.transcriptions';
  // What is not known is read as what can say the most; its reader makes a defect of what it cannot read.
  return operationByObject.get(textOf(body.object)) ?? 'chat.completions';
}

/** One request; `model` stands for that of a request that names none, as the job says it for all. */
function requestOf({ customId, value, defect }: BatchEntry, model: string): BatchRequest {
  const body = isRecord(value.body) ? value.body : null;
  const [operation, second] = body === null ? [] : operationsOfRequest(body);
  const named = body === null || model === '' || !isAbsent(body.model) ? body : { ...body, model };
  const asks = operation === undefined ? 'nothing known' : 'two things';
  const doubt = body === null ? 'a line of the batch has no body' : `a line of the batch asks for ${asks}`;
  const isClear = operation !== undefined && second === undefined;
  return {
    customId,
    operation: operation ?? 'chat.completions',
    path: textOf(value.url),
    request: named === null ? Buffer.alloc(0) : jsonBytes(named),
    defect: defect || (isClear ? '' : doubt),
  };
}

/** The request of one line of an input file. Which model answers it the job may say, which is judged by itself. */
export function readMistralLine(line: BatchEntry): BatchRequest {
  return requestOf(line, '');
}

export const mistralResultLines: ResultLines = {
  ...openaiResultLines,
  resultOf: (line) => resultOf(line, operationOfAnswer),
};

function* entriesIn(bytes: Buffer, member: string): Generator<BatchEntry> {
  const body = parseForRewrite(bytes.toString('utf8'));
  const list = isRecord(body) ? body[member] : undefined;
  if (Array.isArray(list)) yield* batchEntriesIn(list);
}

function* requestsIn(bytes: Buffer, model: string): Generator<BatchRequest> {
  for (const entry of entriesIn(bytes, 'requests')) yield requestOf(entry, model);
}

function* resultsIn(bytes: Buffer): Generator<BatchResult> {
  for (const entry of entriesIn(bytes, 'outputs')) yield resultOf(entry, operationOfAnswer);
}

const paramsElsewhere: ReadonlySet<string> = new Set(['model']);

/** Reads the body that creates a job: its model, its endpoint, its files, and every request that stands in it. */
export function readJobRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const model = modelName(body.model, defects);
  const requests = boundedList(body.requests, batchLinesMax, '`requests`', defects);
  const files = boundedList(body.input_files, batchLinesMax, '`input_files`', defects);
  const params = { ...scalarParams(body, paramsElsewhere), input_files: files, requests: requests.length };
  const facts = withAgent(body, { ...unreadRequest('').facts, model, params }, defects);
  const batchFiles = files.map(textOf);
  if (requests.length === 0) return { facts, defects, batchFiles };
  return { facts, defects, batchFiles, batch: () => requestsIn(bytes, facts.model) };
}

/** Reads a job that was asked for, with the answers that stand in it; in a list, jobs have none. */
export function readJobResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const outputs = boundedList(body.outputs, batchLinesMax, '`outputs`', defects);
  const neutral = unreadResponse(status, '').facts;
  const facts = { ...neutral, model: textOf(body.model), finishReason: textOf(body.status) };
  for (const job of Array.isArray(body.data) ? body.data : []) {
    if (isRecord(job) && !isAbsent(job.outputs)) note(defects, 'a list of jobs has answers');
  }
  const reading = { facts, defects, complete: true, failed: false };
  return outputs.length === 0 ? reading : { ...reading, batch: () => resultsIn(bytes) };
}
