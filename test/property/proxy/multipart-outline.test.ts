import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainBoundaryOf } from '../../../src/provider/reading/multipart.ts';
import { openOutline } from '../../../src/proxy/multipart-outline.ts';

interface Part {
  readonly name: string;
  readonly file: boolean;
  readonly content: Buffer;
}

const keptOfFile = 64 * 1024;

function multipart(boundary: string, parts: readonly Part[], cutFiles: boolean): Buffer {
  const chunks: Buffer[] = [];
  for (const { name, file, content } of parts) {
    const fileName = file ? `; filename="${name}.bin"` : '';
    chunks.push(
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"${fileName}\r\n\r\n`),
      file && cutFiles ? content.subarray(0, keptOfFile) : content,
      Buffer.from('\r\n'),
    );
  }
  return Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]);
}

function outlineOf(boundary: string, body: Buffer, cuts: readonly number[], keptBytesMax = 1 << 20) {
  const outline = openOutline(boundary, keptBytesMax);
  const places = [0, ...cuts.map((cut) => cut % (body.length + 1)), body.length].sort((a, b) => a - b);
  for (let i = 0; i + 1 < places.length; i++) outline.push(body.subarray(places[i], places[i + 1]));
  return outline.finish();
}

const boundary = 'b0undary';
const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  // What looks like a delimiter and is none.
  fc.constantFrom('\r\n--b0und', '-b0undary', '\r\n\r\n', '\r\n-', '').map((text) => Buffer.from(text)),
  fc
    .constantFrom(keptOfFile - 1, keptOfFile, keptOfFile + 1, 3 * keptOfFile)
    .map((n) => Buffer.alloc(n, 'x')),
);
const part = fc.record({ name: fc.constantFrom('file', 'model', 'prompt'), file: fc.boolean(), content });

describe('the outline of a multipart body', () => {
  it('is the body with its files cut short, however the body arrived', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 6 }), (parts, cuts) => {
        const body = multipart(boundary, parts, false);
        expect(outlineOf(boundary, body, cuts)?.equals(multipart(boundary, parts, true))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is none when the fields alone exceed the bound', () => {
    const body = multipart(
      boundary,
      [{ name: 'prompt', file: false, content: Buffer.alloc(5000, 'x') }],
      false,
    );
    expect(outlineOf(boundary, body, [1000], 4096)).toBeNull();
  });

  it.each([
    ['whose end is as it should be', ''],
    ['with something behind its end', 'an epilogue'],
    ['that is cut off', '\r\n'],
  ])('of a body %s is none within any bound below its size', (_how, behind) => {
    const parts = [{ name: 'prompt', file: false, content: Buffer.from('Hello.') }];
    const whole = Buffer.concat([multipart(boundary, parts, false), Buffer.from(behind)]);
    const body = behind === '\r\n' ? whole.subarray(0, whole.lastIndexOf('--b0undary') - 4) : whole;
    for (let bytes = 0; bytes < body.length; bytes += 1)
      expect(outlineOf(boundary, body, [], bytes)).toBeNull();
  });

  it('is none when the headers of a part never end', () => {
    const body = Buffer.concat([Buffer.from(`--${boundary}\r\n`), Buffer.alloc(64 * 1024, 'x')]);
    expect(outlineOf(boundary, body, [])).toBeNull();
  });

  it.each(['--b0undary', '\n--b0undary', '\r--b0undary\r\n'])(
    'is none when %j stands in it, wherever it was cut',
    (hidden) => {
      const long = Buffer.alloc(2 * keptOfFile, 'x');
      const at = fc.nat({ max: long.length });
      fc.assert(
        fc.property(at, fc.array(fc.nat(), { maxLength: 6 }), (place, cuts) => {
          const content = Buffer.concat([long.subarray(0, place), Buffer.from(hidden), long.subarray(place)]);
          const body = multipart(boundary, [{ name: 'file', file: true, content }], false);
          expect(outlineOf(boundary, body, [...cuts, body.indexOf(hidden) + 3])).toBeNull();
        }),
        { numRuns: 50 },
      );
    },
  );

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
        const kept = outlineOf(boundary, Buffer.from(bytes), cuts);
        expect(kept === null || kept.length <= bytes.length).toBe(true);
      }),
    );
  });
});

describe('the boundary of a content type', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a b"', 'a b'],
    ['multipart/form-data', null],
    ['multipart/form-data; boundary=', null],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, null],
    ['application/json; boundary=abc', null],
  ])('%s: %j', (contentType, expected) => {
    expect(plainBoundaryOf(contentType)).toBe(expected);
  });
});
