/**
 * Reviews of releases that one person made alone: each stays open until somebody else writes a finding, and is told of
 * once when its time is over. Owns when each open one is due; what is open is what the ledger says.
 */
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import type { BrokenGlass } from '../ledger/oversight.ts';
import { type Person, sealAbout } from './deliberation.ts';
import type { Desk, HoldEvent } from './desk.ts';
import { reviewDraft } from './drafts.ts';
import type { HeldRule, Hold, Review, ReviewVerdict } from './record.ts';
import { readHold } from './restoring.ts';
import { reviewWithinMs } from './terms.ts';

export interface ReviewDue {
  readonly hold: number;
  readonly decision: number;
  /** Why it was held. */
  readonly rules: readonly HeldRule[];
  /** Who released alone, and when. */
  readonly by: string;
  readonly atMs: number;
  readonly dueAtMs: number;
  readonly review: Review | null;
}

/** Reads something of a decision; null, and told to whoever asks, where an entry that it needs cannot be read. */
export type Reading = <T>(decision: number, read: () => Promise<T>) => Promise<T | null>;

export interface Reviews {
  /**
   * Seals a finding; its text is a body of the decision and erased with it. Throws `invalid_argument` where nobody
   * released alone, `forbidden` to who did and to who asked, `already_ruled` where there is a finding.
   */
  review(holdSeq: number, by: Person, finding: { verdict: ReviewVerdict; text: string }): Promise<Hold>;
  /** Every open one and the newest of the others, in the order of the releases, without those that cannot be read. */
  reviews(reading: Reading): Promise<readonly ReviewDue[]>;
  /** How many are open, and how many of these are overdue. */
  reviewCounts(): { readonly open: number; readonly overdue: number };
  /**
   * Tells from now on of those that are overdue, also of what is so already, and again of each release that waits for its
   * review: the process may have ended before anybody was told. Called once whoever listens is there.
   */
  watchReviews(): Promise<void>;
  stopReviews(): void;
}

export function createReviews(desk: Desk): Reviews {
  const { ledger, live, clock, schedule, emit } = desk;
  /** By hold, of open ones. */
  const due = new Map<number, { readonly dueAtMs: number; readonly cancel: () => void }>();
  /** One at a time: whether there is a finding is asked and sealed in one step. */
  const inTurn = createInTurn();
  let isWatching = false;

  const holdOf = async (seq: number): Promise<Hold> => live.get(seq)?.hold ?? readHold(desk, seq);

  async function dueOf(broken: BrokenGlass): Promise<ReviewDue> {
    const hold = await holdOf(broken.hold);
    const atMs = brokenAtMs(hold);
    const withinMs = hold.state.terms.breakGlass?.reviewInMs ?? reviewWithinMs;
    const { decision, by } = broken;
    const { seq, rules, review } = hold;
    return { hold: seq, decision, rules, by, atMs, dueAtMs: atMs + withinMs, review };
  }

  function watch({ hold, dueAtMs, review }: Pick<ReviewDue, 'hold' | 'dueAtMs' | 'review'>): void {
    if (review !== null || due.has(hold)) return;
    const cancel = schedule(Math.max(0, dueAtMs - clock.nowMs()), () => {
      holdOf(hold).then(
        (late) => {
          if (late.review === null) emit('review-overdue', late);
        },
        (error: unknown) => desk.onError('An overdue review could not be told', error),
      );
    });
    due.set(hold, { dueAtMs, cancel });
  }

  function onEvent({ kind, hold }: HoldEvent): void {
    if (kind !== 'glass-broken' || !isWatching) return;
    const atMs = brokenAtMs(hold);
    const withinMs = hold.state.terms.breakGlass?.reviewInMs ?? reviewWithinMs;
    watch({ hold: hold.seq, dueAtMs: atMs + withinMs, review: hold.review });
  }
  desk.subscribe(onEvent);

  async function seal(
    holdSeq: number,
    person: Person,
    finding: { verdict: ReviewVerdict; text: string },
  ): Promise<Hold> {
    while (desk.reading !== null) await desk.reading;
    const hold = await holdOf(holdSeq);
    person.requireStanding?.();
    requireReviewable(hold, person);
    await sealAbout(desk, hold, reviewDraft(hold, hold.ruling ?? holdSeq, person, finding));
    due.get(holdSeq)?.cancel();
    due.delete(holdSeq);
    emit('reviewed', hold, person.by);
    return hold;
  }

  return {
    review: (holdSeq, person, finding) => inTurn(() => seal(holdSeq, person, finding)),
    reviews: async (reading) => {
      const broken = ledger.glassBroken();
      const all = await Promise.all(broken.map((one) => reading(one.decision, () => dueOf(one))));
      return all.filter((due) => due !== null);
    },
    reviewCounts: () => {
      const nowMs = clock.nowMs();
      const overdue = [...due.values()].filter(({ dueAtMs }) => dueAtMs <= nowMs).length;
      return { open: due.size, overdue };
    },
    watchReviews: async () => {
      isWatching = true;
      for (const broken of ledger.glassBroken()) {
        if (broken.reviewed !== null) continue;
        // One that cannot be read must not keep the others, nor the sidecar, from going on.
        await holdOf(broken.hold).then(
          (hold) => emit('glass-broken', hold, broken.by),
          (error: unknown) => desk.onError('A review cannot be watched', error),
        );
      }
    },
    stopReviews: () => {
      for (const { cancel } of due.values()) cancel();
    },
  };
}

function requireReviewable(hold: Hold, { by, alsoCalled = [] }: Person): void {
  const broken = hold.state.rulings.find(({ breakGlass }) => breakGlass === true);
  if (broken === undefined)
    throw new HoldpointError(
      'invalid_argument',
      `Nobody released ${hold.id} alone.`,
      'List what waits for a review with: holdpoint holds reviews',
    );
  if (hold.review !== null)
    throw new HoldpointError(
      'already_ruled',
      `${hold.review.by} has reviewed ${hold.id} already.`,
      'A finding is final.',
    );
  const names = [by, ...alsoCalled];
  if (names.includes(broken.by) || names.includes(hold.state.terms.requester))
    throw new HoldpointError(
      'forbidden',
      names.includes(broken.by)
        ? 'Who broke the glass does not review it.'
        : 'Who asked for it does not review it.',
      'Ask somebody else.',
    );
}

function brokenAtMs({ state }: Hold): number {
  return state.rulings.find(({ breakGlass }) => breakGlass === true)?.atMs ?? 0;
}
