/** What `hold` and `ruling` entries say, and what a reviewer signed. Portable; imports only its own folder. */
import { isJsonObject, type Json, type JsonObject, parseCanonical } from './canonical.ts';
import { ascii } from './encoding.ts';
import {
  bytesIn,
  digestOf,
  hex64,
  isCount,
  isEarlier,
  isList,
  isMatching,
  isObject,
  isOneOf,
  isTexts,
  type Part,
  textIn,
} from './fields.ts';

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
  /** Milliseconds within which somebody else reviews that; undefined where it is not said. */
  readonly reviewWithin: number | undefined;
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
  /** How many calls were taken out of the answer, where the reviewer released the others; 0 where all go on. */
  readonly withheld: number;
  /** Whose role it was made in, where that is somebody who was away; '' where it is one's own. */
  readonly inStead: string;
  readonly signature: RulingSignature | undefined;
}

/** Undefined where `data` is not that of a hold. */
export function readHold(data: JsonObject, _parts: readonly Part[], seq: number): HoldEntry | undefined {
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
function readPeople(
  data: JsonObject,
): Pick<HoldEntry, 'needs' | 'escalation' | 'breakGlass' | 'reviewWithin'> | undefined {
  const { needs: listed = [], escalation: steps = [] } = data;
  if (!isList(listed) || !isList(steps)) return undefined;
  const needs: RoleNeed[] = [];
  for (const need of listed) {
    if (!isObject(need)) return undefined;
    const { approvals, roles } = need;
    if (!isCount(approvals) || approvals < 1 || !isTexts(roles)) return undefined;
    needs.push({ approvals, roles });
  }
  const escalation: (readonly string[])[] = [];
  for (const step of steps) {
    if (!isObject(step) || !isCount(step['at']) || !isTexts(step['roles'])) return undefined;
    escalation.push(step['roles']);
  }
  const { breakGlass } = data;
  if (breakGlass === undefined) return { needs, escalation, breakGlass: [], reviewWithin: undefined };
  if (!isObject(breakGlass) || !isTexts(breakGlass['roles'])) return undefined;
  const { roles, review } = breakGlass;
  if (review !== undefined && !isCount(review)) return undefined;
  return { needs, escalation, breakGlass: roles, reviewWithin: review };
}

function idIn(rule: Json): string {
  return isJsonObject(rule) ? textIn(rule['id']) : '';
}

/** Undefined where `data` and `parts` are not those of a ruling. */
export function readRuling(data: JsonObject, parts: readonly Part[], seq: number): RulingEntry | undefined {
  const { decision, hold, verdict, by, role, digest, final } = data;
  if (!isEarlier(decision, seq) || !isEarlier(hold, seq) || !isOneOf(verdict, rulingVerdicts))
    return undefined;
  if (typeof by !== 'string' || by === '' || typeof role !== 'string') return undefined;
  if (!isMatching(digest, hex64) || typeof final !== 'boolean') return undefined;
  // Nothing follows a denial or expiry, and who approved after an amendment would have approved other bytes than leave.
  if (verdict !== 'release' && !final) return undefined;
  const amendment = digestOf(parts, 'amendment');
  if ((verdict === 'amend') !== (amendment !== '')) return undefined;
  const { breakGlass = false, withheld, inStead = '' } = data;
  // Somebody's stead is taken for what needs others too, never to release alone.
  if (typeof inStead !== 'string' || (inStead !== '' && (inStead === by || breakGlass !== false)))
    return undefined;
  // A part of the calls is released by an amendment alone: nothing else may pass for a release that was signed.
  const places = placesIn(withheld);
  if (places === undefined || (places > 0 && verdict !== 'amend')) return undefined;
  if (typeof breakGlass !== 'boolean' || (breakGlass && (verdict !== 'release' || !final))) return undefined;
  const hasReason = digestOf(parts, 'reason') !== '';
  const signature = data['signature'] === undefined ? undefined : readSignature(data['signature']);
  // What was signed and the text it commits to come together or not at all.
  const isSigned = signature !== undefined;
  if (signature === null || isSigned !== (digestOf(parts, 'order') !== '')) return undefined;
  return {
    ...{ type: 'ruling', decision, hold, verdict, by, role, digest, final, amendment, breakGlass, hasReason },
    withheld: places,
    inStead,
    signature,
  };
}

/** How many places among the calls of an answer, ascending; 0 where none are given, undefined for what is no such list. */
function placesIn(value: Json | undefined): number | undefined {
  if (value === undefined) return 0;
  if (!isList(value) || value.length === 0) return undefined;
  const areAscending = value.every((place, at) => isCount(place) && isAfter(place, value[at - 1]));
  return areAscending ? value.length : undefined;
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
