/** What is sealed of a hold after it was opened: rulings, what people said of it, and that held bytes are about to be handed over. */
import type { Draft } from '../ledger/sealer.ts';
import type { Hold, ReviewVerdict } from './record.ts';
import type { SignedStatement, Verdict } from './state.ts';

/** By a person, or by expiry in the name of `holdpoint`. */
export interface MadeRuling {
  readonly by: string;
  readonly role: string;
  readonly display?: string;
  readonly verdict: Verdict;
  /** '' where none was given. */
  readonly reason: string;
  readonly breakGlass?: boolean;
  readonly withheld?: readonly number[];
  readonly signed?: SignedStatement;
  readonly inStead?: string;
}

/** `final` where it ends the hold. */
export function rulingDraft(
  hold: Hold,
  ruling: MadeRuling,
  final: boolean,
  amendment: Buffer | null,
): Draft & { readonly type: 'ruling' } {
  const { signed } = ruling;
  const data = {
    ...(ruling.breakGlass === true ? { breakGlass: true } : {}),
    by: ruling.by,
    decision: hold.decision,
    digest: hold.state.terms.digest,
    ...(ruling.display === undefined ? {} : { display: ruling.display }),
    final,
    hold: hold.seq,
    ...(ruling.inStead === undefined ? {} : { inStead: ruling.inStead }),
    role: ruling.role,
    verdict: ruling.verdict,
    ...(ruling.withheld === undefined ? {} : { withheld: [...ruling.withheld] }),
    ...(signed === undefined ? {} : { signature: { statement: signed.statement, value: signed.value } }),
  };
  const parts = [
    ...(ruling.reason === '' ? [] : [{ name: 'reason', bytes: Buffer.from(ruling.reason) }]),
    ...(amendment === null ? [] : [{ name: 'amendment', bytes: amendment }]),
    ...(signed === undefined ? [] : [{ name: 'order', bytes: Buffer.from(signed.order) }]),
  ];
  return { type: 'ruling', data, refs: [hold.decision, hold.seq], parts };
}

/** The `attempt` is counted from 1. A delivery after the decision's outcome is sealed as an access: it opens nothing again. */
export function deliveryDraft(hold: Hold, attempt: number): Draft {
  const refs = [hold.decision, hold.seq, hold.ruling ?? hold.seq];
  const bytes = { decision: hold.decision, digest: hold.releaseDigest, hold: hold.seq };
  if (hold.outcome !== 'delivered') return { type: 'delivery', data: { attempt, ...bytes }, refs };
  const by = hold.state.terms.requester;
  return { type: 'access', data: { action: 'redelivery', by, ...bytes, role: 'workload' }, refs };
}

/** That the hold has waited so long that further roles may rule. The `step` is counted from 1. */
export function escalationDraft(hold: Hold, step: number): Draft & { readonly type: 'access' } {
  const data = {
    action: 'escalation',
    by: 'holdpoint',
    decision: hold.decision,
    hold: hold.seq,
    role: 'holdpoint',
    step,
  };
  return { type: 'access', data, refs: [hold.decision, hold.seq] };
}

/** That somebody said something about the hold. The text is content: a part, erased with the decision's others. */
export function commentDraft(hold: Hold, { by, role }: { by: string; role: string }, text: string): Draft {
  const data = { action: 'comment', by, decision: hold.decision, hold: hold.seq, role };
  return {
    type: 'access',
    data,
    refs: [hold.decision, hold.seq],
    parts: [{ name: 'comment', bytes: Buffer.from(text) }],
  };
}

/** Who is on it from now on; '' for nobody. */
export function assignmentDraft(hold: Hold, { by, role }: { by: string; role: string }, to: string): Draft {
  const data = { action: 'assign', assignee: to, by, decision: hold.decision, hold: hold.seq, role };
  return { type: 'access', data, refs: [hold.decision, hold.seq] };
}

/** What somebody else found of a release by one person alone; the finding is a part, as a comment is. */
export function reviewDraft(
  hold: Hold,
  ruling: number,
  { by, role }: { by: string; role: string },
  { verdict, text }: { verdict: ReviewVerdict; text: string },
): Draft {
  const data = { action: 'review', by, decision: hold.decision, hold: hold.seq, role, verdict };
  return {
    type: 'access',
    data,
    refs: [hold.decision, hold.seq, ruling],
    parts: [{ name: 'finding', bytes: Buffer.from(text) }],
  };
}
