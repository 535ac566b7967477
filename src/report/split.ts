/** Splits a stream of bytes into lines, each within a bound; reads no further than it is asked to. Pure; no I/O of its own. */

export interface Line {
  /** Counted from 1; blank lines count. */
  readonly number: number;
  /** Without its line end; null where it is longer than the bound and was passed over. */
  readonly bytes: Buffer | null;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** The lines of a stream, blank ones left out. Holds at most one line and one chunk. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, lineBytesMax: number): AsyncGenerator<Line> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let number = 0;
  const end = (): Line | null => {
    number += 1;
    const bytes = heldBytes > lineBytesMax ? null : withoutReturn(Buffer.concat(held));
    held = [];
    heldBytes = 0;
    return bytes?.length === 0 ? null : { number, bytes };
  };
  const hold = (piece: Buffer): void => {
    heldBytes += piece.length;
    // What is too long is counted and let go.
    if (heldBytes <= lineBytesMax) held.push(piece);
    else held = [];
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, from)) {
      hold(chunk.subarray(from, at));
      from = at + 1;
      const line = end();
      if (line !== null) yield line;
    }
    if (from < chunk.length) hold(chunk.subarray(from));
  }
  const line = end();
  if (line !== null) yield line;
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes;
}
