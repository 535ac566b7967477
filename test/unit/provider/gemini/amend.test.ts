import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HoldpointError } from '../../../../src/core/errors.ts';
import { amendAnswer } from '../../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { Amendment, StreamForm } from '../../../../src/provider/protocol.ts';
import { type Served, serve } from '../served.ts';
import { events } from '../streams.ts';

const gemini = protocolOf('gemini');
let served: Served;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const operationIn = {
  json: 'generate_content',
  sse: 'stream_generate_content',
  'json-array': 'stream_generate_content',
};
const amend = (original: string, form: StreamForm | null, amendment: Amendment, operation?: string) =>
  amendAnswer(
    gemini,
    operation ?? operationIn[form === 'sse' || form === 'json-array' ? form : 'json'],
    Buffer.from(original),
    form,
    amendment,
  ).toString();

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof HoldpointError ? error.code : String(error);
  }
  return 'nothing was thrown';
}

/** What Google's SDK makes of a stream of events. */
async function streamed(body: string) {
  served.answerWith(200, 'text/event-stream', body);
  const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: served.url } });
  const calls: unknown[] = [];
  let text = '';
  for await (const chunk of await client.models.generateContentStream({ model: 'm', contents: 'x' })) {
    for (const part of chunk.candidates?.[0]?.content?.parts ?? []) text += part.text ?? '';
    calls.push(...(chunk.functionCalls ?? []));
  }
  return { text, calls };
}

const json = `{"candidates":[{"content":{"parts":[{"text":"sec"},{"text":"ret"},{"functionCall":{"id":"a","name":"f","args":{"n":1.0}},"thoughtSignature":"s1"},{"functionCall":{"id":"b","name":"pay","args":{"n":25000}}}],"role":"model"},"finishReason":"STOP"}],"big":12345678901234567890}`;

describe('a whole answer', () => {
  test('changes in the named call alone; everything else keeps its spelling', () => {
    const amendment = { toolCalls: [{ id: 'b', arguments: { n: 10 } }] };
    expect(amend(json, null, amendment)).toBe(json.replace('{"n":25000}', '{"n":10}'));
  });

  test('gets its new text in one piece', () => {
    expect(amend(json, null, { text: 'fine' })).toBe(json.replace('"sec"', '"fine"').replace('"ret"', '""'));
    expect(amend(json, null, { text: '' })).not.toMatch(/sec|ret"/);
  });

  test('keeps what a model thought, and its signature', () => {
    const thinking = json.replace('{"text":"sec"}', '{"text":"hm","thought":true,"thoughtSignature":"s0"}');
    expect(amend(thinking, null, { text: 'fine' })).toBe(thinking.replace('"ret"', '"fine"'));
  });

  test('takes calls of all candidates by the order of the facts', () => {
    const candidate = (index: number, name: string) => ({
      index,
      content: { parts: [{ functionCall: { name, args: { n: index } } }] },
    });
    const body = JSON.stringify({ candidates: [candidate(1, 'b'), candidate(0, 'a')] });
    const amendment = { toolCalls: [{ id: '#1', arguments: { n: 7 } }] };
    expect(amend(body, null, amendment)).toBe(body.replace('{"n":0}', '{"n":7}'));
  });

  test.each([
    ['a call it does not have', { toolCalls: [{ id: 'z', arguments: {} }] }],
    ['arguments that are no object', { toolCalls: [{ id: 'a', arguments: [1] }] }],
    ['a call amended twice', { toolCalls: ['a', 'a'].map((id) => ({ id, arguments: {} })) }],
  ])('does not take %s', (_what, amendment) => {
    expect(codeOf(() => amend(json, null, amendment))).toBe('invalid_argument');
  });

  test('does not take arguments for what the client does not carry out', () => {
    const body = '{"candidates":[{"content":{"parts":[{"executableCode":{"code":"x"}}]}}]}';
    const amendment = { toolCalls: [{ id: '#1', arguments: { code: 'y' } }] };
    expect(codeOf(() => amend(body, null, amendment))).toBe('invalid_argument');
  });

  test('of another operation is not amended', () => {
    expect(codeOf(() => amend('{"totalTokens":1}', null, { text: 'x' }, 'count_tokens'))).toBe(
      'invalid_argument',
    );
  });
});

const piece = (parts: readonly unknown[]) => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0 }],
});
const end = {
  candidates: [{ content: { parts: [{ text: '' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 1 },
};
const chunks = [
  piece([{ text: 'sec' }]),
  piece([{ text: 'ret' }]),
  piece([{ functionCall: { id: 'a', name: 'f', args: { n: 1 } }, thoughtSignature: 's1' }]),
  piece([{ functionCall: { id: 'b', name: 'pay', willContinue: true } }]),
  piece([{ functionCall: { partialArgs: [{ jsonPath: '$.n', numberValue: 25000 }], willContinue: true } }]),
  piece([{ functionCall: {} }]),
  end,
];
const both = { text: 'fine', toolCalls: [{ id: 'b', arguments: { n: 10 } }] };

describe('a stream of events', () => {
  test('is read by the SDK with the new text and arguments, and nothing of the old', async () => {
    const amended = amend(events(...chunks), 'sse', both);
    expect(await streamed(amended)).toEqual({
      text: 'fine',
      calls: [
        { id: 'a', name: 'f', args: { n: 1 } },
        { id: 'b', name: 'pay', args: { n: 10 } },
      ],
    });
    expect(amended).not.toMatch(/25000|willContinue|partialArgs/);
    expect(amended).toContain('"thoughtSignature":"s1"');
  });

  test('repairs arguments that do not end', async () => {
    const broken = events(...chunks.filter((_chunk, i) => i !== 5));
    expect(gemini.openStream('stream_generate_content', 200, 'sse').push(Buffer.from(broken))).toHaveLength(
      6,
    );
    const { calls } = await streamed(amend(broken, 'sse', both));
    expect(calls).toContainEqual({ id: 'b', name: 'pay', args: { n: 10 } });
  });

  test('that was cut off is not amended', () => {
    expect(codeOf(() => amend(events(...chunks.slice(0, 3)), 'sse', { text: 'x' }))).toBe('invalid_argument');
  });
});

test('an array keeps its form', () => {
  const array = `[${chunks.map((chunk) => JSON.stringify(chunk)).join('\n,\r\n')}\n]\n`;
  const amended = amend(array, 'json-array', both);
  expect(amended.match(/\n,\r\n/g)).toHaveLength(chunks.length - 1);
  expect(amended.endsWith('\n]\n')).toBe(true);
  const parts = JSON.parse(amended).flatMap((chunk: typeof end) => chunk.candidates[0]?.content.parts ?? []);
  expect(parts.map((part: { text?: string }) => part.text ?? '').join('')).toBe('fine');
  expect(JSON.stringify(parts)).toContain('{"id":"b","name":"pay","args":{"n":10}}');
});
