/**
 * What an `erasure` entry says: parts erased, an erasure refused, a legal hold placed or lifted. FORMAT.md,
 * "Erasure". Portable; imports only its own folder.
 */
import { isJsonObject, type Json, type JsonObject } from './canonical.ts';
import { isCount, isList, isMatching, isOneOf, utcForm } from './fields.ts';

export const bases = [
  'no_longer_needed',
  'consent_withdrawn',
  'objection',
  'unlawful',
  'legal_obligation',
  'child_consent',
  'retention',
] as const;
export const refusalGrounds = ['open', 'legal_hold', 'statutory_minimum', 'exemption'] as const;
const actions = ['erase', 'refuse', 'hold', 'lift'] as const;
const matchFields = ['model', 'operation', 'provider', 'workload'];
/** Who may erase by hand; what runs on schedule does so as `retention`, in the name of `holdpoint`. */
const personRoles = ['privacy', 'admin'];
const targetsMax = 2048;

export interface ErasureEntry {
  readonly type: 'erasure';
  readonly action: (typeof actions)[number];
  readonly by: string;
  readonly role: string;
  /** 16 hex, shared by the entries of one erasure; '' for legal holds. */
  readonly request: string;
  /** `[seq, part index]`; empty unless parts are erased. */
  readonly targets: readonly (readonly [number, number])[];
  /** The decision that the scope names, -1 where it names none. */
  readonly decision: number;
  /** The retention rule that the scope names, '' where it names none. */
  readonly rule: string;
  /** Seq of the legal hold that is lifted, -1 otherwise. */
  readonly hold: number;
  /** True on the last entry of an erasure, and on legal holds. */
  readonly final: boolean;
}

/** True when the entry was sealed in a role that may. */
export function isAllowed({ action, by, role, rule }: ErasureEntry): boolean {
  if (role !== 'retention') return personRoles.includes(role);
  return by === 'holdpoint' && rule !== '' && (action === 'erase' || action === 'refuse');
}

/** Reads `data`; undefined where it is not that of an erasure entry. */
export function readErasure(data: JsonObject, seq: number): ErasureEntry | undefined {
  const { action, by, role, hold } = data;
  if (!isOneOf(action, actions) || typeof by !== 'string' || by === '' || typeof role !== 'string')
    return undefined;
  const none = { targets: [], decision: -1, rule: '', hold: -1, request: '', final: true };
  if (action === 'lift')
    return isEarlier(hold, seq) ? { ...none, type: 'erasure', action, by, role, hold } : undefined;
  const scope = readScope(data['scope'], seq);
  if (scope === undefined) return undefined;
  if (action === 'hold') return { ...none, ...scope, type: 'erasure', action, by, role };
  const { basis, final, request } = data;
  if (!isOneOf(basis, bases) || typeof final !== 'boolean' || !isMatching(request, /^[0-9a-f]{16}$/))
    return undefined;
  const shared = { ...none, ...scope, type: 'erasure' as const, action, by, role, request, final };
  if (action === 'refuse') return isRefusal(data, seq) ? shared : undefined;
  const targets = readTargets(data['targets'], seq);
  return targets === undefined ? undefined : { ...shared, targets };
}

function isRefusal({ cites, decisions, why }: JsonObject, seq: number): boolean {
  if (typeof cites !== 'string' || !isOneOf(why, refusalGrounds) || !isList(decisions)) return false;
  return decisions.length <= targetsMax && decisions.every((decision) => isEarlier(decision, seq));
}

/** Exactly one of a decision, a subject's fingerprint, fields that match, and a retention rule. */
function readScope(value: Json | undefined, seq: number): { decision: number; rule: string } | undefined {
  if (!isJsonObject(value)) return undefined;
  const { before, decision, match, rule, subject, ...others } = value;
  const named = [decision, match, rule, subject].filter((one) => one !== undefined);
  if (named.length !== 1 || Object.keys(others).length > 0) return undefined;
  if (before !== undefined && !isMatching(before, utcForm)) return undefined;
  if (decision !== undefined) return isEarlier(decision, seq) ? { decision, rule: '' } : undefined;
  if (subject !== undefined)
    return isMatching(subject, /^[0-9a-f]{16}$/) ? { decision: -1, rule: '' } : undefined;
  if (rule !== undefined) return typeof rule === 'string' && rule !== '' ? { decision: -1, rule } : undefined;
  return isMatch(match) ? { decision: -1, rule: '' } : undefined;
}

function isMatch(value: Json | undefined): boolean {
  if (!isJsonObject(value)) return false;
  return Object.entries(value).every(
    ([name, text]) => matchFields.includes(name) && typeof text === 'string',
  );
}

function readTargets(value: Json | undefined, seq: number): [number, number][] | undefined {
  if (!isList(value) || value.length > targetsMax) return undefined;
  const targets: [number, number][] = [];
  for (const pair of value) {
    if (!isList(pair) || pair.length !== 2) return undefined;
    const [target, part] = pair;
    if (!isEarlier(target, seq) || !isCount(part) || part > 255) return undefined;
    targets.push([target, part]);
  }
  return targets;
}

function isEarlier(value: Json | undefined, seq: number): value is number {
  return isCount(value) && value < seq;
}
