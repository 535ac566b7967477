import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { events, readStream } from '../streams.ts';

const gemini = protocolOf('gemini');

const answer = (parts: readonly unknown[], more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0, ...more }],
});
const piece = (parts: readonly unknown[]) => ({ candidates: [{ content: { role: 'model', parts } }] });
const end = { candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'STOP' }] };

function read(body: unknown) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return gemini.readResponse('generate_content', 200, bytes);
}

const stream = (...chunks: readonly unknown[]) =>
  readStream(gemini, 'stream_generate_content', events(...chunks));

describe('a whole answer', () => {
  test('shows its text in one, as the SDK does, and not its thoughts', () => {
    const parts = [{ text: 'thinking', thought: true }, { text: 'One ' }, { text: 'moment.' }];
    expect(read(answer(parts)).facts.text).toBe('One moment.');
  });

  test('has the words of a text file in it, and of no other', () => {
    const file = (mimeType: string, words: string, more: object = {}) => ({
      inlineData: { mimeType, data: Buffer.from(words).toString('base64') },
      ...more,
    });
    const thought = file('text/plain', 'thinking', { thought: true });
    const parts = [
      { text: 'One ' },
      file('text/csv', 'a,b'),
      file('image/png', 'x'),
      thought,
      { text: 'moment.' },
    ];
    expect(read(answer(parts)).facts.text).toBe('One moment.\na,b');
  });

  test('keeps the spelling of a call’s arguments', () => {
    const args = '{ "amount": 12345678901234567890,  "rate": 1.0 }';
    const body = `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"pay","args":${args}}}]}}]}`;
    expect(read(body).facts.toolCalls).toMatchObject([{ id: '#1', name: 'pay', argumentsText: args }]);
  });

  test('gives calls without an id, or with the same one, ids of their own', () => {
    const call = { functionCall: { id: 'a', name: 'f', args: {} } };
    const { facts } = read(answer([call, call, { functionCall: { name: 'g' } }]));
    expect(facts.toolCalls.map(({ id }) => id)).toEqual(['a', 'a#2', '#3']);
  });

  test('shows the calls and texts of every candidate, in the order of their indexes', () => {
    const candidate = (index: number, name: string) => ({
      index,
      content: { parts: [{ text: name }, { functionCall: { name, args: {} } }] },
      finishReason: 'STOP',
    });
    const { facts } = read({ candidates: [candidate(1, 'b'), candidate(0, 'a')] });
    expect(facts.text).toBe('a\nb');
    expect(facts.toolCalls.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test.each([
    ['a kind of part that is not known', { teleport: { to: 'Mars' } }, 'teleport', { to: 'Mars' }],
    ['one that is no object', { teleport: 'Mars' }, 'teleport', { value: 'Mars' }],
    ['code to run', { executableCode: { code: 'rm -rf /' } }, 'executableCode', { code: 'rm -rf /' }],
    [
      'a call of a tool of Google’s',
      { toolCall: { id: 't', toolType: 'GOOGLE_SEARCH_WEB', args: { query: 'q' } } },
      'GOOGLE_SEARCH_WEB',
      { query: 'q' },
    ],
    ['a call in the other spelling', { function_call: { name: 'pay', args: { a: 1 } } }, 'pay', { a: 1 }],
    ['a call behind a text', { text: 'x', functionCall: { name: 'pay', args: { a: 1 } } }, 'pay', { a: 1 }],
    ['a call that a thought makes', { thought: true, functionCall: { name: 'f' } }, 'f', {}],
  ])('%s is a call', (_what, part, name, args) => {
    expect(read(answer([part]))).toMatchObject({
      defects: [],
      facts: { toolCalls: [{ name, arguments: args }] },
    });
  });

  test.each([
    { text: 'x' },
    { inlineData: { mimeType: 'image/png', data: 'AA==' } },
    { fileData: { fileUri: 'gs://b/o' } },
    { codeExecutionResult: { outcome: 'OUTCOME_OK' } },
    { toolResponse: { toolType: 'GOOGLE_SEARCH_WEB', response: {} } },
    { text: '', thoughtSignature: 's', partMetadata: {}, functionCall: null },
  ])('%j is no call', (part) => {
    expect(read(answer([part]))).toMatchObject({ defects: [], facts: { toolCalls: [] } });
  });

  test('shows why a prompt was blocked, and by what', () => {
    const promptFeedback = { blockReason: 'SAFETY', blockReasonMessage: 'Not this.' };
    expect(read({ promptFeedback }).facts.refusal).toBe('SAFETY\nNot this.');
  });

  test('with numbers for names says the same', () => {
    expect(read(answer([], { finishReason: 1 })).facts.finishReason).toBe('STOP');
    expect(read(answer([], { finishReason: 0 })).facts.finishReason).toBe('');
    expect(read(answer([], { finishReason: 17 })).facts.finishReason).toBe('17');
  });

  test('that has nothing to say is no defect', () => {
    const { defects, facts } = read({ usageMetadata: { promptTokenCount: 3 }, modelVersion: 'm' });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'm',
      usage: { source: 'provider', inputTokens: 3, totalTokens: 3 },
    });
  });

  test.each([
    ['{}', 'the answer has no `candidates`'],
    ['[]', 'the answer is not a JSON object'],
    ['{"candidates":{}}', '`candidates` is not a list'],
    ['{"candidates":[[]]}', 'a candidate is not an object'],
    ['{"candidates":[{"content":"x"}]}', 'the content of a candidate is not a list of parts'],
    ['{"candidates":[{"content":{"parts":{}}}]}', 'the content of a candidate is not a list of parts'],
    ['{"candidates":[{"content":{"parts":["x"]}}]}', 'a part of a candidate is not an object'],
    ['{"candidates":[{"content":{"parts":[{"text":{}}]}}]}', 'the text of a part is not a text'],
    ['{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}', 'a tool call has no name'],
    ['{"candidates":[{"content":{"parts":[{"functionCall":"f"}]}}]}', 'a function call is not an object'],
    [
      '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":[]}}]}}]}',
      'the arguments of a tool call are not an object',
    ],
    [
      '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1,"a":2}}}]}}]}',
      'the answer has the key "a" more than once',
    ],
  ])('%s is held', (body, defect) => {
    expect(read(body).defects).toEqual([defect]);
  });
});

describe('a stream', () => {
  test('passes texts, and not what could be part of a call', () => {
    const { kinds } = stream(
      piece([{ text: 'Hi', thought: true }]),
      piece([{ text: 'Hi' }]),
      piece([{ text: '', thoughtSignature: 's' }]),
      piece([{ text: 'Hi' }, { functionCall: { name: 'f' } }]),
      piece([{ teleport: {} }]),
      { usageMetadata: {} },
      end,
    );
    expect(kinds).toEqual(['text', 'text', 'other', 'tool', 'tool', 'other', 'end']);
  });

  test.each([
    '{"candidates":[5]}',
    '{"candidates":"x"}',
    '{"candidates":[{"content":{"parts":[7]}}]}',
    '[]',
    'x',
    '{"candidates":[],"candidates":[]}',
  ])('does not pass what it cannot read: %s', (data) => {
    const { kinds, defects } = stream(`data: ${data}\n\n`);
    expect(kinds).toEqual(['tool']);
    expect(defects).not.toEqual([]);
  });

  const hidden = JSON.stringify(piece([{ functionCall: { name: 'pay', args: {} } }]));

  test.each([
    ['behind a blank, which the SDK trims', ` data: ${hidden}\n\n`],
    ['as a line of its own, which another SDK parses', `${hidden}\n\n`],
    ['as such a line beside an event', `data: {}\n${hidden}\n\n`],
    ['behind a field that is none', `datum: ${hidden}\r\n\r\n`],
  ])('does not pass a call hidden %s', (_where, bytes) => {
    const { kinds, defects } = stream(bytes, end);
    expect(kinds).toEqual(['tool', 'end']);
    expect(defects).toEqual(['a line of the stream is no field of an event']);
  });

  test('may have comments, names and ids', () => {
    const { kinds, defects } = stream(
      ': hello\n\n',
      `event: x\nid: 1\nretry: 5\ndata: {}\r\n\r\n`,
      '\n\r\n',
      end,
    );
    expect(kinds.filter((kind) => kind !== 'other')).toEqual(['end']);
    expect(defects).toEqual([]);
  });

  test('is complete when every candidate has finished', () => {
    const of = (index: number, finishReason?: string) => ({ candidates: [{ index, finishReason }] });
    expect(stream(of(0), of(1), of(0, 'STOP')).complete).toBe(false);
    expect(stream(of(0), of(1), of(0, 'STOP'), of(1, 'MAX_TOKENS')).complete).toBe(true);
    expect(stream().complete).toBe(false);
    expect(stream({ usageMetadata: {} }).complete).toBe(false);
    expect(stream({ promptFeedback: { blockReason: 'OTHER' } }).complete).toBe(true);
  });

  test('with an error in it has failed', () => {
    const { kinds, failed } = stream(piece([{ text: 'Hi' }]), { error: { code: 500, message: 'no' } });
    expect(kinds).toEqual(['text', 'error']);
    expect(failed).toBe(true);
  });

  test('takes the last totals for what was used', () => {
    const usage = (promptTokenCount: number) => ({ usageMetadata: { promptTokenCount, trafficType: 'X' } });
    expect(stream(usage(1), usage(2), { usageMetadata: {} }, end).facts.usage.inputTokens).toBe(2);
    expect(stream({ usageMetadata: { trafficType: 'X' } }, end).facts.usage.source).toBe('absent');
  });
});

describe('arguments that stream', () => {
  const open = piece([{ functionCall: { name: 'f', willContinue: true } }]);
  const args = (...partialArgs: readonly object[]) =>
    piece([{ functionCall: { partialArgs, willContinue: true } }]);
  const close = piece([{ functionCall: {} }]);
  const argumentsOf = (...chunks: readonly object[]) => {
    const { facts, defects } = stream(open, ...chunks, close, end);
    return { defects, arguments: facts.toolCalls.map((call) => call.arguments) };
  };

  test('are put together by their paths', () => {
    const { defects, arguments: all } = argumentsOf(
      args({ jsonPath: '$.text', stringValue: 'a', willContinue: true }),
      args({ jsonPath: '$.text', stringValue: 'b' }),
      args({ jsonPath: '$.deep[0].x', numberValue: 1.5 }, { jsonPath: '$.deep[0].y', boolValue: false }),
      args({ jsonPath: '$.deep[1]', nullValue: 'NULL_VALUE' }, { jsonPath: "$['a.b']", nullValue: null }),
      args({ jsonPath: '$.deep[]' }, { jsonPath: '$.none[]' }, { jsonPath: '$.empty' }),
    );
    expect(defects).toEqual([]);
    expect(all).toEqual([
      { text: 'ab', deep: [{ x: 1.5, y: false }, null], 'a.b': null, none: [], empty: {} },
    ]);
  });

  test('cannot reach what every object inherits', () => {
    const { arguments: all } = argumentsOf(args({ jsonPath: '$.__proto__.polluted', boolValue: true }));
    expect(JSON.stringify(all)).toBe('[{"__proto__":{"polluted":true}}]');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test('may come with the call’s name, and end with it', () => {
    const whole = piece([
      { functionCall: { name: 'f', partialArgs: [{ jsonPath: '$.a', numberValue: 1 }] } },
    ]);
    expect(stream(whole, whole, end)).toMatchObject({
      defects: [],
      facts: { toolCalls: [{ arguments: { a: 1 } }, { arguments: { a: 1 } }] },
    });
  });

  test.each([
    ['a path that is none', { jsonPath: 'a', numberValue: 1 }],
    ['a path with a wildcard', { jsonPath: '$..a', numberValue: 1 }],
    ['a place past the list’s end', { jsonPath: '$.list[3]', numberValue: 1 }],
    ['a place in an object', { jsonPath: '$[0]', numberValue: 1 }],
    ['the whole at once', { jsonPath: '$', stringValue: '{}' }],
    ['two values', { jsonPath: '$.a', stringValue: 'x', numberValue: 1 }],
    ['a value of another kind', { jsonPath: '$.a', structValue: {} }],
    ['a number that is none', { jsonPath: '$.a', numberValue: 'NaN' }],
    ['no path', { numberValue: 1 }],
  ])('are held at %s', (_what, arg) => {
    expect(argumentsOf(args(arg)).defects).toEqual([
      'the argument text of a tool call is streamed in a form that clients may read differently',
    ]);
  });

  test('are held where a value comes twice', () => {
    for (const value of [{ numberValue: 1 }, { stringValue: 'x' }]) {
      const arg = { jsonPath: '$.a', ...value };
      expect(argumentsOf(args(arg), args(arg)).defects).toHaveLength(1);
    }
  });

  test('are held where they do not end, and where two calls are mixed up', () => {
    expect(stream(open, end).defects).toEqual(['the argument text of a tool call does not end']);
    expect(stream(open, open, close, end).defects).toEqual([
      'a tool call begins before the one before it has ended',
    ]);
    expect(
      stream(piece([{ functionCall: { name: 'f', args: { a: 1 }, willContinue: true } }]), close, end)
        .defects,
    ).toEqual(['a tool call has its arguments both whole and in pieces']);
  });
});
