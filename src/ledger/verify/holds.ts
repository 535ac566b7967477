/**
 * The life of a hold within its decision: opened, ruled on, escalated, handed over, handed over again. A bad entry is
 * reported and then takes the effect it claims. Portable; imports only its own folder.
 */
import { type Decision, type Hold, mayHandOver } from './decision.ts';
import type { Decisions } from './decisions.ts';
import type { DeliveryEntry, Entry } from './entry.ts';
import type { HoldEntry, RulingEntry } from './hold-entries.ts';
import type { Leaf } from './leaf.ts';
import { checkStead, takeBrokenGlass } from './oversight.ts';
import { lackOf, mayRule, namesIn } from './quorum.ts';
import type { Report } from './reasons.ts';
import { checkSignedRuling } from './reviewers.ts';

export function applyHold(decisions: Decisions, entry: HoldEntry, seq: number, report: Report): void {
  const decision = decisions.open.get(entry.decision);
  if (decision === undefined) {
    report('hold_without_request', `no decision ${entry.decision} is open for this hold`);
    return;
  }
  decision.entries.push(seq);
  const held = entry.phase === 'request' ? decision.requestDigest : (decision.response?.digest ?? '');
  if (entry.digest !== held) {
    report(
      'hold_digest_mismatch',
      `its digest is not that of the ${entry.phase} of decision ${decision.seq}`,
    );
  }
  decision.holds.set(seq, {
    seq,
    terms: entry,
    approvals: [],
    escalated: 0,
    state: 'pending',
    releasable: entry.digest,
    attempts: 0,
  });
}

export function applyRuling(decisions: Decisions, entry: RulingEntry, leaf: Leaf, report: Report): void {
  const decision = decisions.open.get(entry.decision);
  const hold = decision?.holds.get(entry.hold);
  if (decision === undefined || hold === undefined) {
    report('ruling_without_hold', `hold ${entry.hold} is not one of an open decision ${entry.decision}`);
    return;
  }
  decision.entries.push(leaf.seq);
  if (hold.state !== 'pending') {
    report('ruling_after_final', `hold ${hold.seq} had already ended: ${hold.state}`);
    return;
  }
  const { terms } = hold;
  if (entry.digest !== terms.digest) {
    report('ruling_digest_mismatch', `its digest is not the one of hold ${hold.seq}`);
  }
  if (!mayRule(hold, entry))
    report('ruling_role_not_allowed', `${entry.by} as "${entry.role}" may not rule hold ${hold.seq}`);
  checkSignedRuling(decisions.reviewers, leaf, entry, terms, report);
  if (entry.signature !== undefined && terms.phase === 'response')
    decisions.reviewers.released.set(leaf.seq, (decision.response?.toolCalls ?? 0) - entry.withheld);
  checkStead(decisions.oversight, leaf, entry, report);
  if (entry.verdict === 'deny' || entry.verdict === 'expired') {
    hold.state = entry.verdict === 'deny' ? 'denied' : 'expired';
    return;
  }
  const { people } = decisions;
  if ((terms.notRequester || entry.breakGlass) && namesIn(entry, people).includes(terms.requester)) {
    report('ruling_requester', `${entry.by} asked for what hold ${hold.seq} holds and may not release it`);
  }
  if (entry.amendment !== '') {
    // Whoever approved before approved other bytes.
    hold.approvals.length = 0;
    hold.releasable = entry.amendment;
  }
  const { by, role, inStead } = entry;
  hold.approvals.push({ by, role, inStead });
  if (Date.parse(leaf.at) > terms.expires) decisions.lateRulings += 1;
  if (!entry.final) return;
  hold.state = 'released';
  if (entry.breakGlass) {
    decisions.glassBroken += 1;
    takeBrokenGlass(decisions.oversight, hold, leaf, entry);
    if (!entry.hasReason)
      report('break_glass_without_reason', `${entry.by} released hold ${hold.seq} alone and gave no reason`);
    return;
  }
  const lack = lackOf(hold, people);
  if (lack !== undefined) report('quorum_not_met', `hold ${hold.seq} was released with ${lack}`);
}

type EscalationEntry = Extract<Entry, { type: 'escalation' }>;

export function applyEscalation(
  decisions: Decisions,
  entry: EscalationEntry,
  seq: number,
  report: Report,
): void {
  const decision = decisions.open.get(entry.decision);
  decision?.entries.push(seq);
  const hold = decision?.holds.get(entry.hold);
  const isNext = hold !== undefined && entry.step === hold.escalated + 1;
  if (!isNext || hold.state !== 'pending' || entry.step > hold.terms.escalation.length) {
    report('escalation_unfounded', `step ${entry.step} is not the next one of the hold ${entry.hold}`);
    return;
  }
  hold.escalated = entry.step;
}

export function applyDelivery(decisions: Decisions, entry: DeliveryEntry, seq: number, report: Report): void {
  const open = decisions.open.get(entry.decision);
  const decision = open ?? decisions.redeliverable.get(entry.decision);
  const hold = decision?.holds.get(entry.hold);
  open?.entries.push(seq);
  // After the outcome only what was handed over before may be again.
  const isFirst = open === undefined && hold?.attempts === 0;
  if (decision === undefined || hold === undefined || hold.state !== 'released' || isFirst) {
    report('delivery_without_ruling', `nothing released hold ${entry.hold} of decision ${entry.decision}`);
    return;
  }
  checkOthers(decision, hold, report);
  if (entry.digest !== hold.releasable) {
    report('delivery_digest_mismatch', `hold ${hold.seq} released other bytes than those handed over`);
  }
  if (entry.attempt !== hold.attempts + 1) {
    const expected = hold.attempts + 1;
    report('delivery_repeated', `attempt ${entry.attempt} of hold ${hold.seq} where ${expected} was due`);
  }
  hold.attempts = entry.attempt;
  // Of an amended answer the provider keeps its own: who reads that back never had its calls.
  const isAsItCame = hold.terms.phase === 'response' && hold.releasable === hold.terms.digest;
  if (isAsItCame && (decision.response?.toolCalls ?? 0) > 0) decisions.letThrough.add(decision.seq, 0);
}

/** What one hold released, a rule or another hold may still forbid. */
function checkOthers(decision: Decision, hold: Hold, report: Report): void {
  if (mayHandOver(decision, hold)) return;
  const what = `the ${hold.terms.phase} of decision ${decision.seq}`;
  report('delivery_without_ruling', `a rule denied ${what}, or another hold of it was not released`);
}

type RedeliveryEntry = Extract<Entry, { type: 'redelivery' }>;

export function applyRedelivery(
  decisions: Decisions,
  entry: RedeliveryEntry,
  seq: number,
  report: Report,
): void {
  const open = decisions.open.get(entry.decision);
  open?.entries.push(seq);
  const decision = open ?? decisions.redeliverable.get(entry.decision);
  const hold = decision?.holds.get(entry.hold);
  if (decision === undefined || hold === undefined || hold.state !== 'released' || hold.attempts === 0) {
    report('delivery_without_ruling', `hold ${entry.hold} was never handed over, so it cannot be again`);
    return;
  }
  checkOthers(decision, hold, report);
  if (entry.digest !== hold.releasable) {
    report('delivery_digest_mismatch', `hold ${hold.seq} released other bytes than those handed over again`);
  }
}
