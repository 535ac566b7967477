/**
 * A stream without an end to wait for, such as the events of an agent's session: judged and sealed segment by segment, so that no
 * call goes on unjudged and nothing waits for an end that does not come. While a call waits for a person, what comes
 * after it stays in the network.
 */
import { HoldpointError } from '../../core/errors.ts';
import { headerOf } from '../../core/http-message.ts';
import type { SegmentedStream } from '../../provider/protocol.ts';
import type { AnswerResult } from '../../record/leaf-data.ts';
import { plainStreamForm } from '../answer.ts';
import type { Call } from '../call.ts';
import type { Answer } from '../forward.ts';
import type { House } from '../house.ts';
import { passed } from '../judge.ts';
import { outcomeOfLeaving, resultOfFailure } from '../outcome.ts';
import { responseDraft } from '../record.ts';
import { endWith, toHoldpointError, writeStreamHead } from '../respond.ts';
import { storedWhole } from '../stored-body.ts';
import { openTape, type Tape } from '../tape.ts';
import { refuseHeld } from '../waiting.ts';
import { createArrivals } from './arrivals.ts';
import type { Carrier } from './segment.ts';
import { createSegments, type Segments } from './segments.ts';

/** Reads the answer as a stream without end; null where it is none. Throws where it is one that cannot be read. */
export function sessionStreamOf(call: Call, answer: Answer): SegmentedStream | null {
  const { protocol } = call.upstream;
  const open = protocol.segmentsOf?.(call.operation) ?? null;
  if (open === null || answer.status !== okStatus) return null;
  const stream = open(answer.status);
  if (plainStreamForm(call, answer) === 'sse') return stream;
  if (protocol.streamFormOf(call.operation, headerOf(answer.headers, 'content-type')) === null) return null;
  // One that has an end after all can be waited for.
  if (!stream.isWhole()) return null;
  answer.abort('The stream cannot be read.');
  throw new HoldpointError(
    'upstream_truncated',
    'The upstream compressed a stream without end, though asked not to, so its calls cannot be told apart.',
    'Turn compression off at the upstream.',
  );
}

const okStatus = 200;

/** The request's headers as they go out: a stream whose events are to be told apart must come in the clear. */
export function askingPlainly({ upstream, operation, method, facts }: Call, headers: string[]): string[] {
  const open = upstream.protocol.segmentsOf?.(operation) ?? null;
  if (open === null || !(facts.stream || method === 'GET')) return headers;
  const kept = headers.filter((_, i) => headers[i - (i % 2)]?.toLowerCase() !== 'accept-encoding');
  return [...kept, 'accept-encoding', 'identity'];
}

/**
 * Relays the stream until it ends, its caller leaves, a call of it is denied or the sidecar drains. Seals what each
 * segment said, and of the stream as a whole its length and hash, before its end goes out. Throws what ended the
 * upstream's answer too early, once that is sealed.
 */
export async function relaySession(carrier: Carrier, stream: SegmentedStream, house: House): Promise<void> {
  const { call, decision, answer } = carrier;
  // Who opens the stream may wait for its head before it says what will be answered there.
  writeStreamHead(call.res, answer.status, answer.statusText, answer.headers, decision.id);
  call.res.flushHeaders();
  const tape = openTape(0);
  const segments = createSegments(carrier, stream, house);
  let failure: HoldpointError | null = null;
  let goesOn = false;
  try {
    goesOn = await relayChunks(answer, tape, segments, house);
  } catch (thrown) {
    failure = toHoldpointError(thrown);
  }
  // Where it was not the upstream that ended, nothing more is to come.
  answer.abort('The stream is over.');
  try {
    await segments.close(failure);
  } catch (thrown) {
    // Of the stream as a whole it is sealed all the same how much of it there was. What ended it first is its end.
    if (failure !== null) house.onError('The last part of a stream could not be sealed', thrown);
    failure ??= toHoldpointError(thrown);
  }
  const result = resultOf(call, failure);
  await sealWhole(carrier, tape, result, house.clock.monoUs() - call.startedUs, house);
  const stopped = failure?.code === 'denied_by_policy';
  if (failure !== null && !stopped) throw failure;
  if (failure !== null) await refuseHeld(call, decision, failure, carrier.form, false);
  // Of a stream that was stopped at a segment, that segment has the ruling, and its caller the refusal.
  const arrived = goesOn && (await endWith(call.res, '', answer.trailers()));
  const cut = call.caller.gone ? outcomeOfLeaving(call.caller) : 'interrupted';
  house.holds.settle(decision.seq, arrived ? 'delivered' : cut);
}

/** True when the stream came to its end, false when it was stopped before. */
async function relayChunks(answer: Answer, tape: Tape, segments: Segments, house: House): Promise<boolean> {
  const arrivals = createArrivals(answer.chunks(), house);
  for (;;) {
    const arrived = await arrivals.next(segments.waitsMs(), segments.isBetween());
    if (arrived === 'ended') return segments.end();
    if (arrived === 'draining') return segments.cut();
    if (arrived !== 'due') tape.add(arrived);
    const goesOn = arrived === 'due' ? await segments.cut() : await segments.take(arrived);
    if (!goesOn) return false;
  }
}

function resultOf({ caller }: Call, failure: HoldpointError | null): AnswerResult {
  if (failure !== null && failure.code !== 'denied_by_policy') return resultOfFailure(failure, caller);
  if (!caller.gone) return 'ok';
  return caller.cut ? 'error' : 'client_abort';
}

/** What the stream was as a whole; what was said in it stands in its segments. */
async function sealWhole(
  { call, decision, answer, form, policy }: Carrier,
  tape: Tape,
  result: AnswerResult,
  elapsedUs: number,
  house: House,
): Promise<void> {
  const { status, statusText, headers, resent } = answer;
  const nothing = Buffer.alloc(0);
  const { facts } = call.upstream.protocol.readResponse('unknown', status, nothing);
  const stored = storedWhole(headers, nothing);
  const bytes = tape.bytes();
  const said = { facts, result, judgement: passed, policy, elapsedUs, trailers: answer.trailers() };
  const whole = { ...said, status, statusText, headers, resent, stored, bytes, sha256: tape.sha256(), form };
  await house.ledger.seal(responseDraft(decision.seq, whole)).durable;
}
