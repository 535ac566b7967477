/**
 * Writes the few DER forms that a certificate or a request for a time stamp is made of (ITU-T X.690). Writes only: what other people encoded is
 * read by OpenSSL, never here. Pure.
 */

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag, length in the fewest octets, content. */
function encode(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.concat([Buffer.of(tag, 0x80 | octets.length, ...octets), content]);
}

export const sequence = (...items: readonly Buffer[]): Buffer => encode(tags.sequence, Buffer.concat(items));
export const set = (...items: readonly Buffer[]): Buffer => encode(tags.set, Buffer.concat(items));
export const octetString = (bytes: Buffer): Buffer => encode(tags.octetString, bytes);
export const utf8String = (text: string): Buffer => encode(tags.utf8String, Buffer.from(text));
export const booleanTrue = Buffer.of(tags.boolean, 1, 0xff);
export const nullValue = Buffer.of(tags.null, 0);

/** `[number] EXPLICIT` or a constructed `[number] IMPLICIT`, around items. */
export const tagged = (number: number, ...items: readonly Buffer[]): Buffer =>
  encode(0xa0 | number, Buffer.concat(items));

/** `[number] IMPLICIT` over a primitive's content. */
export const taggedPrimitive = (number: number, content: Buffer): Buffer => encode(0x80 | number, content);

/** A number that is not negative, big-endian. */
export function unsignedInteger(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const significant = bytes.subarray(start);
  const isHigh = ((significant[0] ?? 0) & 0x80) !== 0;
  return encode(tags.integer, isHigh ? Buffer.concat([Buffer.of(0), significant]) : significant);
}

export const bitString = (bytes: Buffer, unusedBits = 0): Buffer =>
  encode(tags.bitString, Buffer.concat([Buffer.of(unusedBits), bytes]));

/** `1.2.840.10045.4.3.2`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...arcs].flatMap((arc) => {
    const base128 = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
      base128.unshift(0x80 | (rest % 128));
    return base128;
  });
  return encode(tags.objectId, Buffer.from(octets));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? encode(tags.utcTime, Buffer.from(digits.slice(2)))
    : encode(tags.generalizedTime, Buffer.from(digits));
}
