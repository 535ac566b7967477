/**
 * The main path, top to bottom as the product works. Every step that lets something out waits for the entry
 * that records it; every failure on the way refuses. Nothing here knows HTTP libraries, LevelDB or CEL.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Hold } from '../hold/record.ts';
import type { Judgement, Policy } from '../policy/policy.ts';
import { type Answered, captureAnswer } from './answer.ts';
import { judgeRequests, noLines, sealAnswers, sealRequests, strictestOf } from './batch.ts';
import type { Call } from './call.ts';
import { forwardedHeaders } from './forward.ts';
import { type Decision, findEarlierHold, openHold } from './held.ts';
import type { House } from './house.ts';
import { judge } from './judge.ts';
import { judgeAnswer } from './judged-answer.ts';
import { judgedFile, withUnjudgedFiles } from './judged-files.ts';
import { outcomeOfFailure, outcomeOfLeaving } from './outcome.ts';
import { withProviderKey } from './provider-key.ts';
import { requestDraft, responseDraft } from './record.ts';
import { type AnswerHead, deliverHeld, heldHead, releasedCall } from './released.ts';
import { endWith, endWithPieces, refuse, toHoldpointError, writeHead } from './respond.ts';
import { askingPlainly, relaySession, sessionStreamOf } from './session/relay.ts';
import { carrierOf } from './session/segment.ts';
import { awaitRelease, refuseHeld } from './waiting.ts';

/**
 * Takes one call from identification to its sealed delivery; resolves with its decision's id. Once the intent is
 * sealed it never rejects: what goes wrong refuses the call and gives its decision an outcome. Rejects with
 * `ledger_unavailable` or `overloaded` when not even the intent could be sealed; then nothing was sent anywhere.
 */
export async function handleCall(arrived: Call, house: House): Promise<string> {
  const call = arrived.batchFiles === undefined ? arrived : await withUnjudgedFiles(arrived, house);
  const earlier = findEarlierHold(call, house);
  if (earlier !== null) {
    const known: Decision = { seq: earlier.decision, id: house.ledger.decisionId(earlier.decision) };
    await comeBack(call, known, earlier, house);
    return known.id;
  }

  const policy = house.policy();
  const facts: Facts = { request: call.facts };
  const lines = call.batch === undefined ? noLines : await judgeRequests(call, policy);
  const defects = [...call.defects, ...lines.defects];
  const judgement = strictestOf(judge(policy, 'request', facts, call.defects), lines);
  countMatches(judgement, house);

  const request = house.ledger.seal(requestDraft(call, judgement, policy, house.fingerprint));
  const decision: Decision = { seq: request.seq, id: house.ledger.decisionId(request.seq) };
  try {
    await request.durable;
    if (call.batch !== undefined) await sealRequests(call, lines, request.seq, policy, house);
    // The intent is on disk: from here on the decision has exactly one outcome, whatever happens.

    if (defects.length > 0) throw unreadable(defects);
    if (judgement.action === 'deny') {
      await deny(call, decision, judgement, null, house);
      return decision.id;
    }
    let released = call;
    if (judgement.action === 'hold') {
      const digest = request.parts()[0]?.c ?? '';
      const hold = await openHold(
        call,
        decision,
        { phase: 'request', digest, response: null, passedBytes: 0, judgement, policy },
        house,
      );
      if (!(await waitAttached(call, decision, hold, null, house))) return decision.id;
      released = await releasedCall(call, hold, house);
    }
    await forwardAndDeliver(released, decision, policy, house);
  } catch (error) {
    await fail(call, decision, error, house);
  }
  return decision.id;
}

/** From the released request to the sealed delivery; `judgedBy` is the digest of the policy that judged the request. */
async function forwardAndDeliver(
  call: Call,
  decision: Decision,
  policy: Policy,
  house: House,
  judgedBy = policy.digest,
): Promise<void> {
  const { upstream } = call;
  const headers = askingPlainly(call, forwardedHeaders(call.released ?? call.headers, upstream.keepHost));
  const outgoing = {
    origin: upstream.origin,
    ...withProviderKey(upstream.key, call.target, headers),
    method: call.method,
    body: call.body,
  };
  const answer = await house.forwarder.send(
    upstream.sign === undefined ? outgoing : await upstream.sign(outgoing),
    (abort) => call.caller.whenGone(() => abort('The caller left.')),
  );
  // A ruling may take its time: the answer to what it let go is judged by what is in force then.
  const inForce = call.released === undefined ? policy : house.policy();
  let answered: Answered;
  try {
    const session = sessionStreamOf(call, answer);
    // What has no end to wait for is judged and sealed piece by piece, each a decision of its own.
    if (session !== null)
      return await relaySession(carrierOf(call, decision, answer, policy, judgedBy), session, house);
    answered = await captureAnswer(call, decision, answer, { request: call.facts }, inForce, house);
  } catch (error) {
    // Nobody takes the rest of it: the provider must not stay at work.
    answer.abort('The answer cannot be taken in.');
    throw error;
  }
  try {
    await judgeAndDeliver(call, decision, answered, inForce, house);
  } finally {
    // What a hold keeps is let go when the hold is over.
    if (answered.spool !== null && !house.keptAnswers.keeps(answered.spool)) await answered.spool.close();
  }
}

/** From the captured answer to the sealed delivery. */
async function judgeAndDeliver(
  call: Call,
  decision: Decision,
  arrived: Answered,
  policy: Policy,
  house: House,
): Promise<void> {
  const { answered, judgement, lines, known } = await judgeAnswer(call, arrived, policy, house.letThrough);
  countMatches(judgement, house);

  const elapsedUs = house.clock.monoUs() - call.startedUs;
  const response = house.ledger.seal(
    responseDraft(decision.seq, {
      ...answered,
      judgement,
      policy,
      elapsedUs,
      known,
      file: judgedFile(call, answered, house),
    }),
  );
  await response.durable;
  if (answered.batch !== undefined)
    await sealAnswers(call, answered.batch, lines, decision.seq, policy, house);
  // The answer is on disk: its last byte may go out, unless a rule or a person says otherwise.

  if (answered.failure !== null) throw answered.failure;
  if (judgement.action === 'deny') return deny(call, decision, judgement, answered, house);
  if (judgement.action === 'hold') {
    const digest = response.parts()[0]?.c ?? '';
    const hold = await openHold(
      call,
      decision,
      {
        phase: 'response',
        digest,
        response: response.seq,
        passedBytes: answered.passedBytes,
        judgement,
        policy,
      },
      house,
    );
    if (answered.spool !== null) house.keptAnswers.keep(hold, answered, answered.spool);
    const released = await waitAttached(call, decision, hold, answered, house);
    if (released) await handOver(call, decision, hold, answered, house);
    return;
  }
  await deliver(call, decision, answered, house);
}

async function deliver(call: Call, decision: Decision, answered: Answered, house: House): Promise<void> {
  if (!call.res.headersSent)
    writeHead(call.res, answered.status, answered.statusText, answered.headers, decision.id);
  const { spool, rest, trailers } = answered;
  const arrived = await (spool === null
    ? endWith(call.res, rest, trailers)
    : endWithPieces(call.res, spool.read(), trailers));
  house.holds.settle(decision.seq, arrived ? 'delivered' : outcomeOfLeaving(call.caller));
}

/** A retry of a held call: it waits on, or collects, under the decision it belongs to. */
async function comeBack(call: Call, decision: Decision, hold: Hold, house: House): Promise<void> {
  try {
    const head = await readHead(hold, house);
    if (!(await waitAttached(call, decision, hold, head, house))) return;
    if (hold.phase === 'response') return await handOver(call, decision, hold, null, house);
    const released = await releasedCall(call, hold, house);
    await forwardAndDeliver(released, decision, house.policy(), house, hold.policyDigest);
  } catch (error) {
    await fail(call, decision, error, house);
  }
}

/** How the held answer begins. Where that cannot be read nobody waits yet, so another may take this caller's place. */
async function readHead(hold: Hold, house: House): Promise<AnswerHead | null> {
  try {
    // Whether what is asked for lies in memory by chance must not decide what the caller hears.
    if (!house.ledger.isWritable()) throw ledgerAway();
    return await heldHead(hold, house);
  } catch (error) {
    house.holds.detach(hold);
    throw house.ledger.isWritable() ? error : ledgerAway();
  }
}

function ledgerAway(): HoldpointError {
  const what = 'The ledger is away, so nothing is delivered.';
  return new HoldpointError('ledger_unavailable', what, 'Ask again.');
}

/** The caller is attached while it waits; afterwards, unless released, a retry may take its place. */
async function waitAttached(
  call: Call,
  decision: Decision,
  hold: Hold,
  head: AnswerHead | null,
  house: House,
): Promise<boolean> {
  let released = false;
  try {
    released = await awaitRelease(call, decision, hold, head, house);
  } finally {
    if (!released) house.holds.detach(hold);
  }
  return released;
}

/** Delivers a released answer; what did not arrive stays collectable. */
async function handOver(
  call: Call,
  decision: Decision,
  hold: Hold,
  answered: Answered | null,
  house: House,
): Promise<void> {
  try {
    const arrived = await deliverHeld(call, decision, hold, answered, house);
    if (arrived) house.holds.settle(decision.seq, 'delivered');
  } finally {
    house.holds.detach(hold);
  }
}

async function deny(
  call: Call,
  decision: Decision,
  judgement: Judgement,
  answered: Answered | null,
  house: House,
): Promise<void> {
  const rule = judgement.matches.find((match) => match.action === 'deny');
  house.holds.settle(decision.seq, 'denied');
  await refuseHeld(
    call,
    decision,
    new HoldpointError(
      'denied_by_policy',
      `The rule ${rule?.rule ?? '?'} denies this call: ${rule?.title ?? ''}.`,
    ),
    answered?.form ?? null,
    answered?.passedBytes === 0,
  );
}

function unreadable(defects: readonly string[]): HoldpointError {
  return new HoldpointError(
    'bad_request',
    `The request cannot be read: ${defects.join('; ')}.`,
    'Nothing was sent upstream. Send one JSON object without duplicate keys.',
  );
}

/** Refuses what cannot go on. A stream that has begun is destroyed, so that nobody takes it for whole. */
async function fail(call: Call, decision: Decision, thrown: unknown, house: House): Promise<void> {
  const error = toHoldpointError(thrown);
  if (error.code === 'internal' || error.code === 'ledger_damaged')
    house.onError('A call failed inside Holdpoint', thrown);
  // What a person rules on, or released, outlives a failure of the ledger or of this call: somebody may come back for it.
  const isPassing = passingFailures.has(error.code);
  const keepsHold = isPassing && house.holds.isWaiting(decision.seq);
  if (!keepsHold) house.holds.settle(decision.seq, outcomeOfFailure(error, call.caller));
  const told =
    error.code === 'policy_changed' ? new HoldpointError('denied_by_policy', error.message) : error;
  await refuse(call.res, call, told, decision.id);
}

const passingFailures: ReadonlySet<HoldpointError['code']> = new Set([
  'ledger_unavailable',
  'overloaded',
  'internal',
  'policy_changed',
]);

function countMatches(judgement: Judgement, house: House): void {
  for (const match of judgement.matches) house.metrics.matched(match.rule, match.action);
}
