/**
 * Whether one decision may be erased: legal hold, then statutory minimum, then exemption, then erase. Pure.
 * A decision without an outcome is never erased: nobody knows yet what will be said in it.
 */
import type { JsonObject } from '../ledger/canonical.ts';
import { type Basis, type Match, matches, matchFields, type RefusalGround } from '../ledger/erasure.ts';
import type { LegalHold } from '../ledger/subjects.ts';

/** A class of decisions and how long they are kept. */
export interface RetentionRule {
  readonly id: string;
  readonly match: Match;
  /** Erased on schedule once they are older. */
  readonly keepDays?: number | undefined;
  /** Never erased before, whoever asks: a statute demands the record. */
  readonly minimumDays?: number | undefined;
}

/** A class of decisions that stays although its erasure is asked for, such as for the defence of legal claims. */
export interface Exemption {
  readonly id: string;
  readonly match: Match;
  /** Only where erasure is asked for on these bases; on any when absent. */
  readonly bases?: readonly Basis[] | undefined;
}

export interface RetentionTerms {
  readonly rules: readonly RetentionRule[];
  readonly exemptions: readonly Exemption[];
}

/** A decision as its request entry tells it. */
export interface Candidate {
  readonly seq: number;
  readonly atMs: number;
  readonly data: JsonObject;
  readonly isOpen: boolean;
}

export interface Refusal {
  readonly why: RefusalGround;
  /** The legal hold's seq, or the id of the rule or exemption. */
  readonly cites: string;
}

const dayMs = 86_400_000;

/** The first ground against erasing the decision, or null. */
export function judge(
  candidate: Candidate,
  basis: Basis,
  terms: RetentionTerms,
  legalHolds: readonly LegalHold[],
  nowMs: number,
): Refusal | null {
  if (candidate.isOpen) return { why: 'open', cites: '' };
  const legalHold = legalHolds.find(({ scope }) => isHeld(scope, candidate));
  if (legalHold !== undefined) return { why: 'legal_hold', cites: String(legalHold.seq) };
  const minimum = terms.rules.find(
    ({ match, minimumDays = 0 }) =>
      nowMs - candidate.atMs < minimumDays * dayMs && matches(match, candidate.data),
  );
  if (minimum !== undefined) return { why: 'statutory_minimum', cites: minimum.id };
  const exemption = terms.exemptions.find(
    ({ match, bases }) => (bases === undefined || bases.includes(basis)) && matches(match, candidate.data),
  );
  return exemption === undefined ? null : { why: 'exemption', cites: exemption.id };
}

function isHeld(scope: JsonObject, { seq, data }: Candidate): boolean {
  if (scope['decision'] !== undefined) return scope['decision'] === seq;
  if (scope['subject'] !== undefined) return scope['subject'] === data['subject'];
  const match = scope['match'];
  // What cannot be read holds everything: better one refusal too many.
  if (typeof match !== 'object' || Array.isArray(match)) return true;
  return Object.entries(match).every(
    ([field, value]) => !matchFields.some((known) => known === field) || data[field] === value,
  );
}
