/** What people do about holds, and what each of them was told. */

import { HoldpointError } from '../../../src/core/errors.ts';
import { encodeHttpMessage } from '../../../src/core/http-message.ts';
import { noOtherNames } from '../../../src/core/people.ts';
import type { Hold } from '../../../src/hold/record.ts';
import type { HumanVerdict, PeopleNow } from '../../../src/hold/state.ts';
import type { Process } from './process.ts';
import { amendedAmount, answerOf, answerType, type Kind, questionOf, type roles } from './rules.ts';

export interface Ruled {
  readonly by: string;
  readonly inStead: string | undefined;
  readonly verdict: HumanVerdict;
  readonly breakGlass: boolean;
  /** It named another digest than that of what is held. */
  readonly astray: boolean;
  readonly hold: number;
  /** Who might rule no more when it was sealed. */
  withdrawn: readonly string[];
  /** `sealed`, the code it was refused with, or `unknown` where the process died first. */
  answer: string;
}

/** Something else that somebody did about a hold. */
export interface Acted {
  readonly by: string;
  readonly action: 'comment' | 'assign' | 'review';
  readonly hold: number;
  answer: string;
}

/** Whoever was told so knows only what the record says, once it can be read: the process or its disk failed meanwhile. */
export function isUnknown(answer: string): boolean {
  return answer === 'unknown' || answer === 'ledger_unavailable';
}

/** `which` counts holds back from the newest. */
export interface Reviewers {
  /** Sealed rulings name their place here. */
  readonly rulings: readonly Ruled[];
  readonly acts: readonly Acted[];
  mayRule(name: string): boolean;
  rule(which: number, by: string, verdict: HumanVerdict, role: (typeof roles)[number]): void;
  /** By the digest of another hold of its decision, where it has one. */
  ruleAstray(which: number, by: string, verdict: HumanVerdict): void;
  /** Releases it alone. */
  breakGlass(which: number, by: string): void;
  comment(which: number, by: string): void;
  assign(which: number, by: string, to: string): void;
  review(which: number, by: string): void;
  /** They may rule no more, and what they approved counts no more; or both again. */
  withdraw(name: string): void;
  giveBack(name: string): void;
  /** Lends their role to another, for a while. */
  lend(by: string, to: string, ms: number): void;
  endLending(by: string): void;
  /** One to whom somebody lent their role rules in their stead; nothing where nobody did. */
  ruleInStead(which: number, lending: number, verdict: HumanVerdict): void;
}

export interface Desk {
  process(): Process;
  nowMs(): number;
  /** Every hold that was opened, in order. */
  readonly holds: readonly number[];
  /** The call that a decision is of. */
  callOf(decision: number): { readonly call: number; readonly kind: Kind };
  readonly onError: (error: unknown) => void;
}

export function createReviewers({ process, nowMs, holds, callOf, onError }: Desk): Reviewers {
  const rulings: Ruled[] = [];
  const acts: Acted[] = [];
  const withdrawn = new Set<string>();
  const mayRule = (name: string): boolean => !withdrawn.has(name);
  const people: PeopleNow = {
    otherNames: noOtherNames,
    counts: ({ by, inStead = by }) => mayRule(by) && mayRule(inStead),
  };

  function holdAt(which: number): Hold | undefined {
    const seq = holds.at(-1 - which);
    return process()
      .queue.list()
      .find((hold) => hold.seq === seq);
  }

  /** Starts what somebody does and keeps what they were told. */
  function answered(record: { answer: string }, task: Promise<unknown>): void {
    task
      .then(
        () => {
          record.answer = 'sealed';
        },
        (error: unknown) => {
          if (!(error instanceof HoldpointError)) throw error;
          record.answer = error.code;
        },
      )
      .catch(onError);
  }

  function act(
    which: number,
    by: string,
    action: Acted['action'],
    task: (hold: Hold) => Promise<unknown>,
  ): void {
    const hold = holdAt(which);
    if (hold === undefined) return;
    const acted: Acted = { by, action, hold: hold.seq, answer: 'unknown' };
    acts.push(acted);
    answered(acted, task(hold));
  }

  function ruleOn(
    hold: Hold,
    ruling: Pick<Ruled, 'by' | 'verdict'> &
      Partial<Ruled> & { readonly role: string; readonly digest?: string; readonly inStead?: string },
    confirm: () => void = () => undefined,
  ): void {
    const { by, verdict, inStead, breakGlass = false, digest = hold.state.terms.digest } = ruling;
    const astray = digest !== hold.state.terms.digest;
    const record = { by, inStead, verdict, breakGlass, astray, hold: hold.seq };
    const ruled: Ruled = { ...record, withdrawn: [], answer: 'unknown' };
    const display = `ruling ${rulings.push(ruled) - 1}`;
    const { role } = ruling;
    const stead = inStead === undefined ? {} : { inStead };
    const asked = { by, role, verdict, digest, display, breakGlass, people, reason: 'Seen.', ...stead };
    const amendment = verdict === 'amend' ? amendmentOf(hold, callOf(hold.decision), by) : null;
    const inForce = (): void => {
      ruled.withdrawn = [...withdrawn];
      if (!mayRule(by)) throw new HoldpointError('forbidden', `${by} may rule no more.`);
      confirm();
    };
    answered(ruled, process().queue.rule(hold, asked, amendment, inForce));
  }

  return {
    rulings,
    acts,
    mayRule,
    rule: (which, by, verdict, role) => {
      const hold = holdAt(which);
      if (hold !== undefined) ruleOn(hold, { by, verdict, role });
    },
    ruleAstray: (which, by, verdict) => {
      const hold = holdAt(which);
      if (hold === undefined) return;
      const isOther = ({ decision, seq }: Hold): boolean => decision === hold.decision && seq !== hold.seq;
      const other = process().queue.list().find(isOther)?.state.terms.digest ?? '00'.repeat(32);
      ruleOn(hold, { by, verdict, role: 'reviewer', digest: other });
    },
    breakGlass: (which, by) => {
      const hold = holdAt(which);
      if (hold !== undefined) ruleOn(hold, { by, verdict: 'release', role: 'admin', breakGlass: true });
    },
    comment: (which, by) =>
      act(which, by, 'comment', (hold) => process().queue.comment(hold, { by, role: 'reviewer' }, 'Seen?')),
    assign: (which, by, to) =>
      act(which, by, 'assign', (hold) => process().queue.assign(hold, { by, role: 'reviewer' }, to)),
    review: (which, by) =>
      act(which, by, 'review', (hold) =>
        process().queue.review(
          hold.seq,
          { by, role: 'reviewer' },
          { verdict: 'justified', text: 'It burned.' },
        ),
      ),
    withdraw: (name) => {
      withdrawn.add(name);
    },
    giveBack: (name) => {
      withdrawn.delete(name);
    },
    lend: (by, to, ms) => {
      const { delegations } = process();
      answered({ answer: '' }, delegations.begin({ by, role: 'reviewer' }, to, nowMs() + ms));
    },
    endLending: (by) => {
      const { delegations } = process();
      const lent = delegations.all().find((one) => one.from === by && one.ended === null);
      if (lent !== undefined) answered({ answer: '' }, delegations.end({ by, role: 'reviewer' }, lent.seq));
    },
    ruleInStead: (which, lending, verdict) => {
      const { delegations } = process();
      const lent = delegations.all().filter(delegations.isInForce);
      const delegation = lent[lending % lent.length];
      const hold = holdAt(which);
      if (delegation === undefined || hold === undefined) return;
      const { from, to: by, role } = delegation;
      ruleOn(hold, { by, verdict, role, inStead: from }, () => {
        if (delegations.inForce(from, by)?.seq !== delegation.seq)
          throw new HoldpointError('forbidden', `${from} lends nothing to ${by} any more.`);
      });
    },
  };
}

/** What somebody makes of a question or an answer, as it goes on in its place. */
function amendmentOf({ phase }: Hold, { call, kind }: ReturnType<Desk['callOf']>, by: string): Buffer {
  if (phase === 'request')
    return encodeHttpMessage({
      startLine: 'POST /v1/chat/completions HTTP/1.1',
      headers: ['Content-Type', 'application/json'],
      body: Buffer.from(questionOf(call, kind, amendedAmount)),
    });
  return encodeHttpMessage({
    startLine: 'HTTP/1.1 200 OK',
    headers: ['content-type', answerType(kind)],
    body: Buffer.from(amendedAnswer(kind, by)),
  });
}

export function amendedAnswer(kind: Kind, by: string): string {
  return answerOf(kind, `Amended by ${by}.`);
}
