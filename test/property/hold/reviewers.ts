/** What people do about holds, and what each of them was told. */
import type { Hold } from '../../../src/hold/record.ts';
import type { HumanVerdict } from '../../../src/hold/state.ts';
import type { Process } from './process.ts';
import type { Kind, roles } from './rules.ts';
import { orderRuling, type RulingOrder } from './ruling-desk.ts';
import { type Acted, createTold, type Ruled } from './told.ts';

/** `which` counts holds back from the newest. */
export interface Reviewers {
  /** Sealed rulings name their place here. */
  readonly rulings: readonly Ruled[];
  readonly acts: readonly Acted[];
  /** The process died: who waits hears nothing from it. */
  cutOff(): void;
  /** How many wait to be told. */
  waiting(): number;
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
  readonly clock: { nowMs(): number; monoUs(): number };
  /** Every hold that was opened, in order. */
  readonly holds: readonly number[];
  /** The call that a decision is of. */
  callOf(decision: number): { readonly call: number; readonly kind: Kind };
  readonly onError: (error: unknown) => void;
}

export function createReviewers({ process, clock, holds, callOf, onError }: Desk): Reviewers {
  const told = createTold(onError);
  const withdrawn = new Set<string>();

  function holdAt(which: number): Hold | undefined {
    const seq = holds.at(-1 - which);
    return process()
      .queue.list()
      .find((hold) => hold.seq === seq);
  }

  function act(
    which: number,
    by: string,
    action: Acted['action'],
    task: (hold: Hold) => Promise<unknown>,
  ): void {
    const hold = holdAt(which);
    if (hold === undefined) return;
    const acted: Acted = { by, action, hold: hold.seq, answer: 'waits' };
    told.acts.push(acted);
    told.keep(acted, process(), task(hold));
  }

  function ruleOn(which: number, order: RulingOrder): void {
    const hold = holdAt(which);
    if (hold !== undefined) orderRuling({ process, told, withdrawn, clock, callOf }, hold, order);
  }

  return {
    rulings: told.rulings,
    acts: told.acts,
    cutOff: told.cutOff,
    waiting: told.waiting,
    mayRule: (name) => !withdrawn.has(name),
    rule: (which, by, verdict, role) => ruleOn(which, { by, verdict, role }),
    ruleAstray: (which, by, verdict) => {
      const hold = holdAt(which);
      if (hold === undefined) return;
      const isOther = ({ decision, seq }: Hold): boolean => decision === hold.decision && seq !== hold.seq;
      const other = process().queue.list().find(isOther)?.state.terms.digest ?? '00'.repeat(32);
      ruleOn(which, { by, verdict, role: 'reviewer', digest: other });
    },
    breakGlass: (which, by) => ruleOn(which, { by, verdict: 'release', role: 'admin', breakGlass: true }),
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
      const untilMs = clock.nowMs() + ms;
      told.keep({ answer: 'waits' }, process(), delegations.begin({ by, role: 'reviewer' }, to, untilMs));
    },
    endLending: (by) => {
      const { delegations } = process();
      const lent = delegations.all().find((one) => one.from === by && one.ended === null);
      if (lent === undefined) return;
      told.keep({ answer: 'waits' }, process(), delegations.end({ by, role: 'reviewer' }, lent.seq));
    },
    ruleInStead: (which, lending, verdict) => {
      const { delegations } = process();
      const lent = delegations.all().filter(delegations.isInForce);
      const delegation = lent[lending % lent.length];
      if (delegation === undefined) return;
      const { from, to: by, role } = delegation;
      // One role is lent here, and whoever stands in has it.
      ruleOn(which, { by, verdict, role, inStead: from });
    },
  };
}
