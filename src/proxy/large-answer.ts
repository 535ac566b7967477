/**
 * An answer that rules must see and that may be too large for memory: a file of lines. It waits on disk, as a large
 * upload does. One that turns out small is read back; any other is judged from there line by line, and goes on from
 * there once it may. None of it passes before.
 */
import { Readable } from 'node:stream';
import { decodeContentFrom } from '../core/content-coding.ts';
import { HoldpointError } from '../core/errors.ts';
import { countGarbage } from '../core/garbage.ts';
import { bodyFieldDoubt, headerOf } from '../core/http-message.ts';
import type { Spool, SpoolWriter } from '../core/spool.ts';
import type { LinesReading } from '../provider/protocol.ts';
import { unreadResponse } from '../provider/reading/reading.ts';
import type { Call } from './call.ts';
import type { Answer } from './forward.ts';
import type { House } from './house.ts';
import type { Relayed } from './relay.ts';
import { openTape, type Tape } from './tape.ts';

export type LargeAnswer = Relayed & {
  readonly reading: LinesReading & { readonly complete: boolean; readonly failed: boolean };
  /** What is stored, its coding undone. */
  readonly plain: Buffer | null;
};

/** True where the family reads such an answer from where it lies. */
export function mayBeReadFromDisk({ upstream, operation }: Call, { status }: Answer): boolean {
  return (upstream.protocol.readResponseFrom?.(operation, status, () => Readable.from([])) ?? null) !== null;
}

/** One that turned out to fit into memory: as much of it as came. */
export interface SmallAnswer {
  readonly whole: Buffer;
  readonly failure: HoldpointError | null;
}

/**
 * Takes an answer to disk, what has `begun` and what `chunks` still give, and reads it there; never rejects for what the upstream does. The
 * spool is the caller's to close.
 */
export async function captureLarge(
  call: Call,
  answer: Answer,
  begun: Buffer[],
  chunks: AsyncIterable<Buffer>,
  house: House,
): Promise<LargeAnswer | SmallAnswer> {
  const tape = openTape(house.bounds.storedBytesMax);
  const { spool, failure } = await toDisk(answer, begun, chunks, tape, house);
  try {
    if (spool !== null && tape.bytes() <= house.bounds.responseBytesMax) {
      const whole = await beginningOf(spool.read(), tape.bytes());
      await spool.close();
      return { whole, failure };
    }
    return await readFromDisk(call, answer, spool, failure, tape, house);
  } catch (error) {
    await spool?.close();
    throw error;
  }
}

async function readFromDisk(
  call: Call,
  answer: Answer,
  spool: Spool | null,
  failure: HoldpointError | null,
  tape: Tape,
  house: House,
): Promise<LargeAnswer> {
  const relayed = {
    body: tape.stored(),
    bytes: tape.bytes(),
    sha256: tape.sha256(),
    passedBytes: 0,
    rest: Buffer.alloc(0),
    failure,
  };
  if (spool === null || failure !== null) {
    await spool?.close();
    const { facts } = unreadResponse(answer.status, '');
    const reading = { facts, defects: [], complete: false, failed: false };
    return { ...relayed, spool: null, plain: null, reading };
  }
  const file = plainBytes(answer, spool, house.bounds.batchBytesMax);
  const reading = await call.upstream.protocol.readResponseFrom?.(call.operation, answer.status, file);
  if (!reading) throw new HoldpointError('internal', 'An answer on disk has no reader.');
  const plain = await beginningOf(file(), house.bounds.storedBytesMax);
  return { ...relayed, spool, plain, reading: { ...reading, complete: true, failed: false } };
}

/** Everything that came on disk, and what ended it too early; null where it could not be kept there. */
async function toDisk(
  answer: Answer,
  begun: Buffer[],
  chunks: AsyncIterable<Buffer>,
  tape: Tape,
  house: House,
): Promise<{ readonly spool: Spool | null; readonly failure: HoldpointError | null }> {
  const { batchBytesMax, passedBytesMax } = house.bounds;
  const bytesMax = Math.min(batchBytesMax, passedBytesMax);
  let writer: SpoolWriter | null = null;
  try {
    writer = await house.openSpool();
    const count = countGarbage();
    const take = async (out: SpoolWriter, chunk: Buffer): Promise<void> => {
      count(chunk.length);
      tape.add(chunk);
      if (tape.bytes() > bytesMax) throw tooLarge(bytesMax);
      await out.write(chunk);
    };
    for (const chunk of begun) await take(writer, chunk);
    // On disk: its place in memory is needed for the lines.
    begun.length = 0;
    for await (const chunk of chunks) await take(writer, chunk);
    return { spool: await writer.finish(), failure: null };
  } catch (error) {
    const isHoldpoints = error instanceof HoldpointError;
    if (isHoldpoints) answer.abort(error.message);
    // What the upstream broke off is whole as far as it came; what the disk did not take is not.
    if (isHoldpoints && writer !== null && error.code.startsWith('upstream_'))
      return { spool: await writer.finish(), failure: error };
    await writer?.discard();
    if (!isHoldpoints) throw error;
    return { spool: null, failure: error };
  }
}

/** The bytes with their coding undone. What cannot be undone ends in a line that is none: whoever reads lines finds it. */
function plainBytes(answer: Answer, spool: Spool, decodedBytesMax: number): () => AsyncIterable<Buffer> {
  const coding = headerOf(answer.headers, 'content-encoding');
  const doubt = bodyFieldDoubt(answer.headers);
  if (coding === '' && doubt === '') return () => spool.read();
  return async function* () {
    if (doubt !== '') {
      yield Buffer.from(`\n\0 ${doubt}\n`);
      return;
    }
    try {
      yield* decodeContentFrom(coding, spool.read(), decodedBytesMax);
    } catch (error) {
      // The disk's own failures are not the provider's.
      if (error instanceof HoldpointError) throw error;
      yield Buffer.from('\n\0 the content-encoding cannot be undone\n');
    }
  };
}

async function beginningOf(pieces: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    kept.push(piece.subarray(0, bytesMax - bytes));
    bytes += piece.length;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(kept);
}

function tooLarge(bytesMax: number): HoldpointError {
  return new HoldpointError(
    'response_too_large',
    `The upstream's file exceeds ${bytesMax} bytes.`,
    'Raise limits.batchBytesMax, and limits.passedBytesMax with it, if such files are meant.',
  );
}
