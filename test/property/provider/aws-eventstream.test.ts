/** Frames survive any cut, keep every byte, and nothing hostile makes their reader throw or forget a byte. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameSplitter, encodeFrame, type Frame } from '../../../src/provider/wire/aws-eventstream.ts';

const frames = fc.array(
  fc
    .tuple(
      fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ maxLength: 12 }), { maxKeys: 4 }),
      fc.uint8Array({ maxLength: 64 }),
    )
    .map(([headers, payload]) => encodeFrame(headers, Buffer.from(payload))),
  { minLength: 1, maxLength: 5 },
);
const cuts = fc.array(fc.nat(400), { maxLength: 12 });

function readCut(bytes: Buffer, at: readonly number[]): { frames: Frame[]; rest: Buffer; defect: string } {
  const splitter = createFrameSplitter();
  const points = [...at.filter((point) => point < bytes.length), bytes.length].sort((a, b) => a - b);
  const out: Frame[] = [];
  let from = 0;
  for (const point of points) {
    out.push(...splitter.push(bytes.subarray(from, point)));
    from = point;
  }
  return { frames: out, ...splitter.finish() };
}

const bytesOf = (read: ReturnType<typeof readCut>) =>
  Buffer.concat([...read.frames.map(({ raw }) => raw), read.rest]);

test('any cut gives the same frames, and their bytes are the stream', () => {
  fc.assert(
    fc.property(frames, cuts, (written, at) => {
      const bytes = Buffer.concat(written);
      const read = readCut(bytes, at);
      expect(read.frames).toEqual(readCut(bytes, []).frames);
      expect(read.frames.map(({ raw }) => raw)).toEqual(written);
      expect(bytesOf(read)).toEqual(bytes);
    }),
  );
});

test('one flipped bit is a defect wherever it stands', () => {
  fc.assert(
    fc.property(frames, fc.nat(), fc.nat(7), cuts, (written, place, bit, at) => {
      const bytes = Buffer.concat(written);
      const flipped = place % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(flipped) ^ (1 << bit), flipped);
      const read = readCut(bytes, at);
      expect(read.frames.some(({ defect }) => defect !== '') || read.defect !== '').toBe(true);
      expect(bytesOf(read)).toEqual(bytes);
    }),
    { numRuns: 300 },
  );
});

test('no bytes make the reader throw, and none are lost', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), frames, cuts, (junk, written, at) => {
      const bytes = Buffer.concat([...written, Buffer.from(junk)]);
      expect(bytesOf(readCut(bytes, at))).toEqual(bytes);
    }),
  );
});
