/** Recorded decisions as the control port describes them. Every text in them is hostile. */
import {
  flagIn,
  instantIn,
  isShape,
  listIn,
  numberIn,
  type Shape,
  shapeOf,
  textIn,
  textsIn,
} from './shape.ts';
import { readUnreadable, type Unreadable } from './unreadable-data.ts';

export interface Decision {
  readonly id: string;
  readonly seq: number;
  readonly atMs: number;
  readonly provider: string;
  readonly operation: string;
  readonly model: string;
  readonly workload: string;
  readonly session: string;
  readonly stream: boolean;
  readonly verdict: string;
  readonly rules: readonly string[];
  readonly status: number | null;
  /** Null where the provider counted none. */
  readonly tokens: { readonly input: number; readonly output: number } | null;
  readonly holds: readonly string[];
  /** Who ruled on its holds. */
  readonly ruledBy: readonly string[];
  /** '' while it is in flight or held. */
  readonly outcome: string;
  /** Of what was decided elsewhere; null for what passed here. */
  readonly reported: Reported | null;
}

export interface Reported {
  readonly by: string;
  readonly id: string;
  readonly decider: string;
  readonly at: string;
  readonly outcome: string;
  readonly class: string;
}

/** A sealed entry; `source` is what it was read from, for hashing it again. */
export interface Entry {
  readonly seq: number;
  readonly type: string;
  readonly atMs: number;
  readonly data: Shape;
  readonly parts: readonly { readonly name: string; readonly size: number; readonly c: string }[];
  readonly source: Shape;
}

export interface DecisionPage {
  readonly items: readonly Decision[];
  readonly next: number | null;
  /** Damaged entries: what they are of is not among the items. */
  readonly unreadable: readonly Unreadable[];
}

export interface DecisionDetail {
  readonly decision: Decision;
  readonly entries: readonly Entry[];
}

export function readDecisionPage(value: unknown): DecisionPage {
  const from = shapeOf(value, 'decisions');
  return {
    items: listIn(from, 'items', readDecision),
    next: countOrNull(from, 'next'),
    unreadable: readUnreadable(from),
  };
}

export function readDecisionDetail(value: unknown): DecisionDetail {
  return { decision: readDecision(value), entries: listIn(shapeOf(value, 'decision'), 'entries', readEntry) };
}

export function readDecision(value: unknown): Decision {
  const from = shapeOf(value, 'decision');
  const { outcome, reported, usage } = from;
  return {
    id: textIn(from, 'id'),
    seq: numberIn(from, 'seq'),
    atMs: instantIn(from, 'at'),
    provider: textIn(from, 'provider'),
    operation: textIn(from, 'operation'),
    model: textIn(from, 'model'),
    workload: textIn(from, 'workload'),
    session: textIn(from, 'session'),
    stream: flagIn(from, 'stream'),
    verdict: textIn(from, 'verdict'),
    rules: textsIn(from, 'rules'),
    status: countOrNull(from, 'status'),
    tokens:
      isShape(usage) && usage['source'] === 'provider'
        ? { input: numberIn(usage, 'input'), output: numberIn(usage, 'output') }
        : null,
    holds: textsIn(from, 'holds'),
    ruledBy: textsIn(from, 'ruledBy'),
    outcome: isShape(reported) ? 'reported' : typeof outcome === 'string' ? outcome : '',
    reported: isShape(reported) ? readReported(reported) : null,
  };
}

function readReported(from: Shape): Reported {
  return {
    by: textIn(from, 'by'),
    id: textIn(from, 'id'),
    decider: textIn(from, 'decider'),
    at: textIn(from, 'at'),
    outcome: textIn(from, 'outcome'),
    class: textIn(from, 'class'),
  };
}

export function readEntry(value: unknown): Entry {
  const source = shapeOf(value, 'entry');
  return {
    seq: numberIn(source, 'seq'),
    type: textIn(source, 'type'),
    atMs: instantIn(source, 'at'),
    data: shapeOf(source['data'], 'data'),
    parts: listIn(source, 'parts', (item) => {
      const part = shapeOf(item, 'part');
      return { name: textIn(part, 'name'), size: numberIn(part, 'size'), c: textIn(part, 'c') };
    }),
    source,
  };
}

/** A count that may be null. */
export function countOrNull(from: Shape, field: string): number | null {
  return from[field] === null ? null : numberIn(from, field);
}
