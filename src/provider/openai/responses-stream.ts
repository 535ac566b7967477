/**
 * OpenAI responses, streamed (https://platform.openai.com/docs/api-reference/responses-streaming). The
 * stream says everything up to three times: in deltas, in `done` events and in the terminal event's whole
 * response. Clients differ in which they believe, so a difference between them is a defect. Pure.
 */
import type { ResponseFacts } from '../../core/facts.ts';
import { boundedList, note, pieceOf } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { isCallItem, itemsMax, type OutputSaid, readOutput, responseFacts } from './responses.ts';
import { openNamedItems, openPartsSaid } from './responses-beside.ts';
import {
  argumentsMember,
  checkBegun,
  checkDelta,
  checkPieces,
  checkTold,
  commandKey,
  contentKey,
  hearTold,
  type ItemInProgress,
  isBuilt,
  itemFromPieces,
  reconcile,
  withCode,
  withCodes,
} from './responses-items.ts';

const textMember: ReadonlyMap<string, 'text' | 'refusal'> = new Map([
  ['response.output_text', 'text'],
  ['response.refusal', 'refusal'],
]);

/** Which tool an item calls, and whose. */
const toolMembers = ['name', 'namespace', 'server_label'] as const;

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

/** The SDKs put what is named after a thread into another object, and some clients go by the name alone. */
function isWrapped(event: string, type: string): boolean {
  return event.startsWith('thread.') || (event.startsWith('response.') && type !== '' && event !== type);
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
  /** `[DONE]` has come, where some clients stop. */
  let stopped = false;
  const parts = openPartsSaid(defects);
  const named = openNamedItems(defects);
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
    const progress: ItemInProgress = {
      ...{ opened: !resumed, item: null, done: false },
      ...{ pieces: new Map(), told: new Map() },
    };
    items.set(index, progress);
    return progress;
  }

  function absorbItem(value: JsonRecord, done: boolean): StreamEventKind {
    const progress = itemAt(value);
    if (progress === null || !isRecord(value.item)) {
      note(defects, 'an output item is not an object');
      return 'tool';
    }
    const item = withCode(value.item, progress);
    const before = progress.item;
    if (progress.done || (before !== null && before.type !== item.type)) {
      note(defects, 'an output item is replaced during the stream');
    }
    if (!done) {
      if (before !== null) note(defects, 'an output item begins twice');
      progress.opened = true;
    }
    if (done) {
      checkBegun(before, item, defects);
      checkPieces(progress, item, defects);
      if (toolMembers.some((member) => !isAbsent(before?.[member]) && before?.[member] !== item[member])) {
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
    hearTold(progress, value, defects);
    pieceOf(value[done ? member : 'delta'], 'a piece of an output item', defects);
    if (!done) {
      checkDelta(progress, defects);
      progress.pieces.set(key, (built ?? '') + textOf(value.delta));
    } else if (built === undefined) {
      progress.pieces.set(key, textOf(value[member]));
    } else if (isBuilt(progress, value[member], built)) {
      progress.pieces.set(key, textOf(value[member]));
    } else {
      note(defects, 'the deltas of an output item differ from the item sent whole');
    }
    // Whoever goes by the deltas hears what stands behind the item too.
    if (progress.done && progress.item !== null) checkPieces(progress, progress.item, defects);
    if (!done && (progress.done || terminal)) note(defects, 'an output item goes on after its end');
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

  /** Its deltas go on behind what it began with. */
  function absorbCommand(value: JsonRecord, step: string): void {
    const said = step === 'added' ? { ...value, delta: value.command } : value;
    absorbPiece(said, commandKey(value), 'command', step === 'done');
  }

  function absorbDelta(type: string, value: JsonRecord): StreamEventKind {
    const dot = type.lastIndexOf('.');
    const subject = type.slice(0, dot);
    const step = type.slice(dot + 1);
    const isCommand = subject === 'response.shell_call_command';
    if (step === 'delta' || step === 'done') {
      const call = argumentsMember.get(subject);
      if (call !== undefined) {
        absorbPiece(value, call, call, step === 'done');
        named.hear(value);
      }
      const text = textMember.get(subject);
      if (text !== undefined) absorbPiece(value, contentKey(value, text), text, step === 'done');
      if (call === undefined && text === undefined && !isCommand) parts.hear(subject, value);
    }
    if (isCommand) absorbCommand(value, step);
    if (subject === 'response.content_part') parts.absorb(value);
    if (showsTextOnly(type)) return 'text';
    // Whoever knows it may find a call in it.
    if (isRecord(value.item) || isRecord(value.response))
      note(defects, 'an event of the stream has an unknown type');
    return 'tool';
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
    for (const progress of items.values()) checkTold(progress, defects);
    named.check(items);
    const final = terminal ? response.output : undefined;
    const repeatsNothing = isAbsent(final) || (Array.isArray(final) && final.length === 0);
    if (repeatsNothing) return readOutput([...output().values()], defects);
    const repeated = readOutput(withCodes(boundedList(final, itemsMax, '`output`', defects), items), defects);
    if (items.size === 0) return repeated;
    if (resumed) return addUnrepeated(repeated);
    return reconcile(readOutput([...output().values()], defects), repeated, defects);
  }

  return {
    defects,
    output,
    absorbText(data) {
      // Not part of this API, but gateways append it, and the SDKs stop there.
      if (data.trim() !== '[DONE]') return null;
      stopped = true;
      return 'other';
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
      const type = textOf(value.type);
      const kind = absorbType(type || event, value);
      if (kind === 'tool' && (stopped || isWrapped(event, type)))
        note(defects, 'some clients pass over a piece of a tool call');
      const isError = event === 'error' || (!isAbsent(value.error) && value.type !== 'error');
      if (isError) failed = true;
      return isError && kind !== 'tool' ? 'error' : kind;
    },
    reading() {
      const facts: ResponseFacts = responseFacts(status, response, parts.unitedWith(said()));
      return { facts, defects, complete: terminal, failed };
    },
  };
}
