/**
 * The live events of an agent's session (https://developers.openai.com/api/docs/guides/agents-api/sessions/events).
 * The stream has no end. An item is added, may grow, and is done; a call counts once it is done. What the session
 * waits for, it tells again with its state. Pure.
 */

import { createUnfinished, type SegmentReader } from '../reading/segments.ts';
import type { StreamEventKind } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { createRecordsStreamReader } from './records-stream.ts';

/** After these no item of the turn, or of the session, is under way. */
const pauses =
  /^agent\.session\.(turn\.(completed|failed|cancelled)|idle|budget_reached|requires_action|failed)$/;
/** Events that carry the whole session, with the calls it waits for. */
const states = /^agent\.session\.(created|idle|budget_reached|in_progress|requires_action|failed)$/;

/** Opens a reader for one segment. */
export function createAgentStreamReader(status: number): SegmentReader {
  const records = createRecordsStreamReader(status);
  const calls = createUnfinished();
  const texts = createUnfinished();
  const asked = new Set<string>();
  const awaited = new Set<string>();
  let over = false;

  function idsOf(): readonly string[] {
    return records.reading().facts.toolCalls.map(({ id }) => id);
  }

  /** Whose piece an event is, and whether it is the last. */
  function follow(type: string, value: JsonRecord, kind: StreamEventKind): void {
    const item = isRecord(value.item) ? value.item : {};
    const id = textOf(item.id) || textOf(value.item_id);
    const isDone = type === 'agent.session.turn.item.done';
    // What the workload said is added whole, and never done.
    const grows =
      id !== '' && !isDone && (kind === 'tool' || !isRecord(value.item) || item.status === 'in_progress');
    if (isDone) {
      calls.end(id);
      texts.end(id);
      over = kind === 'tool';
    } else if (grows && kind === 'tool') calls.begin(id);
    else if (grows) texts.begin(id);
    // A call that stands in no item is whole as it is, and so is what cannot be told.
    else over = kind === 'tool' || kind === 'error';
    if (!pauses.test(type)) return;
    over = true;
    calls.clear();
    texts.clear();
  }

  return {
    ...records,
    absorb(event, value) {
      const type = textOf(value.type) || event;
      over = false;
      const before = idsOf().length;
      const kind = event === 'error' ? records.absorbEmpty(event) : records.absorb(event, value);
      if (states.test(type)) for (const id of idsOf().slice(before)) awaited.add(id);
      else if (kind === 'tool') for (const id of idsOf()) asked.add(id);
      follow(type, value, kind);
      return kind;
    },
    isOver: () => over,
    within() {
      if (!calls.isEmpty()) return 'call';
      return texts.isEmpty() ? null : 'text';
    },
    awaited: () => new Set([...awaited].filter((id) => !asked.has(id))),
  };
}
