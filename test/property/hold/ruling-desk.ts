/** Rulings as they come to the control port: by its own code, from what somebody orders to what is sealed. */
import { ruleOn } from '../../../src/control/ruling.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { noOtherNames } from '../../../src/core/people.ts';
import type { Hold } from '../../../src/hold/record.ts';
import type { HumanVerdict } from '../../../src/hold/state.ts';
import { roleBook } from './policies.ts';
import type { Process } from './process.ts';
import { amendedAmount, answerOf, type Kind, questionBody } from './rules.ts';
import type { Ruled, Told } from './told.ts';

export interface RulingDesk {
  process(): Process;
  readonly told: Told;
  /** Those who may rule no more. */
  readonly withdrawn: ReadonlySet<string>;
  readonly clock: { nowMs(): number; monoUs(): number };
  /** The call that a decision is of. */
  callOf(decision: number): { readonly call: number; readonly kind: Kind };
}

export interface RulingOrder {
  readonly by: string;
  readonly role: string;
  readonly verdict: HumanVerdict;
  readonly breakGlass?: boolean;
  readonly inStead?: string;
  /** Of what is held; another where it is ruled on astray. */
  readonly digest?: string;
}

export function orderRuling(desk: RulingDesk, hold: Hold, order: RulingOrder): void {
  const { told, withdrawn, clock } = desk;
  const process = desk.process();
  const { ledger, queue, delegations, policyFile } = process;
  const { by, role, verdict, inStead, breakGlass = false, digest = hold.state.terms.digest } = order;
  const inForce = (): string => policyFile.current().digest;
  const ruled: Ruled = {
    ...{ by, inStead, verdict, breakGlass, hold: hold.seq },
    ...{ astray: digest !== hold.state.terms.digest, withdrawn: [], answer: 'waits' },
    ...{ askedUnder: inForce(), answeredUnder: inForce() },
  };
  const display = `ruling ${told.rulings.push(ruled) - 1}`;
  const mayRule = (name: string): boolean => !withdrawn.has(name);
  const requireStanding = (): void => {
    ruled.withdrawn = [...withdrawn];
    if (!mayRule(by)) throw new HoldpointError('forbidden', `${by} may rule no more.`);
  };
  const parts = {
    ...{ ledger, delegations, clock, holds: queue, policy: policyFile.current, roles: roleBook },
    ...{ otherNames: noOtherNames, withdrawnKeys: new Set<string>() },
    roleOf: (name: string) => (mayRule(name) ? 'reviewer' : null),
  };
  const task = ruleOn(
    parts,
    hold,
    { name: by, role, display },
    {
      ...{ verdict, digest, breakGlass, reason: 'Seen.' },
      ...(inStead === undefined ? {} : { inStead }),
      ...(verdict === 'amend' ? { amendment: amendmentOf(hold, desk.callOf(hold.decision), by) } : {}),
    },
    null,
    requireStanding,
  ).finally(() => {
    ruled.answeredUnder = inForce();
  });
  told.keep(ruled, process, task);
}

/** What somebody makes of a question or an answer, as it goes on in its place. */
function amendmentOf({ phase }: Hold, { call, kind }: ReturnType<RulingDesk['callOf']>, by: string) {
  if (phase === 'response') return { text: amendedText(by) };
  return { body: questionBody(call, kind, amendedAmount) };
}

const amendedText = (by: string): string => `Amended by ${by}.`;

export function amendedAnswer(kind: Kind, by: string): string {
  return answerOf(kind, amendedText(by));
}
