/**
 * A ledger as files in the reader's hands: one export, or the journal's segments in their order, each a stream with a
 * header of its own. Read in slices, so that no more than one of them is in memory.
 */

/** Small enough that work between two slices does not make a page wait where it runs in the page itself. */
const sliceBytes = 262_144;
const headerBytes = 16;

export interface LedgerFiles {
  /** Of all files together, as `read` counts them. */
  readonly bytes: number;
  /** One stream. Throws what `check` throws, before each slice. */
  chunks(check: () => void, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array>;
  /** Bytes of the stream again. */
  read(at: number, length: number): Promise<Uint8Array>;
}

interface Stretch {
  readonly file: File;
  /** Where its first byte lies in the stream. */
  readonly at: number;
  /** Bytes of the file that are not part of the stream. */
  readonly skipped: number;
}

/** Segments are read in the order of their names, which carry their numbers. */
export function openLedgerFiles(files: readonly File[]): LedgerFiles {
  const stretches: Stretch[] = [];
  let bytes = 0;
  for (const file of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    // Only the first header begins the stream; behind the others the frames go on.
    const skipped = stretches.length === 0 ? 0 : Math.min(headerBytes, file.size);
    stretches.push({ file, at: bytes, skipped });
    bytes += file.size - skipped;
  }
  return {
    bytes,
    async *chunks(check, onRead) {
      for (const { file, skipped } of stretches) {
        for (let at = skipped; at < file.size; at += sliceBytes) {
          check();
          const slice = await bytesOf(file, at, Math.min(at + sliceBytes, file.size));
          onRead(slice.length);
          yield slice;
        }
      }
    },
    async read(at, length) {
      const stretch = stretches.findLast((candidate) => candidate.at <= at);
      if (stretch === undefined) throw new RangeError(`There is no byte ${at}.`);
      const from = at - stretch.at + stretch.skipped;
      return bytesOf(stretch.file, from, from + length);
    },
  };
}

async function bytesOf(file: File, from: number, to: number): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(from, to).arrayBuffer());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${file.name} cannot be read at byte ${from} (${why}); was it changed since it was dropped?`,
    );
  }
}
