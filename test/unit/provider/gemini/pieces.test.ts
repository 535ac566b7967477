/** What the AI SDK and @google/genai make of a call whose arguments Gemini streams, beside what rules see of it. */
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { GoogleGenAI } from '@google/genai';
import { afterEach, expect, test, vi } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { answering, events, readStream } from '../streams.ts';

const content = (call: object) => ({ content: { role: 'model', parts: [{ functionCall: call }] } });
const argument = (text: string, willContinue = true) => ({
  partialArgs: [{ jsonPath: '$.path', stringValue: text, willContinue }],
  willContinue: true,
});
const partial = (call: object, more: object = {}) => ({
  candidates: [{ ...content(call), index: 0 }],
  ...more,
});

/** A call in three pieces, of which a client may miss the second. */
const around = (event: unknown): string =>
  events(
    partial({ name: 'remove', willContinue: true }),
    partial(argument('/')),
    event,
    partial(argument('x', false)),
    { candidates: [{ ...content({}), index: 0, finishReason: 'STOP' }] },
  );
const second = argument('tmp/');

async function byAiSdk(stream: string): Promise<readonly string[]> {
  const answer = { headers: { 'content-type': 'text/event-stream' } };
  const fetch = async () => new Response(stream, answer);
  const model = createGoogleGenerativeAI({ apiKey: 'none', fetch })('gemini');
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'x' }] }];
  const inputs: string[] = [];
  for await (const part of (await model.doStream({ prompt })).stream)
    if (part.type === 'tool-call') inputs.push(part.input);
  return inputs;
}

const read = (stream: string) => readStream(protocolOf('gemini'), 'stream_generate_content', stream);

test('a streamed call is the same to the AI SDK', async () => {
  const stream = around(partial(second));
  expect(await byAiSdk(stream)).toEqual(['{"path":"/tmp/x"}']);
  expect(read(stream)).toMatchObject({
    defects: [],
    facts: { toolCalls: [{ arguments: { path: '/tmp/x' } }] },
  });
});

test('a part whose name is no text, which JavaScript makes one of, is no piece of the call before it', () => {
  expect(read(around(partial({ name: ['remove_all'], willContinue: true }))).defects).toContain(
    'the name of a tool call is not a text',
  );
});

test.each([
  ['in a candidate that is not the first', { candidates: [{ index: 1 }, { ...content(second), index: 0 }] }],
  ['beside a count that is a text', partial(second, { usageMetadata: { totalTokenCount: '1' } })],
  ['beside an id that is none', partial(second, { responseId: 7 })],
  ['beside what was asked in the wrong way', partial(second, { promptFeedback: { blockReason: 1 } })],
  [
    'beside what came of code that did not come to an end',
    {
      candidates: [{ content: { parts: [{ functionCall: second }, { codeExecutionResult: {} }] }, index: 0 }],
    },
  ],
  ...(
    [
      ['groundingMetadata', { groundingChunks: [{ web: { title: 'x' } }] }],
      ['urlContextMetadata', { urlMetadata: [{}] }],
      ['continuationToken', 1],
    ] as const
  ).map(([name, value]): [string, unknown] => [
    `beside a \`${name}\` of another kind`,
    { candidates: [{ ...content(second), index: 0, [name]: value }] },
  ]),
  [
    'of a candidate that ends with a number',
    { candidates: [{ ...content(second), index: 0, finishReason: 0 }] },
  ],
])('a piece %s, which the AI SDK passes over, is a defect', async (_what, event) => {
  const stream = around(event);
  expect(await byAiSdk(stream)).toEqual(['{"path":"/x"}']);
  expect(read(stream)).toMatchObject({
    defects: ['some clients pass over a piece of a tool call'],
    facts: { toolCalls: [{ arguments: { path: '/tmp/x' } }] },
  });
});

afterEach(() => vi.unstubAllGlobals());

async function byGoogle(stream: string): Promise<string> {
  vi.stubGlobal('fetch', answering(stream));
  const asked = { model: 'gemini', contents: 'x' };
  const path: string[] = [];
  for await (const chunk of await new GoogleGenAI({ apiKey: 'none' }).models.generateContentStream(asked))
    for (const call of chunk.functionCalls ?? [])
      for (const { stringValue } of call.partialArgs ?? []) path.push(stringValue ?? '');
  return path.join('');
}

test.each(['id: 1\n', 'event: message\n', ': comment\n', 'retry: 5\n'])(
  'a piece behind %j, which @google/genai passes over, is a defect',
  async (before) => {
    const stream = around(`${before}${events(partial(second))}`);
    expect(await byGoogle(stream)).toBe('/x');
    expect(read(stream)).toMatchObject({
      defects: ['some clients pass over a piece of a tool call'],
      facts: { toolCalls: [{ arguments: { path: '/tmp/x' } }] },
    });
  },
);

test.each(['\ufeff', '\r\n'])('a stream that begins with %j is the same to @google/genai', async (before) => {
  const stream = `${before}${around(partial(second))}`;
  expect(await byGoogle(stream)).toBe('/tmp/x');
  expect(read(stream).defects).toEqual([]);
});

test('a piece beside what an answer was drawn from, as documented, is the same to the AI SDK', async () => {
  const groundingMetadata = {
    webSearchQueries: ['x'],
    searchEntryPoint: { renderedContent: '<b>' },
    groundingChunks: [{ web: { uri: 'https://a.example', title: 'A', domain: 'a.example' } }],
    groundingSupports: [{ segment: { endIndex: 3, text: 'abc' }, groundingChunkIndices: [0] }],
    retrievalMetadata: {},
  };
  const urlContextMetadata = {
    urlMetadata: [{ retrievedUrl: 'https://a.example', urlRetrievalStatus: 'OK' }],
  };
  const stream = around({
    candidates: [{ ...content(second), index: 0, groundingMetadata, urlContextMetadata }],
  });
  expect(await byAiSdk(stream)).toEqual(['{"path":"/tmp/x"}']);
  expect(read(stream).defects).toEqual([]);
});

test.each([
  ['partial_args', { partial_args: [{ json_path: '$.path', string_value: '/' }] }],
  ['will_continue', { args: {}, will_continue: true }],
])(
  'a call with `%s`, which only some of Google’s clients take for one of its members, is a defect',
  (name, call) => {
    const { defects } = read(events(partial({ name: 'remove', ...call })));
    expect(defects).toEqual([expect.stringContaining(`"${name}" may be read as`)]);
  },
);
