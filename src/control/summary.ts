/**
 * What happened lately in numbers, from the ledger's newest entries: how many decisions and how they ended, holds and
 * how long people took, tokens, latency. Work is bounded; where it ends early the summary says from when it counts. Pure.
 */
import type { Json, JsonObject } from '../ledger/canonical.ts';
import type { Entry, Outcome } from '../ledger/entry.ts';
import { outcomesOf } from '../ledger/head.ts';

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  readonly buckets: number;
}

interface Bucket {
  decisions: number;
  holds: number;
  released: number;
  denied: number;
  amended: number;
  expired: number;
  inputTokens: number;
  outputTokens: number;
  readonly latenciesMs: number[];
}

interface Spread {
  readonly count: number;
  /** Milliseconds; null where nothing was counted. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly max: number | null;
}

export interface Summary {
  readonly buckets: readonly {
    readonly at: string;
    readonly decisions: number;
    readonly holds: number;
    readonly released: number;
    readonly denied: number;
    readonly amended: number;
    readonly expired: number;
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly latencyMs: Spread;
  }[];
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  /** Made elsewhere and reported; counted nowhere else. */
  readonly reported: number;
  readonly models: readonly { readonly model: string; readonly decisions: number }[];
  /** From the opening of a hold to the ruling of a person; expiry is none. */
  readonly timeToRuling: Spread;
  /** The same by how long it took. */
  readonly rulingTimes: readonly { readonly upToMs: number | null; readonly count: number }[];
  readonly latencyMs: Spread;
}

const modelsMax = 8;
/** Upper ends; what took longer is counted last. */
const rulingEndsMs = [10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000] as const;
const rulings = { release: 'released', deny: 'denied', amend: 'amended', expired: 'expired' } as const;

/** Counts entries one by one, in any order within the window; `result` may be asked at any time. */
export function createSummary(window: Window): { add(entry: Entry): void; result(): Summary } {
  const buckets = Array.from({ length: window.buckets }, emptyBucket);
  const bucketMs = (window.toMs - window.fromMs) / window.buckets;
  const outcomes = new Map<Outcome, number>();
  const models = new Map<string, number>();
  const openedAtMs = new Map<number, number>();
  const ruledAtMs = new Map<number, number>();
  let reported = 0;

  function add(entry: Entry): void {
    const atMs = Date.parse(entry.at);
    const bucket = buckets[Math.floor((atMs - window.fromMs) / bucketMs)];
    if (atMs < window.fromMs || bucket === undefined) return;
    const { data } = entry;
    // What was only reported is no exchange that passed here.
    if (data['reported'] !== undefined) {
      if (entry.type === 'request') reported += 1;
      return;
    }
    for (const [, outcome] of outcomesOf(data))
      if (outcome !== 'reported') outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (entry.type === 'request') {
      bucket.decisions += 1;
      count(models, textOf(data['model']) || 'not named');
    } else if (entry.type === 'response') addAnswer(bucket, data);
    else if (entry.type === 'hold') {
      bucket.holds += 1;
      openedAtMs.set(entry.seq, atMs);
    } else if (entry.type === 'ruling' && data['final'] === true) addRuling(bucket, data, atMs);
  }

  function addRuling(bucket: Bucket, data: JsonObject, atMs: number): void {
    const state = isRuling(data['verdict']) ? rulings[data['verdict']] : null;
    if (state === null) return;
    bucket[state] += 1;
    if (state !== 'expired' && typeof data['hold'] === 'number') ruledAtMs.set(data['hold'], atMs);
  }

  function result(): Summary {
    const times = [...ruledAtMs].flatMap(([hold, atMs]) => {
      const opened = openedAtMs.get(hold);
      return opened === undefined ? [] : [Math.max(0, atMs - opened)];
    });
    return {
      buckets: buckets.map(({ latenciesMs, ...counts }, i) => ({
        at: new Date(Math.round(window.fromMs + i * bucketMs)).toISOString(),
        ...counts,
        latencyMs: spreadOf(latenciesMs),
      })),
      outcomes: Object.fromEntries(outcomes),
      reported,
      models: mostOf(models),
      timeToRuling: spreadOf(times),
      rulingTimes: byTime(times),
      latencyMs: spreadOf(buckets.flatMap(({ latenciesMs }) => latenciesMs)),
    };
  }
  return { add, result };
}

function emptyBucket(): Bucket {
  const none = { decisions: 0, holds: 0, released: 0, denied: 0, amended: 0, expired: 0 };
  return { ...none, inputTokens: 0, outputTokens: 0, latenciesMs: [] };
}

function addAnswer(bucket: Bucket, data: JsonObject): void {
  const { elapsedUs, usage } = data;
  if (typeof elapsedUs === 'number') bucket.latenciesMs.push(Math.round(elapsedUs / 1000));
  if (typeof usage !== 'object' || !isObject(usage)) return;
  bucket.inputTokens += numberOf(usage['input']);
  bucket.outputTokens += numberOf(usage['output']);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && !Array.isArray(value);
}

function isRuling(verdict: Json | undefined): verdict is keyof typeof rulings {
  return typeof verdict === 'string' && Object.hasOwn(rulings, verdict);
}

function mostOf(models: ReadonlyMap<string, number>): Summary['models'] {
  const sorted = [...models].map(([model, decisions]) => ({ model, decisions }));
  sorted.sort((a, b) => b.decisions - a.decisions || (a.model < b.model ? -1 : 1));
  return sorted.slice(0, modelsMax);
}

function byTime(times: readonly number[]): Summary['rulingTimes'] {
  const ends: readonly (number | null)[] = [...rulingEndsMs, null];
  let from = 0;
  return ends.map((upToMs) => {
    const end = upToMs ?? Number.POSITIVE_INFINITY;
    const inside = times.filter((ms) => ms >= from && ms < end).length;
    from = end;
    return { upToMs, count: inside };
  });
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number | null =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? null;
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), max: sorted.at(-1) ?? null };
}

function count(into: Map<string, number>, name: string): void {
  into.set(name, (into.get(name) ?? 0) + 1);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
