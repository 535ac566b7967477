/**
 * The live events of a managed agent's session (https://platform.claude.com/docs/en/managed-agents/events-and-streaming).
 * The stream has no end. Events come whole, but for previews of what the agent is about to say. A call is one event;
 * what is not known may carry one, so it waits like one. Pure.
 */

import { joined, note, unreadResponse } from '../reading/reading.ts';
import { createUnfinished, type SegmentReader } from '../reading/segments.ts';
import type { StreamEventKind } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { blocksText } from './messages.ts';
import { absorbEventOfSession, absorbUnknownEvent, isUnknownEvent, nothingTold } from './sessions.ts';

/** What is previewed while it is being written; a call comes whole. */
const previewed: ReadonlySet<string> = new Set(['agent.message', 'agent.thinking']);
/** After these the agent says nothing more until something happens. */
const pauses = /^session\.((thread_)?status_(idle|terminated|rescheduled)|deleted)$/;
const neverAwaited: ReadonlySet<string> = new Set();
const noneRun: ReadonlySet<string> = new Set();

/** Opens a reader for one segment. */
export function createSessionStreamReader(status: number): SegmentReader {
  const defects: string[] = [];
  const told = nothingTold();
  const previews = createUnfinished();
  const pieces = new Map<string, string>();
  let over = false;
  let failed = false;

  function fail(): StreamEventKind {
    failed = true;
    over = true;
    return 'error';
  }

  /** What is about to come whole under the same id. */
  function beginPreview(event: unknown): StreamEventKind {
    const { id, type, ...more } = isRecord(event) ? event : {};
    if (!isAbsent(type) && !previewed.has(textOf(type))) return absorbUnknown(textOf(type), { id, ...more });
    previews.begin(textOf(id));
    return 'other';
  }

  /** A piece of it. */
  function absorbPreview(id: string, delta: unknown): StreamEventKind {
    const piece = isRecord(delta) && isRecord(delta.content) ? delta.content : {};
    const type = textOf(piece.type);
    if (!['', 'text', 'thinking'].includes(type)) return absorbUnknown(type, piece);
    previews.begin(id);
    const content = blocksText([piece]);
    if (content === '') return 'other';
    pieces.set(id, (pieces.get(id) ?? '') + content);
    return 'text';
  }

  function absorbUnknown(type: string, value: JsonRecord): StreamEventKind {
    over = true;
    absorbUnknownEvent(type, value, told, defects);
    return 'tool';
  }

  return {
    defects,
    absorbText: () => null,
    absorbEmpty: (event) => (event === 'error' ? fail() : 'other'),
    absorb(event, value) {
      const type = textOf(value.type) || event;
      over = false;
      if (event === 'error' || type === 'error') return fail();
      if (event.endsWith('tool_use') && type !== event)
        note(defects, 'an event is of another type than its name');
      if (type === 'ping') return 'other';
      if (type === 'event_start') return beginPreview(value.event);
      if (type === 'event_delta') return absorbPreview(textOf(value.event_id), value.delta);
      absorbEventOfSession(type, value, told, noneRun, defects);
      if (type.endsWith('tool_use') || isUnknownEvent(type)) {
        over = true;
        return 'tool';
      }
      pieces.delete(textOf(value.id));
      previews.end(textOf(value.id));
      if (type === 'session.error') failed = true;
      over = pauses.test(type);
      // A request to the model that ended leaves no preview to be concluded.
      if (over || type === 'span.model_request_end') previews.clear();
      return type === 'agent.message' ? 'text' : 'other';
    },
    isOver: () => over,
    within: () => (previews.isEmpty() ? null : 'text'),
    awaited: () => neverAwaited,
    reading() {
      const text = [...pieces.values()].reduce(joined, told.text);
      const facts = { ...unreadResponse(status, '').facts, ...told, text };
      return { facts, defects, complete: true, failed };
    },
  };
}
