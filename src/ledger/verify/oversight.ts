/**
 * What people do about holds besides ruling: they talk, hand them over, lend their role while they are away, and review
 * what one of them released alone. State is owned by `Oversight`. Memory: releases without a review, and delegations
 * that nothing ended. Portable; imports only its own folder.
 */
import { counted } from './counted.ts';
import type { Decision, Hold } from './decision.ts';
import type { RulingEntry } from './hold-entries.ts';
import type { Leaf } from './leaf.ts';
import type {
  AssignmentEntry,
  CommentEntry,
  DelegationEndEntry,
  DelegationEntry,
  ReviewEntry,
} from './oversight-entries.ts';
import { namesOf, type People } from './people.ts';
import type { Report } from './reasons.ts';

interface BrokenGlass {
  readonly decision: number;
  readonly by: string;
  readonly requester: string;
  /** Milliseconds since the Unix epoch. */
  readonly dueMs: number;
}

export interface Oversight {
  /** By hold: releases by one person alone that nobody has reviewed. */
  readonly unreviewed: Map<number, BrokenGlass>;
  /** By the seq of the entry that began it. */
  readonly delegations: Map<number, DelegationEntry>;
  /** Until when those last, ascending, by who lent which role to whom: a ruling asks for the longest alone. */
  readonly lent: Map<string, number[]>;
  /** Rulings in somebody's stead. */
  inStead: number;
  unjustified: number;
}

/** Between the clock that a delegation was judged by and that of the ruling's entry, milliseconds. */
const driftMsMax = 60_000;
const reviewWithinMs = 72 * 3_600_000;

export function createOversight(): Oversight {
  return { unreviewed: new Map(), delegations: new Map(), lent: new Map(), inStead: 0, unjustified: 0 };
}

/** A comment, or that somebody is on it: about a hold that waits. */
export function takeDeliberation(
  decision: Decision | undefined,
  { type, hold: seq }: CommentEntry | AssignmentEntry,
  report: Report,
): void {
  if (decision?.holds.get(seq)?.state === 'pending') return;
  report(`${type}_unfounded`, `the hold ${seq} does not wait for a ruling`);
}

export function takeBrokenGlass(
  oversight: Oversight,
  { terms, seq }: Hold,
  { at }: Leaf,
  { by, decision }: RulingEntry,
): void {
  const dueMs = Date.parse(at) + (terms.reviewWithin ?? reviewWithinMs);
  oversight.unreviewed.set(seq, { decision, by, requester: terms.requester, dueMs });
}

/** Once, by somebody who neither released it nor asked for it. */
export function takeReview(oversight: Oversight, entry: ReviewEntry, people: People, report: Report): void {
  const { hold, decision, by, verdict } = entry;
  const broken = oversight.unreviewed.get(hold);
  if (broken === undefined || broken.decision !== decision) {
    report('review_unfounded', `nobody released hold ${hold} alone, or it was reviewed before`);
    return;
  }
  const names = namesOf(people, by);
  if (names.includes(broken.by) || names.includes(broken.requester))
    report('review_not_independent', `${by} released hold ${hold} alone or asked for it, and reviewed it`);
  oversight.unreviewed.delete(hold);
  if (verdict === 'unjustified') oversight.unjustified += 1;
}

export function takeDelegation(
  oversight: Oversight,
  { seq }: Leaf,
  entry: DelegationEntry,
  people: People,
  report: Report,
): void {
  if (namesOf(people, entry.by).includes(entry.delegate))
    report('delegation_unfounded', `${entry.by} stands in for themselves`);
  oversight.delegations.set(seq, entry);
  const name = lentName(entry.by, entry.delegate, entry.role);
  const untils = oversight.lent.get(name) ?? [];
  untils.splice(placeOf(untils, entry.until), 0, entry.until);
  oversight.lent.set(name, untils);
}

/** Of the first that is not below it. */
function placeOf(ascending: readonly number[], value: number): number {
  let from = 0;
  for (let to = ascending.length; from < to; ) {
    const middle = (from + to) >>> 1;
    if ((ascending[middle] ?? value) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function lentName(by: string, to: string, role: string): string {
  return JSON.stringify([by, to, role]);
}

export function takeDelegationEnd(oversight: Oversight, entry: DelegationEndEntry, report: Report): void {
  const begun = oversight.delegations.get(entry.delegation);
  if (begun === undefined) {
    report('delegation_unfounded', `no delegation began at entry ${entry.delegation}, or it ended before`);
    return;
  }
  const isTheirs = entry.by === begun.by || entry.role === 'admin' || entry.by === 'holdpoint';
  if (!isTheirs) report('delegation_unfounded', `${entry.by} ended the delegation of ${begun.by}`);
  oversight.delegations.delete(entry.delegation);
  const name = lentName(begun.by, begun.delegate, begun.role);
  const untils = oversight.lent.get(name) ?? [];
  untils.splice(placeOf(untils, begun.until), 1);
  if (untils.length === 0) oversight.lent.delete(name);
}

/** Whether a ruling in somebody's stead is covered: they had lent this role to this person, and it was not over. */
export function checkStead(oversight: Oversight, { at }: Leaf, ruling: RulingEntry, report: Report): void {
  const { by, role, inStead } = ruling;
  if (inStead === '') return;
  oversight.inStead += 1;
  const atMs = Date.parse(at);
  const longest = oversight.lent.get(lentName(inStead, by, role))?.at(-1);
  if (longest === undefined || atMs > longest + driftMsMax)
    report('ruling_not_delegated', `${inStead} had not lent the role "${role}" to ${by} at that time`);
}

/** In plain words; an overdue review is no fault of the ledger. */
export function aboutOversight(oversight: Oversight, lastAt: string): readonly string[] {
  const { unreviewed, inStead, unjustified } = oversight;
  const notes: string[] = [];
  if (unreviewed.size > 0) {
    const holds = [...unreviewed.keys()].slice(0, listedMax).join(', ');
    const more = unreviewed.size > listedMax ? ' and more' : '';
    const lastMs = Date.parse(lastAt);
    const overdue = [...unreviewed.values()].filter(({ dueMs }) => dueMs < lastMs).length;
    notes.push(
      `${counted(unreviewed.size, 'release by one person alone was', 'releases by one person alone were')} never reviewed by another, ${overdue} past the time for it: holds ${holds}${more}.`,
    );
  }
  if (unjustified > 0)
    notes.push(
      `${counted(unjustified, 'release by one person alone was', 'releases by one person alone were')} found unjustified in review.`,
    );
  if (inStead > 0)
    notes.push(
      `${counted(inStead, 'ruling was', 'rulings were')} made in the stead of somebody who was away.`,
    );
  return notes;
}

const listedMax = 20;
