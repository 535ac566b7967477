/**
 * What people do about holds besides ruling, as `access` entries say it: each is one by its `action`. Portable; imports
 * only its own folder.
 */
import type { Json } from './canonical.ts';
import { digestOf, isCount, isEarlier, isOneOf, type Part } from './fields.ts';

const reviewVerdicts = ['justified', 'unjustified'] as const;

export interface CommentEntry {
  readonly type: 'comment';
  readonly decision: number;
  readonly hold: number;
}

export interface AssignmentEntry {
  readonly type: 'assignment';
  readonly decision: number;
  readonly hold: number;
}

export interface ReviewEntry {
  readonly type: 'review';
  readonly decision: number;
  readonly hold: number;
  readonly by: string;
  readonly verdict: (typeof reviewVerdicts)[number];
}

/** `by` lends `role` to `delegate`. */
export interface DelegationEntry {
  readonly type: 'delegation';
  /** -1 where it is about no one decision. */
  readonly about: number;
  readonly by: string;
  readonly role: string;
  readonly delegate: string;
  /** Milliseconds since the Unix epoch. */
  readonly until: number;
}

export interface DelegationEndEntry {
  readonly type: 'delegation_end';
  /** -1 where it is about no one decision. */
  readonly about: number;
  readonly by: string;
  readonly role: string;
  readonly delegation: number;
}

export type OversightEntry =
  | CommentEntry
  | AssignmentEntry
  | ReviewEntry
  | DelegationEntry
  | DelegationEndEntry;

export const oversightActions = ['comment', 'assign', 'review', 'delegate', 'delegation_end'] as const;

export interface OversightFields {
  readonly action: (typeof oversightActions)[number];
  readonly by: string;
  readonly role: string;
  readonly decision: Json | undefined;
  readonly hold: Json | undefined;
  readonly assignee: Json | undefined;
  readonly verdict: Json | undefined;
  readonly delegate: Json | undefined;
  readonly until: Json | undefined;
  readonly delegation: Json | undefined;
}

/** Undefined where it is not that of its action. */
export function readOversight(
  fields: OversightFields,
  parts: readonly Part[],
  seq: number,
): OversightEntry | undefined {
  const { action, by, role, decision, hold, assignee, verdict, delegate, until, delegation } = fields;
  if (by === '') return undefined;
  const about = isEarlier(decision, seq) ? decision : -1;
  if (action === 'delegate') {
    if (typeof delegate !== 'string' || delegate === '' || !isCount(until)) return undefined;
    return { type: 'delegation', about, by, role, delegate, until };
  }
  if (action === 'delegation_end')
    return isEarlier(delegation, seq) ? { type: 'delegation_end', about, by, role, delegation } : undefined;
  if (!isEarlier(decision, seq) || !isEarlier(hold, seq)) return undefined;
  if (action === 'assign')
    return typeof assignee === 'string' ? { type: 'assignment', decision, hold } : undefined;
  if (action === 'comment')
    return digestOf(parts, 'comment') !== '' ? { type: 'comment', decision, hold } : undefined;
  if (!isOneOf(verdict, reviewVerdicts) || digestOf(parts, 'finding') === '') return undefined;
  return { type: 'review', decision, hold, by, verdict };
}
