/**
 * One erasure from what was asked to what is gone: candidates -> judged -> sealed -> destroyed, 2048 parts at a
 * time, refusals sealed with their grounds. Memory does not grow with the ledger; calls go on meanwhile.
 */
import type { Clock } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../ledger/canonical.ts';
import type { Entry } from '../ledger/entry.ts';
import { type Basis, type Match, type Scope, scopeData, type Target, targetsMax } from '../ledger/erasure.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RetentionMark } from '../ledger/retention-marks.ts';
import { groupsOf, requireMeant } from './candidates.ts';
import { type Candidate, judge, type Refusal, type RetentionTerms } from './judge.ts';
import { type ErasureProgress, judgeAgain } from './progress.ts';
import { countOf, inPieces, readUnit, type Unit } from './unit.ts';
import { createUnread, requireAll } from './unread.ts';

export interface ErasureOrder {
  readonly scope: Scope;
  /** Of the retention rule that the scope names. */
  readonly match?: Match;
  /** What `meantBy` says of the decision that the scope names; where it is given, no other one is erased. */
  readonly meant?: string;
  readonly basis: Basis;
  readonly by: string;
  readonly role: 'privacy' | 'admin' | 'retention';
  /** Sealed beside the entry, outside the leaf; '' for none. */
  readonly reason: string;
  /** Looks and judges; seals and destroys nothing. */
  readonly dryRun: boolean;
  /** Where to go on, for a scope over a class: everything before was judged, but for what is to be judged again. */
  readonly goOn?: Pick<RetentionMark, 'upTo' | 'again'>;
}

/** A person's word that an erasure ends where it is. */
export interface ErasureStop {
  readonly by: string;
  readonly role: 'privacy' | 'admin';
  /** Sealed beside the entry. */
  readonly reason: string;
}

export interface ErasureHouse {
  readonly ledger: Ledger;
  readonly terms: RetentionTerms;
  readonly clock: Clock;
  /** True once the sidecar stops: the erasure then ends after the entry it is at. */
  readonly isStopping: () => boolean;
}

const entriesShownMax = 100;

/**
 * Runs it to its end, or until `stopAsked` says who stops it: then the decision that it is at is its last, and what was
 * erased stays so. Keeps `progress`. Throws `ledger_unavailable`, `not_found`, `shutting_down`, and at its end
 * `ledger_damaged` where something of what it erased is still stored, or something could not be read and so not judged.
 */
export async function runErasure(
  house: ErasureHouse,
  request: string,
  order: ErasureOrder,
  progress: ErasureProgress,
  stopAsked: () => ErasureStop | null,
): Promise<'done' | 'stopped'> {
  const { ledger } = house;
  const goesOn = (): boolean => stopAsked() === null && !house.isStopping();
  const sealing = createSealing(house, request, order, progress);
  const unread = createUnread((seq) => judgeAgain(progress, seq));
  // A schedule meets the same ground every day, and what was cut off meets it again when it goes on: it is sealed once.
  const isSameOrder = ({ data }: Entry): boolean =>
    order.role === 'retention' ? data['role'] === 'retention' : data['request'] === request;
  if (order.meant !== undefined) await requireMeant(ledger, order.scope, order.meant);
  const groups = groupsOf(ledger, order.scope, {
    match: order.match ?? {},
    fromSeq: order.goOn?.upTo ?? 0,
    again: order.goOn?.again ?? [],
    nowMs: house.clock.nowMs(),
    goesOn,
    onLooked: (seq) => {
      progress.lookedAt = seq;
    },
    onLater: (seq) => judgeAgain(progress, seq),
    onUnread: unread.add,
  });
  for await (const group of groups) {
    if (!goesOn()) break;
    const unit = await unread.aside(readUnit(ledger, group, isSameOrder));
    if (unit !== null) await sealing.take(unit);
    // What is said of it elsewhere is unknown, that it was erased among that: it is not erased by halves.
    else judgeAgain(progress, group[0]);
  }
  const stop = stopAsked();
  if (stop !== null) await sealing.stop(stop);
  else if (house.isStopping())
    throw new HoldpointError('shutting_down', 'The sidecar stops.', 'Ask again once it runs.');
  else await sealing.end();
  if (!order.dryRun && progress.bytesWiped > 0) progress.bytesReclaimed += await ledger.reclaim();
  progress.isThrough = stop === null;
  // What was left unjudged on purpose may have been unreadable too.
  requireAll(sealing.left(), sealing.cause(), stop === null ? unread.all() : []);
  return stop === null ? 'done' : 'stopped';
}

interface Refused extends Refusal {
  readonly decisions: number[];
}

/** Judges units, collects what entries say and seals them one after the other; the last has `final`. */
function createSealing(house: ErasureHouse, request: string, order: ErasureOrder, progress: ErasureProgress) {
  const { ledger, terms, clock } = house;
  let due: Unit[] = [];
  let dueTargets = 0;
  /** The newest legal hold when what is due was judged: a newer one may forbid it. */
  let judgedUnder = -1;
  let refusals = new Map<string, Refused>();
  let sealed = 0;
  /** A decision that is split counts once. */
  let erasedLast = -1;
  let refusedLast = -1;
  let lately: { judged: Unit['judged']; under: number; refusal: Refusal | null } | null = null;
  /** The last entry is sealed. */
  let isEnded = false;
  /** What was sealed as erased and lies in bodies that are damaged. */
  const left: Target[] = [];
  let cause: unknown;

  const newestHold = (): number => ledger.legalHolds().at(-1)?.seq ?? -1;

  /** Each piece of a batch asks about all of it: until another legal hold comes the answer is the same. */
  function refusalOf({ judged }: Unit): Refusal | null {
    const under = newestHold();
    if (lately?.judged !== judged || lately.under !== under)
      lately = { judged, under, refusal: judgeAll(judged) };
    return lately.refusal;
  }

  function judgeAll(judged: readonly Candidate[]): Refusal | null {
    const legalHolds = ledger.legalHolds();
    for (const candidate of judged) {
      const refusal = judge(candidate, order.basis, terms, legalHolds, clock.nowMs());
      if (refusal !== null) return refusal;
    }
    return null;
  }

  function seal(data: JsonObject, final: boolean, isStillDue = () => true): Promise<boolean> {
    const { by, role } = order;
    return sealAs({ by, role, reason: sealed > 0 ? '' : order.reason }, data, final, isStillDue);
  }

  async function sealAs(
    { by, role, reason }: Pick<ErasureOrder, 'by' | 'role' | 'reason'>,
    data: JsonObject,
    final: boolean,
    isStillDue = () => true,
  ): Promise<boolean> {
    if (order.dryRun) return true;
    const shared = { basis: order.basis, by, final, request, role, scope: scopeData(order.scope) };
    const parts = reason === '' ? [] : [{ name: 'reason', bytes: Buffer.from(reason) }];
    const done = await ledger.erase({ type: 'erasure', data: { ...shared, ...data }, parts }, isStillDue);
    if (done === null) return false;
    sealed += 1;
    isEnded = final;
    progress.bytesWiped += done.bytesWiped;
    left.push(...done.left);
    cause ??= done.cause;
    if (progress.entries.length < entriesShownMax) progress.entries.push(done.seq);
    return true;
  }

  /** Seals what is due and destroys it; what a new legal hold forbids meanwhile is refused instead. */
  async function flushDue(final: boolean): Promise<void> {
    for (;;) {
      const targets = due.flatMap(({ members }) => members.flatMap((member) => member.targets));
      if (
        await seal(
          { action: 'erase', targets },
          final && refusals.size === 0,
          () => newestHold() === judgedUnder,
        )
      )
        break;
      judgedUnder = newestHold();
      const units = due;
      due = [];
      dueTargets = 0;
      for (const unit of units) await take(unit);
      if (due.length === 0) return;
    }
    const stored = new Set(left.map(String));
    for (const { seq, targets: named } of due.flatMap(({ members }) => members)) {
      const targets = named.filter((target) => !stored.has(String(target)));
      if (targets.length > 0 && seq !== erasedLast) progress.erased += 1;
      if (targets.length > 0) erasedLast = seq;
      progress.parts += targets.length;
    }
    due = [];
    dueTargets = 0;
  }

  async function flushRefusals(isLast: boolean): Promise<void> {
    const groups = [...refusals.values()];
    refusals = new Map();
    for (const [i, { cites, decisions, why }] of groups.entries())
      await seal({ action: 'refuse', cites, decisions, why }, isLast && i === groups.length - 1);
  }

  /** Refuses it or makes it due. */
  async function take(unit: Unit): Promise<void> {
    const refusal = refusalOf(unit);
    if (refusal === null) {
      due.push(unit);
      dueTargets += countOf(unit);
      return;
    }
    const { cites, why } = refusal;
    const refusedNow = unit.members.filter(({ seq }) => seq !== refusedLast);
    refusedLast = unit.members.at(-1)?.seq ?? refusedLast;
    progress.refused[why] += refusedNow.length;
    const [first] = refusedNow;
    if (first !== undefined) judgeAgain(progress, first.seq);
    if (unit.refusedBefore.some((before) => before.why === why && before.cites === cites)) return;
    for (const { seq } of refusedNow) {
      const name = `${why} ${cites}`;
      if ((refusals.get(name)?.decisions.length ?? 0) >= targetsMax) await flushRefusals(false);
      const refused = refusals.get(name) ?? { cites, decisions: [], why };
      refused.decisions.push(seq);
      refusals.set(name, refused);
    }
  }

  return {
    left: () => left,
    /** Why the first of it is. */
    cause: () => cause,
    take: async (unit: Unit): Promise<void> => {
      // Erased before: nothing to judge.
      if (countOf(unit) === 0) return;
      progress.decisions += unit.members.length;
      if (due.length > 0 && dueTargets + countOf(unit) > targetsMax) await flushDue(false);
      // What one entry cannot name is split once it is judged: a batch by its decisions, a decision by its parts.
      const isSplit = countOf(unit) > targetsMax && refusalOf(unit) === null;
      const pieces = isSplit
        ? unit.members.flatMap(inPieces).map((member) => ({ ...unit, members: [member] }))
        : [unit];
      for (const piece of pieces) {
        if (due.length > 0 && dueTargets + countOf(piece) > targetsMax) await flushDue(false);
        if (due.length === 0) judgedUnder = newestHold();
        await take(piece);
      }
    },
    /** Leaves what is due, and ends it in the name of whoever stopped it. */
    stop: async (stop: ErasureStop): Promise<void> => {
      await flushRefusals(false);
      await sealAs(stop, { action: 'erase', stopped: true, targets: [] }, true);
    },
    /** Also of an erasure that found nothing an entry stays; a schedule that had nothing to do leaves none. */
    end: async (): Promise<void> => {
      if (due.length > 0) await flushDue(true);
      await flushRefusals(true);
      // Nothing is left to erase, so no legal hold that came meanwhile stands in the way of saying so.
      const leavesNone = order.role === 'retention' && sealed === 0;
      if (!isEnded && !leavesNone) await seal({ action: 'erase', targets: [] }, true);
    },
  };
}
