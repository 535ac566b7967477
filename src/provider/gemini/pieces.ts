/**
 * Whether all clients see the pieces of a call whose arguments Gemini streams. Most read the first candidate of a partial
 * answer alone, whatever its index, and the AI SDK drops a partial answer with a member of another type than is documented
 * or with an error. Who misses one piece of several reads another call. Pure.
 */
import { isFlag, isListOf, isNumber, isRecordOf, isRecordsOf, isText } from '../reading/documented-types.ts';
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

const isTexts = (value: unknown): boolean => isListOf(value, (entry) => typeof entry === 'string');
const isNumbers = (value: unknown): boolean => isListOf(value, (entry) => typeof entry === 'number');

const isRatings = isRecordsOf({
  ...{ category: isText, probability: isText, severity: isText },
  ...{ probabilityScore: isNumber, severityScore: isNumber, blocked: isFlag },
});

/** What an answer was drawn from. */
const isGrounding = isRecordOf({
  ...{ webSearchQueries: isTexts, imageSearchQueries: isTexts, retrievalQueries: isTexts },
  searchEntryPoint: isRecordOf({ renderedContent: isText }, ['renderedContent']),
  groundingChunks: isRecordsOf({
    web: isRecordOf({ uri: isText, title: isText }, ['uri']),
    image: isRecordOf({ sourceUri: isText, imageUri: isText, title: isText, domain: isText }, [
      'sourceUri',
      'imageUri',
    ]),
    retrievedContext: isRecordOf({
      ...{ uri: isText, title: isText, text: isText, fileSearchStore: isText },
      customMetadata: isRecordsOf(
        {
          ...{ key: isText, stringValue: isText, numericValue: isNumber },
          stringListValue: isRecordOf({ values: isTexts }),
        },
        ['key'],
      ),
    }),
    maps: isRecordOf({ uri: isText, title: isText, text: isText, placeId: isText }),
  }),
  groundingSupports: isRecordsOf({
    segment: isRecordOf({ startIndex: isNumber, endIndex: isNumber, text: isText }),
    ...{ segment_text: isText, groundingChunkIndices: isNumbers, supportChunkIndices: isNumbers },
    ...{ confidenceScores: isNumbers, confidenceScore: isNumbers },
  }),
  retrievalMetadata: isRecordOf({}),
});
const fetched = ['retrievedUrl', 'urlRetrievalStatus'];
const isFetched = isRecordOf({
  urlMetadata: isRecordsOf({ retrievedUrl: isText, urlRetrievalStatus: isText }, fetched),
});
const isFeedback = isRecordOf({ blockReason: isText, safetyRatings: isRatings });
const isCode = isRecordOf({ language: isText, code: isText }, ['language', 'code']);
const isCodeResult = isRecordOf({ outcome: isText, output: isText }, ['outcome']);

function isPart(part: unknown): boolean {
  if (!isRecord(part)) return false;
  const { functionCall: call, thoughtSignature, thought, text } = part;
  if (!isText(thoughtSignature) || !isFlag(thought) || !isText(text)) return false;
  if (!isCode(part['executableCode']) || !isCodeResult(part['codeExecutionResult'])) return false;
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
    isText(candidate['continuationToken']) &&
    isRatings(safetyRatings) &&
    isGrounding(candidate['groundingMetadata']) &&
    isFetched(candidate['urlContextMetadata']) &&
    (!isRecord(content) || isListOf(content['parts'], isPart))
  );
}

/** Which clients pass over a partial answer; '' for none. */
export function chunkMissedBy(value: JsonRecord): string {
  const { error, responseId, usageMetadata, promptFeedback, candidates } = value;
  const isAsDocumented =
    isText(responseId) &&
    isUsage(usageMetadata) &&
    isFeedback(promptFeedback) &&
    isListOf(candidates, isCandidate);
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
