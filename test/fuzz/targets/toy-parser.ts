/**
 * A parser with a fault planted where chance does not get: three comparisons in a row must hold, one byte each. A
 * fuzzer that keeps what came one comparison further finds it; one that only tries does not.
 */
export function parseToy(bytes: Buffer): 'other' | 'empty' {
  if (bytes.length === 0) return 'empty';
  if (bytes[0] !== 0x9b) return 'other';
  if (bytes[1] !== 0x42) return 'other';
  if (bytes[2] !== 0xe7) return 'other';
  throw new TypeError('the planted fault');
}
