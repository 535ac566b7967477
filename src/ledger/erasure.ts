/** What an `erasure` entry says, and what people and the schedule ask for. FORMAT.md, "Erasure". */
import type { Json, JsonObject } from './canonical.ts';
import type { Entry } from './entry.ts';
import type { Step } from './head.ts';
import { readBlocks } from './reader.ts';
import type { RecordStore } from './store.ts';

export const bases = [
  'no_longer_needed',
  'consent_withdrawn',
  'objection',
  'unlawful',
  'legal_obligation',
  'child_consent',
  'retention',
] as const;
/** The grounds of Article 17(1) of the GDPR, and a retention rule. */
export type Basis = (typeof bases)[number];

export const refusalGrounds = ['open', 'legal_hold', 'statutory_minimum', 'exemption'] as const;
export type RefusalGround = (typeof refusalGrounds)[number];

export const matchFields = ['model', 'operation', 'provider', 'workload'] as const;
/** The values that a request has; a field that is absent matches any. */
export type Match = { readonly [Field in (typeof matchFields)[number]]?: string | undefined };

export type Scope =
  | { readonly decision: number }
  /** The keyed fingerprint that requests have. */
  | { readonly subject: string }
  /** `before`: only requests sealed before this time, UTC. */
  | { readonly match: Match; readonly before?: string }
  /** A retention rule by its name. */
  | { readonly rule: string; readonly before: string };

/** What a person asked for, until it has ended. `id` is what its entries share, 16 hex. */
export interface KeptOrder {
  readonly id: string;
  readonly scope: Exclude<Scope, { readonly rule: string }>;
  /** Leaf hash, hex, of the decision that the scope names: after a restore its seq may be another's. '' for other scopes. */
  readonly meant: string;
  readonly basis: Basis;
  readonly by: string;
  readonly role: 'privacy' | 'admin';
  readonly reason: string;
}

/** Where such orders are kept over the end of a process. */
export interface KeptOrders {
  /** In the order in which they were asked for. */
  all(): readonly KeptOrder[];
  /** On disk when it returns. Throws `ledger_unavailable` where it cannot be kept. */
  keep(order: KeptOrder): void;
  /** It has ended. Throws as `keep` does; it then runs once more at the next start and finds nothing left. */
  drop(id: string): void;
}

/** The scope as an entry says it. */
export function scopeData(scope: Scope): JsonObject {
  if (!('match' in scope)) return { ...scope };
  const match = matchFields.flatMap((field) => {
    const value = scope.match[field];
    return value === undefined ? [] : [[field, value] as const];
  });
  const before = scope.before === undefined ? {} : { before: scope.before };
  return { ...before, match: Object.fromEntries(match) };
}

/** `[seq, part index]`. */
export type Target = readonly [number, number];

/** The most that one entry names, so that its leaf stays below its bound. */
export const targetsMax = 2048;

/** The parts that an entry erases; none for other entries. */
export function targetsOf({ type, data }: Pick<Step, 'type' | 'data'>): readonly Target[] {
  const list = type === 'erasure' && data['action'] === 'erase' ? data['targets'] : undefined;
  return Array.isArray(list) ? list.filter(isTarget) : [];
}

function isTarget(value: Json): value is [number, number] {
  return Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'number';
}

/** Seqs of decisions and entries that an erasure entry is about. */
export function erasureIsAbout(step: Pick<Step, 'type' | 'data'>): readonly number[] {
  const refused = step.type === 'erasure' ? step.data['decisions'] : undefined;
  const decisions = Array.isArray(refused) ? refused.filter((seq) => typeof seq === 'number') : [];
  return [...new Set([...targetsOf(step).map(([seq]) => seq), ...decisions])];
}

/** True where a request has what is asked for. */
export function matches(match: Match, data: JsonObject): boolean {
  return matchFields.every((field) => match[field] === undefined || match[field] === data[field]);
}

/** Seq of the first entry that erases something; null where none does. Reads the whole ledger. */
export async function firstErasureIn(store: RecordStore): Promise<number | null> {
  for await (const entries of readBlocks(store, { fromSeq: 0, reverse: false })) {
    const first = entries.find((entry) => targetsOf(entry).length > 0);
    if (first !== undefined) return first.seq;
  }
  return null;
}

/** True when the entry erases this part. */
export function erases(entry: Entry, seq: number, part: number): boolean {
  return targetsOf(entry).some(([target, index]) => target === seq && index === part);
}
