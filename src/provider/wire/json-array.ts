/**
 * Splits a body that is one JSON array of objects into its elements, incrementally (the form in which Google
 * streams where nobody asks for server-sent events). Keeps every byte: the raw bytes of all elements and the
 * rest concatenate to the input. Pure; no sockets, parses no element.
 *
 * Every byte is looked at once, and the outcome does not depend on where the input is cut, save for how many
 * fragments there are of what is not parsed, and which of several defects they name.
 */

/** The largest element that is parsed; a larger one is handed out in unparsed fragments, marked as a defect. */
export const elementBytesMaxDefault = 16 * 1024 * 1024;

export interface ArrayElement {
  /** The element with all that stands before it since the last one, a bracket or comma included. */
  readonly raw: Buffer;
  /** Where the element's own bytes start in `raw`; they go to its end. */
  readonly start: number;
  /** Why the element is not parsed; '' when it is. */
  readonly defect: string;
}

export interface ArraySplitter {
  /** The elements that became whole. The chunk's memory must not be reused afterwards. */
  push(chunk: Buffer): ArrayElement[];
  /**
   * Bytes after the last element. `closed`: the array was, and nothing but white space followed. `broken`: it is
   * no array of objects, as some element's defect says.
   */
  finish(): { readonly rest: Buffer; readonly closed: boolean; readonly broken: boolean };
}

const none = Buffer.alloc(0);
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Between elements: what may come next. `broken`: what came is no array of objects. */
type Place = 'before' | 'first' | 'element' | 'next' | 'after' | 'closed' | 'broken';

/** Where one byte outside of elements leads. */
function placeAfter(place: Place, byte: number | undefined): Place {
  if (place === 'broken' || isBlank(byte)) return place;
  if (place === 'before') return byte === openBracket ? 'first' : 'broken';
  if (byte === openBrace && (place === 'first' || place === 'next')) return 'element';
  if (byte === closeBracket && (place === 'first' || place === 'after')) return 'closed';
  return byte === comma && place === 'after' ? 'next' : 'broken';
}

/** Opens a splitter. `elementBytesMax` bounds what is kept for one element. */
export function createArraySplitter(elementBytesMax: number = elementBytesMaxDefault): ArraySplitter {
  let parts: Buffer[] = [];
  let partsBytes = 0;
  let place: Place = 'before';
  /** Where the element in progress starts in what is kept; meaningless between elements. */
  let start = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  // Part of the element in progress was handed out unparsed because it exceeded the bound.
  let oversize = false;

  function take(piece: Buffer): Buffer {
    if (partsBytes === 0) return piece;
    if (piece.length > 0) parts.push(piece);
    const whole = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    parts = [];
    partsBytes = 0;
    return whole;
  }

  function unparsed(raw: Buffer, defect: string): ArrayElement {
    return { raw, start: 0, defect };
  }

  const tooLarge = () => `an element of the stream is larger than ${elementBytesMax} bytes`;

  function complete(piece: Buffer): ArrayElement {
    const over = oversize || partsBytes + piece.length > elementBytesMax;
    const raw = take(piece);
    oversize = false;
    return over ? unparsed(raw, tooLarge()) : { raw, start, defect: '' };
  }

  function keep(piece: Buffer, out: ArrayElement[]): void {
    if (piece.length === 0) return;
    parts.push(piece);
    partsBytes += piece.length;
    if (place === 'broken') out.push(unparsed(take(none), 'the stream is not a JSON array of objects'));
    else if (partsBytes > elementBytesMax) {
      oversize = true;
      out.push(unparsed(take(none), tooLarge()));
    }
  }

  /** Takes one byte of an element; true when the element ends with it. */
  function endsWith(byte: number | undefined): boolean {
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) inString = false;
      return false;
    }
    if (byte === quote) inString = true;
    else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    return depth === 0;
  }

  function push(chunk: Buffer): ArrayElement[] {
    const out: ArrayElement[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length && place !== 'broken'; at += 1) {
      if (place !== 'element') {
        place = placeAfter(place, chunk[at]);
        if (place !== 'element') continue;
        start = partsBytes + at - from;
        depth = 0;
      }
      if (!endsWith(chunk[at])) continue;
      place = 'after';
      out.push(complete(chunk.subarray(from, at + 1)));
      from = at + 1;
    }
    keep(chunk.subarray(from), out);
    return out;
  }

  return {
    push,
    finish: () => ({ rest: take(none), closed: place === 'closed', broken: place === 'broken' }),
  };
}
