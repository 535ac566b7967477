/**
 * What each type of entry says in `data`, as far as a verifier acts on it. Fields that no rule reads are
 * left to the record; they are covered by the hash all the same. Portable; imports only its own folder.
 */
import { isJsonObject, type Json, type JsonObject, parseCanonical, type Wanted } from './canonical.ts';
import { ascii, fromBase64 } from './encoding.ts';
import { type ErasureEntry, readErasure } from './erasure.ts';
import { hex64, isCount, isList, isMatching, isObject, isOneOf, isTexts, type Part } from './fields.ts';
import type { Refusal } from './reasons.ts';

export const outcomes = [
  'delivered',
  'denied',
  'expired',
  'released_undelivered',
  'client_abort',
  'upstream_error',
  'upstream_truncated',
  'interrupted',
  'ledger_unavailable',
  'carried',
] as const;
export type Outcome = (typeof outcomes)[number];

const verdicts = ['pass', 'flag', 'hold', 'deny'] as const;
export type RuleVerdict = (typeof verdicts)[number];
const rulingVerdicts = ['release', 'deny', 'amend', 'expired'] as const;

export interface HoldEntry {
  readonly type: 'hold';
  readonly decision: number;
  readonly phase: 'request' | 'response';
  readonly digest: string;
  /** Milliseconds since the Unix epoch. */
  readonly expires: number;
  readonly approvals: number;
  readonly roles: readonly string[];
  readonly notRequester: boolean;
  readonly requester: string;
  /** 64 hex, '' where it is not said. */
  readonly policy: string;
  readonly policyVersion: string;
  /** Ids, as far as the leaf keeps them. */
  readonly rules: readonly string[];
  /** By role, besides `approvals`; empty where any of `roles` will do. */
  readonly needs: readonly RoleNeed[];
  /** Who may rule besides after each step that is sealed. */
  readonly escalation: readonly (readonly string[])[];
  /** Who may release alone. */
  readonly breakGlass: readonly string[];
}

export interface RoleNeed {
  readonly approvals: number;
  readonly roles: readonly string[];
}

/** What a reviewer's key signed of a ruling. */
export interface RulingSignature {
  readonly statement: string;
  readonly value: Uint8Array;
  /** What the statement says of the text of the order; '' where it says nothing. */
  readonly order: string;
}

export interface RulingEntry {
  readonly type: 'ruling';
  readonly decision: number;
  readonly hold: number;
  readonly verdict: (typeof rulingVerdicts)[number];
  readonly by: string;
  readonly role: string;
  readonly digest: string;
  readonly final: boolean;
  /** `c` of the part `amendment`, '' when there is none. */
  readonly amendment: string;
  /** Released by one person alone, whatever approvals the hold demands. */
  readonly breakGlass: boolean;
  readonly hasReason: boolean;
  /** Calls were taken out of the answer; the reviewer released the others. */
  readonly isDivided: boolean;
  readonly signature: RulingSignature | undefined;
}

/** A key that signs a person's rulings from here on. */
export interface EnrolmentEntry {
  readonly type: 'enrolment';
  readonly by: string;
  readonly role: string;
  readonly owner: string;
  /** Base64 of 32 bytes. */
  readonly key: string;
  readonly possession: Uint8Array;
}

/** A reviewer's key that counts no more. */
export interface WithdrawalEntry {
  readonly type: 'withdrawal';
  readonly by: string;
  readonly role: string;
  readonly key: string;
}

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

/** A new signing key, and what both keys signed over it. */
export interface RotationEntry {
  readonly type: 'rotation';
  readonly key: string;
  readonly endorsement: Uint8Array;
  readonly possession: Uint8Array;
}

/** A former signing key that is trusted no further than to a size. */
export interface RevocationEntry {
  readonly type: 'revocation';
  readonly key: string;
  readonly size: number;
}

/** Key-encryption keys by id, each in a box for the escrow holder. */
export interface EscrowEntry {
  readonly type: 'escrow';
  readonly boxes: readonly (readonly [string, Uint8Array])[];
}

export type Entry =
  | { readonly type: 'genesis'; readonly key: string; readonly origin: string }
  | {
      readonly type: 'request';
      readonly verdict: RuleVerdict;
      readonly digest: string;
      /** False for a tunnelled connection, whose answer is not recorded. */
      readonly recorded: boolean;
      /** The decision that carried it as one line of many; -1 for one that stands alone. */
      readonly batch: number;
    }
  | {
      readonly type: 'response';
      readonly decision: number;
      readonly verdict: RuleVerdict;
      readonly digest: string;
    }
  | HoldEntry
  | RulingEntry
  | DeliveryEntry
  | RotationEntry
  | RevocationEntry
  | EscrowEntry
  | EnrolmentEntry
  | WithdrawalEntry
  /** Whether rulings by people must be signed while this run lasts. */
  | { readonly type: 'start'; readonly mustSign: boolean }
  | { readonly type: 'outcomes'; readonly outcomes: readonly (readonly [number, Outcome])[] }
  | { readonly type: 'heartbeat'; readonly open: number; readonly snapshot: string }
  /** Bytes that were handed over already, handed to a retry after the decision's outcome. */
  | { readonly type: 'redelivery'; readonly decision: number; readonly hold: number; readonly digest: string }
  /** The hold has waited so long that the roles of this step, counted from 1, may rule. */
  | { readonly type: 'escalation'; readonly decision: number; readonly hold: number; readonly step: number }
  /** -1 where it is about no one decision. */
  | { readonly type: 'access'; readonly decision: number }
  | AnchorEntry
  | ErasureEntry
  /** The ledger went on from a backup; so many entries are known to have been sealed after it. */
  | { readonly type: 'restored'; readonly lost: number }
  | { readonly type: 'other' };

const reserved = ['document', 'finding'];
const hex8 = /^[0-9a-f]{8}$/;
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

type Fields<K extends string> = { readonly [name in K]?: Json };

/** A reader that can look at nothing but what it says it wants. */
function reader<const K extends string>(
  type: string,
  wanted: readonly K[],
  read: (data: Fields<K>, parts: readonly Part[], seq: number) => Entry | undefined,
): EntryReader {
  // Any object of JSON values has these members or lacks them; the compiler does not see that for a K it does not know.
  return { type, wanted: new Set(wanted), read: (data, parts, seq) => read(data as Fields<K>, parts, seq) };
}

const other: Entry = { type: 'other' };
const readers = readersByType([
  reader('genesis', ['key', 'origin', 'product'], ({ key, origin, product }) =>
    typeof key === 'string' && typeof origin === 'string' && isText(product)
      ? { type: 'genesis', key, origin }
      : undefined,
  ),
  reader(
    'start',
    ['config', 'node', 'policy', 'product', 'rulings'],
    ({ config, node, policy, product, rulings = '' }) =>
      sha256Hex(config) && sha256Hex(policy) && isText(node) && isText(product) && isText(rulings)
        ? { type: 'start', mustSign: rulings === 'signed' }
        : undefined,
  ),
  reader('stop', ['reason'], ({ reason }) => (isText(reason) ? other : undefined)),
  reader('heartbeat', ['open', 'snapshot'], ({ open, snapshot }) =>
    isCount(open) && isMatching(snapshot, hex64) ? { type: 'heartbeat', open, snapshot } : undefined,
  ),
  reader('policy', ['digest', 'result', 'version'], ({ digest, result, version }) =>
    sha256Hex(digest) && (result === 'loaded' || result === 'refused') && isText(version) ? other : undefined,
  ),
  reader(
    'request',
    ['verdict', 'recorded', 'batch'],
    ({ verdict, recorded = true, batch = -1 }, parts, seq) =>
      isOneOf(verdict, verdicts) && typeof recorded === 'boolean' && (batch === -1 || isEarlier(batch, seq))
        ? { type: 'request', verdict, digest: digestOf(parts, 'request'), recorded, batch }
        : undefined,
  ),
  reader('response', ['decision', 'verdict', 'file'], ({ decision, verdict, file }, parts, seq) =>
    isEarlier(decision, seq) && isOneOf(verdict, verdicts) && (file === undefined || isJudgedFile(file))
      ? { type: 'response', decision, verdict, digest: digestOf(parts, 'response') }
      : undefined,
  ),
  reader('delivery', ['decision', 'hold', 'digest', 'attempt', 'outcomes'], readDelivery),
  reader('access', ['by', 'role', 'action', 'decision', 'digest', 'hold', 'step'], readAccess),
  { type: 'hold', wanted: 'all', read: readHold },
  { type: 'ruling', wanted: 'all', read: readRuling },
  { type: 'recovery', wanted: 'all', read: readRecovery },
  { type: 'anchor', wanted: 'all', read: readAnchor },
  { type: 'erasure', wanted: 'all', read: (data, _parts, seq) => readErasure(data, seq) },
  { type: 'key', wanted: 'all', read: readKey },
]);

function readersByType(list: readonly EntryReader[]): ReadonlyMap<string, EntryReader> {
  return new Map(list.map((one) => [one.type, one]));
}

/** A file of requests by its provider's id, bound to who uploaded it: nothing else may pass for one. */
function isJudgedFile(file: Json): boolean {
  if (typeof file !== 'object' || !('id' in file) || Object.keys(file).length !== 2) return false;
  const { credential, id } = file;
  return isMatching(credential, hex64) && typeof id === 'string' && id !== '';
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

function readHold(data: JsonObject, _parts: readonly Part[], seq: number): Entry | undefined {
  const { decision, phase, digest, expires, approvals, roles, notRequester, requester } = data;
  if (!isEarlier(decision, seq) || (phase !== 'request' && phase !== 'response')) return undefined;
  if (!isMatching(digest, hex64) || !isCount(expires)) return undefined;
  if (!isCount(approvals) || approvals < 1 || !isTexts(roles)) return undefined;
  if (typeof notRequester !== 'boolean' || typeof requester !== 'string') return undefined;
  const people = readPeople(data);
  if (people === undefined) return undefined;
  return {
    ...{ type: 'hold', decision, phase, digest, expires, approvals, roles, notRequester, requester },
    policy: textIn(data['policy']),
    policyVersion: textIn(data['policyVersion']),
    rules: isList(data['rules']) ? data['rules'].map(idIn) : [],
    ...people,
  };
}

/** What a hold may say besides of who rules on it. */
function readPeople(data: JsonObject): Pick<HoldEntry, 'needs' | 'escalation' | 'breakGlass'> | undefined {
  const needs: RoleNeed[] = [];
  for (const need of listIn(data['needs'])) {
    if (!isObject(need)) return undefined;
    const { approvals, roles } = need;
    if (!isCount(approvals) || approvals < 1 || !isTexts(roles)) return undefined;
    needs.push({ approvals, roles });
  }
  const escalation: (readonly string[])[] = [];
  for (const step of listIn(data['escalation'])) {
    if (!isObject(step) || !isCount(step['at']) || !isTexts(step['roles'])) return undefined;
    escalation.push(step['roles']);
  }
  const { breakGlass } = data;
  if (breakGlass === undefined) return { needs, escalation, breakGlass: [] };
  if (!isObject(breakGlass) || !isTexts(breakGlass['roles'])) return undefined;
  return { needs, escalation, breakGlass: breakGlass['roles'] };
}

/** None where there is none; what is no list is none of the right form either. */
function listIn(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function idIn(rule: Json): string {
  return isJsonObject(rule) ? textIn(rule['id']) : '';
}

function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function readRuling(data: JsonObject, parts: readonly Part[], seq: number): Entry | undefined {
  const { decision, hold, verdict, by, role, digest, final } = data;
  if (!isEarlier(decision, seq) || !isEarlier(hold, seq) || !isOneOf(verdict, rulingVerdicts))
    return undefined;
  if (typeof by !== 'string' || by === '' || typeof role !== 'string') return undefined;
  if (!isMatching(digest, hex64) || typeof final !== 'boolean') return undefined;
  // Nothing follows a denial or expiry, so those always end the hold.
  if ((verdict === 'deny' || verdict === 'expired') && !final) return undefined;
  const amendment = digestOf(parts, 'amendment');
  if ((verdict === 'amend') !== (amendment !== '')) return undefined;
  const { breakGlass = false, withheld } = data;
  // A part of the calls is released by an amendment alone: nothing else may pass for a release that was signed.
  if (withheld !== undefined && (verdict !== 'amend' || !arePlaces(withheld))) return undefined;
  if (typeof breakGlass !== 'boolean' || (breakGlass && (verdict !== 'release' || !final))) return undefined;
  const hasReason = digestOf(parts, 'reason') !== '';
  const signature = data['signature'] === undefined ? undefined : readSignature(data['signature']);
  // What was signed and the text it commits to come together or not at all.
  const isSigned = signature !== undefined;
  if (signature === null || isSigned !== (digestOf(parts, 'order') !== '')) return undefined;
  return {
    ...{ type: 'ruling', decision, hold, verdict, by, role, digest, final, amendment, breakGlass, hasReason },
    isDivided: withheld !== undefined,
    signature,
  };
}

/** Places among the calls of an answer: at least one, ascending. */
function arePlaces(value: Json): boolean {
  return (
    isList(value) &&
    value.length > 0 &&
    value.every((place, at) => isCount(place) && isAfter(place, value[at - 1]))
  );
}

function isAfter(place: number, before: Json | undefined): boolean {
  return !isCount(before) || before < place;
}

/** Null where it is no signature over a statement. */
function readSignature(value: Json): RulingSignature | null {
  if (!isJsonObject(value)) return null;
  const { statement, value: encoded } = value;
  const bytes = bytesIn(encoded);
  if (typeof statement !== 'string' || bytes === undefined) return null;
  const reading = parseCanonical(ascii.encode(statement));
  const order = reading.kind === 'canonical' && isJsonObject(reading.value) ? reading.value['order'] : '';
  return { statement, value: bytes, order: textIn(order) };
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

type AccessFields = Fields<'by' | 'role' | 'action' | 'decision' | 'digest' | 'hold' | 'step'>;

function readAccess(data: AccessFields, _parts: readonly Part[], seq: number): Entry | undefined {
  const { by, role, action, decision, digest, hold, step } = data;
  if (!isText(by) || !isText(role) || !isText(action)) return undefined;
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

function readKey(data: JsonObject, _parts: readonly Part[], seq: number): Entry | undefined {
  const { action, by, reason, key } = data;
  if (!isText(by) || !isText(reason)) return undefined;
  if (action === 'enrol' || action === 'withdraw') return readReviewerKey(data);
  if (action === 'escrow') return readEscrow(data);
  if (action === 'epoch' || action === 'retire') {
    if (!isMatching(data['kek'], hex8)) return undefined;
    return data['boxes'] === undefined ? other : readEscrow(data);
  }
  if (action === 'revoke') {
    const { size } = data;
    return typeof key === 'string' && isCount(size) && size <= seq
      ? { type: 'revocation', key, size }
      : undefined;
  }
  const endorsement = bytesIn(data['endorsement']);
  const possession = bytesIn(data['possession']);
  if (action !== 'rotate' || typeof key !== 'string') return undefined;
  return endorsement === undefined || possession === undefined
    ? undefined
    : { type: 'rotation', key, endorsement, possession };
}

function readReviewerKey({ action, by, role, key, owner, possession }: JsonObject): Entry | undefined {
  if (typeof by !== 'string' || typeof role !== 'string' || typeof key !== 'string') return undefined;
  if (bytesIn(key)?.length !== 32) return undefined;
  if (action === 'withdraw') return { type: 'withdrawal', by, role, key };
  const proof = bytesIn(possession);
  return typeof owner !== 'string' || owner === '' || proof === undefined
    ? undefined
    : { type: 'enrolment', by, role, owner, key, possession: proof };
}

const boxBytes = 32 + 24 + 48;

function readEscrow({ boxes: list, to }: JsonObject): Entry | undefined {
  if (!isList(list) || bytesIn(to)?.length !== 32) return undefined;
  const boxes: (readonly [string, Uint8Array])[] = [];
  for (const pair of list) {
    if (!isList(pair) || pair.length !== 2) return undefined;
    const [id, text] = pair;
    const box = bytesIn(text);
    if (!isMatching(id, hex8) || box?.length !== boxBytes) return undefined;
    boxes.push([id, box]);
  }
  return { type: 'escrow', boxes };
}

function bytesIn(value: Json | undefined): Uint8Array | undefined {
  return typeof value === 'string' ? fromBase64(value) : undefined;
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

function digestOf(parts: readonly Part[], name: string): string {
  return parts.find((part) => part.name === name)?.c ?? '';
}

function isEarlier(value: Json | undefined, seq: number): value is number {
  return isCount(value) && value < seq;
}
