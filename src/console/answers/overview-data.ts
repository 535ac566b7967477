/** The summary as the control port describes it. */
import { countOrNull } from './decision-data.ts';
import { instantIn, isShape, listIn, numberIn, type Shape, shapeOf, textIn } from './shape.ts';
import { readUnreadable, type Unreadable } from './unreadable-data.ts';

export interface Spread {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
}

export type CountName =
  | 'decisions'
  | 'holds'
  | 'released'
  | 'denied'
  | 'amended'
  | 'expired'
  | 'inputTokens'
  | 'outputTokens';

export interface Bucket {
  readonly atMs: number;
  readonly counts: Readonly<Record<CountName, number>>;
  readonly latencyMs: Spread;
}

export interface Summary {
  readonly fromMs: number;
  readonly toMs: number;
  readonly countedFromMs: number;
  readonly buckets: readonly Bucket[];
  readonly outcomes: readonly (readonly [string, number])[];
  readonly models: readonly (readonly [string, number])[];
  readonly timeToRuling: Spread;
  readonly rulingTimes: readonly { readonly upToMs: number | null; readonly count: number }[];
  readonly latencyMs: Spread;
  /** Damaged entries, counted nowhere. */
  readonly unreadable: readonly Unreadable[];
  /** How many they are, those that are not told among them. */
  readonly unreadableEntries: number;
}

export function readSummary(value: unknown): Summary {
  const from = shapeOf(value, 'summary');
  return {
    fromMs: instantIn(from, 'from'),
    toMs: instantIn(from, 'to'),
    countedFromMs: instantIn(from, 'countedFrom'),
    buckets: listIn(from, 'buckets', readBucket),
    outcomes: countsIn(from['outcomes']),
    models: listIn(from, 'models', (item) => {
      const model = shapeOf(item, 'model');
      return [textIn(model, 'model'), numberIn(model, 'decisions')] as const;
    }),
    timeToRuling: readSpread(from['timeToRuling']),
    rulingTimes: listIn(from, 'rulingTimes', (item) => {
      const time = shapeOf(item, 'ruling time');
      return { upToMs: countOrNull(time, 'upToMs'), count: numberIn(time, 'count') };
    }),
    latencyMs: readSpread(from['latencyMs']),
    unreadable: readUnreadable(from),
    unreadableEntries: numberIn(from, 'unreadableEntries'),
  };
}

function readBucket(item: unknown): Bucket {
  const from = shapeOf(item, 'bucket');
  const count = (name: CountName): number => numberIn(from, name);
  return {
    atMs: instantIn(from, 'at'),
    counts: {
      decisions: count('decisions'),
      holds: count('holds'),
      released: count('released'),
      denied: count('denied'),
      amended: count('amended'),
      expired: count('expired'),
      inputTokens: count('inputTokens'),
      outputTokens: count('outputTokens'),
    },
    latencyMs: readSpread(from['latencyMs']),
  };
}

function readSpread(value: unknown): Spread {
  const from: Shape = shapeOf(value, 'spread');
  return { count: numberIn(from, 'count'), p50: countOrNull(from, 'p50'), p90: countOrNull(from, 'p90') };
}

function countsIn(value: unknown): readonly (readonly [string, number])[] {
  if (!isShape(value)) return [];
  const pairs = Object.entries(value).flatMap(([name, count]) =>
    typeof count === 'number' ? [[name, count] as const] : [],
  );
  return pairs.sort((a, b) => b[1] - a[1]);
}
