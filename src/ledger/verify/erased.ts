/**
 * Which parts are absent, which an erasure names, and which erasures and legal holds were allowed. A part that is
 * absent may be named by an entry much later, so the two are set against each other at the end. State is owned by
 * `Erasures`. Memory: a few bytes per erased part and about two per entry. Portable.
 */

import type { Decisions } from './decisions.ts';
import type { Entry } from './entry.ts';
import { type ErasureEntry, isAllowed } from './erasure.ts';
import type { Findings } from './findings.ts';
import type { Leaf } from './leaf.ts';
import {
  createPartCounts,
  createPartOwners,
  createPartSet,
  type PartCounts,
  type PartOwners,
  type PartSet,
} from './part-set.ts';
import type { Report } from './reasons.ts';

export interface Erasures {
  /** Parts of readable entries that have no stored bytes. */
  readonly absent: PartSet;
  /** Parts that an erasure names. */
  readonly named: PartSet;
  readonly partCounts: PartCounts;
  /** Of which decision the entries are that have parts and are not its request. */
  readonly partOwners: PartOwners;
  /** Legal holds that stand: the decision each is on, -1 for those on a subject or a class. */
  readonly legalHolds: Map<number, number>;
  /** How many of them are on each decision. */
  readonly held: Map<number, number>;
  /** Erasures without their last entry, by their request. */
  readonly unfinished: Set<string>;
  refused: number;
}

export function createErasures(): Erasures {
  return {
    absent: createPartSet(),
    named: createPartSet(),
    partCounts: createPartCounts(),
    partOwners: createPartOwners(),
    legalHolds: new Map(),
    held: new Map(),
    unfinished: new Set(),
    refused: 0,
  };
}

/**
 * Takes one entry in.
 * @param report what it breaks; undefined once entries before it are damaged, so that nothing is judged
 */
export function takeErasures(
  erasures: Erasures,
  leaf: Leaf,
  decisions: Decisions,
  report: Report | undefined,
): void {
  // Only judging asks for it, and a damaged ledger may claim any number: that is no reason to reserve what it claims.
  if (report !== undefined) takeParts(erasures, leaf);
  const { entry } = leaf;
  if (entry.type !== 'erasure') return;
  if (!isAllowed(entry))
    report?.('erasure_role_not_allowed', `${entry.by} as "${entry.role}" may not ${entry.action}`);
  if (entry.action === 'hold') {
    erasures.legalHolds.set(leaf.seq, entry.decision);
    countHolds(erasures, entry.decision, 1);
  } else if (entry.action === 'lift') takeLift(erasures, entry, report);
  else takeRequest(erasures, entry, decisions, report);
}

function takeParts({ partCounts, partOwners }: Erasures, { seq, parts, entry }: Leaf): void {
  if (parts.length === 0) return;
  partCounts.set(seq, parts.length);
  const decision = decisionOf(entry);
  if (decision !== -1) partOwners.set(seq, decision);
}

/** The decision that an entry is one of, by its `data.decision`; -1 for none. What an erasure is about is none of it. */
function decisionOf(entry: Entry): number {
  if (entry.type === 'erasure') return -1;
  if ('about' in entry) return entry.about;
  return 'decision' in entry ? entry.decision : -1;
}

function takeLift(erasures: Erasures, entry: ErasureEntry, report: Report | undefined): void {
  const decision = erasures.legalHolds.get(entry.hold);
  if (decision === undefined) {
    report?.('legal_hold_unknown', `no legal hold ${entry.hold} stands`);
    return;
  }
  erasures.legalHolds.delete(entry.hold);
  countHolds(erasures, decision, -1);
}

function countHolds({ held }: Erasures, decision: number, more: number): void {
  const count = (held.get(decision) ?? 0) + more;
  if (count === 0) held.delete(decision);
  else held.set(decision, count);
}

function takeRequest(
  erasures: Erasures,
  entry: ErasureEntry,
  decisions: Decisions,
  report: Report | undefined,
): void {
  if (entry.final) erasures.unfinished.delete(entry.request);
  else erasures.unfinished.add(entry.request);
  if (entry.action === 'refuse') erasures.refused += 1;
  for (const [seq, part] of entry.targets) {
    const isRepeated = !erasures.named.add(seq, part);
    if (report === undefined) continue;
    const what = `part ${part} of entry ${seq}`;
    if (isRepeated) report('erasure_repeated', `${what} was erased before`);
    if (part >= erasures.partCounts.of(seq)) report('erasure_target_unknown', `there is no ${what}`);
    const decision = erasures.partOwners.of(seq);
    if (decisions.open.has(decision))
      report('erasure_decision_open', `decision ${decision} has no outcome yet`);
    if (erasures.held.has(decision))
      report('erasure_under_legal_hold', `a legal hold stands on decision ${decision}`);
  }
}

export interface ErasedCounts {
  /** Named by an erasure, and gone. */
  readonly erased: number;
  /** Named by an erasure, and still stored. */
  readonly underWay: number;
}

/**
 * At the end of the ledger: reports every part that is gone and that no erasure names.
 * @param isIntact false where entries are damaged or were not read, an erasure's perhaps among them
 */
export function settleErasures(erasures: Erasures, findings: Findings, isIntact: boolean): ErasedCounts {
  const why = isIntact
    ? ' and no erasure names it'
    : '; if it was erased, the entry that says so is among the damaged ones';
  let erased = 0;
  for (const [seq, part] of erasures.absent.all()) {
    if (erasures.named.has(seq, part)) erased += 1;
    else findings.add('body_missing', seq, `part ${part} of entry ${seq} is not stored${why}`);
  }
  return { erased, underWay: erasures.named.size - erased };
}
