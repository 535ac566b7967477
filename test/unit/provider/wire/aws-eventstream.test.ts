/** Amazon's binary frames, against known bytes, and read and refused one defect at a time. */
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  createFrameSplitter,
  encodeFrame,
  type Frame,
  withPayload,
} from '../../../../src/provider/wire/aws-eventstream.ts';

/** Frames whose bytes other implementations of the format test with. */
const known = {
  empty: '000000100000000005c248eb7d98c8ff',
  payload: '0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936',
  integerHeader: '0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a0',
};

function read(bytes: Buffer, frameBytesMax?: number): { frames: Frame[]; rest: Buffer; defect: string } {
  const splitter = createFrameSplitter(frameBytesMax);
  const frames = splitter.push(bytes);
  return { frames, ...splitter.finish() };
}

function defectOf(bytes: Buffer): string | undefined {
  return read(bytes).frames[0]?.defect;
}

/** A frame around header bytes as given, with checksums that match. */
function frameWith(headers: Buffer): Buffer {
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + headers.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const body = Buffer.concat([prelude, headers]);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(body), 0);
  return Buffer.concat([body, end]);
}

function header(name: string, type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([type]), value]);
}

/** A value of bytes or text, after its length. */
function sized(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([length, Buffer.from(value)]);
}

const typed: readonly (readonly [number, Buffer])[] = [
  [0, Buffer.alloc(0)],
  [1, Buffer.alloc(0)],
  [2, Buffer.alloc(1)],
  [3, Buffer.alloc(2)],
  [4, Buffer.alloc(4)],
  [5, Buffer.alloc(8)],
  [6, sized('bytes')],
  [8, Buffer.alloc(8)],
  [9, Buffer.alloc(16)],
];

describe('a frame', () => {
  test('without headers or payload is written as others write it', () => {
    expect(encodeFrame({}, '').toString('hex')).toBe(known.empty);
  });

  test('with a payload is written as others write it', () => {
    expect(encodeFrame({}, "{'foo':'bar'}").toString('hex')).toBe(known.payload);
  });

  test('that others wrote reads as they mean it', () => {
    const { frames, rest } = read(Buffer.from(known.integerHeader, 'hex'));
    expect(frames.map(({ payload, defect }) => [payload.toString(), defect])).toEqual([
      ["{'foo':'bar'}", ''],
    ]);
    expect(rest).toHaveLength(0);
  });

  test('gives its headers of text and its payload back', () => {
    const written = encodeFrame({ ':event-type': 'größe', ':message-type': 'event' }, 'payload');
    const [frame] = read(written).frames;
    expect([...(frame?.headers ?? [])]).toEqual([
      [':event-type', 'größe'],
      [':message-type', 'event'],
    ]);
    expect(frame?.payload.toString()).toBe('payload');
    expect(frame?.raw).toEqual(written);
  });

  test.each(typed)('may have headers of type %i, which are stepped over', (type, value) => {
    const [frame] = read(
      frameWith(Buffer.concat([header('x', type, value), header('y', 7, sized('text'))])),
    ).frames;
    expect([frame?.defect, [...(frame?.headers ?? [])]]).toEqual(['', [['y', 'text']]]);
  });

  test('takes another payload and keeps its headers byte for byte', () => {
    const original = frameWith(
      Buffer.concat([header('n', 5, Buffer.alloc(8, 7)), header('y', 7, sized('a'))]),
    );
    const [frame] = read(withPayload(original, 'new')).frames;
    expect([frame?.defect, frame?.payload.toString()]).toEqual(['', 'new']);
    expect(frame?.raw.subarray(12, 12 + original.readUInt32BE(4))).toEqual(original.subarray(12, -4));
  });
});

describe('a defect', () => {
  const good = encodeFrame({ ':event-type': 'a' }, 'payload');

  test('is a payload that does not match its checksum; the frames after it are still read', () => {
    const broken = Buffer.from(good);
    broken.writeUInt8(broken.readUInt8(broken.length - 5) ^ 1, broken.length - 5);
    const { frames } = read(Buffer.concat([broken, good]));
    expect(frames.map(({ defect }) => defect)).toEqual(['the checksum of a frame does not match', '']);
  });

  test('is a prelude that does not match its checksum; nothing after it is read', () => {
    const broken = Buffer.from(good);
    broken.writeUInt8(1, 0);
    const { frames } = read(Buffer.concat([broken, good]));
    expect(new Set(frames.map(({ defect }) => defect))).toEqual(
      new Set(['the checksum of the start of a frame does not match']),
    );
    expect(Buffer.concat(frames.map(({ raw }) => raw))).toEqual(Buffer.concat([broken, good]));
  });

  test.each([
    ['shorter than its own frame', 15, 0],
    ['with headers longer than the frame', 20, 5],
  ])('is a prelude %s', (_what, total, headers) => {
    const prelude = Buffer.alloc(12);
    prelude.writeUInt32BE(total, 0);
    prelude.writeUInt32BE(headers, 4);
    prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
    expect(defectOf(prelude)).toBe('the lengths of a frame contradict');
  });

  test('is a frame above the bound, told by its prelude alone', () => {
    const { frames } = read(encodeFrame({}, Buffer.alloc(1000)), 1000);
    expect(frames[0]?.defect).toBe('a frame is larger than 1000 bytes');
  });

  test('is a header section above its bound', () => {
    expect(defectOf(frameWith(Buffer.alloc(128 * 1024 + 1)))).toBe(
      'the headers of a frame are larger than 131072 bytes',
    );
  });

  test.each([
    [
      'twice',
      Buffer.concat([header('a', 7, sized('1')), header('a', 7, sized('2'))]),
      'a frame has a header twice',
    ],
    ['of an unknown type', header('a', 10, Buffer.alloc(4)), 'a header of a frame has an unknown type'],
    ['whose name is cut', Buffer.from([9, 0x61]), 'the headers of a frame are cut'],
    ['whose length is cut', header('a', 7, Buffer.from([0])), 'the headers of a frame are cut'],
    ['whose value is cut', header('a', 7, Buffer.from([0, 9, 0x61])), 'the headers of a frame are cut'],
    [
      'that is not UTF-8',
      header('a', 7, Buffer.from([0, 1, 0xff])),
      'a header of a frame is not valid UTF-8',
    ],
    [
      'that hides what the frame is',
      header(':event-type', 4, Buffer.alloc(4)),
      'a header that says what a frame is, is not text',
    ],
  ])('is a header %s', (_what, headers, defect) => {
    expect(defectOf(frameWith(headers))).toBe(defect);
  });

  test('is an end within a frame, whose bytes are handed out', () => {
    const { rest, defect } = read(good.subarray(0, -1));
    expect([rest, defect]).toEqual([good.subarray(0, -1), 'the stream ends within a frame']);
  });
});
