/**
 * An answer that goes on to its caller while it arrives. Every byte is on tape before it goes out, the last
 * ones wait for the seal, and a caller that reads slowly slows the upstream down.
 */
import { HoldpointError } from '../core/errors.ts';
import { headerOf } from '../core/http-message.ts';
import type { Spool } from '../core/spool.ts';
import type { ResponseStream } from '../provider/protocol.ts';
import type { Call } from './call.ts';
import type { Answer } from './forward.ts';
import type { Decision } from './held.ts';
import type { House } from './house.ts';
import { sendAtOnce, toHoldpointError, writeChunk, writeHead, writeStreamHead } from './respond.ts';
import { openTape, type Tape } from './tape.ts';

/** What arrived, what of it is stored, and what the caller has. */
export interface Relayed {
  /** All that arrived where rules read it and it is not too large, otherwise its beginning. */
  readonly body: Buffer;
  readonly bytes: number;
  /** Of all that arrived, in hex, where only a beginning is stored. */
  readonly sha256: string | null;
  readonly passedBytes: number;
  /** What the caller has not; waits for the seal. */
  readonly rest: Buffer;
  /** All of it on disk, where it is too large for memory and none of it passed; null otherwise. Whoever holds it closes it. */
  readonly spool: Spool | null;
  /** Why the answer did not end well; null when it did. */
  readonly failure: HoldpointError | null;
}

/** Frames without content wait this long for the first text, so that a denial may still be a plain refusal. */
const quietUsMax = 10_000_000;

export interface Recording {
  readonly ledger: Pick<House['ledger'], 'isWritable' | 'isOpen'>;
}

/** A ledger that fails ends what is open, so that no part of this answer would ever be recorded. Throws then. */
export function requireRecorded({ seq }: Decision, { ledger }: Recording): void {
  if (ledger.isWritable() && ledger.isOpen(seq)) return;
  const what = 'The ledger failed while the answer came, so nothing more of it is delivered.';
  throw new HoldpointError('ledger_unavailable', what, 'Ask again.');
}

/**
 * Text goes on as it comes; from the first piece of a tool call, an error or the end on, everything waits.
 * `stream` has then seen all of the answer.
 */
export async function relayText(
  call: Pick<Call, 'caller' | 'res'>,
  decision: Decision,
  answer: Answer,
  stream: ResponseStream,
  house: Pick<House, 'clock'> & Recording & { readonly bounds: Pick<House['bounds'], 'responseBytesMax'> },
): Promise<Relayed> {
  const { responseBytesMax } = house.bounds;
  const tape = openTape(responseBytesMax);
  const fromUs = house.clock.monoUs();
  let quiet: Buffer[] | null = [];
  let withholding = false;
  let passedBytes = 0;
  const failure = await eachChunk(answer, tape, responseBytesMax, (chunk) => {
    requireRecorded(decision, house);
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
    if (!begins || passing.length === 0 || call.caller.gone) return null;
    quiet = null;
    const isFirst = !call.res.headersSent;
    if (isFirst) writeStreamHead(call.res, answer.status, answer.statusText, answer.headers, decision.id);
    const [only] = passing;
    const bytes = passing.length === 1 && only !== undefined ? only : Buffer.concat(passing);
    passedBytes += bytes.length;
    const drained = writeChunk(call.res, bytes);
    if (isFirst) sendAtOnce(call.res);
    return drained;
  });
  const body = tape.stored();
  return {
    body,
    bytes: tape.bytes(),
    sha256: tape.sha256(),
    passedBytes,
    rest: body.subarray(passedBytes),
    spool: null,
    failure,
  };
}

/**
 * An answer nobody here reads: bytes pass as they come, any number of them. With a known length the piece that
 * completes it waits for the seal; otherwise the end of the message does.
 */
export async function relayUnread(
  call: Pick<Call, 'caller' | 'res'>,
  decision: Decision,
  answer: Answer,
  house: Recording & { readonly bounds: Pick<House['bounds'], 'passedBytesMax' | 'storedBytesMax'> },
): Promise<Relayed> {
  const { storedBytesMax, passedBytesMax } = house.bounds;
  const tape = openTape(storedBytesMax);
  const lengthText = headerOf(answer.headers, 'content-length');
  const length = lengthText === '' ? Number.POSITIVE_INFINITY : Number(lengthText);
  const withheld: Buffer[] = [];
  let passedBytes = 0;
  const failure = await eachChunk(answer, tape, passedBytesMax, (chunk) => {
    requireRecorded(decision, house);
    if (tape.bytes() >= length) {
      withheld.push(chunk);
      return null;
    }
    if (call.caller.gone) return null;
    if (!call.res.headersSent)
      writeHead(call.res, answer.status, answer.statusText, answer.headers, decision.id);
    passedBytes += chunk.length;
    return writeChunk(call.res, chunk);
  });
  const rest = Buffer.concat(withheld);
  return {
    body: tape.stored(),
    bytes: tape.bytes(),
    sha256: tape.sha256(),
    passedBytes,
    rest,
    spool: null,
    failure,
  };
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
      tape.add(chunk);
      if (tape.bytes() > bytesMax) {
        answer.abort('The answer is too large.');
        return new HoldpointError(
          'response_too_large',
          `The upstream's answer exceeds ${bytesMax} bytes.`,
          'Raise limits.responseBytesMax, or limits.passedBytesMax for what no rule reads, if such answers are meant.',
        );
      }
      const drained = take(chunk);
      if (drained !== null) await drained;
    }
    return null;
  } catch (error) {
    // Nobody takes the rest: what fails here must not leave the provider at work.
    answer.abort('The answer cannot be relayed.');
    // Also of a defect here: what went on before it is sealed.
    return toHoldpointError(error);
  }
}
