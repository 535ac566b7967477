/** Content that is too large for memory is decoded to the same bytes as content that is not, or refused like it. */
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeContent, decodeContentFrom } from '../../../src/core/content-coding.ts';

const bytesMax = 1024 * 1024;
const text = Buffer.from('lines and lines\n'.repeat(5_000));

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const decodeIn = (coding: string, bytes: Buffer, size = 64, max = bytesMax): Promise<Buffer> =>
  buffer(decodeContentFrom(coding, inPieces(bytes, size), max));

const codings = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
] as const;

describe.each(codings)('%s', (coding, encode) => {
  it('gives the same bytes, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 500 }),
        fc.integer({ min: 1, max: 99 }),
        async (data, size) => {
          const encoded = encode(data);
          expect(await decodeIn(coding, encoded, size)).toEqual(decodeContent(coding, encoded, bytesMax));
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is refused when it breaks off', async () => {
    const cut = encode(text).subarray(0, -5);
    await expect(decodeIn(coding, cut)).rejects.toThrow();
  });

  it('is refused when it unpacks to more than the bound', async () => {
    await expect(decodeIn(coding, encode(text), 64, 1000)).rejects.toThrow(/more than 1000 bytes/);
  });

  it.each([
    ['bytes', Buffer.alloc(300, 'x')],
    ['content of its own', encode('more')],
    // Python's gzip reads on behind the zero; the sizes at both ends are the same.
    ['a zero and content as large as it', Buffer.concat([Buffer.of(0), encode(text.toReversed())])],
  ])('is refused with %s behind its end, which some would read', async (_what, behind) => {
    const longer = Buffer.concat([encode(text), behind]);
    await expect(decodeIn(coding, longer)).rejects.toThrow();
    expect(() => decodeContent(coding, longer, bytesMax)).toThrow();
  });

  it('is refused with content of its own behind its end, wherever that is cut', async () => {
    const one = encode('{"a":1}');
    const two = Buffer.concat([one, one]);
    for (let size = 1; size <= two.length; size += 1)
      await expect(decodeIn(coding, two, size), `in pieces of ${size}`).rejects.toThrow();
  });

  it('is refused when what gives it fails', async () => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield encode(text).subarray(0, 20);
      throw new Error('the disk is gone');
    };
    await expect(buffer(decodeContentFrom(coding, failing(), bytesMax))).rejects.toThrow(/the disk is gone/);
  });
});

it('undoes several codings, the last first', async () => {
  expect(await decodeIn('gzip, br', brotliCompressSync(gzipSync(text)))).toEqual(text);
});

it.each(['', 'identity', 'identity, identity'])('leaves what has no coding as it is: %j', async (coding) => {
  expect(await decodeIn(coding, text)).toEqual(text);
});

it('refuses a coding that it does not know', async () => {
  await expect(decodeIn('compress', text)).rejects.toThrow(/unknown coding compress/);
});
