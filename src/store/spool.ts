/**
 * Large bodies on their way through, on disk: each in a file without a name, encrypted under a key that only
 * this process has. What a crash leaves behind is neither a file nor readable.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { OpenSpool, Spool, SpoolWriter } from '../core/spool.ts';
import { makePrivateDirectory } from './directory.ts';

export interface SpoolBounds {
  readonly bodyBytesMax: number;
  /** Of all bodies at a time. */
  readonly totalBytesMax: number;
}

const algorithm = 'aes-256-ctr';
const readBytes = 64 * 1024;

/** Opens spools in `dir`, which is made when it is not there. */
export function createSpools(dir: string, bounds: SpoolBounds): OpenSpool {
  let totalBytes = 0;
  return async () => {
    const file = await openNameless(dir);
    return writer(file, bounds, {
      take: (bytes) => {
        if (totalBytes + bytes > bounds.totalBytesMax) throw noRoom();
        totalBytes += bytes;
      },
      giveBack: (bytes) => {
        totalBytes -= bytes;
      },
    });
  };
}

/** Its name is gone before the first byte is written. */
async function openNameless(dir: string): Promise<FileHandle> {
  const path = join(dir, randomBytes(12).toString('hex'));
  try {
    // Each time: whoever tidies up below data.dir may take an empty directory away.
    makePrivateDirectory(dir);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw notWritten(error);
  }
}

interface Room {
  take(bytes: number): void;
  giveBack(bytes: number): void;
}

function writer(file: FileHandle, bounds: SpoolBounds, room: Room): SpoolWriter {
  const key = randomBytes(32);
  const iv = randomBytes(16);
  const cipher = createCipheriv(algorithm, key, iv);
  const hash = createHash('sha256');
  let bytes = 0;
  let closed = false;
  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    key.fill(0);
    room.giveBack(bytes);
    await file.close();
  }
  return {
    write: async (chunk) => {
      const { bodyBytesMax, totalBytesMax } = bounds;
      if (bytes + chunk.length > bodyBytesMax) throw tooLarge(bodyBytesMax, 'limits.passedBytesMax');
      // There never will be room: whoever were told to retry would do so for ever.
      if (bytes + chunk.length > totalBytesMax) throw tooLarge(totalBytesMax, 'limits.spoolBytesMax');
      room.take(chunk.length);
      bytes += chunk.length;
      hash.update(chunk);
      try {
        await file.writeFile(cipher.update(chunk));
      } catch (error) {
        throw notWritten(error);
      }
    },
    finish: async () => {
      const spool: Spool = {
        bytes,
        sha256: hash.digest('hex'),
        read: () => read(file, key, iv, bytes),
        close,
      };
      return spool;
    },
    discard: close,
  };
}

async function* read(file: FileHandle, key: Buffer, iv: Buffer, bytes: number): AsyncGenerator<Buffer> {
  const decipher = createDecipheriv(algorithm, key, iv);
  // Deciphered into bytes of their own, so that one place serves for all reads.
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(buffer, 0, readBytes, at);
    if (bytesRead === 0)
      throw new HoldpointError('internal', `A spooled body ends at ${at} of ${bytes} bytes.`);
    at += bytesRead;
    yield decipher.update(buffer.subarray(0, bytesRead));
  }
}

function tooLarge(bytesMax: number, limit: string): HoldpointError {
  return new HoldpointError(
    'body_too_large',
    `The request body exceeds ${bytesMax} bytes.`,
    `Raise ${limit} if such calls are meant.`,
  );
}

function noRoom(): HoldpointError {
  return new HoldpointError(
    'overloaded',
    'Too many large bodies are on their way at a time.',
    'Retry when some have gone through, or raise limits.spoolBytesMax.',
  );
}

function notWritten(error: unknown): HoldpointError {
  return new HoldpointError(
    'overloaded',
    `A large body cannot be kept on disk: ${messageOf(error).replace(/\.$/, '')}.`,
    'Check the space in data.dir, then retry the call.',
    error,
  );
}
