/** What is recorded of an answer while it passes: its beginning up to a bound, and the hash of all of it. */
import { createHash, type Hash } from 'node:crypto';

export interface Tape {
  add(chunk: Buffer): void;
  bytes(): number;
  /** All of it, or the first `storedBytesMax` bytes. */
  stored(): Buffer;
  /** SHA-256 of all of it in hex where only a beginning is stored; null otherwise. */
  sha256(): string | null;
}

/** Opens a tape that keeps at most `storedBytesMax` bytes. */
export function openTape(storedBytesMax: number): Tape {
  const chunks: Buffer[] = [];
  let storedBytes = 0;
  let bytes = 0;
  // Hashed only where the bytes themselves will not tell.
  let hash: Hash | null = null;
  return {
    add: (chunk) => {
      bytes += chunk.length;
      if (bytes > storedBytesMax && hash === null) {
        hash = createHash('sha256');
        for (const earlier of chunks) hash.update(earlier);
      }
      hash?.update(chunk);
      if (storedBytes === storedBytesMax) return;
      const kept = chunk.subarray(0, storedBytesMax - storedBytes);
      chunks.push(kept);
      storedBytes += kept.length;
    },
    bytes: () => bytes,
    stored: () => Buffer.concat(chunks),
    sha256: () => hash?.digest('hex') ?? null,
  };
}
