/**
 * Whether all clients see the pieces of a call whose arguments Gemini streams. Most read the first candidate of a partial
 * answer alone, whatever its index, and the AI SDK drops a partial answer with a member of another type than is documented
 * or with an error. Who misses one piece of several reads another call. Pure.
 */
import { isFlag, isListOf, isNumber, isText } from '../reading/documented-types.ts';
import { note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import type { CallInProgress } from './calls.ts';

function isUsage(value: unknown): boolean {
  if (isAbsent(value)) return true;
  if (!isRecord(value)) return false;
  return Object.entries(value).every(([name, said]) => {
    if (name.endsWith('TokenCount')) return isNumber(said);
    if (name.endsWith('TokensDetails'))
      return isListOf(
        said,
        (one) =>
          isRecord(one) && typeof one['modality'] === 'string' && typeof one['tokenCount'] === 'number',
      );
    return typeof said !== 'object' && isText(said);
  });
}

function isRating(rating: unknown): boolean {
  return (
    isRecord(rating) &&
    ['category', 'probability', 'severity'].every((name) => isText(rating[name])) &&
    ['probabilityScore', 'severityScore'].every((name) => isNumber(rating[name])) &&
    isFlag(rating['blocked'])
  );
}

function isPart(part: unknown): boolean {
  if (!isRecord(part)) return false;
  const { functionCall: call, thoughtSignature, thought, text } = part;
  if (!isText(thoughtSignature) || !isFlag(thought) || !isText(text)) return false;
  return (
    isAbsent(call) ||
    (isRecord(call) && isText(call['id']) && isText(call['name']) && isFlag(call['willContinue']))
  );
}

function isCandidate(candidate: unknown): boolean {
  if (!isRecord(candidate)) return false;
  const { content, finishReason, finishMessage, safetyRatings } = candidate;
  return (
    isText(finishReason) &&
    isText(finishMessage) &&
    isListOf(safetyRatings, isRating) &&
    (!isRecord(content) || isListOf(content['parts'], isPart))
  );
}

/** Which clients pass over a partial answer; '' for none. */
export function chunkMissedBy(value: JsonRecord): string {
  const { error, responseId, usageMetadata, candidates } = value;
  const isAsDocumented = isText(responseId) && isUsage(usageMetadata) && isListOf(candidates, isCandidate);
  return `${isAbsent(error) ? '' : ' error'}${isAsDocumented ? '' : ' types'}`;
}

/** A byte order mark, a line's end, and what tells. */
const dataFirstBytes = 16;
/** How an event begins that has its data first, and an element of an array. */
const dataFirst = /^(data:|[[,{])/;

/** @google/genai passes over an event in which anything stands before its data, a comment or a name. */
export function eventMissedBy(raw: Buffer | undefined): string {
  // A byte order mark is white space to it.
  const begins = raw?.toString('utf8', 0, dataFirstBytes).trimStart() ?? '';
  return begins === '' || dataFirst.test(begins) ? '' : ' fields';
}

/** Hears of every piece of a call, and of who passes over it: it must be the same clients all along. */
export function createPieceWatch(defects: string[]): (call: CallInProgress, missedBy: string) => void {
  const missed = new WeakMap<CallInProgress, string>();
  return (call, missedBy) => {
    const before = missed.get(call);
    if (before === undefined) missed.set(call, missedBy);
    else if (before !== missedBy) note(defects, 'some clients pass over a piece of a tool call');
  };
}
