/**
 * The life of decisions: which entry may follow which. A bad entry is reported and then takes the effect
 * it claims, so that one cause is one finding and not a chain of them. State is owned by `Decisions`; no
 * I/O. Memory: the open decisions, and a bounded memory of those that closed. Portable.
 */
import { contradictionOf, type Decision, requestMayPass } from './decision.ts';
import type { DeliveryEntry, Entry } from './entry.ts';
import type { HoldEntry, RulingEntry } from './hold-entries.ts';
import type { Leaf } from './leaf.ts';
import type { Outcome } from './outcomes.ts';
import {
  checkStead,
  createOversight,
  type Oversight,
  takeBrokenGlass,
  takeDelegation,
  takeDelegationEnd,
  takeDeliberation,
  takeReview,
} from './oversight.ts';
import { lackOf, mayRule, voicesOf } from './quorum.ts';
import type { Report } from './reasons.ts';
import {
  checkSignedRuling,
  createReviewers,
  type Reviewers,
  takeEnrolment,
  takeWithdrawal,
} from './reviewers.ts';

export interface Decisions {
  /** In the order of their requests. */
  readonly open: Map<number, Decision>;
  readonly byOutcome: Record<Outcome, number>;
  total: number;
  /** Decisions that were made elsewhere and told to this ledger; no exchange passed here. */
  reported: number;
  /** Tunnelled connections, whose content is not in the ledger. */
  unrecorded: number;
  /** Releases sealed later than their hold's expiry, by the wall clock. */
  lateRulings: number;
  /** Releases by one person alone. */
  glassBroken: number;
  /** How often the ledger went on from a backup, and how many entries are known to be gone since. */
  restores: number;
  lostEntries: number;
  readonly reviewers: Reviewers;
  readonly oversight: Oversight;
  readonly closed: Set<number>;
  /** Closed decisions whose held bytes may be handed over again to a retry. */
  readonly redeliverable: Map<number, Decision>;
}

export type { Report };

/** How many closed decisions are remembered, to tell a repeated outcome from one of no decision. */
const closedMax = 65_536;

export function createDecisions(): Decisions {
  return {
    open: new Map(),
    byOutcome: {
      delivered: 0,
      denied: 0,
      expired: 0,
      released_undelivered: 0,
      client_abort: 0,
      upstream_error: 0,
      upstream_truncated: 0,
      interrupted: 0,
      ledger_unavailable: 0,
      carried: 0,
      reported: 0,
    },
    total: 0,
    reported: 0,
    unrecorded: 0,
    lateRulings: 0,
    glassBroken: 0,
    restores: 0,
    lostEntries: 0,
    reviewers: createReviewers(),
    oversight: createOversight(),
    closed: new Set(),
    redeliverable: new Map(),
  };
}

/** Applies one entry; whatever it breaks is reported. */
export function applyEntry(decisions: Decisions, leaf: Leaf, report: Report): void {
  const { entry, seq } = leaf;
  switch (entry.type) {
    case 'request': {
      // What was only reported is counted apart: it is no exchange of this sidecar.
      if (entry.reported) decisions.reported += 1;
      else decisions.total += 1;
      if (!entry.recorded) decisions.unrecorded += 1;
      decisions.open.set(seq, {
        seq,
        requestVerdict: entry.verdict,
        requestDigest: entry.digest,
        recorded: entry.recorded,
        batch: entry.batch,
        reported: entry.reported,
        response: undefined,
        entries: [seq],
        holds: new Map(),
      });
      return;
    }
    case 'response':
      applyResponse(decisions, entry, seq, report);
      return;
    case 'hold':
      applyHold(decisions, entry, seq, report);
      return;
    case 'ruling':
      applyRuling(decisions, entry, leaf, report);
      return;
    case 'delivery':
      applyDelivery(decisions, entry, seq, report);
      return;
    case 'redelivery':
      applyRedelivery(decisions, entry, seq, report);
      return;
    case 'escalation':
      applyEscalation(decisions, entry, seq, report);
      return;
    case 'comment':
    case 'assignment': {
      const decision = decisions.open.get(entry.decision);
      decision?.entries.push(seq);
      takeDeliberation(decision, entry, report);
      return;
    }
    case 'review':
      decisions.open.get(entry.decision)?.entries.push(seq);
      takeReview(decisions.oversight, entry, report);
      return;
    case 'delegation':
      takeDelegation(decisions.oversight, leaf, entry, report);
      return;
    case 'delegation_end':
      takeDelegationEnd(decisions.oversight, entry, report);
      return;
    case 'access':
      decisions.open.get(entry.decision)?.entries.push(seq);
      return;
    case 'start':
      decisions.reviewers.mustSign = entry.mustSign;
      return;
    case 'enrolment':
      takeEnrolment(decisions.reviewers, leaf, entry, report);
      return;
    case 'withdrawal':
      takeWithdrawal(decisions.reviewers, entry, report);
      return;
    case 'restored':
      decisions.restores += 1;
      decisions.lostEntries += entry.lost;
      return;
    case 'outcomes':
      for (const [decision, outcome] of entry.outcomes) applyOutcome(decisions, decision, outcome, report);
      return;
    default:
      return;
  }
}

type ResponseEntry = Extract<Entry, { type: 'response' }>;

function applyResponse(decisions: Decisions, entry: ResponseEntry, seq: number, report: Report): void {
  const decision = decisions.open.get(entry.decision);
  if (decision === undefined) {
    report('response_without_request', `no decision ${entry.decision} is open for this response`);
    return;
  }
  decision.entries.push(seq);
  if (decision.response !== undefined) {
    report('response_repeated', `decision ${decision.seq} already has a response`);
    return;
  }
  if (!requestMayPass(decision)) {
    report('response_without_release', `the request of decision ${decision.seq} was denied or not released`);
  }
  decision.response = { verdict: entry.verdict, digest: entry.digest };
}

function applyHold(decisions: Decisions, entry: HoldEntry, seq: number, report: Report): void {
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
    approvers: new Map(),
    voices: new Set(),
    escalated: 0,
    state: 'pending',
    releasable: entry.digest,
    attempts: 0,
  });
}

function applyRuling(decisions: Decisions, entry: RulingEntry, leaf: Leaf, report: Report): void {
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
  checkStead(decisions.oversight, leaf, entry, report);
  if (entry.verdict === 'deny' || entry.verdict === 'expired') {
    hold.state = entry.verdict === 'deny' ? 'denied' : 'expired';
    return;
  }
  const voices = voicesOf(entry);
  if ((terms.notRequester || entry.breakGlass) && voices.includes(terms.requester)) {
    report('ruling_requester', `${entry.by} asked for what hold ${hold.seq} holds and may not release it`);
  }
  if (entry.amendment !== '') {
    // Whoever approved before approved other bytes.
    hold.approvers.clear();
    hold.voices.clear();
    hold.releasable = entry.amendment;
  }
  if (!voices.some((voice) => hold.voices.has(voice))) hold.approvers.set(entry.by, entry.role);
  for (const voice of voices) hold.voices.add(voice);
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
  const lack = lackOf(hold);
  if (lack !== undefined) report('quorum_not_met', `hold ${hold.seq} was released with ${lack}`);
}

type EscalationEntry = Extract<Entry, { type: 'escalation' }>;

function applyEscalation(decisions: Decisions, entry: EscalationEntry, seq: number, report: Report): void {
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

function applyDelivery(decisions: Decisions, entry: DeliveryEntry, seq: number, report: Report): void {
  const open = decisions.open.get(entry.decision);
  const hold = (open ?? decisions.redeliverable.get(entry.decision))?.holds.get(entry.hold);
  open?.entries.push(seq);
  if (hold === undefined || hold.state !== 'released') {
    report('delivery_without_ruling', `nothing released hold ${entry.hold} of decision ${entry.decision}`);
    return;
  }
  if (entry.digest !== hold.releasable) {
    report('delivery_digest_mismatch', `hold ${hold.seq} released other bytes than those handed over`);
  }
  if (entry.attempt !== hold.attempts + 1) {
    const expected = hold.attempts + 1;
    report('delivery_repeated', `attempt ${entry.attempt} of hold ${hold.seq} where ${expected} was due`);
  }
  hold.attempts = entry.attempt;
}

type RedeliveryEntry = Extract<Entry, { type: 'redelivery' }>;

function applyRedelivery(decisions: Decisions, entry: RedeliveryEntry, seq: number, report: Report): void {
  const open = decisions.open.get(entry.decision);
  open?.entries.push(seq);
  const hold = (open ?? decisions.redeliverable.get(entry.decision))?.holds.get(entry.hold);
  if (hold === undefined || hold.state !== 'released' || hold.attempts === 0) {
    report('delivery_without_ruling', `hold ${entry.hold} was never handed over, so it cannot be again`);
    return;
  }
  if (entry.digest !== hold.releasable) {
    report('delivery_digest_mismatch', `hold ${hold.seq} released other bytes than those handed over again`);
  }
}

function applyOutcome(decisions: Decisions, seq: number, outcome: Outcome, report: Report): void {
  const decision = decisions.open.get(seq);
  if (decision === undefined) {
    const code = decisions.closed.has(seq) ? 'outcome_repeated' : 'outcome_without_request';
    report(code, `${outcome} for decision ${seq}, which is not open`);
    return;
  }
  const contradiction = contradictionOf(decision, outcome);
  if (contradiction !== undefined) {
    report('outcome_contradicts', `decision ${seq} is closed as ${outcome}, but ${contradiction}`);
  }
  decisions.open.delete(seq);
  decisions.byOutcome[outcome] += 1;
  decisions.closed.add(seq);
  forgetOldest(decisions.closed);
  if ([...decision.holds.values()].some((hold) => hold.attempts > 0)) {
    decisions.redeliverable.set(seq, decision);
    forgetOldest(decisions.redeliverable);
  }
}

/** Sets and maps keep the order of insertion, so the first key is the oldest. */
function forgetOldest(remembered: Set<number> | Map<number, unknown>): void {
  if (remembered.size <= closedMax) return;
  const oldest = remembered.keys().next();
  if (oldest.done !== true) remembered.delete(oldest.value);
}
