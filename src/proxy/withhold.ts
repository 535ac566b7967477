/**
 * Keeps a key that the sidecar put into a request out of the answer: some servers repeat what they were sent, in an
 * error or an echo, and the workload must not learn the key from them. Each of its characters becomes a star, so
 * that lengths stay true. Of what comes compressed, against what was asked for, it is only told whether the key
 * stands in it. Pure.
 */
import { decodeContent } from '../core/content-coding.ts';

export interface Withholding {
  /** A text of the answer's head without the key. */
  text(raw: string): string;
  /** Field values without it. */
  fields(raw: string[]): string[];
  /** What may go on of the answer so far; the rest may be the beginning of the key. */
  next(chunk: Buffer): Buffer;
  /** What is left at the end. */
  end(): Buffer;
}

const empty = Buffer.alloc(0);
/** So much of a key at the end of an answer is not there by chance. */
const telltaleBytes = 8;
const nothing: Withholding = {
  text: (raw) => raw,
  fields: (raw) => raw,
  next: (chunk) => chunk,
  end: () => empty,
};

export function withholding(secret: string | undefined): Withholding {
  if (secret === undefined || secret === '') return nothing;
  const key = Buffer.from(secret, 'latin1');
  const stars = '*'.repeat(key.length);
  let held: Buffer = empty;
  const withoutKey = (text: string): string => text.replaceAll(secret, stars);
  return {
    text: withoutKey,
    fields: (raw) => raw.map(withoutKey),
    next: (chunk) => {
      let bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let at = bytes.indexOf(key);
      // Its own bytes may be read by others.
      if (at !== -1 && bytes === chunk) bytes = Buffer.from(chunk);
      for (; at !== -1; at = bytes.indexOf(key, at + key.length)) bytes.fill('*', at, at + key.length);
      const keep = beginningAtEnd(bytes, key);
      held = bytes.subarray(bytes.length - keep);
      return bytes.subarray(0, bytes.length - keep);
    },
    end: () => {
      const rest = held.length < telltaleBytes ? held : Buffer.alloc(held.length, '*');
      held = empty;
      return rest;
    },
  };
}

/**
 * Stars the key out of bytes of unknown framing that may not wait, such as those of a tunnel. Nothing is held back,
 * so where the key is cut into pieces its first few characters, fewer than would tell it, may have gone out.
 */
export function starring(secret: string): (chunk: Buffer) => Buffer {
  const key = Buffer.from(secret, 'latin1');
  let before: Buffer = empty;
  return (chunk) => {
    const bytes = Buffer.concat([before, chunk]);
    const safe = Buffer.from(bytes);
    for (let at = bytes.indexOf(key); at !== -1; at = bytes.indexOf(key, at + 1))
      safe.fill('*', at, at + key.length);
    const begun = beginningAtEnd(bytes, key);
    if (begun >= telltaleBytes) safe.fill('*', bytes.length - begun);
    const passed = safe.subarray(before.length);
    before = bytes.subarray(Math.max(0, bytes.length - key.length + 1));
    return passed;
  };
}

/** True unless the bytes, their coding undone, are known not to have the key in them. */
export function mayRepeat(secret: string, coding: string, body: Buffer, decodedBytesMax: number): boolean {
  if (body.length === 0) return false;
  try {
    return decodeContent(coding, body, decodedBytesMax).includes(secret, 0, 'latin1');
  } catch {
    // Whoever can read it may find the key there.
    return true;
  }
}

/** How many of the last bytes are the first of the key. */
function beginningAtEnd(bytes: Buffer, key: Buffer): number {
  for (let length = Math.min(bytes.length, key.length - 1); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(key.subarray(0, length))) return length;
  }
  return 0;
}
