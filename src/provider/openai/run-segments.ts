/**
 * The stream of a run, in segments: what a provider's own tools do may take minutes, and what comes after a call that
 * is whole need not wait for the run's end. Unlike an agent's session, a run ends. Pure.
 */

import { createUnfinished, type SegmentReader } from '../reading/segments.ts';
import type { StreamEventKind } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { createRunStreamReader, runEventOf } from './runs-stream.ts';

const stepIsOver = /^thread\.run\.step\.(completed|failed|cancelled|expired)$/;
const messageIsOver = /^thread\.message\.(completed|incomplete)$/;
/** After these nothing of the run is under way: it waits for the workload, or is over. */
const runIsOver = /^thread\.run\.(requires_action|completed|incomplete|failed|cancelled|expired)$/;

/** Opens a reader for one segment. */
export function createRunSegmentReader(status: number): SegmentReader {
  const run = createRunStreamReader(status);
  const calls = createUnfinished();
  const texts = createUnfinished();
  let over = false;
  let ended = false;

  function follow(name: string, value: JsonRecord, kind: StreamEventKind): void {
    const id = textOf(value.id);
    if (stepIsOver.test(name)) {
      calls.end(id);
      over = kind === 'tool';
    } else if (name.startsWith('thread.run.step.')) {
      const details = isRecord(value.step_details) ? value.step_details : {};
      if (kind === 'tool' || textOf(details.type) === 'tool_calls') calls.begin(id);
    } else if (messageIsOver.test(name)) {
      texts.end(id);
      over = kind === 'tool';
    } else if (name.startsWith('thread.message.')) {
      if (kind === 'tool') calls.begin(id);
      else texts.begin(id);
    } else {
      // What asks for something and stands in no step is whole as it is, and so is what cannot be told.
      over = kind === 'tool' || kind === 'error';
    }
    if (!runIsOver.test(name) && kind !== 'error') return;
    over = true;
    calls.clear();
    texts.clear();
  }

  return {
    ...run,
    absorbText(data) {
      const kind = run.absorbText(data);
      if (kind === 'end') {
        ended = true;
        over = true;
      }
      return kind;
    },
    absorbEmpty(event) {
      over = event === 'error';
      ended ||= over;
      return run.absorbEmpty(event);
    },
    absorb(event, value) {
      const { name, data } = runEventOf(event, value);
      over = false;
      const kind = run.absorb(event, value);
      ended ||= name === 'error';
      follow(name, data, kind);
      return kind;
    },
    // Whole is what came up to the run's end, or up to where it can be cut.
    reading: () => ({ ...run.reading(), complete: ended || (over && calls.isEmpty() && texts.isEmpty()) }),
    awaited: () => new Set(),
    isOver: () => over,
    isEnd: () => ended,
    within() {
      if (!calls.isEmpty()) return 'call';
      return texts.isEmpty() ? null : 'text';
    },
  };
}
