/**
 * Takes the upstream's answer in: whole where rules must see all of it first, live where they cannot mind.
 * Live means that the caller gets bytes while they arrive; the last ones always wait for the seal.
 */

import { decodeContent } from '../core/content-coding.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { Facts, ResponseFacts } from '../core/facts.ts';
import { headerOf, type RawHeaders } from '../core/http-message.ts';
import type { Policy } from '../policy/policy.ts';
import type { ResponseReading, StreamForm } from '../provider/protocol.ts';
import type { Call } from './call.ts';
import type { Answer } from './forward.ts';
import type { House } from './house.ts';
import { judge } from './judge.ts';
import type { AnswerResult } from './record.ts';
import { writeChunk, writeHead, writeStreamHead } from './respond.ts';

export interface Answered {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  /** What arrived, as it came; bounded by responseBytesMax. */
  readonly body: Buffer;
  readonly facts: ResponseFacts;
  readonly defects: readonly string[];
  readonly result: AnswerResult;
  /** How it came in pieces; null when it was one whole. */
  readonly form: StreamForm | null;
  readonly trailers: readonly string[];
  /** How much of `body` the caller has already; the rest waits. */
  readonly passedBytes: number;
  /** Why the answer did not end well; null when it did. */
  readonly failure: HoldpointError | null;
}

/** Bytes of a stream that were recorded, and where the caller stands. */
interface Tape {
  readonly chunks: Buffer[];
  bytes: number;
  passedBytes: number;
}

/** Captures the answer; never rejects for what the upstream does: that is `result` and `failure`. */
export async function captureAnswer(
  call: Call,
  decisionId: string,
  answer: Answer,
  facts: Facts,
  policy: Policy,
  house: House,
): Promise<Answered> {
  const form = streamFormOf(call, answer.headers);
  if (!call.upstream.protocol.readsAnswer(call.operation)) {
    const neutral = call.upstream.protocol.readResponse('unknown', answer.status, Buffer.alloc(0));
    const verdict = judge(policy, 'response', { ...facts, response: neutral.facts }, []);
    if (verdict.action === 'hold' || verdict.action === 'deny')
      return captureWhole(call, answer, form, house);
    return relayUnread(call, decisionId, answer, neutral, form, house);
  }
  const plain = plainStreamForm(call, answer);
  if (plain !== null && policy.textMayStream(facts)) return relayText(call, decisionId, answer, plain, house);
  return captureWhole(call, answer, form, house);
}

function streamFormOf(call: Call, headers: RawHeaders): StreamForm | null {
  return call.upstream.protocol.streamFormOf(call.operation, headerOf(headers, 'content-type'));
}

/** The form of an answer whose bytes are events as they stand, so that single ones can be held back and others added. */
export function plainStreamForm(
  call: Call,
  { status, headers }: { readonly status: number; readonly headers: RawHeaders },
): StreamForm | null {
  return status === 200 && headerOf(headers, 'content-encoding') === '' ? streamFormOf(call, headers) : null;
}

/** Nothing reaches the caller until the whole answer was judged and sealed. */
async function captureWhole(
  call: Call,
  answer: Answer,
  form: StreamForm | null,
  house: House,
): Promise<Answered> {
  const { body, error } = await answer.readAll(house.bounds.responseBytesMax);
  if (error !== null) answer.abort(error.message);
  const reading = read(call, answer, form, body, house.bounds.decodedBytesMax);
  return answered(call, answer, body, reading, form, 0, error);
}

function read(
  call: Call,
  answer: Answer,
  form: StreamForm | null,
  body: Buffer,
  decodedBytesMax: number,
): ResponseReading {
  const { protocol } = call.upstream;
  let plain: Buffer;
  try {
    plain = decodeContent(headerOf(answer.headers, 'content-encoding'), body, decodedBytesMax);
  } catch (error) {
    const reading = protocol.readResponse('unknown', answer.status, Buffer.alloc(0));
    return { ...reading, defects: [`the content-encoding cannot be undone: ${messageOf(error)}`] };
  }
  if (form === null) return protocol.readResponse(call.operation, answer.status, plain);
  const stream = protocol.openStream(call.operation, answer.status, form);
  stream.push(plain);
  return stream.finish().reading;
}

/** Frames without content wait this long for the first text, so that a denial may still be a plain refusal. */
const quietUsMax = 10_000_000;

/** Text goes on as it comes; from the first piece of a tool call, an error or the end on, everything waits. */
async function relayText(
  call: Call,
  decisionId: string,
  answer: Answer,
  form: StreamForm,
  house: House,
): Promise<Answered> {
  const stream = call.upstream.protocol.openStream(call.operation, answer.status, form);
  const tape: Tape = { chunks: [], bytes: 0, passedBytes: 0 };
  const fromUs = house.clock.monoUs();
  let quiet: Buffer[] | null = [];
  let withholding = false;
  const failure = await eachChunk(answer, tape, house.bounds.responseBytesMax, (chunk) => {
    const events = stream.push(chunk);
    if (withholding) return null;
    const passing: Buffer[] = quiet ?? [];
    let begins = quiet === null || house.clock.monoUs() - fromUs > quietUsMax;
    for (const event of events) {
      withholding ||= event.kind === 'tool' || event.kind === 'end' || event.kind === 'error';
      if (withholding) break;
      begins ||= event.kind === 'text';
      passing.push(event.raw);
    }
    if (!begins) return null;
    quiet = null;
    return pass(call, decisionId, answer, tape, passing, writeStreamHead);
  });
  const { reading } = stream.finish();
  return answered(call, answer, Buffer.concat(tape.chunks), reading, form, tape.passedBytes, failure);
}

/**
 * An operation nobody here understands: bytes pass as they come. With a known length the piece that completes
 * it waits for the seal; otherwise the end of the message does.
 */
async function relayUnread(
  call: Call,
  decisionId: string,
  answer: Answer,
  reading: ResponseReading,
  form: StreamForm | null,
  house: House,
): Promise<Answered> {
  const tape: Tape = { chunks: [], bytes: 0, passedBytes: 0 };
  const lengthText = headerOf(answer.headers, 'content-length');
  const length = lengthText === '' ? Number.POSITIVE_INFINITY : Number(lengthText);
  const failure = await eachChunk(answer, tape, house.bounds.responseBytesMax, (chunk) =>
    tape.bytes >= length ? null : pass(call, decisionId, answer, tape, [chunk], writeHead),
  );
  return answered(call, answer, Buffer.concat(tape.chunks), reading, form, tape.passedBytes, failure);
}

/** Records every chunk, then hands it on; returns what ended the answer early, or null. */
async function eachChunk(
  answer: Answer,
  tape: Tape,
  bytesMax: number,
  take: (chunk: Buffer) => Promise<void> | null,
): Promise<HoldpointError | null> {
  try {
    for await (const chunk of answer.chunks()) {
      tape.bytes += chunk.length;
      if (tape.bytes > bytesMax) {
        answer.abort('The answer is too large to record.');
        return new HoldpointError(
          'response_too_large',
          `The upstream's answer exceeds ${bytesMax} bytes.`,
          'Raise limits.responseBytesMax if such answers are meant.',
        );
      }
      tape.chunks.push(chunk);
      const drained = take(chunk);
      if (drained !== null) await drained;
    }
    return null;
  } catch (error) {
    if (error instanceof HoldpointError) return error;
    throw error;
  }
}

function pass(
  call: Call,
  decisionId: string,
  answer: Answer,
  tape: Tape,
  passing: readonly Buffer[],
  start: typeof writeHead,
): Promise<void> | null {
  if (passing.length === 0 || call.caller.gone) return null;
  if (!call.res.headersSent) start(call.res, answer.status, answer.statusText, answer.headers, decisionId);
  const [only] = passing;
  const bytes = passing.length === 1 && only !== undefined ? only : Buffer.concat(passing);
  tape.passedBytes += bytes.length;
  return writeChunk(call.res, bytes);
}

function answered(
  call: Call,
  answer: Answer,
  body: Buffer,
  reading: ResponseReading,
  form: StreamForm | null,
  passedBytes: number,
  failure: HoldpointError | null,
): Answered {
  const { status, statusText, headers } = answer;
  const whole = {
    status,
    statusText,
    headers,
    body,
    facts: reading.facts,
    form,
    trailers: answer.trailers(),
    passedBytes,
    failure,
  };
  if (failure !== null)
    return { ...whole, defects: [], result: call.caller.gone ? 'client_abort' : resultOf(failure) };
  // A stream without its provider's terminal event was cut, even when the connection closed politely.
  const cut =
    form !== null &&
    status === 200 &&
    !reading.complete &&
    !reading.failed &&
    call.upstream.protocol.readsAnswer(call.operation);
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
  return { ...whole, defects: reading.defects, result: reading.failed || status >= 400 ? 'error' : 'ok' };
}

function resultOf(failure: HoldpointError): AnswerResult {
  return failure.code === 'response_too_large' ? 'response_too_large' : 'upstream_truncated';
}
