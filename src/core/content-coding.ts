/** Undoes Content-Encoding on a copy, within a bound (RFC 9110 section 8.4.1). What is forwarded stays as it came. */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

const codingsMax = 4;

/** The decoded bytes. Throws RangeError on unknown, truncated or oversized content. */
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
      return brotliDecompressSync(body, options);
    case 'zstd':
      return zstdDecompressSync(body, options);
    case 'deflate':
      // Servers send both zlib-wrapped and raw deflate under this name; the wrapper's first byte tells.
      return ((body[0] ?? 0) & 0x0f) === 8 ? inflateSync(body, options) : inflateRawSync(body, options);
    default:
      throw new RangeError(`unknown coding ${coding.slice(0, 32)}`);
  }
}
