/** A file of answers says the same whether it is read whole or, too large for memory, from where it lies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../../src/provider/anthropic/family.ts';
import { batchLinesMax } from '../../../../src/provider/batches/batch-lines.ts';
import { gemini } from '../../../../src/provider/gemini/family.ts';
import { mistral } from '../../../../src/provider/mistral/family.ts';
import { azure } from '../../../../src/provider/openai/azure.ts';
import { openai } from '../../../../src/provider/openai/family.ts';
import type { BatchResult, Protocol } from '../../../../src/provider/protocol.ts';
import { vertex } from '../../../../src/provider/vertex/family.ts';

const chat = { object: 'chat.completion', model: 'm', choices: [] };
const families: readonly (readonly [Protocol, string, string])[] = [
  [openai, 'files.content', JSON.stringify({ custom_id: 'a', response: { status_code: 200, body: chat } })],
  [azure, 'files.content', JSON.stringify({ custom_id: 'a', response: { status_code: 200, body: chat } })],
  [
    mistral,
    'files.content',
    JSON.stringify({ custom_id: 'a', response: { status_code: 200, body: { pages: [] } } }),
  ],
  [anthropic, 'messages.batches.results', JSON.stringify({ custom_id: 'a', result: { type: 'expired' } })],
  [gemini, 'batches.results', JSON.stringify({ key: 'a', response: { candidates: [] } })],
];

async function* inPieces(file: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
}

async function read([protocol, operation]: (typeof families)[number], file: Buffer, size = 7, status = 200) {
  const reading = await protocol.readResponseFrom?.(operation, status, () => inPieces(file, size));
  const results: BatchResult[] = [];
  for await (const result of reading?.batch?.() ?? []) results.push(result);
  return { reading, results };
}

describe.each(families)('$name', (...family) => {
  const [protocol, operation, line] = family;
  const other = line.replace('"a"', '"b"');

  it('reads the same lines from disk as from memory, wherever they are cut', async () => {
    const pieces = fc.array(fc.constantFrom(line, other, '', '{"custom_id":"c"}', 'no json', '{}'), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 200 }), async (lines, size) => {
        const file = Buffer.from([line, ...lines].join('\n'));
        const whole = [...(protocol.readResponse(operation, 200, file).batch?.() ?? [])];
        expect((await read(family, file, size)).results).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('does not say of a part of a file what it is of', async () => {
    const { reading, results } = await read(family, Buffer.from(line), 7, 206);
    expect(results).toEqual([]);
    expect(reading?.defects).not.toEqual([]);
  });

  it('does not read an error so', async () => {
    expect((await read(family, Buffer.from(line), 7, 404)).reading ?? null).toBeNull();
  });

  it('does not read so what is no file of lines', () => {
    expect(
      protocol.readResponseFrom?.('unknown', 200, () => inPieces(Buffer.alloc(0), 1)) ?? null,
    ).toBeNull();
  });
});

it('is none at Vertex AI, where answers lie in a storage', () => {
  expect(
    vertex.readResponseFrom?.('batch_prediction_jobs', 200, () => inPieces(Buffer.alloc(0), 1)),
  ).toBeNull();
});

it('a file whose first line cannot be read may be anything, and is a defect', async () => {
  const [family] = families;
  if (family === undefined) throw new Error('no family');
  const { reading } = await read(family, Buffer.from(`{"custom_id":\n${family[2]}`));
  expect(reading).toMatchObject({ defects: [expect.stringContaining('is not JSON')] });
});

it.each(['{"prompt":"a"}\n{"prompt":"b","response":"c"}\n', '{"prompt":"a"}\n{}\n[1]\n7\n'])(
  'a file of something else gives nothing to judge: %j',
  async (text) => {
    const [family] = families;
    if (family === undefined) throw new Error('no family');
    const { reading, results } = await read(family, Buffer.from(text));
    expect([reading?.defects, results]).toEqual([[], []]);
  },
);

const wholeAndFromDisk = ([protocol, operation]: (typeof families)[number], text: string) => {
  const file = Buffer.from(text);
  const whole = protocol.readResponse(operation, 200, file);
  return [{ defects: whole.defects, lines: [...(whole.batch?.() ?? [])].length }, file] as const;
};

describe.each(families)('a file of answers of $name', (...family) => {
  const [protocol, operation, line] = family;

  it.each([
    ['something else', '{"prompt":"a"}'],
    ['an object of nothing', '{}'],
    ['what cannot be read', '{"custom_id":'],
    ['a byte order mark', '\ufeff{"prompt":"a"}'],
  ])('is not let pass unread for a first line of %s', async (_what, first) => {
    const [whole, file] = wholeAndFromDisk(family, `${first}\n${line}\n`);
    expect(whole.lines + whole.defects.length).toBeGreaterThan(0);
    const { reading, results } = await read(family, file);
    expect(results.length + (reading?.defects.length ?? 0)).toBeGreaterThan(0);
  });

  it.each([
    ['no JSON, as Python reads it', line.replace(/}$/, ',"z":NaN}')],
    ['no UTF-8', line.replace(/}$/, ',"z":"\u00ff"}')],
    ['nested deeper than is read', line.replace(/}$/, `,"z":${'['.repeat(200)}${']'.repeat(200)}}`)],
    ['without its id', line.replace(/"(custom_id|key)":"a",/, '')],
    ['with an id that is no text', line.replace('"a"', '7')],
  ])('is not let pass unread whose first line is something else, and the next %s', async (_what, next) => {
    const file = Buffer.from(`{"prompt":"a"}\n${next}\n`, 'latin1');
    const whole = protocol.readResponse(operation, 200, file);
    expect([...(whole.batch?.() ?? [])].length + whole.defects.length).toBeGreaterThan(0);
    const { reading, results } = await read(family, file);
    expect(results.length + (reading?.defects.length ?? 0)).toBeGreaterThan(0);
  });

  it('is looked into though it begins with a byte order mark, whole or in part', () => {
    const tells = protocol.readsAnswerBy?.(operation) ?? null;
    const marked = Buffer.from(`\ufeff${line}`);
    for (const length of [1, 2, 3, marked.length]) {
      const isRead = tells === null ? protocol.readsAnswer(operation) : tells(marked.subarray(0, length));
      expect(isRead).toBe(true);
    }
  });
});

it('one JSON text over several lines is no file of lines', () => {
  const [family] = families;
  if (family === undefined) throw new Error('no family');
  const [whole] = wholeAndFromDisk(family, JSON.stringify({ prompt: 'a' }, null, 2));
  expect(whole).toEqual({ defects: [], lines: 0 });
});

it('a file of more lines than are read may be anything, and is a defect', async () => {
  const [family] = families;
  if (family === undefined) throw new Error('no family');
  const [whole, file] = wholeAndFromDisk(family, '{"custom_id":"a"}\n'.repeat(batchLinesMax + 1));
  expect(whole.defects).toEqual([expect.stringContaining('more than')]);
  expect((await read(family, file, 65_536)).reading?.defects).toEqual(whole.defects);
});
