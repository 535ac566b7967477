/**
 * A request's body, wherever it lies. What rules read is small enough for memory; an upload may be larger than
 * memory and waits on disk until its intent is sealed, because what was not recorded must not go out.
 */
import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { headerOf, type RawHeaders } from '../core/http-message.ts';
import type { OpenSpool, Spool, SpoolWriter } from '../core/spool.ts';
import { plainBoundaryOf } from '../provider/reading/multipart.ts';
import { type Outline, openOutline } from './multipart-outline.ts';

export interface Body {
  readonly bytes: number;
  /** All of it, or what of a spooled one is stored. */
  readonly head: Buffer;
  /** What rules are shown: all of it, or a large form without its files; null when that is too large or unclear. */
  readonly read: Buffer | null;
  /** Null when `head` is all of it. */
  readonly spool: Spool | null;
}

export interface BodyBounds {
  /** Of a body that rules read. */
  readonly requestBytesMax: number;
  /** What is stored of one that passes; a larger one is spooled. */
  readonly storedBytesMax: number;
}

/** A body in memory. */
export function bodyOf(bytes: Buffer): Body {
  return { bytes: bytes.length, head: bytes, read: bytes, spool: null };
}

/**
 * Reads a body that rules see whole. Throws `body_too_large` or `bad_request`; then the connection carries what
 * was not read.
 */
export async function readWhole(req: IncomingMessage, headers: RawHeaders, bytesMax: number): Promise<Body> {
  if (Number(headerOf(headers, 'content-length')) > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let bytes = 0;
  await eachChunk(req, (chunk) => {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      chunks.length = 0;
      throw tooLarge(bytesMax);
    }
    chunks.push(chunk);
    return null;
  });
  return bodyOf(joined(chunks));
}

/** Reads a body that passes, of any size; what exceeds `storedBytesMax` lies on disk. Throws as a spool does. */
export async function readPassing(
  req: IncomingMessage,
  headers: RawHeaders,
  bounds: BodyBounds,
  openSpool: OpenSpool,
): Promise<Body> {
  const boundary = plainBoundaryOf(headerOf(headers, 'content-type'));
  const outline = boundary === null ? null : openOutline(boundary, bounds.requestBytesMax);
  const chunks: Buffer[] = [];
  let bytes = 0;
  let spool: SpoolWriter | null = null;
  async function spoolOn(chunk: Buffer): Promise<void> {
    if (spool === null) {
      spool = await openSpool();
      for (const earlier of chunks) await putAway(spool, outline, earlier);
    }
    await putAway(spool, outline, chunk);
  }
  try {
    await eachChunk(req, (chunk) => {
      bytes += chunk.length;
      if (spool === null && bytes <= bounds.storedBytesMax) {
        chunks.push(chunk);
        return null;
      }
      return spoolOn(chunk);
    });
    if (spool === null) return bodyOf(joined(chunks));
    const whole = await finished(spool);
    return {
      bytes,
      head: joined(chunks),
      read: outline === null ? Buffer.alloc(0) : outline.finish(),
      spool: whole,
    };
  } catch (error) {
    await discard(spool);
    throw error;
  }
}

async function putAway(spool: SpoolWriter, outline: Outline | null, chunk: Buffer): Promise<void> {
  outline?.push(chunk);
  await spool.write(chunk);
}

/** By way of a parameter, because the compiler does not see assignments made in callbacks. */
function finished(spool: SpoolWriter): Promise<Spool> {
  return spool.finish();
}

async function discard(spool: SpoolWriter | null): Promise<void> {
  await spool?.discard();
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

/**
 * Hands on every chunk, within backpressure where `take` returns a promise; rejects with what it throws. Whatever it
 * rejects with, nothing is being taken any more.
 */
function eachChunk(req: IncomingMessage, take: (chunk: Buffer) => Promise<void> | null): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let ended = false;
  let busy = false;
  let failure: unknown = null;
  const stop = (error: unknown): void => {
    req.off('data', onData);
    failure ??= error;
    if (!busy) reject(failure);
  };
  function onData(chunk: Buffer): void {
    try {
      const taken = take(chunk);
      if (taken === null) return;
      busy = true;
      req.pause();
      taken.then(
        () => {
          busy = false;
          if (failure !== null) reject(failure);
          else if (ended) resolve();
          else req.resume();
        },
        (error: unknown) => {
          busy = false;
          stop(error);
        },
      );
    } catch (error) {
      stop(error);
    }
  }
  req.on('data', onData);
  req.on('end', () => {
    ended = true;
    if (!busy) resolve();
  });
  req.on('error', (error) =>
    stop(new HoldpointError('bad_request', `The request ended early: ${messageOf(error)}.`)),
  );
  return promise;
}

function tooLarge(bytesMax: number): HoldpointError {
  return new HoldpointError(
    'body_too_large',
    `The request body exceeds ${bytesMax} bytes.`,
    'Raise limits.requestBytesMax if such calls are meant.',
  );
}
