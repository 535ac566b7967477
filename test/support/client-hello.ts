/** ClientHello messages of TLS, written byte by byte. */

/** The handshake message in one record or in several. */
export function inRecords(message: Buffer, bytesEach: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += bytesEach) {
    const part = message.subarray(at, at + bytesEach);
    records.push(Buffer.of(22, 3, 1, part.length >> 8, part.length & 0xff), part);
  }
  return Buffer.concat(records);
}

const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
const vector16 = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);
export const nameEntry = (name: string, type = 0): Buffer =>
  Buffer.concat([Buffer.of(type), vector16(Buffer.from(name))]);
export const sni = (...entries: readonly Buffer[]): Buffer =>
  Buffer.concat([u16(0), vector16(vector16(Buffer.concat(entries)))]);

/** The outer form of Encrypted Client Hello (RFC 9849 section 5), or its imitation (section 6.2): nobody can tell. */
export const encryptedHello = Buffer.concat([
  u16(0xfe0d),
  vector16(
    Buffer.concat([
      Buffer.of(0),
      u16(1),
      u16(1),
      Buffer.of(7),
      vector16(Buffer.alloc(32)),
      vector16(Buffer.alloc(64)),
    ]),
  ),
]);

/** A ClientHello message with these extensions; none at all where null. */
export function messageWith(extensions: readonly Buffer[] | null): Buffer {
  const body = Buffer.concat([
    u16(0x303),
    Buffer.alloc(32, 7),
    Buffer.of(0),
    vector16(u16(0x1301)),
    Buffer.of(1, 0),
    ...(extensions === null ? [] : [vector16(Buffer.concat(extensions))]),
  ]);
  return Buffer.concat([Buffer.of(1, 0, body.length >> 8, body.length & 0xff), body]);
}
export const helloWith = (extensions: readonly Buffer[] | null): Buffer =>
  inRecords(messageWith(extensions), 16_000);
