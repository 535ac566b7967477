/**
 * The high-water file: one line that remembers, outside the ledger, how far it had come.
 *
 *     holdpoint-high-water-1 <size, 20 digits> <root, 64 hex> <check, 8 hex>\n
 *
 * check is the first 4 bytes of SHA-256 over everything before it. Portable.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { ascii, toHex } from './encoding.ts';

export interface HighWater {
  readonly size: number;
  /** 64 hex. */
  readonly root: string;
}

/** Undefined when the text is not one whole line of this form with its right check. */
export function parseHighWater(text: string): HighWater | undefined {
  const match = /^(holdpoint-high-water-1 ([0-9]{20}) ([0-9a-f]{64}) )([0-9a-f]{8})\n$/.exec(text);
  const [, checked = '', digits = '', root = '', check = ''] = match ?? [];
  const size = Number(digits);
  if (match === null || !Number.isSafeInteger(size)) return undefined;
  return toHex(sha256(ascii.encode(checked)).subarray(0, 4)) === check ? { size, root } : undefined;
}
