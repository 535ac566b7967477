/**
 * A multipart body with only the beginnings of its files (RFC 7578, RFC 2046 section 5.1.1), made while the
 * body passes: headers and fields stay byte for byte, so that rules can read what a large upload is. What is left out
 * is the content of plain files alone, and nothing that anybody could take for the end of one. Pure.
 */
import { isPlainFile } from '../provider/reading/multipart.ts';

export interface Outline {
  push(chunk: Buffer): void;
  /** What is left of the body; null when it exceeds the bound, or when its parts cannot be told apart. */
  finish(): Buffer | null;
}

const partHeaderBytesMax = 16 * 1024;
/** Whatever a provider might take for a field, though it bears a file's name, is shorter. */
const fileBytesKept = 64 * 1024;
const lineBreak = Buffer.from('\r\n');
const blankLine = Buffer.from('\r\n\r\n');

/** Opens an outline of a body with this boundary. What it keeps is at most `keptBytesMax`. */
export function openOutline(boundary: string, keptBytesMax: number): Outline {
  const dashed = Buffer.from(`--${boundary}`);
  const delimiterBytes = lineBreak.length + dashed.length;
  // The first delimiter stands at the very start, without the line break that ends what is before it.
  let pending: Buffer = lineBreak;
  let state: 'content' | 'headers' = 'content';
  /** How much of the present part's content is still kept. */
  let left = Number.POSITIVE_INFINITY;
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let failed = false;

  function keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    keptBytes += bytes.length;
    if (keptBytes > keptBytesMax) fail();
    else kept.push(bytes);
  }
  function fail(): void {
    failed = true;
    kept = [];
    pending = Buffer.alloc(0);
  }

  function keepContent(bytes: Buffer): void {
    // Copied: a view would keep the whole chunk alive.
    keep(Buffer.from(bytes.subarray(0, left)));
    left = Math.max(0, left - bytes.length);
  }

  /** Takes content up to the next delimiter; false when more bytes are needed to tell. */
  function content(): boolean {
    const found = pending.indexOf(dashed);
    if (found === -1) {
      // The delimiter may have begun at the end: that much waits.
      const sure = Math.max(0, pending.length - delimiterBytes + 1);
      keepContent(pending.subarray(0, sure));
      pending = pending.subarray(sure);
      return false;
    }
    const at = found - lineBreak.length;
    if (at < 0 || !pending.subarray(at, found).equals(lineBreak)) {
      // For some readers it ends the part and for others not, and what is left out does not show it.
      fail();
      return false;
    }
    keepContent(pending.subarray(0, at));
    keep(pending.subarray(at, at + delimiterBytes));
    pending = pending.subarray(at + delimiterBytes);
    state = 'headers';
    return true;
  }

  /** Takes a part's headers; false when more bytes are needed. After the last delimiter there are none. */
  function headers(): boolean {
    if (pending.length < 2) return false;
    if (pending[0] === 0x2d && pending[1] === 0x2d) {
      state = 'content';
      left = Number.POSITIVE_INFINITY;
      return true;
    }
    const end = pending.indexOf(blankLine);
    if (end === -1) {
      if (pending.length > partHeaderBytesMax) fail();
      return false;
    }
    const head = Buffer.from(pending.subarray(0, end + blankLine.length));
    keep(head);
    left = isPlainFile(head.subarray(lineBreak.length, end)) ? fileBytesKept : Number.POSITIVE_INFINITY;
    pending = pending.subarray(end + blankLine.length);
    state = 'content';
    return true;
  }

  return {
    push: (chunk) => {
      if (failed) return;
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (!failed && (state === 'content' ? content() : headers()));
    },
    finish: () => {
      if (failed) return null;
      if (state === 'content') keepContent(pending);
      else keep(Buffer.from(pending));
      if (failed) return null;
      // The line break that was put before the first delimiter.
      const whole = Buffer.concat(kept);
      return whole.subarray(0, 2).equals(lineBreak) ? whole.subarray(2) : whole;
    },
  };
}
