/**
 * What each type of entry says in `data`, as far as a verifier acts on it. Fields that no rule reads are
 * left to the record; they are covered by the hash all the same. Portable; imports only its own folder.
 */
import type { Json, JsonObject, Wanted } from './canonical.ts';
import { type ErasureEntry, readErasure } from './erasure.ts';
import { type RequestEntry, type ResponseEntry, readRequest, readResponse } from './exchange-entries.ts';
import { type Fields, hex64, isCount, isEarlier, isList, isMatching, isOneOf, type Part } from './fields.ts';
import { type HoldEntry, type RulingEntry, readHold, readRuling } from './hold-entries.ts';
import { type KeyEntry, readKey } from './key-entries.ts';
import { type Outcome, outcomes } from './outcomes.ts';
import { type OversightEntry, oversightActions, readOversight } from './oversight-entries.ts';
import { type People, readPeople } from './people.ts';
import type { Refusal } from './reasons.ts';

export interface DeliveryEntry {
  readonly type: 'delivery';
  readonly decision: number;
  readonly hold: number;
  readonly digest: string;
  readonly attempt: number;
}

export interface AnchorEntry {
  readonly type: 'anchor';
  /** The name it has in the configuration. */
  readonly anchor: string;
  readonly kind: string;
  readonly size: number;
  /** 64 hex. */
  readonly root: string;
  /** What the anchor gave back; a witness's signature lines. */
  readonly receipt: string;
}

export type Entry =
  | { readonly type: 'genesis'; readonly key: string; readonly origin: string }
  | RequestEntry
  | ResponseEntry
  | HoldEntry
  | RulingEntry
  | DeliveryEntry
  | KeyEntry
  /** Whether rulings by people must be signed while this run lasts, and which names are one person's. */
  | { readonly type: 'start'; readonly mustSign: boolean; readonly people: People }
  | { readonly type: 'outcomes'; readonly outcomes: readonly (readonly [number, Outcome])[] }
  | { readonly type: 'heartbeat'; readonly open: number; readonly snapshot: string }
  /** Bytes that were handed over already, handed to a retry after the decision's outcome. */
  | { readonly type: 'redelivery'; readonly decision: number; readonly hold: number; readonly digest: string }
  /** The hold has waited so long that the roles of this step, counted from 1, may rule. */
  | { readonly type: 'escalation'; readonly decision: number; readonly hold: number; readonly step: number }
  | OversightEntry
  /** -1 where it is about no one decision. */
  | { readonly type: 'access'; readonly decision: number }
  | AnchorEntry
  | ErasureEntry
  /** The ledger went on from a backup; so many entries are known to have been sealed after it. */
  | { readonly type: 'restored'; readonly lost: number }
  | { readonly type: 'other' };

const reserved = ['document', 'finding'];
const sha256Hex = (value: Json | undefined): boolean => isMatching(value, hex64);
const isText = (value: Json | undefined): boolean => typeof value === 'string';

/** Reads `data` for its type, or says what does not fit. */
export function readEntry(
  type: string,
  data: JsonObject,
  parts: readonly Part[],
  seq: number,
): Entry | Refusal {
  if ((type === 'genesis') !== (seq === 0)) return malformed('genesis stands at seq 0 and only there');
  if (reserved.includes(type)) {
    return { code: 'version_unsupported', message: `type ${type} is reserved for a later version` };
  }
  const reader = entryReaderOf(type);
  if (reader === undefined) return malformed(`unknown type ${type.slice(0, 32)}`);
  return reader.read(data, parts, seq) ?? malformed(`its data is not that of type ${type}`);
}

/** How the entries of one type are read. */
export interface EntryReader {
  readonly type: string;
  /** The members of `data` that `read` looks at; it finds the same whether the others are there or not. */
  readonly wanted: Wanted;
  /** Undefined where `data` is not that of the type. */
  readonly read: (data: JsonObject, parts: readonly Part[], seq: number) => Entry | undefined;
}

/** Undefined for types that no entry of this version has. */
export function entryReaderOf(type: string): EntryReader | undefined {
  return readers.get(type);
}

/** A reader that can look at nothing but what it says it wants. */
function reader<const K extends string>(
  type: string,
  wanted: readonly K[],
  read: (data: Fields<K>, parts: readonly Part[], seq: number) => Entry | undefined,
): EntryReader {
  // Any object of JSON values has these members or lacks them; the compiler does not see that for a K it does not know.
  return { type, wanted: new Set(wanted), read: (data, parts, seq) => read(data as Fields<K>, parts, seq) };
}

const accessFields = [
  ...(['by', 'role', 'action', 'decision', 'digest', 'hold', 'step'] as const),
  ...(['assignee', 'verdict', 'delegate', 'until', 'delegation'] as const),
] as const;
const other: Entry = { type: 'other' };
const readers = readersByType([
  reader('genesis', ['key', 'origin', 'product'], ({ key, origin, product }) =>
    typeof key === 'string' && typeof origin === 'string' && isText(product)
      ? { type: 'genesis', key, origin }
      : undefined,
  ),
  reader(
    'start',
    ['config', 'node', 'people', 'policy', 'product', 'rulings'],
    ({ config, node, people: listed = [], policy, product, rulings = '' }) => {
      const people = readPeople(listed);
      const isRead = sha256Hex(config) && sha256Hex(policy) && [node, product, rulings].every(isText);
      return isRead && people !== undefined
        ? { type: 'start', mustSign: rulings === 'signed', people }
        : undefined;
    },
  ),
  reader('stop', ['reason'], ({ reason }) => (isText(reason) ? other : undefined)),
  reader('heartbeat', ['open', 'snapshot'], ({ open, snapshot }) =>
    isCount(open) && isMatching(snapshot, hex64) ? { type: 'heartbeat', open, snapshot } : undefined,
  ),
  reader('policy', ['digest', 'result', 'version'], ({ digest, result, version }) =>
    sha256Hex(digest) && (result === 'loaded' || result === 'refused') && isText(version) ? other : undefined,
  ),
  reader('request', ['verdict', 'recorded', 'batch', 'reported'], readRequest),
  reader('response', ['decision', 'verdict', 'file', 'toolCalls', 'known'], readResponse),
  reader('delivery', ['decision', 'hold', 'digest', 'attempt', 'outcomes'], readDelivery),
  reader('access', accessFields, readAccess),
  { type: 'hold', wanted: 'all', read: readHold },
  { type: 'ruling', wanted: 'all', read: readRuling },
  { type: 'recovery', wanted: 'all', read: readRecovery },
  { type: 'anchor', wanted: 'all', read: readAnchor },
  { type: 'erasure', wanted: 'all', read: (data, _parts, seq) => readErasure(data, seq) },
  {
    type: 'key',
    wanted: 'all',
    read: (data, _parts, seq) => {
      const entry = readKey(data, seq);
      return entry === 'unchecked' ? other : entry;
    },
  },
]);

function readersByType(list: readonly EntryReader[]): ReadonlyMap<string, EntryReader> {
  return new Map(list.map((one) => [one.type, one]));
}

function readRecovery(data: JsonObject, _parts: readonly Part[], seq: number): Entry | undefined {
  const { found, outcomes: list, reason, backup, lost, taken } = data;
  if (!isCount(found) || found > seq || !isText(reason)) return undefined;
  const closed = readOutcomes(list, seq);
  if (reason !== 'restore' || closed?.type !== 'outcomes') return closed;
  // It is the first entry after those of the backup, and closes nothing itself.
  const isFirst = found === seq && closed.outcomes.length === 0;
  if (!isFirst || !isMatching(backup, hex64) || !isCount(lost) || !isText(taken)) return undefined;
  return { type: 'restored', lost };
}

type DeliveryFields = Fields<'decision' | 'hold' | 'digest' | 'attempt' | 'outcomes'>;

function readDelivery(data: DeliveryFields, _parts: readonly Part[], seq: number): Entry | undefined {
  const { decision, hold, digest, attempt, outcomes: list } = data;
  if (list !== undefined)
    return decision === undefined && hold === undefined ? readOutcomes(list, seq) : undefined;
  if (!isEarlier(decision, seq) || !isEarlier(hold, seq)) return undefined;
  if (!isMatching(digest, hex64) || !isCount(attempt) || attempt < 1) return undefined;
  return { type: 'delivery', decision, hold, digest, attempt };
}

type AccessFields = Fields<(typeof accessFields)[number]>;

function readAccess(data: AccessFields, parts: readonly Part[], seq: number): Entry | undefined {
  const { by, role, action, decision, digest, hold, step } = data;
  if (typeof by !== 'string' || typeof role !== 'string' || !isText(action)) return undefined;
  if (isOneOf(action, oversightActions)) {
    const { assignee, verdict, delegate, until, delegation } = data;
    const about = { assignee, verdict, delegate, until, delegation };
    return readOversight({ action, by, role, decision, hold, ...about }, parts, seq);
  }
  if (action === 'escalation') {
    if (!isEarlier(decision, seq) || !isEarlier(hold, seq) || !isCount(step) || step < 1) return undefined;
    return { type: 'escalation', decision, hold, step };
  }
  if (action !== 'redelivery') return { type: 'access', decision: isEarlier(decision, seq) ? decision : -1 };
  if (!isEarlier(decision, seq) || !isEarlier(hold, seq) || !isMatching(digest, hex64)) return undefined;
  return { type: 'redelivery', decision, hold, digest };
}

function readAnchor(data: JsonObject, _parts: readonly Part[], seq: number): Entry | undefined {
  const { anchor, kind, size, root, receipt } = data;
  if (typeof anchor !== 'string' || typeof kind !== 'string' || typeof receipt !== 'string') return undefined;
  if (!isCount(size) || size < 1 || size > seq || !isMatching(root, hex64)) return undefined;
  return { type: 'anchor', anchor, kind, size, root, receipt };
}

function readOutcomes(list: Json | undefined, seq: number): Entry | undefined {
  if (!isList(list)) return undefined;
  const pairs: (readonly [number, Outcome])[] = [];
  for (const pair of list) {
    if (!isList(pair) || pair.length !== 2) return undefined;
    const [decision, outcome] = pair;
    if (!isEarlier(decision, seq) || !isOneOf(outcome, outcomes)) return undefined;
    pairs.push([decision, outcome]);
  }
  return { type: 'outcomes', outcomes: pairs };
}

function malformed(message: string): Refusal {
  return { code: 'leaf_malformed', message };
}
