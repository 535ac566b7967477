/**
 * One segment of a stream without end: a decision of its own. Its intent is sealed before its first byte goes on, what
 * it said before its last one does, and where a rule holds it, its calls wait for a person. Knows nothing of chunks.
 */
import { createHmac } from 'node:crypto';
import { HoldpointError } from '../../core/errors.ts';
import type { ResponseFacts } from '../../core/facts.ts';
import type { Policy } from '../../policy/policy.ts';
import type { ResponseReading, StreamForm } from '../../provider/protocol.ts';
import type { AnswerResult } from '../../record/leaf-data.ts';
import type { Call } from '../call.ts';
import type { Answer } from '../forward.ts';
import { type Decision, openHold } from '../held.ts';
import type { House } from '../house.ts';
import { judge, passed } from '../judge.ts';
import { outcomeOfFailure, resultOfFailure } from '../outcome.ts';
import { requestDraft, responseDraft } from '../record.ts';
import { takeReleased } from '../released.ts';
import { toHoldpointError, writeWhole } from '../respond.ts';
import { storedAnswer } from '../stored-body.ts';
import { awaitRelease, refuseHeld } from '../waiting.ts';

/** The stream that segments are of. */
export interface Carrier {
  /** Its call; segments are found by the decision of the stream, unless the workload named a session of its own. */
  readonly call: Call;
  readonly decision: Decision;
  readonly answer: Answer;
  readonly form: StreamForm;
  readonly policy: Policy;
  /** Digest of the policy that the stream itself was judged by, before anybody released it. */
  readonly judgedBy: string;
}

export function carrierOf(
  call: Call,
  decision: Decision,
  answer: Answer,
  policy: Policy,
  judgedBy: string,
): Carrier {
  const facts = { ...call.facts, session: call.facts.session || decision.id };
  return { call: { ...call, facts }, decision, answer, form: 'sse', policy, judgedBy };
}

export interface Segment {
  readonly decision: Decision;
  readonly policy: Policy;
  /** Resolves once the intent is on disk. */
  readonly durable: Promise<void>;
  readonly startedUs: number;
  /** Text goes on as it comes. */
  readonly live: boolean;
  /** All events, those that went on included. */
  readonly events: Buffer[];
  bytes: number;
  /** How many of them need not wait, and how many went on before the segment was judged. */
  passable: number;
  passed: number;
  passedBytes: number;
  /** What comes now waits for the verdict. */
  withholds: boolean;
  /** Something in it stands by itself; it ends once what has begun is whole. */
  over: boolean;
}

/** Seals the intent of what comes next; nothing of it may go on before `durable`. Throws where a new policy stops the stream. */
export function openSegment({ call, judgedBy }: Carrier, house: House): Segment {
  const policy = house.policy();
  const facts = { request: call.facts };
  // The stream itself was judged, and released where it was held, under the policy of its beginning.
  const { action } = policy.digest === judgedBy ? passed : judge(policy, 'request', facts, []);
  if (action === 'hold' || action === 'deny')
    throw new HoldpointError(
      'denied_by_policy',
      'The policy changed, and stops this stream.',
      'Open it anew.',
    );
  const { seq, durable } = house.ledger.seal(requestDraft(call, passed, policy, house.fingerprint));
  return {
    decision: { seq, id: house.ledger.decisionId(seq) },
    policy,
    durable,
    startedUs: house.clock.monoUs(),
    live: policy.textMayStream(facts),
    events: [],
    bytes: 0,
    passable: 0,
    passed: 0,
    passedBytes: 0,
    withholds: false,
    over: false,
  };
}

/** Seals what a segment said; resolves once that is durable. */
async function sealSaid(
  { call, answer, form }: Carrier,
  segment: Segment,
  reading: ResponseReading,
  result: AnswerResult,
  house: House,
) {
  const { policy, decision, bytes } = segment;
  const judged = { request: call.facts, response: reading.facts };
  const judgement = judge(policy, 'response', judged, reading.defects);
  for (const match of judgement.matches) house.metrics.matched(match.rule, match.action);
  const { status, statusText, headers } = answer;
  const body = Buffer.concat(segment.events);
  const stored = storedAnswer(call.facts.path, headers, body, null, house.bounds.decodedBytesMax);
  const elapsedUs = house.clock.monoUs() - segment.startedUs;
  const said = { facts: reading.facts, result, judgement, policy, elapsedUs };
  const sealed = house.ledger.seal(
    responseDraft(decision.seq, { ...said, status, statusText, headers, stored, bytes, sha256: null, form }),
  );
  await sealed.durable;
  return { judgement, seq: sealed.seq, digest: sealed.parts()[0]?.c ?? '', body, stored };
}

/** Gives a segment that broke off by `failure` its end; `read` tells what it said, and may be what failed. */
export async function breakOff(
  carrier: Carrier,
  segment: Segment,
  read: () => ResponseReading,
  failure: HoldpointError,
  house: House,
): Promise<void> {
  const { caller } = carrier.call;
  const { seq } = segment.decision;
  try {
    // What broke off is not complained about a second time.
    const reading = { ...readOrNothing(carrier, read, house), defects: [] };
    await sealSaid(carrier, segment, reading, resultOfFailure(failure, caller), house);
    house.holds.settle(seq, outcomeOfFailure(failure, caller));
  } catch (error) {
    house.holds.settle(seq, outcomeOfFailure(toHoldpointError(error), caller));
    throw error;
  }
}

/** What passed of a segment is sealed, also where nobody can tell what it said. */
function readOrNothing(
  { call, answer }: Carrier,
  read: () => ResponseReading,
  house: House,
): ResponseReading {
  try {
    return read();
  } catch (error) {
    house.onError('A part of a stream cannot be read', error);
    return call.upstream.protocol.readResponse('unknown', answer.status, Buffer.alloc(0));
  }
}

/** What became of a segment: handed over as it came, otherwise than it came, or not, and then nothing may follow. */
export type Concluded = 'delivered' | 'amended' | 'stopped';

/** Judges, seals and hands over a segment that is whole. The caller of one that is stopped has its refusal, or is gone. */
export async function concludeSegment(
  carrier: Carrier,
  segment: Segment,
  reading: ResponseReading,
  house: House,
): Promise<Concluded> {
  const { call, form } = carrier;
  const { decision } = segment;
  const sealed = await sealSaid(carrier, segment, reading, reading.failed ? 'error' : 'ok', house);
  // The segment is on disk: its last byte may go out, unless a rule or a person says otherwise.
  if (sealed.judgement.action === 'deny') {
    const rule = sealed.judgement.matches.find((match) => match.action === 'deny');
    house.holds.settle(decision.seq, 'denied');
    const why = `The rule ${rule?.rule ?? '?'} denies this: ${rule?.title ?? ''}.`;
    await refuseHeld(call, carrier.decision, new HoldpointError('denied_by_policy', why), form, false);
    return 'stopped';
  }
  if (sealed.judgement.action === 'hold') return holdSegment(carrier, segment, sealed, reading.facts, house);
  return deliver(carrier, segment, sealed.body.subarray(segment.passedBytes), 'delivered', house);
}

async function holdSegment(
  { call, decision: ofStream, answer, ...rest }: Carrier,
  segment: Segment,
  { judgement, seq, digest, body, stored }: Awaited<ReturnType<typeof sealSaid>>,
  facts: ResponseFacts,
  house: House,
): Promise<Concluded> {
  const { decision, policy, passedBytes } = segment;
  // The stream cannot be come back to where it was: the key is this segment's alone.
  const retryKey = createHmac('sha256', house.fingerprintKey).update(`segment ${decision.id}`).digest('hex');
  const about = {
    phase: 'response',
    digest,
    response: seq,
    passedBytes,
    judgement,
    policy,
    retryKey,
  } as const;
  const hold = await openHold(call, decision, about, house);
  try {
    const { status, statusText, headers } = answer;
    const head = { status, statusText, headers, passedBytes };
    if (!(await awaitRelease(call, ofStream, hold, head, house))) return 'stopped';
    const arrived = { headers, body, bytes: body.length, spool: null, passedBytes, stored };
    const bytes = await takeReleased(call, hold, arrived, house);
    const how = hold.state.status === 'amended' ? 'amended' : 'delivered';
    const concluded = await deliver(
      { call, decision: ofStream, answer, ...rest },
      segment,
      bytes.rest,
      how,
      house,
    );
    if (concluded === 'delivered') house.letThrough.add(call, hold.decision, facts.toolCalls);
    return concluded;
  } finally {
    // Whoever left it pending finds it in the log of the session, which is judged anew.
    house.holds.detach(hold);
  }
}

async function deliver(
  { call }: Carrier,
  { decision }: Segment,
  bytes: Buffer,
  how: 'delivered' | 'amended',
  house: House,
): Promise<Concluded> {
  const arrived = await writeWhole(call.res, bytes);
  house.holds.settle(decision.seq, arrived ? 'delivered' : 'client_abort');
  return arrived ? how : 'stopped';
}
