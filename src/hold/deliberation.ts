/**
 * What reviewers say to each other about a hold that waits, and who of them is on it. Advice: it is sealed and shown,
 * and moves no state; whoever is entitled may still rule.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Draft } from '../ledger/sealer.ts';
import type { Desk } from './desk.ts';
import { assignmentDraft, commentDraft } from './drafts.ts';
import type { Ending } from './ending.ts';
import type { Live } from './live.ts';
import { applyEntry, assigneeOf, type Hold } from './record.ts';
import { inTurn } from './rulings.ts';
import { refuseUnlessOpen } from './state.ts';

/** Each is an entry of its own and stays in memory as long as the hold. */
export const commentsMax = 100;
export const assignmentsMax = 100;

export interface Person {
  readonly by: string;
  readonly role: string;
  /** Further names of the same person. */
  readonly alsoCalled?: readonly string[];
  /** Throws once they may not ask for it any more. Called in one step with the sealing, which may have to wait. */
  readonly requireStanding?: () => void;
}

export interface Deliberation {
  /**
   * Seals what somebody says; the text is a body of the decision and erased with it. Throws `already_ruled` and
   * `ruling_expired` where nobody rules any more, `invalid_argument` where too much was said, `ledger_unavailable`.
   */
  comment(hold: Hold, by: Person, text: string): Promise<void>;
  /**
   * Seals who is on it from now on, '' for nobody. Throws as `comment` does, and `forbidden` where somebody else has
   * it: what one has may be handed over, by oneself or by an admin; to take it over oneself is always possible.
   */
  assign(hold: Hold, by: Person, to: string): Promise<void>;
}

export function createDeliberation(desk: Desk, armTimer: Ending['armTimer']): Deliberation {
  const { live, clock, emit } = desk;

  function refuseUnlessWaiting(hold: Hold): void {
    refuseUnlessOpen(hold.state, clock.nowMs());
    // Its decision may have ended without a ruling: then nobody rules any more.
    if (hold.outcome !== null) throw over();
  }

  function itemOf(hold: Hold): Live {
    refuseUnlessWaiting(hold);
    const item = live.get(hold.seq);
    if (item !== undefined) return item;
    throw over();
  }

  /** Seals what one says or does about a hold that waits; `draft` is asked in turn, and throws where it may not be. */
  async function sealInTurn(
    event: 'commented' | 'assigned',
    hold: Hold,
    person: Person,
    draft: () => Draft,
  ): Promise<void> {
    const seal = async (): Promise<void> => {
      person.requireStanding?.();
      refuseUnlessWaiting(hold);
      await sealAbout(desk, hold, draft());
      emit(event, hold, person.by);
    };
    await inTurn(desk, itemOf(hold), seal, armTimer);
  }

  return {
    comment: (hold, person, text) =>
      sealInTurn('commented', hold, person, () => {
        if (hold.comments.length >= commentsMax) throw tooMany(`${commentsMax} comments`);
        return commentDraft(hold, person, text);
      }),
    assign: (hold, person, to) =>
      sealInTurn('assigned', hold, person, () => {
        refuseAssignment(hold, person, to);
        if (hold.assignments.length >= assignmentsMax) throw tooMany(`${assignmentsMax} hand-overs`);
        return assignmentDraft(hold, person, to);
      }),
  };
}

function refuseAssignment(hold: Hold, { by, role }: Person, to: string): void {
  const has = assigneeOf(hold);
  if (to === has)
    throw new HoldpointError(
      'invalid_argument',
      has === '' ? 'Nobody has the hold.' : `${has} has the hold already.`,
    );
  if (to === by || by === has || role === 'admin') return;
  throw new HoldpointError(
    'forbidden',
    has === '' ? 'You do not have the hold.' : `${has} has the hold.`,
    'Take it yourself first, or ask an admin.',
  );
}

/** Seals an entry about the hold and makes memory say so once it is durable. */
export async function sealAbout({ ledger, clock }: Desk, hold: Hold, draft: Draft): Promise<void> {
  const sealed = ledger.seal(draft);
  await sealed.durable;
  const at = new Date(clock.nowMs()).toISOString();
  applyEntry(hold, { ...draft, parts: sealed.parts(), seq: sealed.seq, at });
}

function over(): HoldpointError {
  return new HoldpointError('already_ruled', 'The hold is over.', 'Read the hold again.');
}

function tooMany(what: string): HoldpointError {
  return new HoldpointError(
    'invalid_argument',
    `The hold has had ${what}, which is the most.`,
    'Rule on it, or talk elsewhere.',
  );
}
