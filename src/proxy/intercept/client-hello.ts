/**
 * The name in a TLS ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3), read before anybody answers: it
 * decides where the connection belongs. Reads hostile bytes and allocates nothing per byte. Pure.
 */

export type HelloReading =
  /** The bytes may become a ClientHello. */
  | { readonly state: 'more' }
  | { readonly state: 'invalid' }
  /**
   * `name` as sent; null where the client names nobody. It may stand for another one, which only its server can read,
   * where there is an encrypted ClientHello (RFC 9849): clients imitate one so that nobody can tell (section 6.2).
   */
  | { readonly state: 'hello'; readonly name: string | null; readonly mayHideName: boolean };

/** The longest ClientHello, in records, that is waited for; those of today's clients take about 2 KB. */
export const helloBytesMax = 16 * 1024 + 5;

const handshakeRecord = 22;
const clientHello = 1;
const serverName = 0;
const hostName = 0;
const encryptedClientHello = 0xfe0d;
const recordBytesMax = 16 * 1024;
const invalid: HelloReading = { state: 'invalid' };
const more: HelloReading = { state: 'more' };

/** Reads what a connection began with. */
export function readHello(bytes: Buffer): HelloReading {
  const message = handshakeBytes(bytes);
  if (message === null) return invalid;
  if (message.length > 0 && message[0] !== clientHello) return invalid;
  if (message.length >= 4 && 4 + message.readUIntBE(1, 3) > helloBytesMax) return invalid;
  if (!isWhole(message)) return bytes.length >= helloBytesMax ? invalid : more;
  try {
    return { state: 'hello', ...saidIn(message.subarray(4, 4 + message.readUIntBE(1, 3))) };
  } catch (error) {
    if (error instanceof RangeError) return invalid;
    throw error;
  }
}

/**
 * The contents of the handshake records so far, put together, up to the one in which the first message ends: what follows
 * may arrive with it or later, and decides nothing. Null when something else begins.
 */
function handshakeBytes(bytes: Buffer): Buffer | null {
  let message = Buffer.alloc(0);
  for (let at = 0; at < bytes.length && !isWhole(message); ) {
    // Nothing else may come before a message is whole (RFC 8446 section 5.1).
    if (bytes[at] !== handshakeRecord) return null;
    if (bytes.length < at + 5) break;
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at + 1] !== 3 || length === 0 || length > recordBytesMax) return null;
    message = Buffer.concat([message, bytes.subarray(at + 5, at + 5 + length)]);
    at += 5 + length;
  }
  return message;
}

function isWhole(message: Buffer): boolean {
  return message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3);
}

/** What a ClientHello begins with: RFC 8446 section 4.1.2. */
const legacyVersionBytes = 2;
const randomBytes = 32;

/** Throws RangeError where a length does not fit. */
function saidIn(body: Buffer): { readonly name: string | null; readonly mayHideName: boolean } {
  const hello = cursor(body);
  hello.advance(legacyVersionBytes + randomBytes);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.atEnd()) return { name: null, mayHideName: false };
  const extensions = cursor(hello.vector(2));
  hello.finish();
  let name: string | null = null;
  let mayHideName = false;
  while (!extensions.atEnd()) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    mayHideName ||= type === encryptedClientHello;
    if (type !== serverName) continue;
    // Two of them, or two names in one, mean different hosts to different readers.
    if (name !== null) throw new RangeError('two server names');
    const list = cursor(content);
    const names = cursor(list.vector(2));
    list.finish();
    if (names.number(1) !== hostName) throw new RangeError('a server name of another type');
    name = names.vector(2).toString('latin1');
    names.finish();
  }
  return { name, mayHideName };
}

function cursor(bytes: Buffer) {
  let at = 0;
  function take(length: number): Buffer {
    if (at + length > bytes.length) throw new RangeError('a length that does not fit');
    at += length;
    return bytes.subarray(at - length, at);
  }
  const number = (length: number): number => take(length).readUIntBE(0, length);
  return {
    number,
    advance: (length: number): void => {
      take(length);
    },
    /** Bytes behind a length of so many octets. */
    vector: (lengthBytes: number): Buffer => take(number(lengthBytes)),
    atEnd: (): boolean => at === bytes.length,
    finish: (): void => {
      if (at !== bytes.length) throw new RangeError('bytes left over');
    },
  };
}
