/**
 * What an `erasure` entry says, and carrying it out: destroying the items and data keys that sealed entries name.
 * FORMAT.md, "Erasure". An entry is durable before anything is destroyed; what is sealed can be carried out again.
 */
import { HoldpointError } from '../core/errors.ts';
import { type BodyItem, decodeBodies, encodeBodies, parseRecordKey, recordKey } from './block.ts';
import type { Json, JsonObject } from './canonical.ts';
import type { Entry } from './entry.ts';
import type { Step } from './head.ts';
import { firstSeqOf, readBlocks } from './reader.ts';
import type { LedgerStore, RecordStore } from './store.ts';
import { type KeyEncryptionKey, keepItems } from './vault.ts';

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

/** What became of parts that were to be destroyed. */
export interface Destruction {
  /** How many were overwritten. */
  readonly bytes: number;
  /** Those whose bodies record is damaged, so that nothing can be taken out of it: they are still stored. */
  readonly left: readonly Target[];
}

/**
 * Destroys the parts; resolves when neither their ciphertext nor their keys are in the ledger's files, those that are
 * `left` apart. Those that are gone already are passed over.
 */
export async function destroy(
  store: LedgerStore,
  keks: readonly KeyEncryptionKey[],
  ledgerId: string,
  targets: readonly Target[],
): Promise<Destruction> {
  const byBlock = new Map<number, Target[]>();
  for (const target of targets) {
    const firstSeq = await firstSeqOf(store, target[0]);
    const named = byBlock.get(firstSeq) ?? [];
    named.push(target);
    byBlock.set(firstSeq, named);
  }
  const left: Target[] = [];
  const keys = [...byBlock.keys()].sort((a, b) => a - b).map((seq) => recordKey(seq, 'bodies'));
  const bytes = await store.rewriteBodies(keys, (key, value) => {
    const firstSeq = parseRecordKey(key)?.seq ?? -1;
    const named = byBlock.get(firstSeq) ?? [];
    try {
      return without(value, named, keks, ledgerId, firstSeq);
    } catch (error) {
      // One damaged record keeps nothing else from being destroyed.
      if (!(error instanceof HoldpointError) || error.code !== 'ledger_damaged') throw error;
      left.push(...named);
      return value;
    }
  });
  return { bytes, left };
}

/** The record without these parts; null where nothing is left of it, the value itself where it has none of them. */
function without(
  value: Buffer,
  targets: readonly Target[],
  keks: readonly KeyEncryptionKey[],
  ledgerId: string,
  firstSeq: number,
): Buffer | null {
  const named = new Set(targets.map(([seq, part]) => nameOf(seq, part)));
  const bodies = decodeBodies(value);
  const isKept = (item: BodyItem): boolean => !named.has(nameOf(item.seq, item.partIndex));
  if (bodies.items.every(isKept)) return value;
  const kept = keepItems(keks, Buffer.from(ledgerId, 'hex'), firstSeq, bodies, isKept);
  return kept === null ? null : encodeBodies(kept);
}

/** What carrying out what was sealed came to. */
export interface Finished {
  /** The mark as it stays on disk: the erasure sealed there left something. Null when none did. */
  readonly from: number | null;
  readonly left: readonly Target[];
}

/**
 * Carries out every erasure sealed from the mark on; does nothing where there is no mark, or before `tried`.
 * @param tried what is sealed before it was carried out as far as it can be
 */
export async function finishErasures(
  store: LedgerStore,
  keks: readonly KeyEncryptionKey[],
  ledgerId: string,
  tried = 0,
): Promise<Finished> {
  const mark = await store.readUnfinishedFrom();
  if (mark === null) return { from: null, left: [] };
  const left: Target[] = [];
  let from = mark < tried ? mark : null;
  const range = { fromSeq: Math.max(mark, tried), reverse: false };
  for await (const entries of readBlocks(store, range)) {
    for (const entry of entries) {
      const done = await destroy(store, keks, ledgerId, targetsOf(entry));
      if (done.left.length > 0) from ??= entry.seq;
      left.push(...done.left);
    }
  }
  await store.writeUnfinishedFrom(from);
  return { from, left };
}

const seqsShownMax = 10;

/** Says of which entries something is stored that an erasure names. */
export function leftStored(left: readonly Target[]): HoldpointError {
  const seqs = [...new Set(left.map(([seq]) => seq))].sort((a, b) => a - b);
  const more = seqs.length > seqsShownMax ? ` and ${seqs.length - seqsShownMax} more` : '';
  const which = `${seqs.length === 1 ? 'entry' : 'entries'} ${seqs.slice(0, seqsShownMax).join(', ')}${more}`;
  return new HoldpointError(
    'ledger_damaged',
    `What the erasure names of ${which} is not destroyed: the bodies stored with it are damaged, or their key is missing. Everything else it names is.`,
    'Where a key-encryption key is missing, put it back: each start tries again. Otherwise restore a backup in which `holdpoint verify` finds these entries whole, and ask again for what it does not have as erased.',
  );
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

function nameOf(seq: number, part: number): string {
  return `${seq}/${part}`;
}
