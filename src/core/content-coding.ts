/** Undoes Content-Encoding on a copy, within a bound (RFC 9110 section 8.4.1). What is forwarded stays as it came. */
import {
  brotliDecompressSync,
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
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  if (codings.length > codingsMax) throw new RangeError(`more than ${codingsMax} codings`);
  return codings.reduceRight((bytes, coding) => decodeOne(coding, bytes, decodedBytesMax), body);
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
      // Servers send both zlib-wrapped and raw deflate under this name; the wrapper's first byte tells.
      return whole(((body[0] ?? 0) & 0x0f) === 8 ? inflateSync : inflateRawSync, body, decodedBytesMax);
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
