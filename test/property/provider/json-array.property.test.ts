import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createArraySplitter } from '../../../src/provider/wire/json-array.ts';

/** Cuts bytes at the given places, taken modulo the length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

function split(chunks: readonly Buffer[], elementBytesMax?: number) {
  const splitter = createArraySplitter(elementBytesMax);
  const elements = chunks.flatMap((chunk) => splitter.push(chunk));
  return { elements, ...splitter.finish() };
}

const places = fc.array(fc.nat(), { maxLength: 40 });
const blanks = fc.constantFrom('', ' ', '\n', '\r\n', '\t ');
const elements = fc.array(
  fc.tuple(fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 3 })), blanks, blanks),
  { maxLength: 6 },
);
/** What splitters stumble over. */
const awkward = fc
  .array(fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', ' ', '\n', 'é', '😀', '{}', '[{', '}]', '1'), {
    maxLength: 40,
  })
  .map((parts) => Buffer.from(parts.join('')));

describe('the array splitter', () => {
  test('gives back the objects that were written, however spaced and cut', () => {
    fc.assert(
      fc.property(elements, places, fc.constantFrom(undefined, 2), (written, at, indent) => {
        const inner = written.map(([value, before, after]) => {
          return `${before}${JSON.stringify(value, null, indent)}${after}`;
        });
        const bytes = Buffer.from(`[${inner.join(',')}]\n`);
        const read = split(cut(bytes, at));
        expect(read.closed).toBe(true);
        expect(read.elements.map(({ raw, start }) => JSON.parse(raw.toString('utf8', start)))).toEqual(
          written.map(([value]) => JSON.parse(JSON.stringify(value))),
        );
      }),
      { numRuns: 150 },
    );
  });

  test('keeps every byte and does not depend on the cuts, whatever comes', () => {
    fc.assert(
      fc.property(awkward, places, fc.integer({ min: 1, max: 60 }), (bytes, at, bound) => {
        for (const elementBytesMax of [undefined, bound]) {
          const whole = split([bytes], elementBytesMax);
          const pieces = split(cut(bytes, at), elementBytesMax);
          for (const { elements: all, rest } of [whole, pieces]) {
            expect(Buffer.concat([...all.map(({ raw }) => raw), rest])).toEqual(bytes);
          }
          expect(pieces.closed).toBe(whole.closed);
          // What is not parsed comes in as many fragments as there were chunks, and what is wrong with it in more
          // than one way is said in one of them.
          const parsed = (read: typeof whole) => read.elements.filter(({ defect }) => defect === '');
          const isWrong = (read: typeof whole) => read.elements.some(({ defect }) => defect !== '');
          expect(parsed(pieces)).toEqual(parsed(whole));
          expect(isWrong(pieces)).toBe(isWrong(whole));
        }
      }),
      { numRuns: 400 },
    );
  });
});
