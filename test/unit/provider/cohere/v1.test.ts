import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { StreamForm } from '../../../../src/provider/protocol.ts';
import { amended, lines, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const cohere = protocolOf('cohere');
const meta = { tokens: { input_tokens: 7, output_tokens: 5 } };
const calls = [
  { name: 'look', parameters: {} },
  { name: 'pay', parameters: { amount: 25000 } },
];
const response = {
  text: 'One moment.',
  finish_reason: 'COMPLETE',
  tool_calls: calls,
  citations: [{ start: 0, end: 3 }],
  chat_history: [
    { role: 'USER', message: 'Pay.' },
    { role: 'CHATBOT', message: 'One moment.', tool_calls: calls },
  ],
  meta,
};
const event = (type: string, more: object = {}) => ({ is_finished: false, event_type: type, ...more });
const piece = (index: number, more: object) =>
  event('tool-calls-chunk', { tool_call_delta: { index, ...more } });
const parts = [
  event('stream-start', { generation_id: 'g' }),
  event('text-generation', { text: 'One ' }),
  event('tool-calls-chunk', { text: 'moment.' }),
  piece(0, { name: 'look' }),
  piece(0, { parameters: '{}' }),
  piece(1, { name: 'pay' }),
  piece(1, { parameters: '{"amount":' }),
  piece(1, { parameters: '25000}' }),
  event('tool-calls-generation', { text: 'One moment.', tool_calls: calls }),
  event('stream-end', { is_finished: true, finish_reason: 'COMPLETE', response }),
];
const streamed = lines(...parts);
const whole = JSON.stringify(response);
const read = (form: StreamForm | null, body: string, operation = 'chat.v1') =>
  readAs(form, cohere, operation, body);

describe('a streamed chat', () => {
  test('with a name that is no text has a defect', () => {
    const stream = lines(piece(0, { name: 'look' }), piece(0, { name: ['pay'], parameters: '{}' }));
    expect(read('ndjson', stream).defects).toEqual(['the name of a tool call is not a text']);
  });

  test('gives text and calls once, though the stream says them thrice', () => {
    const { facts, defects, complete, kinds } = read('ndjson', streamed);
    expect(kinds.join(' ')).toBe('other text tool tool tool tool tool tool tool tool');
    expect({ defects, complete }).toEqual({ defects: [], complete: true });
    expect(facts).toMatchObject({
      text: 'One moment.',
      finishReason: 'COMPLETE',
      usage: { totalTokens: 12 },
    });
    expect(facts.toolCalls).toEqual([
      { id: '#1', name: 'look', arguments: {}, argumentsText: '{}' },
      { id: '#2', name: 'pay', arguments: { amount: 25000 }, argumentsText: '{"amount":25000}' },
    ]);
  });

  test('has the facts of the whole answer, and of the same stream as events', () => {
    expect(read('ndjson', streamed).facts).toEqual(read(null, whole).facts);
    expect(read('sse', events(...parts))).toEqual(read('ndjson', streamed));
  });

  test('is taken for lines by the media type that the provider uses', () => {
    expect(cohere.streamFormOf('chat.v1', 'application/stream+json; charset=utf-8')).toBe('ndjson');
    expect(cohere.streamFormOf('chat.v1', 'application/json')).toBeNull();
  });

  test('of text alone ends in an event that carries no call', () => {
    const { tool_calls: _calls, chat_history: _history, ...said } = response;
    const body = lines(
      event('text-generation', { text: 'One moment.' }),
      event('stream-end', { response: said }),
    );
    expect(read('ndjson', body)).toMatchObject({ kinds: ['text', 'end'], facts: { text: 'One moment.' } });
  });

  test('that says other calls at its end than before shows all of them, and is a defect', () => {
    const other = { ...response, tool_calls: [{ name: 'wipe', parameters: {} }] };
    const { facts, defects } = read(
      'ndjson',
      lines(...parts.slice(0, -1), event('stream-end', { response: other })),
    );
    expect(defects).toEqual([expect.stringContaining('differ')]);
    expect(facts.toolCalls.map(({ name }) => name)).toEqual(['look', 'pay', 'wipe']);
  });

  test('shows the plan that pieces of calls tell, once where the event tells it too', () => {
    const body = lines(
      piece(0, { text: 'Pay ' }),
      { ...piece(0, { text: 'him.' }), text: 'him.' },
      event('stream-end', { response: {} }),
    );
    expect(read('ndjson', body).facts.text).toBe('Pay him.');
  });

  test('that says other text at its end than before shows both', () => {
    const body = lines(
      event('text-generation', { text: 'a' }),
      event('stream-end', { response: { text: 'b' } }),
    );
    expect(read('ndjson', body).facts.text).toBe('a\nb');
  });

  test.each([
    ['chat.v1', event('stream-end', { finish_reason: 'ERROR' })],
    ['generate', event('stream-error', { err: 'x' })],
  ])('of %s that ends in an error has failed', (operation, last) => {
    expect(read('ndjson', lines(last), operation)).toMatchObject({
      failed: true,
      complete: false,
      kinds: ['error'],
    });
  });

  test.each([
    ['an event of an unknown type', event('code-execution')],
    ['an event without a type', { text: 'x' }],
    ['calls that are no list', event('tool-calls-generation', { tool_calls: { a: 1 } })],
    [
      'parameters that are no object',
      event('tool-calls-generation', { tool_calls: [{ name: 'f', parameters: 5 }] }),
    ],
  ])('with %s lets nothing pass unjudged and is a defect', (_what, value) => {
    const { kinds, defects } = read('ndjson', lines(value));
    expect(kinds).toEqual(['tool']);
    expect(defects).not.toEqual([]);
  });
});

describe('a whole answer', () => {
  test('keeps the spelling of parameters', () => {
    const body = '{"text":"","tool_calls":[{"name":"pay","parameters":{"n": 1.0}}]}';
    expect(read(null, body).facts.toolCalls[0]?.argumentsText).toBe('{"n": 1.0}');
  });

  test.each([
    ['generate', { generations: [{ text: 'a' }, { text: 'b' }] }, 'a\nb'],
    ['summarize', { summary: 'a' }, 'a'],
  ])('of %s gives its text', (operation, body, text) => {
    expect(read(null, JSON.stringify(body), operation)).toMatchObject({ facts: { text }, defects: [] });
  });

  test('without text is a defect', () => {
    expect(read(null, '{"finish_reason":"COMPLETE"}').defects).not.toEqual([]);
  });
});

test('a streamed generation keeps what was generated side by side apart', () => {
  const part = (index: number, text: string) => event('text-generation', { index, text });
  const body = lines(
    part(0, 'a'),
    part(1, 'b'),
    part(0, 'c'),
    event('stream-end', { response: { generations: [{ text: 'ac' }, { text: 'b' }] } }),
  );
  expect(read('ndjson', body, 'generate')).toMatchObject({ facts: { text: 'ac\nb' }, complete: true });
});

describe('an amendment', () => {
  const cheaper = { toolCalls: [{ id: '#2', arguments: { amount: 9 } }] };
  const forms = [
    ['lines', 'ndjson', streamed],
    ['events', 'sse', events(...parts)],
    ['one whole', null, whole],
  ] as const;

  test.each(forms)('of a call as %s stands in every place that repeats it', (_what, form, original) => {
    const result = amended(form, cohere, 'chat.v1', original, cheaper);
    expect(result).not.toContain('25000');
    expect(read(form, result).facts.toolCalls).toMatchObject([
      { name: 'look', arguments: {} },
      { name: 'pay', arguments: { amount: 9 } },
    ]);
    expect(read(form, result).facts.text).toBe('One moment.');
  });

  test.each(forms)('of the text as %s stands in every place that repeats it', (_what, form, original) => {
    const result = amended(form, cohere, 'chat.v1', original, { text: 'Wait.' });
    expect(result).not.toContain('moment');
    expect(result).not.toContain('"end":3');
    expect(read(form, result).facts).toMatchObject({ text: 'Wait.' });
    expect(read(form, result).facts.toolCalls).toEqual(read(form, original).facts.toolCalls);
  });

  test.each(['ndjson', 'sse'] as const)('of a plan told by pieces of calls leaves none of it: %s', (form) => {
    const told = [
      piece(0, { text: 'One ' }),
      piece(0, { text: 'moment.', name: 'look', parameters: '{}' }),
      event('tool-calls-generation', { text: 'One moment.', tool_calls: calls.slice(0, 1) }),
      event('stream-end', { finish_reason: 'COMPLETE', response: { text: '' } }),
    ];
    const original = form === 'sse' ? events(...told) : lines(...told);
    expect(read(form, original).facts.text).toBe('One moment.');
    const result = amended(form, cohere, 'chat.v1', original, { text: 'Wait.' });
    expect(result).not.toMatch(/One|moment/);
    expect(read(form, result)).toMatchObject({ facts: { text: 'Wait.' }, defects: [] });
  });

  const spaced = '{ "event_type": "text-generation", "text": "Hm." }';
  const cited = event('citation-generation', { citations: [{ start: 0, end: 2, text: 'Hm.' }] });
  const citing = [
    `${spaced}\n`,
    lines(
      cited,
      event('tool-calls-generation', { tool_calls: calls }),
      event('stream-end', { response: { text: 'Hm.', tool_calls: calls } }),
    ),
  ].join('');

  test('of a call keeps the bytes of the text beside it, and what they cite', () => {
    const result = amended('ndjson', cohere, 'chat.v1', citing, cheaper);
    expect(result.split('\n').slice(0, 2)).toEqual([spaced, JSON.stringify(cited)]);
  });

  test('of the text leaves no event that cites the one it replaces', () => {
    expect(amended('ndjson', cohere, 'chat.v1', citing, { text: 'Wait.' })).not.toContain('Hm.');
  });

  test('of the text changes no other turn, and gives none to a turn that has calls alone', () => {
    const turns = (last: object) => [{ role: 'CHATBOT', message: 'Earlier.' }, last];
    const historyWith = (last: object): unknown => {
      const original = JSON.stringify({ ...response, chat_history: turns(last) });
      return JSON.parse(amended(null, cohere, 'chat.v1', original, { text: 'Wait.' })).chat_history;
    };
    const asked = { role: 'USER', message: 'Pay.' };
    expect(historyWith(asked)).toEqual(turns(asked));
    const silent = { role: 'CHATBOT', message: '', tool_calls: calls };
    expect(historyWith(silent)).toEqual(turns(silent));
  });

  test('of a generation changes it', () => {
    const body = JSON.stringify({ generations: [{ id: 'a', text: 'old' }] });
    expect(JSON.parse(amended(null, cohere, 'generate', body, { text: 'new' }))).toEqual({
      generations: [{ id: 'a', text: 'new' }],
    });
  });
});

test('what keeps a connection alive says nothing', () => {
  const line = String(cohere.keepAliveEvent('chat.v1', 'ndjson', 'm'));
  expect(read('ndjson', line)).toMatchObject({ kinds: ['other'], facts: { text: '' }, defects: [] });
  expect(cohere.keepAliveEvent('chat', 'sse', 'm')).toBeNull();
});
