import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  type Frame,
  type FrameDefect,
  frameHeaderBytes,
  readFrames,
  streamHeader,
} from '../../../src/ledger/frame.ts';
import type { StoredRecord } from '../../../src/ledger/store.ts';

const record: fc.Arbitrary<StoredRecord> = fc
  .record({
    key: fc.uint8Array({ minLength: 9, maxLength: 9 }),
    value: fc.uint8Array({ maxLength: 80 }),
  })
  .map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
const commit = fc.array(record, { minLength: 1, maxLength: 4 });
const commits = fc.array(commit, { maxLength: 5 });

const streamOf = (all: readonly (readonly StoredRecord[])[]): Buffer =>
  Buffer.concat([streamHeader, ...all.map(encodeFrame)]);

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function read(bytes: Buffer, sizes: readonly number[] = []) {
  const frames: Frame[] = [];
  let defect: FrameDefect | null = null;
  for await (const item of readFrames(inPieces(bytes, sizes))) {
    // Nothing may follow a defect.
    expect(defect).toBe(null);
    if (item.kind === 'frame') frames.push(item);
    else defect = item;
  }
  return { frames, defect };
}

const recordsIn = (frames: readonly Frame[]) => frames.map(({ records }) => records);

describe('a stream of frames', () => {
  it('gives back the records of each commit, however it is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(commits, fc.array(fc.nat(40)), async (all, sizes) => {
        const { frames, defect } = await read(streamOf(all), sizes);
        expect(defect).toBe(null);
        expect(recordsIn(frames)).toEqual(all);
      }),
    );
  });

  it('says at which bytes each frame begins and ends', async () => {
    await fc.assert(
      fc.asyncProperty(commits, async (all) => {
        const bytes = streamOf(all);
        const { frames } = await read(bytes);
        const cut = frames.map(({ at, end }) => bytes.subarray(at, end));
        expect(cut).toEqual(all.map(encodeFrame));
      }),
    );
  });

  it('cut anywhere, gives the whole frames before the cut and says where the rest was torn', async () => {
    await fc.assert(
      fc.asyncProperty(commits, fc.nat(), async (all, where) => {
        const bytes = streamOf(all);
        const cut = where % bytes.length;
        const ends = all.map((_, index) => streamOf(all.slice(0, index + 1)).length);
        const whole = ends.filter((end) => end <= cut).length;
        const lastEnd = cut < streamHeader.length ? 0 : (ends[whole - 1] ?? streamHeader.length);
        const { frames, defect } = await read(bytes.subarray(0, cut));
        expect(recordsIn(frames)).toEqual(all.slice(0, whole));
        const torn = { kind: 'defect', at: lastEnd, reason: 'ends_early' };
        expect(defect).toEqual(cut === lastEnd && cut > 0 ? null : torn);
      }),
    );
  });

  it('with any one bit flipped, gives no record that was not written, and no frame from the flip on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commit, { minLength: 1, maxLength: 4 }), fc.nat(), async (all, where) => {
        const bytes = streamOf(all);
        const bit = where % (8 * bytes.length);
        const at = bit >> 3;
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit & 7)), at);
        const ends = all.map((_, index) => streamOf(all.slice(0, index + 1)).length);
        const before = at < streamHeader.length ? 0 : ends.filter((end) => end <= at).length;
        const { frames, defect } = await read(bytes);
        expect(recordsIn(frames)).toEqual(all.slice(0, before));
        expect(defect?.kind).toBe('defect');
      }),
    );
  });

  it('with nothing but zeros behind it, from a frame’s header on, says so and where they begin', async () => {
    await fc.assert(
      fc.asyncProperty(commits, fc.nat(300), fc.array(fc.nat(40)), async (all, more, sizes) => {
        const bytes = streamOf(all);
        const zeros = Buffer.alloc(frameHeaderBytes + more * 300);
        const { frames, defect } = await read(Buffer.concat([bytes, zeros]), sizes);
        expect(recordsIn(frames)).toEqual(all);
        expect(defect).toEqual({ kind: 'defect', at: bytes.length, reason: 'zeros' });
      }),
    );
  });

  it('with a byte among the zeros behind it, says that no frame has that length', async () => {
    await fc.assert(
      fc.asyncProperty(commits, fc.nat(90_000), fc.integer({ min: 1, max: 255 }), async (all, at, byte) => {
        const bytes = streamOf(all);
        const zeros = Buffer.alloc(frameHeaderBytes + 90_000);
        zeros[frameHeaderBytes + at - 1] = byte;
        const { frames, defect } = await read(Buffer.concat([bytes, zeros]));
        expect(recordsIn(frames)).toEqual(all);
        // In the header itself it is a checksum that nobody asks for.
        expect(defect).toEqual({ kind: 'defect', at: bytes.length, reason: 'length' });
      }),
    );
  });

  it('never throws on bytes that are none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (noise, withHeader) => {
        const bytes = withHeader ? Buffer.concat([streamHeader, noise]) : Buffer.from(noise);
        const { frames } = await read(bytes);
        expect(frames.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('a frame', () => {
  const records = [{ key: Buffer.alloc(9, 1), value: Buffer.from('value') }];

  it('is length, CRC-32 and body, all big-endian', () => {
    const body = Buffer.from('010101010101010101' + '00000005' + '76616c7565', 'hex');
    const head = Buffer.alloc(frameHeaderBytes);
    head.writeUInt32BE(body.length);
    head.writeUInt32BE(crc32(body), 4);
    expect(encodeFrame(records)).toEqual(Buffer.concat([head, body]));
  });

  it('of no record, or of a record with another key, is not written', () => {
    expect(() => encodeFrame([])).toThrow(RangeError);
    expect(() => encodeFrame([{ key: Buffer.alloc(8), value: Buffer.alloc(0) }])).toThrow(RangeError);
  });

  it('that claims more than any frame has is refused by its length, before its bytes are waited for', async () => {
    const claims = Buffer.concat([streamHeader, Buffer.from('ffffffff00000000', 'hex')]);
    expect((await read(claims)).defect).toEqual({ kind: 'defect', at: 16, reason: 'length' });
  });

  it('whose checksum fits but whose body ends inside a record is refused', async () => {
    const body = Buffer.concat([encodeFrame(records).subarray(frameHeaderBytes), Buffer.alloc(3)]);
    const head = Buffer.alloc(frameHeaderBytes);
    head.writeUInt32BE(body.length);
    head.writeUInt32BE(crc32(body), 4);
    const { frames, defect } = await read(Buffer.concat([streamHeader, head, body]));
    expect(frames).toEqual([]);
    expect(defect).toEqual({ kind: 'defect', at: 16, reason: 'body' });
  });
});
