/**
 * Takes the upstream's answer in: whole where rules must see all of it first, live where they cannot mind.
 * Live means that the caller gets bytes while they arrive; the last ones always wait for the seal.
 */

import { isBodiless } from '../core/bodiless.ts';
import { sha256Hex } from '../core/bytes.ts';
import { createCohorts } from '../core/cohort.ts';
import { decodeContent } from '../core/content-coding.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { Facts, ResponseFacts } from '../core/facts.ts';
import { bodyFieldDoubt, headerOf, type RawHeaders } from '../core/http-message.ts';
import { redirectDoubt } from '../core/redirect.ts';
import type { Policy } from '../policy/policy.ts';
import type { BatchResult, ResponseReading, ResponseStream, StreamForm } from '../provider/protocol.ts';
import type { AnswerResult } from '../record/leaf-data.ts';
import type { Call } from './call.ts';
import type { Answer } from './forward.ts';
import type { Decision } from './held.ts';
import type { House } from './house.ts';
import { judge } from './judge.ts';
import { captureLarge, mayBeReadFromDisk } from './large-answer.ts';
import { resultOfFailure } from './outcome.ts';
import { type Relayed, relayText, relayUnread } from './relay.ts';
import { toHoldpointError } from './respond.ts';
import { type StoredBody, storedAnswer, storedWhole } from './stored-body.ts';

/** The answers that a body carries; those of one on disk are read from there. */
export type Results = Iterable<BatchResult> | AsyncIterable<BatchResult>;

export interface Answered extends Relayed {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  readonly resent: boolean;
  readonly stored: StoredBody;
  readonly facts: ResponseFacts;
  /** The answers that the body carries; absent where it carries none. */
  readonly batch?: (() => Results) | undefined;
  readonly defects: readonly string[];
  readonly result: AnswerResult;
  /** How it came in pieces; null when it was one whole. */
  readonly form: StreamForm | null;
  readonly trailers: readonly string[];
}

/** Of answers that have arrived whole, before they are read, judged and sealed. */
const joinArrived = createCohorts();

/** Captures the answer; never rejects for what the upstream does: that is `result` and `failure`. */
export async function captureAnswer(
  call: Call,
  decision: Decision,
  answer: Answer,
  facts: Facts,
  policy: Policy,
  house: House,
): Promise<Answered> {
  const form = streamFormOf(call, answer.headers);
  if (awayDoubt(call, answer) !== '') return captureWhole(call, answer, form, house);
  if (!(await isRead(call, answer))) {
    const neutral = call.upstream.protocol.readResponse('unknown', answer.status, Buffer.alloc(0));
    const verdict = judge(policy, 'response', { ...facts, response: neutral.facts }, []);
    if (verdict.action === 'hold' || verdict.action === 'deny')
      return captureWhole(call, answer, form, house);
    const relayed = await relayUnread(call, decision, answer, house);
    return answered(call, answer, relayed, neutral, null, form, house);
  }
  const plain = plainStreamForm(call, answer);
  if (plain !== null && policy.textMayStream(facts)) {
    const stream = call.upstream.protocol.openStream(call.operation, answer.status, plain);
    const relayed = await relayText(call, decision, answer, stream, house);
    const said = finished(call, answer, relayed, stream);
    return answered(call, answer, said.relayed, said.reading, null, plain, house);
  }
  return captureWhole(call, answer, form, house);
}

/** Why the caller may take what it sent elsewhere, or get there what rules would read here; '' where it cannot. */
function awayDoubt({ upstream: { protocol }, operation, method }: Call, answer: Answer): string {
  const doubt = redirectDoubt(answer.status, answer.headers);
  if (doubt === '' || (method !== 'GET' && method !== 'HEAD')) return doubt;
  const isReadHere =
    protocol.readsAnswer(operation) || (protocol.readsAnswerBy?.(operation) ?? null) !== null;
  return isReadHere ? doubt : '';
}

const partialContent = 206;

async function isRead(call: Call, answer: Answer): Promise<boolean> {
  const { protocol } = call.upstream;
  const tells = protocol.readsAnswerBy?.(call.operation) ?? null;
  if (tells === null) return protocol.readsAnswer(call.operation);
  // Who reads lines may pass over what no line begins with.
  if (call.facts.stream) return true;
  // How a compressed body, or a part from the middle of one, begins tells nothing.
  if (headerOf(answer.headers, 'content-encoding') !== '' || answer.status === partialContent) return true;
  if (bodyFieldDoubt(answer.headers) !== '') return true;
  return tells(await answer.peek());
}

function streamFormOf(call: Call, headers: RawHeaders): StreamForm | null {
  return call.upstream.protocol.streamFormOf(call.operation, headerOf(headers, 'content-type'));
}

/** The form of an answer whose bytes are events as they stand, so that single ones can be held back and others added. */
export function plainStreamForm(
  call: Call,
  { status, headers }: { readonly status: number; readonly headers: RawHeaders },
): StreamForm | null {
  const isPlain = headerOf(headers, 'content-encoding') === '' && bodyFieldDoubt(headers) === '';
  return status === 200 && isPlain ? streamFormOf(call, headers) : null;
}

/** What a stream said. Where that cannot be told the answer has failed: what passed of it is sealed all the same. */
function finished(
  call: Call,
  answer: Answer,
  relayed: Relayed,
  stream: ResponseStream,
): { readonly relayed: Relayed; readonly reading: ResponseReading } {
  try {
    return { relayed, reading: stream.finish().reading };
  } catch (error) {
    const reading = call.upstream.protocol.readResponse('unknown', answer.status, Buffer.alloc(0));
    return { relayed: { ...relayed, failure: relayed.failure ?? toHoldpointError(error) }, reading };
  }
}

/** Nothing reaches the caller until the whole answer was judged and sealed. */
async function captureWhole(
  call: Call,
  answer: Answer,
  form: StreamForm | null,
  house: House,
): Promise<Answered> {
  const staysHere = awayDoubt(call, answer) === '';
  if (staysHere && mayBeReadFromDisk(call, answer)) return captureFile(call, answer, form, house);
  const { body, error } = await answer.readAll(house.bounds.responseBytesMax);
  await joinArrived();
  return inMemory(call, answer, form, body, error, house);
}

/** Of a file of lines nobody knows how large it gets: what is more than this waits on disk until that is known. */
const begunBytesMax = 1024 * 1024;

/** The same of a file of lines: one that turns out too large for memory stays on disk. */
async function captureFile(
  call: Call,
  answer: Answer,
  form: StreamForm | null,
  house: House,
): Promise<Answered> {
  const chunks = answer.chunks();
  const begun: Buffer[] = [];
  const begunMax = Math.min(begunBytesMax, house.bounds.responseBytesMax);
  let bytes = 0;
  let failure: HoldpointError | null = null;
  try {
    while (bytes <= begunMax) {
      const next = await chunks.next();
      if (next.done === true) break;
      begun.push(next.value);
      bytes += next.value.length;
    }
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
    failure = error;
  }
  // What broke off did so before there was more.
  if (bytes <= begunMax) return inMemory(call, answer, form, Buffer.concat(begun), failure, house);
  const large = await captureLarge(call, answer, begun, chunks, house);
  if ('whole' in large) return inMemory(call, answer, form, large.whole, large.failure, house);
  return answered(call, answer, large, large.reading, large.plain, null, house);
}

function inMemory(
  call: Call,
  answer: Answer,
  form: StreamForm | null,
  body: Buffer,
  error: HoldpointError | null,
  house: House,
): Answered {
  if (error !== null) answer.abort(error.message);
  const { reading, plain } = read(call, answer, form, body, house.bounds.decodedBytesMax);
  const relayed = {
    body,
    bytes: body.length,
    sha256: null,
    passedBytes: 0,
    rest: body,
    spool: null,
    failure: error,
  };
  return answered(call, answer, relayed, reading, plain, form, house);
}

function read(
  call: Call,
  answer: Answer,
  form: StreamForm | null,
  body: Buffer,
  decodedBytesMax: number,
): { readonly reading: ResponseReading; readonly plain: Buffer | null } {
  const { protocol } = call.upstream;
  const unread = (defect: string) => {
    const reading = protocol.readResponse('unknown', answer.status, Buffer.alloc(0));
    return { reading: { ...reading, defects: [defect] }, plain: null };
  };
  const away = awayDoubt(call, answer);
  if (away !== '') return unread(away);
  if (isBodiless(answer.status, { headers: answer.headers, body }))
    return { reading: protocol.readResponse('unknown', answer.status, body), plain: body };
  const doubt = bodyFieldDoubt(answer.headers);
  if (doubt !== '') return unread(doubt);
  let plain: Buffer;
  try {
    plain = decodeContent(headerOf(answer.headers, 'content-encoding'), body, decodedBytesMax);
  } catch (error) {
    return unread(`the content-encoding cannot be undone: ${messageOf(error)}`);
  }
  if (form === null) return { reading: protocol.readResponse(call.operation, answer.status, plain), plain };
  const stream = protocol.openStream(call.operation, answer.status, form);
  stream.push(plain);
  return { reading: stream.finish().reading, plain };
}

/** What is stored of an answer. Where nobody can tell what a credential in it is, that is its hash alone, and it has failed. */
function stored(
  call: Call,
  headers: RawHeaders,
  { body, sha256, failure }: Relayed,
  plain: Buffer | null,
  decodedBytesMax: number,
): Pick<Answered, 'stored' | 'sha256' | 'failure'> {
  try {
    const whole = storedAnswer(call.facts.path, headers, body, plain, decodedBytesMax);
    return { stored: whole, sha256, failure };
  } catch (error) {
    const nothing = storedWhole(headers, Buffer.alloc(0));
    return {
      stored: nothing,
      sha256: sha256 ?? sha256Hex(body),
      failure: failure ?? toHoldpointError(error),
    };
  }
}

function answered(
  call: Call,
  answer: Answer,
  relayed: Relayed,
  reading: Omit<ResponseReading, 'batch'> & Pick<Answered, 'batch'>,
  plain: Buffer | null,
  form: StreamForm | null,
  { bounds: { decodedBytesMax } }: House,
): Answered {
  const { status, statusText, headers } = answer;
  const kept = stored(call, headers, relayed, plain, decodedBytesMax);
  const { failure } = kept;
  const whole = {
    ...relayed,
    ...kept,
    status,
    statusText,
    headers,
    resent: answer.resent,
    facts: reading.facts,
    form,
    trailers: answer.trailers(),
  };
  if (failure !== null) return { ...whole, defects: [], result: resultOfFailure(failure, call.caller) };
  // A stream without its provider's terminal event was cut, even when the connection closed politely.
  const cut = form !== null && status === 200 && !reading.complete && !reading.failed;
  if (cut)
    return {
      ...whole,
      defects: [],
      result: 'upstream_truncated',
      failure: new HoldpointError(
        'upstream_truncated',
        'The upstream ended its stream before its last event.',
        'Retry the call.',
      ),
    };
  return {
    ...whole,
    batch: reading.batch,
    defects: reading.defects,
    result: reading.failed || status >= 400 ? 'error' : 'ok',
  };
}
