/**
 * OpenAI responses, streamed (https://platform.openai.com/docs/api-reference/responses-streaming). The
 * stream says everything up to three times: in deltas, in `done` events and in the terminal event's whole
 * response. Clients differ in which they believe, so a difference between them is a defect. Pure.
 */
import type { ResponseFacts } from '../core/facts.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from './json.ts';
import { isCallItem, itemsMax, type OutputSaid, readOutput, responseFacts } from './openai-responses.ts';
import { boundedList, note } from './reading.ts';
import type { StreamEventKind, StreamReader } from './stream.ts';

interface ItemInProgress {
  /** Its opening was seen; otherwise its deltas are only the last of them. */
  opened: boolean;
  /** The item as last sent whole, on `added` and again on `done`. */
  item: JsonRecord | null;
  done: boolean;
  /** Deltas by what they build: call arguments under '', texts under their content index. */
  readonly pieces: Map<string, string>;
}

type Member = 'arguments' | 'input';

const argumentsMember: ReadonlyMap<string, Member> = new Map([
  ['response.function_call_arguments', 'arguments'],
  ['response.mcp_call_arguments', 'arguments'],
  ['response.custom_tool_call_input', 'input'],
]);
const textMember: ReadonlyMap<string, 'text' | 'refusal'> = new Map([
  ['response.output_text', 'text'],
  ['response.refusal', 'refusal'],
]);

/** Events that show the client something and never carry part of a call. */
function showsTextOnly(type: string): boolean {
  return (
    type.startsWith('response.content_part.') ||
    type.startsWith('response.output_text.') ||
    type.startsWith('response.refusal.') ||
    type.startsWith('response.reasoning') ||
    type.startsWith('response.audio.') ||
    type === 'response.compaction.compacting'
  );
}

function contentKey(value: JsonRecord, member: string): string {
  return `${member}.${typeof value.content_index === 'number' ? value.content_index : 0}`;
}

/** Whether deltas built this text; of an item whose opening was not seen, they built its end. */
function isBuilt(progress: ItemInProgress, whole: unknown, built: string): boolean {
  return progress.opened ? whole === built : typeof whole === 'string' && whole.endsWith(built);
}

/** Compares what deltas built with the item sent whole at the end. */
function checkPieces(progress: ItemInProgress, item: JsonRecord, defects: string[]): void {
  for (const [key, built] of progress.pieces) {
    const [member = '', index = ''] = key.split('.');
    let whole: unknown = item[member];
    if (index !== '') {
      const content = item.content;
      const part: unknown = Array.isArray(content) ? content[Number(index)] : undefined;
      whole = isRecord(part) ? part[member] : undefined;
    }
    if (!isBuilt(progress, whole, built))
      note(defects, 'the deltas of an output item differ from the item sent whole');
  }
}

/** The item as the deltas alone tell it, where it was never sent whole. */
function itemFromPieces(progress: ItemInProgress): JsonRecord {
  const content: JsonRecord[] = [];
  const item: Record<string, unknown> = { ...progress.item };
  for (const [key, built] of progress.pieces) {
    const [member = '', index = ''] = key.split('.');
    if (index === '') item[member] = built;
    else content.push(member === 'refusal' ? { type: 'refusal', refusal: built } : { text: built });
  }
  if (content.length > 0) {
    item.content = content;
    item.type = 'message';
  }
  return item;
}

/** Unites what was streamed with what the terminal event repeats; a difference is a defect. */
function reconcile(streamed: OutputSaid, repeated: OutputSaid, defects: string[]): OutputSaid {
  const toolCalls = [...streamed.toolCalls];
  let same = streamed.toolCalls.length === repeated.toolCalls.length;
  for (let i = 0; i < repeated.toolCalls.length; i += 1) {
    const call = repeated.toolCalls[i];
    if (call === undefined || repeated.asked[i] === streamed.asked[i]) continue;
    same = false;
    toolCalls.push(call);
  }
  const sameText = streamed.text === repeated.text && streamed.refusal === repeated.refusal;
  if (same && sameText) return streamed;
  note(defects, 'the final response differs from what was streamed');
  return {
    text: streamed.text || repeated.text,
    refusal: streamed.refusal || repeated.refusal,
    toolCalls,
    asked: [],
  };
}

export interface ResponsesStreamReader extends StreamReader {
  /** The output items so far, whole where they were sent whole, by output index. */
  output(): ReadonlyMap<number, JsonRecord>;
}

/** Opens a reader for one stream. */
export function createResponsesStreamReader(status: number): ResponsesStreamReader {
  const defects: string[] = [];
  const items = new Map<number, ItemInProgress>();
  let response: JsonRecord = {};
  let terminal = false;
  let failed = false;
  let begun = false;
  /** The stream goes on from where an earlier one broke off: of what was sent before, only the end is here. */
  let resumed = false;

  function itemAt(value: JsonRecord): ItemInProgress | null {
    const index = value.output_index;
    if (typeof index !== 'number') {
      note(defects, 'an event of the stream names no output item');
      return null;
    }
    const known = items.get(index);
    if (known !== undefined) return known;
    if (items.size >= itemsMax) {
      note(defects, `more than ${itemsMax} output items`);
      return null;
    }
    const progress: ItemInProgress = { opened: !resumed, item: null, done: false, pieces: new Map() };
    items.set(index, progress);
    return progress;
  }

  function absorbItem(value: JsonRecord, done: boolean): StreamEventKind {
    const progress = itemAt(value);
    const item = value.item;
    if (progress === null || !isRecord(item)) {
      note(defects, 'an output item is not an object');
      return 'tool';
    }
    const before = progress.item;
    if (progress.done || (before !== null && before.type !== item.type)) {
      note(defects, 'an output item is replaced during the stream');
    }
    if (!done) progress.opened = true;
    if (done) {
      checkPieces(progress, item, defects);
      if (before !== null && !isAbsent(before.name) && before.name !== item.name) {
        note(defects, 'the name of a tool call changes during the stream');
      }
    }
    progress.item = item;
    progress.done = done;
    if (isCallItem(textOf(item.type))) return 'tool';
    return done ? 'text' : 'other';
  }

  function absorbPiece(value: JsonRecord, key: string, member: string, done: boolean): void {
    const progress = itemAt(value);
    if (progress === null) return;
    const built = progress.pieces.get(key);
    if (!done) {
      progress.pieces.set(key, (built ?? '') + textOf(value.delta));
    } else if (built === undefined) {
      progress.pieces.set(key, textOf(value[member]));
    } else if (isBuilt(progress, value[member], built)) {
      progress.pieces.set(key, textOf(value[member]));
    } else {
      note(defects, 'the deltas of an output item differ from the item sent whole');
    }
  }

  function hasCalls(output: unknown): boolean {
    if (isAbsent(output)) return false;
    if (!Array.isArray(output)) return true;
    return output.some((item) => !isRecord(item) || isCallItem(textOf(item.type)));
  }

  function absorbResponse(type: string, value: unknown): StreamEventKind {
    const ends =
      type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed';
    if (type === 'response.failed') failed = true;
    if (!isRecord(value)) {
      note(defects, `\`${type}\` carries no response`);
      return 'tool';
    }
    if (terminal && ends) note(defects, 'the stream has two final responses');
    response = value;
    if (!isAbsent(value.error)) failed = true;
    if (ends) terminal = true;
    else if (hasCalls(value.output)) note(defects, `\`${type}\` carries a tool call`);
    if (hasCalls(value.output)) return 'tool';
    if (!ends) return 'other';
    return type === 'response.failed' ? 'error' : 'end';
  }

  function absorbType(type: string, value: JsonRecord): StreamEventKind {
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return absorbResponse(type, value.response);
      case 'response.output_item.added':
        return absorbItem(value, false);
      case 'response.output_item.done':
        return absorbItem(value, true);
      case 'error':
        failed = true;
        return 'error';
      case 'keepalive':
        return 'other';
      default:
        return absorbDelta(type, value);
    }
  }

  function absorbDelta(type: string, value: JsonRecord): StreamEventKind {
    const dot = type.lastIndexOf('.');
    const subject = type.slice(0, dot);
    const step = type.slice(dot + 1);
    if (step === 'delta' || step === 'done') {
      const call = argumentsMember.get(subject);
      if (call !== undefined) absorbPiece(value, call, call, step === 'done');
      const text = textMember.get(subject);
      if (text !== undefined) absorbPiece(value, contentKey(value, text), text, step === 'done');
    }
    return showsTextOnly(type) ? 'text' : 'tool';
  }

  function output(): ReadonlyMap<number, JsonRecord> {
    const ordered = new Map<number, JsonRecord>();
    for (const [index, progress] of [...items].sort(([a], [b]) => a - b)) {
      const { done, item } = progress;
      ordered.set(index, done && item !== null ? item : itemFromPieces(progress));
    }
    if (ordered.size > 0 || !terminal || !Array.isArray(response.output)) return ordered;
    response.output.forEach((item: unknown, index) => {
      if (isRecord(item)) ordered.set(index, item);
    });
    return ordered;
  }

  /** What a resumed stream sent whole must stand in the final response, which has what came before besides. */
  function addUnrepeated(repeated: OutputSaid): OutputSaid {
    const sent = [...items.values()].flatMap(({ done, item }) => (done && item !== null ? [item] : []));
    if (sent.length < items.size) note(defects, 'the final response differs from what was streamed');
    const streamed = readOutput(sent, defects);
    const toolCalls = [...repeated.toolCalls];
    streamed.toolCalls.forEach((call, i) => {
      if (repeated.asked.includes(streamed.asked[i] ?? '')) return;
      note(defects, 'the final response differs from what was streamed');
      toolCalls.push(call);
    });
    return { ...repeated, toolCalls };
  }

  function said(): OutputSaid {
    const final = terminal ? response.output : undefined;
    const repeatsNothing = isAbsent(final) || (Array.isArray(final) && final.length === 0);
    if (repeatsNothing) return readOutput([...output().values()], defects);
    const repeated = readOutput(boundedList(final, itemsMax, '`output`', defects), defects);
    if (items.size === 0) return repeated;
    if (resumed) return addUnrepeated(repeated);
    return reconcile(readOutput([...output().values()], defects), repeated, defects);
  }

  return {
    defects,
    output,
    absorbText(data) {
      // Not part of this API, but gateways append it, and the SDKs stop there.
      return data.trim() === '[DONE]' ? 'other' : null;
    },
    absorbEmpty(event) {
      if (event !== 'error') return 'other';
      failed = true;
      return 'error';
    },
    absorb(event, value) {
      // Only a stream that is read from its middle begins with another number than the first.
      const number = value.sequence_number;
      if (!begun) resumed = typeof number === 'number' && number > 1 && !isAbsent(value.output_index);
      begun = true;
      const kind = absorbType(textOf(value.type) || event, value);
      const isError = event === 'error' || (!isAbsent(value.error) && value.type !== 'error');
      if (isError) failed = true;
      return isError && kind !== 'tool' ? 'error' : kind;
    },
    reading() {
      const facts: ResponseFacts = responseFacts(status, response, said());
      return { facts, defects, complete: terminal, failed };
    },
  };
}
