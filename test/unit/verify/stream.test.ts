import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrame, streamHeader } from '../../../src/ledger/frame.ts';
import { readStream } from '../../../src/ledger/verify/stream.ts';

const records = [7, 8].map((byte) => ({ key: Buffer.alloc(9, byte), value: Buffer.alloc(20, byte) }));
const stream = Buffer.concat([streamHeader, ...records.map((record) => encodeFrame([record]))]);

async function* cut(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function valuesIn(bytes: Uint8Array, chunkBytes = 1000): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  for await (const { value } of readStream(cut(bytes, chunkBytes))) values.push(value);
  return values;
}
const written = records.map(({ value }) => new Uint8Array(value));

test('zeros behind the last frame, however many, say nothing', async () => {
  const chunks = fc.integer({ min: 1, max: 300 });
  await fc.assert(
    fc.asyncProperty(fc.nat(200_000), chunks, async (zeros, chunkBytes) => {
      const read = await valuesIn(Buffer.concat([stream, Buffer.alloc(zeros)]), chunkBytes);
      expect(read.map((value) => new Uint8Array(value))).toEqual(written);
    }),
    { numRuns: 30 },
  );
});

test('behind zeros nothing may follow, be it a frame', async () => {
  const frame = stream.subarray(streamHeader.length, streamHeader.length + (stream.length - 16) / 2);
  for (const zeros of [8, 64, 65_544, 200_000]) {
    const followed = Buffer.concat([stream, Buffer.alloc(zeros), frame]);
    await expect(valuesIn(followed), `${zeros}`).rejects.toThrow(
      `it has zeros from byte ${stream.length} on, and something behind them`,
    );
  }
});
