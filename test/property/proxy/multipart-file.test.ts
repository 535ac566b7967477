/** A file read from a form in pieces is the file that a reader of the whole form finds, or has a line that is none. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchEntriesFrom, batchEntriesOf } from '../../../src/provider/batches/batch-lines.ts';
import { readForm } from '../../../src/provider/reading/multipart.ts';
import { fileIn } from '../../../src/proxy/multipart-file.ts';

const boundary = 'b0undary';
const contentType = `multipart/form-data; boundary=${boundary}`;
const field = `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n`;
const formOf = (content: string): string =>
  `${field}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${content}\r\n--${boundary}--\r\n`;

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  for (const [i, end] of ends.entries()) yield bytes.subarray(ends[i - 1] ?? 0, end);
}

const line = fc.constantFrom(
  '{"custom_id":"a"}',
  '{"custom_id":"b"}',
  '{"a":"--b0',
  '{}',
  '',
  ' ',
  '--',
  '\r',
  '[',
);
const content = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));
const cuts = fc.array(fc.nat(), { maxLength: 8 });

async function gather<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of from) all.push(one);
  return all;
}

test('the content is the same, however the form is cut', async () => {
  await fc.assert(
    fc.asyncProperty(content, cuts, async (text, at) => {
      const form = Buffer.from(formOf(text));
      const [file] = readForm(contentType, form).parts.filter(({ fileName }) => fileName !== null);
      const pieces = await gather(fileIn(inPieces(form, at), boundary));
      expect(Buffer.concat(pieces).toString()).toBe(file?.content.toString());
    }),
  );
});

test('its lines are read alike, and are none but its own', async () => {
  await fc.assert(
    fc.asyncProperty(content, cuts, async (text, at) => {
      const pieces = fileIn(inPieces(Buffer.from(formOf(text)), at), boundary);
      expect(await gather(batchEntriesFrom(pieces))).toEqual([...batchEntriesOf(Buffer.from(text))]);
    }),
  );
});

test.each([
  ['a delimiter after a bare line feed', formOf(`{"custom_id":"a"}\n--${boundary}\n{"custom_id":"b"}`)],
  ['a delimiter within a text', formOf(`{"custom_id":"--${boundary}"}`)],
  ['no end', formOf('{"custom_id":"a"}').slice(0, -20)],
  ['no file', `${field}--${boundary}--\r\n`],
])('a form with %s has a line that is none', async (_what, form) => {
  const entries = await gather(batchEntriesFrom(fileIn(inPieces(Buffer.from(form), [7, 80]), boundary)));
  expect(entries.map(({ defect }) => defect)).toContain('a line of the batch is not JSON');
});
