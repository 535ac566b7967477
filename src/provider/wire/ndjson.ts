/**
 * Splits a body of newline-delimited JSON into its lines, incrementally (the form Ollama and Cohere's first
 * API stream in). A line ends at LF; a CR before it belongs to the ending. Keeps every byte: the raw bytes of
 * all lines and the rest concatenate to the input. Pure; no sockets, no JSON.
 *
 * Every byte is looked at once, and the outcome does not depend on where the input is cut.
 */

/** The longest line that is parsed; a longer one is handed out in unparsed fragments, marked as a defect. */
export const lineBytesMaxDefault = 16 * 1024 * 1024;

export interface NdjsonLine {
  /** The bytes as received, line ending included; a view of the pushed chunk where it lay in one. */
  readonly raw: Buffer;
  /** The line without its ending; '' for a blank line and for fragments. */
  readonly text: string;
  /** Why the line is not parsed; '' when it is. */
  readonly defect: string;
}

export interface NdjsonSplitter {
  /** The lines that became whole. The chunk's memory must not be reused afterwards. */
  push(chunk: Buffer): NdjsonLine[];
  /** Bytes after the last line ending, and the line they are to clients, which flush at the end of a body. */
  finish(): { readonly rest: Buffer; readonly line: NdjsonLine | null };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const none = Buffer.alloc(0);

function lineOf(raw: Buffer): NdjsonLine {
  let end = raw.length;
  if (raw[end - 1] === lineFeed) end -= 1;
  if (raw[end - 1] === carriageReturn) end -= 1;
  return { raw, text: raw.toString('utf8', 0, end), defect: '' };
}

/** Opens a splitter. `lineBytesMax` bounds what is kept for one line. */
export function createNdjsonSplitter(lineBytesMax: number = lineBytesMaxDefault): NdjsonSplitter {
  let parts: Buffer[] = [];
  let partsBytes = 0;
  // Part of the line in progress was handed out unparsed because it exceeded the bound.
  let oversize = false;

  function take(piece: Buffer): Buffer {
    if (partsBytes === 0) return piece;
    if (piece.length > 0) parts.push(piece);
    const whole = Buffer.concat(parts);
    parts = [];
    partsBytes = 0;
    return whole;
  }

  function unparsed(raw: Buffer): NdjsonLine {
    return { raw, text: '', defect: `a line of the stream is longer than ${lineBytesMax} bytes` };
  }

  function complete(piece: Buffer): NdjsonLine {
    const tooLong = oversize || partsBytes + piece.length > lineBytesMax;
    const raw = take(piece);
    oversize = false;
    return tooLong ? unparsed(raw) : lineOf(raw);
  }

  function push(chunk: Buffer): NdjsonLine[] {
    const out: NdjsonLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      out.push(complete(chunk.subarray(start, end + 1)));
      start = end + 1;
    }
    if (start === chunk.length) return out;
    parts.push(chunk.subarray(start));
    partsBytes += chunk.length - start;
    if (partsBytes > lineBytesMax) {
      oversize = true;
      out.push(unparsed(take(none)));
    }
    return out;
  }

  function finish(): { rest: Buffer; line: NdjsonLine | null } {
    const rest = take(none);
    if (rest.length === 0) return { rest, line: null };
    return { rest, line: oversize ? unparsed(rest) : lineOf(rest) };
  }

  return { push, finish };
}
