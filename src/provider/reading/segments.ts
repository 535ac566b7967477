/**
 * Drives a family's reader over a stream of server-sent events that has no end to wait for, segment by segment. A session that
 * waits for the result of a call may tell that call again in a later segment: where it was delivered as it is told,
 * nobody is asked about it twice. Pure; no sockets.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import type { SegmentedStream } from '../protocol.ts';
import { createSseSplitter, type SseEvent } from '../wire/sse.ts';
import { namesOf } from './call-readings.ts';
import { absorbEvent, type StreamReader } from './stream.ts';

/** What one family's reader does with the events of one segment. */
export interface SegmentReader extends StreamReader {
  /** Of the calls in `reading`, the ids of those that were only told as what the session waits for. */
  awaited(): ReadonlySet<string>;
  /** The event that was read last ends what stands by itself. */
  isOver(): boolean;
  /** What has begun in this segment, or goes on in it, and is not whole. */
  within(): 'call' | 'text' | null;
  /** Only of streams that have an end after all: whether this segment has it. */
  isEnd?(): boolean;
}

/** Calls remembered of a stream; one that is forgotten is judged again. */
const toldCallsMax = 4_096;

/** Opens the driver; `openReader` gives a reader for each segment. */
export function openSegments(openReader: () => SegmentReader): SegmentedStream {
  const splitter = createSseSplitter();
  const told = new Map<string, string>();
  let unread: SseEvent[] = [];
  let reader = openReader();
  let calls: readonly ToolCallFact[] = [];
  let ended = reader.isEnd === undefined;
  const spelling = (call: ToolCallFact): string => `${namesOf(call)}\n${call.argumentsText}`;

  return {
    push(chunk) {
      const events = splitter.push(chunk);
      unread = unread.length === 0 ? events : unread.concat(events);
    },
    next() {
      const sse = unread.shift();
      if (sse === undefined) return null;
      const kind = absorbEvent(reader, sse);
      ended ||= reader.isEnd?.() === true;
      return { kind, raw: sse.raw, ends: reader.isOver() || reader.defects.length > 0 };
    },
    within: () => reader.within(),
    cut() {
      const reading = reader.reading();
      const awaited = reader.awaited();
      reader = openReader();
      calls = reading.facts.toolCalls;
      const isKnown = (call: ToolCallFact): boolean =>
        awaited.has(call.id) && told.get(call.id) === spelling(call);
      const toolCalls = calls.filter((call) => !isKnown(call));
      return { ...reading, facts: { ...reading.facts, toolCalls } };
    },
    delivered() {
      for (const call of calls) {
        told.delete(call.id);
        told.set(call.id, spelling(call));
      }
      for (const id of told.keys()) {
        if (told.size <= toldCallsMax) break;
        told.delete(id);
      }
    },
    finish() {
      const { rest, event } = splitter.finish();
      // The SDKs flush an unfinished event at the end of the body, so what it says counts.
      if (event !== null) absorbEvent(reader, event);
      ended ||= reader.isEnd?.() === true;
      return rest;
    },
    isWhole: () => ended,
  };
}

/** Ids of what has begun and is not whole yet. */
export interface Unfinished {
  begin(id: string): void;
  end(id: string): void;
  clear(): void;
  isEmpty(): boolean;
}

/** More than these are not told apart; they count until all are over. */
const unfinishedMax = 1_000;

export function createUnfinished(): Unfinished {
  const ids = new Set<string>();
  return {
    begin: (id) => {
      ids.add(ids.size < unfinishedMax ? id : '');
    },
    end: (id) => {
      ids.delete(id);
    },
    clear: () => ids.clear(),
    isEmpty: () => ids.size === 0,
  };
}
