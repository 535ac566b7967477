/** A report's lines come out the same however its bytes arrive, and none is longer than allowed. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Line, linesOf } from '../../src/report/split.ts';

const lineBytesMax = 8;

async function read(chunks: readonly Buffer[]): Promise<Line[]> {
  async function* given(): AsyncGenerator<Buffer> {
    yield* chunks;
  }
  const lines: Line[] = [];
  for await (const line of linesOf(given(), lineBytesMax)) lines.push(line);
  return lines;
}

it('does not matter where the bytes are split', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é'), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 6 }), async (written, cuts) => {
      const bytes = Buffer.from(written);
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
      const expected = written.split('\n').flatMap((line, i): { number: number; text: string | null }[] => {
        const size = Buffer.byteLength(line);
        const kept = line.endsWith('\r') ? line.slice(0, -1) : line;
        if (size > lineBytesMax) return [{ number: i + 1, text: null }];
        return kept === '' ? [] : [{ number: i + 1, text: kept }];
      });
      const lines = await read(chunks);
      expect(lines.map(({ number, bytes: line }) => ({ number, text: line?.toString() ?? null }))).toEqual(
        expected,
      );
    }),
  );
});
