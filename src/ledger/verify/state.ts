/**
 * The life of decisions: which entry may follow which. A bad entry is reported and then takes the effect
 * it claims, so that one cause is one finding and not a chain of them. State is owned by `Decisions`; no
 * I/O. Memory: the open decisions, and a bounded memory of those that closed. Portable.
 */
import { contradictionOf, requestMayPass } from './decision.ts';
import type { Decisions } from './decisions.ts';
import type { RequestEntry, ResponseEntry } from './exchange-entries.ts';
import { applyDelivery, applyEscalation, applyHold, applyRedelivery, applyRuling } from './holds.ts';
import type { Leaf } from './leaf.ts';
import type { Outcome } from './outcomes.ts';
import { takeDelegation, takeDelegationEnd, takeDeliberation, takeReview } from './oversight.ts';
import type { Report } from './reasons.ts';
import { takeEnrolment, takeWithdrawal } from './reviewers.ts';

/** Applies one entry; whatever it breaks is reported. */
export function applyEntry(decisions: Decisions, leaf: Leaf, report: Report): void {
  const { entry, seq } = leaf;
  switch (entry.type) {
    case 'request': {
      // What was only reported is counted apart: it is no exchange of this sidecar.
      if (entry.reported) decisions.reported += 1;
      else decisions.total += 1;
      if (!entry.recorded) decisions.unrecorded += 1;
      takeLine(decisions, entry, seq, report);
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
      takeReview(decisions.oversight, entry, decisions.people, report);
      return;
    case 'delegation':
      decisions.open.get(entry.about)?.entries.push(seq);
      takeDelegation(decisions.oversight, leaf, entry, decisions.people, report);
      return;
    case 'delegation_end':
      decisions.open.get(entry.about)?.entries.push(seq);
      takeDelegationEnd(decisions.oversight, entry, report);
      return;
    case 'access':
      decisions.open.get(entry.decision)?.entries.push(seq);
      return;
    case 'start':
      decisions.reviewers.mustSign = entry.mustSign;
      decisions.people = entry.people;
      return;
    case 'enrolment':
      takeEnrolment(decisions.reviewers, leaf, entry, decisions.people, report);
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

function takeLine({ carriers }: Decisions, entry: RequestEntry, seq: number, report: Report): void {
  const { batch, verdict, recorded, reported } = entry;
  if (batch === -1) {
    // What passed unread, or elsewhere, was not taken apart.
    if (recorded && !reported) carriers.take(seq, 'request', verdict);
  } else if (!carriers.covers(batch, 'request', verdict)) {
    report('line_unfounded', `no request ${batch} that was judged as strictly carried this line`);
  }
}

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
  const stranger = entry.known.find((known) => !decisions.letThrough.has(known, 0));
  if (stranger !== undefined)
    report(
      'known_call_unfounded',
      `no answer of decision ${stranger} with calls was released and handed over before`,
    );
  const { verdict, digest, toolCalls } = entry;
  decision.response = { verdict, digest, toolCalls };
  if (decision.batch === -1) decisions.carriers.take(decision.seq, 'response', verdict);
  else if (!decisions.carriers.covers(decision.batch, 'response', verdict))
    report(
      'line_unfounded',
      `no answer of decision ${decision.batch} that was judged as strictly carried it`,
    );
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
  decisions.closed.set(seq, true);
  if ([...decision.holds.values()].some((hold) => hold.attempts > 0)) {
    decisions.redeliverable.set(seq, decision);
  }
}
