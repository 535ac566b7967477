/**
 * One exchange within a connection: what the model was told, and its answer. Seals both, each before what it stands
 * for counts, and holds where a rule says so. Knows nothing of sockets.
 */
import { createHmac } from 'node:crypto';
import { HoldpointError } from '../../core/errors.ts';
import type { RequestFacts } from '../../core/facts.ts';
import type { WaitResult } from '../../hold/live.ts';
import { type Hold, heldRules } from '../../hold/record.ts';
import { fixedTerms } from '../../hold/terms.ts';
import type { Outcome } from '../../ledger/entry.ts';
import type { Judgement, Phase, Policy } from '../../policy/policy.ts';
import type { ResponseReading } from '../../provider/protocol.ts';
import type { SocketMessage } from '../../provider/realtime/dialect.ts';
import type { AnswerResult } from '../../record/leaf-data.ts';
import type { Decision } from '../held.ts';
import type { House } from '../house.ts';
import { judge, passed, strictestTerms } from '../judge.ts';
import { outcomeOfFailure, stays } from '../outcome.ts';
import { beginReleased, type ReleaseHouse } from '../released.ts';
import { toHoldpointError } from '../respond.ts';
import { socketRequestDraft, socketResponseDraft } from './draft.ts';
import type { SocketCall } from './socket-call.ts';
import { createTape, type Tape } from './tape.ts';

export interface Exchange {
  readonly decision: Decision;
  readonly facts: RequestFacts;
  readonly policy: Policy;
  readonly judgement: Judgement;
  /** Commitment of the sealed request. */
  readonly digest: string;
  readonly startedUs: number;
  /** What passes from the request's sealing to its answer's end. */
  readonly tape: Tape;
  /** The model was asked to answer; otherwise it answers when it likes. */
  asked: boolean;
  /** Where it was asked to; '' where there is one lane alone, and where it was not. */
  lane: string;
  /** The provider may have refused to answer. */
  doubted: boolean;
  /** Text goes on as it comes. */
  readonly live: boolean;
  /** Messages of the answer that wait for its verdict. */
  readonly withheld: SocketMessage[];
}

/**
 * Seals what the model is told; resolves once that is durable. From then on the exchange gets exactly one outcome; where it
 * rejects, what the ledger took has one. `onTaken` is called as soon as the ledger has it: of what it refused, nothing may be forgotten.
 */
export async function sealRequest(
  call: SocketCall,
  told: {
    readonly facts: RequestFacts;
    readonly defects: readonly string[];
    readonly judgement: Judgement;
    readonly policy: Policy;
    readonly tape: Tape;
  },
  house: House,
  onTaken: () => void = () => undefined,
): Promise<Exchange> {
  const { facts, defects, judgement, policy, tape } = told;
  const startedUs = house.clock.monoUs();
  const sealed = house.ledger.seal(socketRequestDraft(call, facts, defects, tape, judgement, policy));
  onTaken();
  try {
    await sealed.durable;
  } catch (thrown) {
    // It may have reached the disk all the same.
    house.holds.settle(sealed.seq, outcomeOfFailure(toHoldpointError(thrown), stays));
    throw thrown;
  }
  house.metrics.callStarted();
  return {
    decision: { seq: sealed.seq, id: house.ledger.decisionId(sealed.seq) },
    facts,
    policy,
    judgement,
    digest: sealed.parts()[0]?.c ?? '',
    startedUs,
    tape: createTape(house.bounds.responseBytesMax),
    asked: false,
    lane: '',
    doubted: false,
    live: policy.textMayStream({ request: facts }),
    withheld: [],
  };
}

/** The exchange with its answer to be judged by this policy: a ruling on the request may have taken its time. */
export function underPolicy(exchange: Exchange, policy: Policy): Exchange {
  return { ...exchange, policy, live: policy.textMayStream({ request: exchange.facts }) };
}

/** Judges what the model is told. */
export function judgeRequest(
  policy: Policy,
  facts: RequestFacts,
  defects: readonly string[],
  house: House,
): Judgement {
  return counted(judge(policy, 'request', { request: facts }, defects), house);
}

function counted(judgement: Judgement, house: House): Judgement {
  for (const match of judgement.matches) house.metrics.matched(match.rule, match.action);
  return judgement;
}

/** What waits for a verdict or a ruling lies in memory. */
export function withheldTooLarge({ bounds: { responseBytesMax } }: House): HoldpointError {
  return new HoldpointError(
    'response_too_large',
    `More than ${responseBytesMax} bytes of an answer would have to be withheld.`,
    'Raise limits.responseBytesMax if such answers are meant.',
  );
}

export interface SealedAnswer {
  readonly judgement: Judgement;
  /** Seq of the entry, and the commitment of its messages. */
  readonly seq: number;
  readonly digest: string;
}

/** What fails here is over, whatever failed: nobody can come back for it. */
async function orEnd<T>(exchange: Exchange, house: House, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    settle(exchange, outcomeOfFailure(toHoldpointError(thrown), stays), house);
    throw thrown;
  }
}

/**
 * Judges and seals an answer; resolves once it is durable. What broke off is not complained about a second time. What
 * cannot be sealed has its outcome.
 */
export async function sealAnswer(
  exchange: Exchange,
  reading: ResponseReading,
  result: AnswerResult,
  house: House,
): Promise<SealedAnswer> {
  const { facts } = reading;
  const defects = result === 'ok' || result === 'error' ? reading.defects : [];
  const judged = { request: exchange.facts, response: facts };
  const judgement = counted(judge(exchange.policy, 'response', judged, defects), house);
  const elapsedUs = house.clock.monoUs() - exchange.startedUs;
  const answer = { facts, defects: reading.defects, result, judgement, policy: exchange.policy, elapsedUs };
  const { decision, tape } = exchange;
  return orEnd(exchange, house, async () => {
    const sealed = house.ledger.seal(socketResponseDraft(decision.seq, answer, tape));
    await sealed.durable;
    return { judgement, seq: sealed.seq, digest: sealed.parts()[0]?.c ?? '' };
  });
}

/** Seals an answer that is none: what was told has been passed on, and nothing came of it by itself. It has its outcome. */
export async function sealNothing(exchange: Exchange, house: House): Promise<void> {
  const neutral = neutralReading();
  const elapsedUs = house.clock.monoUs() - exchange.startedUs;
  const result = exchange.doubted ? 'error' : 'ok';
  const answer = { ...neutral, result, judgement: passed, policy: exchange.policy, elapsedUs } as const;
  await orEnd(
    exchange,
    house,
    () => house.ledger.seal(socketResponseDraft(exchange.decision.seq, answer, exchange.tape)).durable,
  );
  settle(exchange, 'delivered', house);
}

function neutralReading(): Pick<ResponseReading, 'facts' | 'defects'> {
  const usage = { source: 'absent', inputTokens: 0, outputTokens: 0, totalTokens: 0 } as const;
  const texts = { model: '', fingerprint: '', text: '', finishReason: '', refusal: '' };
  return { facts: { status: 200, ...texts, toolCalls: [], usage }, defects: [] };
}

const statusByOutcome: Partial<Readonly<Record<Outcome, number>>> = {
  delivered: 200,
  denied: 403,
  expired: 403,
  upstream_truncated: 502,
  ledger_unavailable: 503,
};

export function settle(exchange: Exchange, outcome: Outcome, house: House): void {
  house.holds.settle(exchange.decision.seq, outcome);
  ended(exchange, outcome, house);
}

/** The queue of holds gave the exchange its outcome with the ruling. */
export function settledElsewhere(exchange: Exchange, outcome: Outcome, house: House): void {
  ended(exchange, outcome, house);
}

function ended({ decision, facts, startedUs }: Exchange, outcome: Outcome, house: House): void {
  const seconds = (house.clock.monoUs() - startedUs) / 1e6;
  const status = statusByOutcome[outcome] ?? 0;
  house.metrics.callEnded({ operation: facts.operation, status, seconds, decision: decision.id });
}

/** After expiry's own timer. */
const expiryMarginMs = 15_000;

/** Opens a hold and waits for the ruling, as long as the connection lives. What cannot be held has its outcome. */
export async function waitForRuling(
  call: SocketCall,
  exchange: Exchange,
  held: {
    readonly phase: Phase;
    readonly judgement: Judgement;
    readonly digest: string;
    readonly response: number | null;
  },
  gone: AbortSignal,
  house: House,
): Promise<{ readonly hold: Hold; readonly result: WaitResult }> {
  const { policy, decision } = exchange;
  const terms = strictestTerms(held.judgement);
  const openedAtMs = house.clock.nowMs();
  const { phase, response } = held;
  const facts = {
    decision: decision.seq,
    phase,
    rules: heldRules(held.judgement.matches),
    policyDigest: policy.digest,
    policyVersion: policy.version,
    openedAtMs,
    // A connection cannot be come back to: the key is this exchange's alone.
    retryKey: createHmac('sha256', house.fingerprintKey).update(`socket ${decision.id}`).digest('hex'),
    response,
    passedBytes: phase === 'request' ? 0 : exchange.tape.passedBytes,
  };
  const requester = call.facts.workload || call.credential;
  const fixed = fixedTerms(terms, { openedAtMs, requester, digest: held.digest });
  const hold = await orEnd(exchange, house, () => house.holds.open(facts, fixed));
  const result = await house.holds.wait(hold, terms.expiresInMs + expiryMarginMs, gone);
  return { hold, result };
}

/**
 * Seals the use of a release, as for any other call; resolves once that is durable. What could not be sealed leaves the
 * hold without caller.
 */
export async function beginDelivery(hold: Hold, house: ReleaseHouse): Promise<void> {
  try {
    await beginReleased(hold, house);
  } catch (error) {
    house.holds.detach(hold);
    throw error;
  }
}

/** What fails here leaves the hold without caller, as `leaveHeld` does. */
export async function orLeaveHeld<T>(
  exchange: Exchange,
  hold: Hold,
  house: House,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    leaveHeld(exchange, hold, house);
    throw thrown;
  }
}

/**
 * Nobody is there any more to take what was held: the hold stays for the record until it is ruled on or expires,
 * and is shown as having lost its caller.
 */
export function leaveHeld(exchange: Exchange, hold: Hold, house: House): void {
  house.holds.detach(hold);
  ended(exchange, 'client_abort', house);
}
