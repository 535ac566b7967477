/** Undoes Content-Encoding on a copy, within a bound (RFC 9110 section 8.4.1). What is forwarded stays as it came. */
import { pipeline, Readable } from 'node:stream';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
  zstdDecompressSync,
} from 'node:zlib';

const codingsMax = 4;

/** The decoded bytes. Throws RangeError on unknown, truncated or oversized content, and on bytes behind its end. */
export function decodeContent(contentEncoding: string, body: Buffer, decodedBytesMax: number): Buffer {
  if (contentEncoding === '' || contentEncoding === 'identity') return body;
  return codingsIn(contentEncoding).reduceRight(
    (bytes, coding) => decodeBounded(coding, bytes, decodedBytesMax),
    body,
  );
}

/** The decoder says of what is too much that a buffer cannot be created, which is no word for who sent it. */
function decodeBounded(coding: string, body: Buffer, decodedBytesMax: number): Buffer {
  try {
    return decodeOne(coding, body, decodedBytesMax);
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw new RangeError(`more than ${decodedBytesMax} bytes come out`, { cause: error });
    throw error;
  }
}

function codingsIn(contentEncoding: string): readonly string[] {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  if (codings.length > codingsMax) throw new RangeError(`more than ${codingsMax} codings`);
  return codings;
}

/** The same of content that is too large for memory, in pieces. Throws as `decodeContent` does, where the fault is. */
export async function* decodeContentFrom(
  contentEncoding: string,
  pieces: AsyncIterable<Buffer>,
  decodedBytesMax: number,
): AsyncGenerator<Buffer> {
  if (contentEncoding === '' || contentEncoding === 'identity') {
    yield* pieces;
    return;
  }
  let bytes = 0;
  for await (const piece of codingsIn(contentEncoding).reduceRight(decodeOneFrom, pieces)) {
    bytes += piece.length;
    if (bytes > decodedBytesMax) throw new RangeError(`more than ${decodedBytesMax} bytes come out`);
    yield piece;
  }
}

async function* decodeOneFrom(pieces: AsyncIterable<Buffer>, coding: string): AsyncGenerator<Buffer> {
  if (coding === 'identity') {
    yield* pieces;
    return;
  }
  const source = (coding === 'zstd' ? cutWithinFrames(pieces) : pieces)[Symbol.asyncIterator]();
  const first = await source.next();
  let bytes = 0;
  let last = Buffer.alloc(0);
  const counted = async function* (): AsyncGenerator<Buffer> {
    for (let next = first; next.done !== true; next = await source.next()) {
      bytes += next.value.length;
      last = Buffer.concat([last, next.value.subarray(-sizeBytes)]).subarray(-sizeBytes);
      yield next.value;
    }
  };
  const decoder = decoderOf(coding, first.done === true ? 0 : (first.value[0] ?? 0));
  // Whoever reads the decoder hears of what went wrong on the way to it.
  pipeline(Readable.from(counted()), decoder, () => undefined);
  let decodedBytes = 0;
  for await (const piece of decoder) {
    if (!Buffer.isBuffer(piece)) continue;
    decodedBytes += piece.length;
    yield piece;
  }
  const isWhole = decoder.bytesWritten >= bytes;
  if (!isWhole || (coding.endsWith('gzip') && !endsWithSize(last, decodedBytes)))
    throw new RangeError(bytesBehind);
}

const magicBytes = 4;

/** Whether a frame of zstd, or one to be skipped, may begin there (RFC 8878 section 3.1). */
function mayBeginFrame(bytes: Buffer, at: number): boolean {
  const magic = bytes.readUInt32LE(at);
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5;
}

/**
 * The same bytes in pieces none of which, but the first, begins as a frame does: of what is given to it at once the
 * decoder reads one frame, and of what is given to it behind that the next.
 */
async function* cutWithinFrames(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const piece of pieces) {
    rest = Buffer.concat([rest, piece]);
    const last = rest.length - magicBytes;
    if (last <= 0) continue;
    // Two frames cannot begin a byte apart.
    const cut = mayBeginFrame(rest, last) ? last - 1 : last;
    yield rest.subarray(0, cut);
    rest = rest.subarray(cut);
  }
  yield rest;
}

function decoderOf(coding: string, firstByte: number) {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      return isZlibWrapped(firstByte) ? createInflate() : createInflateRaw();
    default:
      throw new RangeError(`unknown coding ${coding.slice(0, 32)}`);
  }
}

/** Servers send both zlib-wrapped and raw deflate under one name; the wrapper's first byte tells. */
function isZlibWrapped(firstByte: number): boolean {
  return (firstByte & 0x0f) === 8;
}

function decodeOne(coding: string, body: Buffer, decodedBytesMax: number): Buffer {
  switch (coding) {
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      return oneMember(whole(gunzipSync, body, decodedBytesMax), body);
    case 'br':
      return whole(brotliDecompressSync, body, decodedBytesMax);
    case 'zstd':
      return whole(zstdDecompressSync, body, decodedBytesMax);
    case 'deflate':
      return whole(isZlibWrapped(body[0] ?? 0) ? inflateSync : inflateRawSync, body, decodedBytesMax);
    default:
      throw new RangeError(`unknown coding ${coding.slice(0, 32)}`);
  }
}

const bytesBehind = 'bytes behind the end of the content';
/** How a gzip member ends: with the size of what it holds, modulo 2^32 (RFC 1952 section 2.3.1). */
const sizeBytes = 4;

function endsWithSize(end: Buffer, decodedBytes: number): boolean {
  return end.length === sizeBytes && end.readUInt32LE() === decodedBytes % 2 ** 32;
}

/**
 * Members may follow one another (RFC 1952 section 2.2). Node.js reads them all up to a zero, Python's gzip also those
 * behind zeros, its httpx the first alone.
 */
function oneMember(decoded: Buffer, body: Buffer): Buffer {
  if (!endsWithSize(body.subarray(-sizeBytes), decoded.length)) throw new RangeError(bytesBehind);
  return decoded;
}

type Decoder = (body: Buffer, options: Pick<ZlibOptions, 'maxOutputLength' | 'info'>) => unknown;

/**
 * What stands behind the end of the content, one client reads and another does not: nobody could judge it. Of frames of
 * zstd that follow one another, fetch of Node.js reads the first alone.
 */
function whole(decode: Decoder, body: Buffer, decodedBytesMax: number): Buffer {
  const { decoded, readBytes } = decodeFirst(decode, body, decodedBytesMax);
  if (readBytes < body.length) throw new RangeError(bytesBehind);
  return decoded;
}

/** Decodes up to the end of the content and says how much of the body that was. */
function decodeFirst(
  decode: Decoder,
  body: Buffer,
  maxOutputLength: number,
): { decoded: Buffer; readBytes: number } {
  const result = decode(body, { maxOutputLength, info: true });
  if (isDecoded(result) && result.engine.bytesWritten > 0)
    return { decoded: result.buffer, readBytes: result.engine.bytesWritten };
  throw new RangeError('the decoder does not say what it has read');
}

/** What node:zlib returns where `info` is asked for. */
function isDecoded(value: unknown): value is { buffer: Buffer; engine: { bytesWritten: number } } {
  if (typeof value !== 'object' || value === null || !('buffer' in value) || !('engine' in value))
    return false;
  const { buffer, engine } = value;
  return (
    Buffer.isBuffer(buffer) &&
    typeof engine === 'object' &&
    engine !== null &&
    'bytesWritten' in engine &&
    typeof engine.bytesWritten === 'number'
  );
}
