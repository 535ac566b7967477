/**
 * Batches that servers compatible with OpenAI take as lists in a body, and the answers that they give back in pages:
 * xAI's, whose requests and answers are tagged with the API that runs them
 * (https://docs.x.ai/docs/guides/batch-api), and those of gateways, whose elements are the lines of OpenAI's files
 * (https://openrouter.ai/docs/api/api-reference/batch). Pure; bounded; hostile bytes in, lines, facts and defects out.
 */
import { parseForRewrite } from '../amending/amendment.ts';
import {
  type BatchEntry,
  batchEntriesIn,
  batchEntriesOf,
  batchLinesMax,
  jsonBytes,
} from '../batches/batch-lines.ts';
import { readPartOfFile } from '../batches/batch-results.ts';
import type {
  BatchRequest,
  BatchResult,
  OperationName,
  RequestHead,
  RequestReading,
  ResponseReading,
} from '../protocol.ts';
import { boundedList, note, unreadResponse } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, readJson } from '../wire/json.ts';
import { readBatchCreation, readBatchLine, resultOfLine } from './batches.ts';
import { readRecords } from './records.ts';
import { findWithin } from './records-find.ts';

const okStatus = 200;

interface Asked {
  readonly operation: OperationName;
  /** Where it would have been sent alone. */
  readonly path: string;
}

/** What xAI's tags ask for. */
const askedByTag: ReadonlyMap<string, Asked> = new Map([
  ['chat_get_completion', { operation: 'chat.completions', path: '/v1/chat/completions' }],
  ['responses', { operation: 'responses', path: '/v1/responses' }],
  ['image_generation', { operation: 'images.generations', path: '/v1/images/generations' }],
  ['image_edit', { operation: 'images.edits', path: '/v1/images/edits' }],
  ['video_generation', { operation: 'videos', path: '/v1/videos/generations' }],
  ['video_extension', { operation: 'videos', path: '/v1/videos/extensions' }],
]);

/** The one member that is there. */
function tagged(value: unknown): readonly [tag: string, body: JsonRecord] | null {
  const members = isRecord(value) ? Object.entries(value).filter(([, body]) => !isAbsent(body)) : [];
  const [first, second] = members;
  return first !== undefined && second === undefined && isRecord(first[1]) ? [first[0], first[1]] : null;
}

/** A member that some server takes for one of these, in another spelling: one that is overlooked is not judged. */
function respelt(value: JsonRecord, names: readonly string[]): string {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');
  const other = Object.keys(value).find(
    (name) => !names.includes(name) && names.some((known) => plain(known) === plain(name)),
  );
  return other === undefined ? '' : `the member ${JSON.stringify(other.slice(0, 80))} may be read as another`;
}

function taggedRequest({ customId, value, defect }: BatchEntry): BatchRequest {
  const found = tagged(value.batch_request);
  const asked = found === null ? undefined : askedByTag.get(found[0]);
  return {
    customId,
    operation: asked?.operation ?? 'chat.completions',
    path: asked?.path ?? '',
    request: found === null ? Buffer.alloc(0) : jsonBytes(found[1]),
    defect:
      defect ||
      respelt(value, ['batch_request']) ||
      (asked === undefined ? 'a line of the batch asks for nothing known' : ''),
  };
}

/** A request as a line of a file has it; where it does not say its own, the batch says endpoint and model for all. */
function listedRequest(
  { value, defect, customId }: BatchEntry,
  { endpoint, model }: JsonRecord,
): BatchRequest {
  const { body } = value;
  const named = isRecord(body) && isAbsent(body.model) && !isAbsent(model) ? { ...body, model } : body;
  const url = isAbsent(value.url) ? endpoint : value.url;
  const doubt = defect || respelt(value, ['url', 'body', 'method']);
  return readBatchLine({ customId, value: { ...value, url, body: named }, defect: doubt });
}

function* requestsIn(bytes: Buffer): Generator<BatchRequest> {
  const body = parseForRewrite(bytes.toString('utf8'));
  if (!isRecord(body)) return;
  const { batch_requests: tags, requests } = body;
  if (Array.isArray(tags))
    for (const entry of batchEntriesIn(tags, 'batch_request_id', true)) yield taggedRequest(entry);
  if (Array.isArray(requests)) for (const entry of batchEntriesIn(requests)) yield listedRequest(entry, body);
}

/** Reads a body that makes a batch, or adds to one: the file that it runs, and every request that stands in it. */
export function readInlineBatch(bytes: Buffer, head: RequestHead): RequestReading {
  const reading = readBatchCreation(bytes, head);
  const { value } = readJson(bytes, 'the request body');
  if (!isRecord(value)) return reading;
  const defects = [...reading.defects];
  note(defects, respelt(value, ['batch_requests', 'requests', 'endpoint', 'model']));
  let requests = 0;
  for (const name of ['batch_requests', 'requests'])
    requests += boundedList(value[name], batchLinesMax, `\`${name}\``, defects).length;
  if (requests === 0) return { ...reading, defects };
  const facts = { ...reading.facts, params: { ...reading.facts.params, requests } };
  return { ...reading, facts, defects, batch: () => requestsIn(bytes) };
}

/** What the tag of an answer makes of it; pictures and films hold nothing that rules judge. */
function operationOfTag(tag: string): OperationName {
  if (/^(image|video)/.test(tag)) return 'images.generations';
  // What is not known is read as what can say the most; its reader makes a defect of what it cannot read.
  return askedByTag.get(tag)?.operation ?? 'chat.completions';
}

function taggedResult({ customId, value, defect }: BatchEntry): BatchResult {
  const result = isRecord(value.batch_result) ? value.batch_result : {};
  const found = tagged(result.response);
  const isWhole = found !== null || !isAbsent(result.error) || !isAbsent(value.error);
  return {
    customId,
    operation: found === null ? 'unknown' : operationOfTag(found[0]),
    status: found === null ? 0 : okStatus,
    response: found === null ? Buffer.alloc(0) : jsonBytes(found[1]),
    defect: defect || (isWhole ? '' : 'a line of the batch has no answer'),
  };
}

/** Members by which an object is known to be the answer to one request. */
const answerMembers: readonly string[] = ['batch_result', 'custom_id', 'batch_request_id'];
const isAnswer = (value: unknown): boolean =>
  isRecord(value) && answerMembers.some((name) => !isAbsent(value[name]));

/** The answers in a page, wherever it lists them, or the one that the object is. */
function answersIn(body: JsonRecord): readonly unknown[] {
  if (isAnswer(body)) return [body];
  return ['results', 'data', 'outputs'].flatMap((name) => {
    const list = body[name];
    return Array.isArray(list) && list.some(isAnswer) ? list : [];
  });
}

function* resultsIn(bytes: Buffer): Generator<BatchResult> {
  const body = parseForRewrite(bytes.toString('utf8'));
  if (!isRecord(body)) return;
  const answers = answersIn(body);
  const isLine = (answer: unknown): boolean => !isRecord(answer) || 'custom_id' in answer;
  for (const entry of batchEntriesIn(answers.filter(isLine))) yield resultOfLine(entry);
  const isTagged = (answer: unknown): boolean => !isLine(answer);
  for (const entry of batchEntriesIn(answers.filter(isTagged), 'batch_request_id')) yield taggedResult(entry);
}

function* resultsOfLines(bytes: Buffer): Generator<BatchResult> {
  for (const entry of batchEntriesOf(bytes)) yield resultOfLine(entry);
}

/**
 * Reads a batch, or a page of its answers, of status below 400: one JSON object, or one answer a line. Of an object
 * that lists no answers in a known way, whatever asks for a tool counts.
 */
export function readInlineResults(status: number, bytes: Buffer): ResponseReading {
  const part = readPartOfFile(status);
  if (part !== null) return part;
  const { value, defect } = readJson(bytes, 'the answer');
  if (bytes.length === 0 || (isRecord(value) && answersIn(value).length === 0)) {
    return readRecords(status, bytes, findWithin);
  }
  const neutral = unreadResponse(status, '');
  if (!isRecord(value)) return { ...neutral, batch: () => resultsOfLines(bytes) };
  return { ...neutral, defects: defect === '' ? [] : [defect], batch: () => resultsIn(bytes) };
}
