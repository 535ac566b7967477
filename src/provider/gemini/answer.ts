/**
 * Gemini answers (https://ai.google.dev/api/generate-content#generatecontentresponse). A streamed answer is a
 * row of partial ones, so one reader takes both: a whole answer is a stream of one. Pure; hostile bytes in,
 * facts and defects out.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import type { ResponseReading } from '../protocol.ts';
import {
  addCall,
  addJsonCall,
  boundedList,
  joined,
  note,
  openAnswer,
  toolCallsMax,
} from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { eachElement, type SourcePath, sourcesAt } from '../wire/source-at-path.ts';
import { type CallInProgress, createCallReader } from './calls.ts';
import { enumName, finishReasons, readUsage, refusals } from './ends.ts';
import { isAnswer, unwrapped } from './envelope.ts';
import { dataOf, fileText, isCall, isThought } from './parts.ts';
import { chunkMissedBy, createPieceWatch, eventMissedBy } from './pieces.ts';

const candidatesMax = 128;
const partsMax = 4 * toolCallsMax;

/** Where a call, or a piece of it, stands in the answer. */
export interface CallPlace {
  /** The partial answer, the candidate in it, the part in that, and the member of that. */
  readonly chunk: number;
  readonly candidate: number;
  readonly part: number;
  readonly key: string;
}

interface Candidate {
  readonly calls: ReturnType<typeof createCallReader>;
  text: string;
  /** The words of text files within it. */
  files: string;
  finishReason: string;
  finishMessage: string;
}

export interface AnswerReader {
  readonly defects: string[];
  /** Takes one partial answer; `text` is how it was written, `event` the event that it came in as it came. */
  absorb(value: JsonRecord, text: string, event?: Buffer): StreamEventKind;
  reading(): ResponseReading;
  /** The calls in the order of the facts. */
  calls(): readonly CallInProgress[];
}

/** What one event means that is several things at once. */
const weight: Readonly<Record<StreamEventKind, number>> = { other: 0, text: 1, end: 2, error: 3, tool: 4 };

function weightier(a: StreamEventKind, b: StreamEventKind): StreamEventKind {
  return weight[b] > weight[a] ? b : a;
}

/** Opens a reader for one answer. `onCall` hears of every part that is a call or a piece of one. */
export function createAnswerReader(
  status: number,
  onCall: (place: CallPlace, call: CallInProgress) => void = () => undefined,
): AnswerReader {
  const defects: string[] = [];
  const candidates = new Map<number, Candidate>();
  const usage = new Map<string, number>();
  const hearPiece = createPieceWatch(defects);
  /** Of the partial answer at hand. */
  let whoMisses = (): string => '';
  let chunk = -1;
  let model = '';
  let blocked = '';
  let failed = false;

  function candidateAt(index: number): Candidate {
    let candidate = candidates.get(index);
    if (candidate === undefined) {
      candidate = {
        calls: createCallReader(defects),
        text: '',
        files: '',
        finishReason: '',
        finishMessage: '',
      };
      candidates.set(index, candidate);
    }
    return candidate;
  }

  function absorbPart(
    part: JsonRecord,
    candidate: Candidate,
    sourceOf: (key: string) => string | undefined,
    onPartCall: (key: string, call: CallInProgress) => void,
  ): StreamEventKind {
    let kind: StreamEventKind = 'other';
    for (const { key, name, value } of dataOf(part)) {
      if (isCall(name)) {
        const call = candidate.calls.absorb(name, value, () => sourceOf(key));
        if (call !== null) onPartCall(key, call);
        kind = 'tool';
        continue;
      }
      const text = name === 'audioTranscription' && isRecord(value) ? value['text'] : value;
      if (name === 'text' && typeof text !== 'string') {
        note(defects, 'the text of a part is not a text');
        kind = 'tool';
      }
      if ((name === 'text' || name === 'audioTranscription') && !isThought(part)) {
        candidate.text += textOf(text);
      }
      if (name === 'inlineData' && !isThought(part))
        candidate.files = joined(candidate.files, fileText(value));
      if (name !== 'text' || text !== '') kind = weightier(kind, 'text');
    }
    return kind;
  }

  function absorbContent(
    content: unknown,
    candidate: Candidate,
    at: number,
    sourceOf: (place: string, key: string) => string | undefined,
  ): StreamEventKind {
    if (isAbsent(content)) return 'other';
    const parts = isRecord(content) ? content['parts'] : null;
    if (!isRecord(content) || !(isAbsent(parts) || Array.isArray(parts))) {
      note(defects, 'the content of a candidate is not a list of parts');
      return 'tool';
    }
    let kind: StreamEventKind = 'other';
    const list = boundedList(parts, partsMax, '`parts`', defects);
    if (Array.isArray(parts) && parts.length > list.length) kind = 'tool';
    for (let i = 0; i < list.length; i += 1) {
      const part = list[i];
      if (!isRecord(part)) {
        note(defects, 'a part of a candidate is not an object');
        kind = 'tool';
        continue;
      }
      const heard = (key: string, call: CallInProgress): void => {
        hearPiece(call, at === 0 ? whoMisses() : `${whoMisses()} place`);
        onCall({ chunk, candidate: at, part: i, key }, call);
      };
      kind = weightier(
        kind,
        absorbPart(part, candidate, (key) => sourceOf(`${at}.${i}`, key), heard),
      );
    }
    return kind;
  }

  function absorbCandidate(
    value: unknown,
    at: number,
    sourceOf: (place: string, key: string) => string | undefined,
  ): StreamEventKind {
    if (!isRecord(value)) {
      note(defects, 'a candidate is not an object');
      return 'tool';
    }
    const index = value['index'];
    const candidate = candidateAt(typeof index === 'number' ? index : at);
    const kind = absorbContent(value['content'], candidate, at, sourceOf);
    const finishReason = enumName(value['finishReason'], finishReasons);
    candidate.finishMessage = textOf(value['finishMessage']) || candidate.finishMessage;
    if (finishReason === '') return kind;
    candidate.finishReason = finishReason;
    return weightier(kind, 'end');
  }

  function absorbUsage(value: unknown): void {
    if (!isRecord(value)) return;
    // Every partial answer has the totals so far; one that leaves a counter out says nothing of it.
    for (const [name, count] of Object.entries(value)) {
      if (typeof count === 'number' && name.endsWith('TokenCount')) usage.set(name, countOf(count));
    }
  }

  function absorb(sent: JsonRecord, text: string, event?: Buffer): StreamEventKind {
    chunk += 1;
    const { answer: value, path } = unwrapped(sent, defects);
    // Looked through once, however many calls it has, and not at all where it has none.
    let missedBy: string | null = null;
    whoMisses = () => {
      missedBy ??= eventMissedBy(event) + chunkMissedBy(value);
      return missedBy;
    };
    let kind: StreamEventKind = 'other';
    if (!isAnswer(value) && Object.keys(value).length > 0) {
      note(defects, 'a partial answer has no `candidates`');
      kind = 'tool';
    }
    if (!isAbsent(value['error'])) {
      failed = true;
      kind = 'error';
    }
    model = textOf(value['modelVersion']) || model;
    absorbUsage(value['usageMetadata']);
    const feedback = value['promptFeedback'];
    if (isRecord(feedback)) {
      const reason = enumName(feedback['blockReason'], []);
      if (reason !== '') {
        blocked = joined(reason, textOf(feedback['blockReasonMessage']));
        kind = weightier(kind, 'end');
      }
    }
    const list = boundedList(value['candidates'], candidatesMax, '`candidates`', defects);
    if (!isAbsent(value['candidates']) && value['candidates'] !== list) kind = 'tool';
    const sources = new Map<string, ReadonlyMap<string, string>>();
    const sourceOf = (place: string, key: string): string | undefined => {
      let found = sources.get(key);
      if (found === undefined) {
        const parts: SourcePath = [...path, 'candidates', eachElement, 'content', 'parts'];
        found = sourcesAt(text, [...parts, eachElement, key, 'args']);
        sources.set(key, found);
      }
      return found.get(place);
    };
    for (let i = 0; i < list.length; i += 1) kind = weightier(kind, absorbCandidate(list[i], i, sourceOf));
    return kind;
  }

  const inOrder = () => [...candidates].sort(([a], [b]) => a - b).map(([, candidate]) => candidate);

  function reading(): ResponseReading {
    const toolCalls: ToolCallFact[] = [];
    let text = '';
    let finishReason = '';
    let refusal = blocked;
    let finished = candidates.size > 0 || blocked !== '';
    for (const candidate of inOrder()) {
      text = joined(joined(text, candidate.text), candidate.files);
      finishReason ||= candidate.finishReason;
      if (candidate.finishReason === '') finished = false;
      if (refusals.has(candidate.finishReason)) {
        refusal = joined(refusal, candidate.finishMessage || candidate.finishReason);
      }
      for (const { id, name, written } of candidate.calls.finish()) {
        const args = written();
        if (args.value === undefined) addJsonCall(toolCalls, defects, id, name, args.text);
        else addCall(toolCalls, defects, id, name, args.value, args.text);
      }
    }
    const facts = {
      status,
      model,
      fingerprint: '',
      text,
      toolCalls,
      finishReason,
      usage: readUsage(usage),
      refusal,
    };
    return { facts, defects, complete: finished, failed };
  }

  return { defects, absorb, reading, calls: () => inOrder().flatMap(({ calls }) => calls.finish()) };
}

/** Reads a whole answer of status below 400. `reader` may be one that the caller listens to. */
export function readGeminiResponse(
  status: number,
  bytes: Buffer,
  reader: AnswerReader = createAnswerReader(status),
): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  for (const defect of defects) note(reader.defects, defect);
  if (!isAnswer(unwrapped(body, []).answer)) note(reader.defects, 'the answer has no `candidates`');
  reader.absorb(body, bytes.toString('utf8'));
  return { ...reader.reading(), complete: true };
}

/** Opens a reader for one stream. `answer` may be one that the caller listens to. */
export function createGeminiStreamReader(
  status: number,
  answer: AnswerReader = createAnswerReader(status),
): StreamReader {
  let written = '';
  return {
    defects: answer.defects,
    absorbText(data) {
      written = data;
      return null;
    },
    absorbEmpty: () => 'other',
    absorb: (_event, value, raw) => answer.absorb(value, written, raw),
    reading: answer.reading,
  };
}
