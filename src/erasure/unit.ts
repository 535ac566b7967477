/** What is erased together or not at all, and what is left of it: a decision, or a batch with its lines. */
import type { Entry } from '../ledger/entry.ts';
import { refusalGrounds, type Target, targetsMax, targetsOf } from '../ledger/erasure.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Group } from './candidates.ts';
import type { Candidate, Refusal } from './judge.ts';

interface Member extends Candidate {
  readonly targets: readonly Target[];
}

/** Decisions that are erased together, and what is left of them. */
export interface Unit {
  readonly members: readonly Member[];
  /** What is judged: all of a batch, also where `members` are some of it. */
  readonly judged: readonly Candidate[];
  /** Grounds on which this order's refusal is sealed already. */
  readonly refusedBefore: readonly Refusal[];
}

export async function readUnit(
  ledger: Ledger,
  group: Group,
  isSameOrder: (entry: Entry) => boolean,
): Promise<Unit> {
  const members: Member[] = [];
  const refusedBefore: Refusal[] = [];
  for (const seq of group) {
    const entries = await ledger.decision(seq);
    const [request] = entries;
    if (request === undefined) continue;
    const { at, data } = request;
    const targets = partsLeft(entries);
    members.push({ seq, atMs: Date.parse(at), data, isOpen: ledger.isOpen(seq), targets });
    if (seq === group[0]) refusedBefore.push(...entries.filter(isSameOrder).flatMap(refusalIn));
  }
  return { members, judged: members, refusedBefore };
}

function refusalIn({ type, data: { cites, why } }: Entry): Refusal[] {
  const ground = refusalGrounds.find((known) => known === why);
  return type === 'erasure' && ground !== undefined ? [{ why: ground, cites: String(cites) }] : [];
}

/** The parts of a decision's entries that no erasure names yet. */
function partsLeft(entries: readonly Entry[]): Target[] {
  const named = new Set(entries.flatMap(targetsOf).map(([seq, part]) => `${seq}/${part}`));
  return entries
    .filter(({ type }) => type !== 'erasure')
    .flatMap(({ seq, parts }) => parts.map((_part, index): Target => [seq, index]))
    .filter(([seq, part]) => !named.has(`${seq}/${part}`));
}

export function countOf({ members }: Unit): number {
  return members.reduce((sum, { targets }) => sum + targets.length, 0);
}

/** As many of its parts as one entry names, and again as many. */
export function inPieces(member: Member): readonly Member[] {
  const { targets } = member;
  const pieces = Math.max(1, Math.ceil(targets.length / targetsMax));
  return Array.from({ length: pieces }, (_, piece) => ({
    ...member,
    targets: targets.slice(piece * targetsMax, (piece + 1) * targetsMax),
  }));
}
