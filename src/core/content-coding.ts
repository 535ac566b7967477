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
const framesMax = 1024;

/** The decoded bytes. Throws RangeError on unknown, truncated or oversized content, and on bytes behind its end. */
export function decodeContent(contentEncoding: string, body: Buffer, decodedBytesMax: number): Buffer {
  if (contentEncoding === '' || contentEncoding === 'identity') return body;
  return codingsIn(contentEncoding).reduceRight(
    (bytes, coding) => decodeOne(coding, bytes, decodedBytesMax),
    body,
  );
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
    if (bytes > decodedBytesMax) throw new RangeError(`more than ${decodedBytesMax} bytes`);
    yield piece;
  }
}

async function* decodeOneFrom(pieces: AsyncIterable<Buffer>, coding: string): AsyncGenerator<Buffer> {
  if (coding === 'identity') {
    yield* pieces;
    return;
  }
  const source = pieces[Symbol.asyncIterator]();
  const first = await source.next();
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for (let next = first; next.done !== true; next = await source.next()) {
      bytes += next.value.length;
      yield next.value;
    }
  };
  const decoder = decoderOf(coding, first.done === true ? 0 : (first.value[0] ?? 0));
  // Whoever reads the decoder hears of what went wrong on the way to it.
  pipeline(Readable.from(counted()), decoder, () => undefined);
  for await (const piece of decoder) if (Buffer.isBuffer(piece)) yield piece;
  // As above; gzip's readers agree that what follows is nothing.
  if (!coding.endsWith('gzip') && decoder.bytesWritten < bytes)
    throw new RangeError('bytes behind the end of the content');
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
  const options = { maxOutputLength: decodedBytesMax };
  switch (coding) {
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(body, options);
    case 'br':
      return whole(brotliDecompressSync, body, decodedBytesMax);
    case 'zstd':
      return everyFrame(body, decodedBytesMax);
    case 'deflate':
      return whole(isZlibWrapped(body[0] ?? 0) ? inflateSync : inflateRawSync, body, decodedBytesMax);
    default:
      throw new RangeError(`unknown coding ${coding.slice(0, 32)}`);
  }
}

type Decoder = (body: Buffer, options: Pick<ZlibOptions, 'maxOutputLength' | 'info'>) => unknown;

/** What stands behind the end of the content, one client reads and another does not: nobody could judge it. */
function whole(decode: Decoder, body: Buffer, decodedBytesMax: number): Buffer {
  const { decoded, readBytes } = decodeFirst(decode, body, decodedBytesMax);
  if (readBytes < body.length) throw new RangeError('bytes behind the end of the content');
  return decoded;
}

/** Frames that follow one another are one content (RFC 8878 section 3.1), of which node:zlib reads the first alone. */
function everyFrame(body: Buffer, decodedBytesMax: number): Buffer {
  const frames: Buffer[] = [];
  let decodedBytes = 0;
  let offset = 0;
  do {
    if (frames.length === framesMax) throw new RangeError(`more than ${framesMax} frames`);
    // At least one byte, as zlib takes no bound of 0.
    const leftBytes = Math.max(1, decodedBytesMax - decodedBytes);
    const { decoded, readBytes } = decodeFirst(zstdDecompressSync, body.subarray(offset), leftBytes);
    frames.push(decoded);
    decodedBytes += decoded.length;
    if (decodedBytes > decodedBytesMax) throw new RangeError(`more than ${decodedBytesMax} bytes`);
    offset += readBytes;
  } while (offset < body.length);
  return frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames);
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
