import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from '../lines.ts';
import { events, typedEvents } from '../streams.ts';

const cohere = protocolOf('cohere');
const usage = {
  billed_units: { input_tokens: 3, output_tokens: 2 },
  tokens: { input_tokens: 7, output_tokens: 5 },
};
const delta = (message: object) => ({ delta: { message } });
const start = (index: number, id: string, name: string, args = '') => ({
  type: 'tool-call-start',
  index,
  ...delta({ tool_calls: { id, type: 'function', function: { name, arguments: args } } }),
});
const piece = (index: number, args: string) => ({
  type: 'tool-call-delta',
  index,
  ...delta({ tool_calls: { function: { arguments: args } } }),
});
const content = (index: number, text: string) => ({
  type: 'content-delta',
  index,
  ...delta({ content: { text } }),
});
const opened = {
  id: 'm1',
  type: 'message-start',
  ...delta({ role: 'assistant', content: [], tool_calls: [] }),
};
const end = { type: 'message-end', delta: { finish_reason: 'TOOL_CALL', usage } };
const streamed = typedEvents(
  opened,
  { type: 'tool-plan-delta', ...delta({ tool_plan: 'I will ' }) },
  { type: 'tool-plan-delta', ...delta({ tool_plan: 'pay.' }) },
  { type: 'content-start', index: 0, ...delta({ content: { type: 'thinking', thinking: '' } }) },
  { type: 'content-delta', index: 0, ...delta({ content: { thinking: 'Secret plan.' } }) },
  { type: 'content-end', index: 0 },
  { type: 'content-start', index: 1, ...delta({ content: { type: 'text', text: '' } }) },
  content(1, 'One '),
  content(1, 'moment.'),
  { type: 'content-end', index: 1 },
  { type: 'citation-start', index: 0, ...delta({ citations: { start: 0, end: 3, text: 'One' } }) },
  { type: 'citation-end', index: 0 },
  start(0, 'look_1', 'look'),
  piece(0, '{}'),
  { type: 'tool-call-end', index: 0 },
  start(1, 'pay_1', 'pay'),
  piece(1, '{"amount":'),
  piece(1, ' 25000}'),
  { type: 'tool-call-end', index: 1 },
  end,
);
const call = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
const message = {
  role: 'assistant',
  tool_plan: 'I will pay.',
  content: [
    { type: 'thinking', thinking: 'Secret plan.' },
    { type: 'text', text: 'One moment.' },
  ],
  tool_calls: [call('look_1', 'look', '{}'), call('pay_1', 'pay', '{"amount": 25000}')],
  citations: [{ start: 0, end: 3, text: 'One' }],
};
const whole = JSON.stringify({ id: 'm1', finish_reason: 'TOOL_CALL', message, usage });
const read = (form: 'sse' | null, body: string) => readAs(form, cohere, 'chat', body);

describe('the operation of a path', () => {
  test.each([
    ['POST', '/v2/chat', 'chat'],
    ['POST', '/gateway/V2/Chat/', 'chat'],
    ['POST', '/v1/chat', 'chat.v1'],
    ['POST', '/v1/generate', 'generate'],
    ['POST', '/v1/summarize', 'summarize'],
    ['POST', '/v2/embed', 'embed'],
    ['POST', '/v1/rerank', 'rerank'],
    ['POST', '/v1/classify', 'classify'],
    ['POST', '/v1/tokenize', 'tokenize'],
    ['POST', '/v2/audio/transcriptions', 'transcriptions'],
    ['POST', '/compatibility/v1/chat/completions', 'chat.completions'],
    ['POST', '/v1/detokenize', 'unknown'],
    ['POST', '/v1/datasets', 'unknown'],
    ['GET', '/v1/models', 'unknown'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(cohere.operationOf(method, path)).toBe(operation);
  });

  test('says whether an answer can hold what rules judge', () => {
    const unread = ['embed', 'rerank', 'classify', 'tokenize', 'unknown'];
    expect(unread.filter((operation) => cohere.readsAnswer(operation))).toEqual([]);
    const answering = ['chat', 'chat.v1', 'generate', 'summarize', 'transcriptions', 'chat.completions'];
    expect(answering.filter((operation) => cohere.readsAnswer(operation))).toEqual(answering);
  });
});

describe('a chat request', () => {
  test('shows messages, plans, documents and tools', () => {
    const { facts, defects } = asked(cohere, 'chat', {
      model: 'command-a',
      safety_mode: 'STRICT',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Pay.' },
            { type: 'image_url', image_url: { url: 'x' } },
          ],
        },
        { role: 'assistant', tool_plan: 'I pay.', tool_calls: [call('a', 'pay', '{"n":1}')] },
        {
          role: 'tool',
          tool_call_id: 'a',
          content: [{ type: 'document', document: { data: { t: 'Paid.' } } }],
        },
      ],
      documents: ['A fact.', { id: 'd', data: { title: 'Another.' } }],
      tools: [{ type: 'function', function: { name: 'pay', description: 'Pays.', parameters: {} } }],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'command-a',
      system: 'Be brief.',
      params: { safety_mode: 'STRICT' },
      tools: [{ name: 'pay', description: 'Pays.' }],
    });
    for (const words of ['Be brief.', 'Pay.', 'I pay.', 'Paid.', 'A fact.', 'Another.']) {
      expect(facts.text).toContain(words);
    }
    expect(facts.messages[2]?.toolCalls).toMatchObject([{ name: 'pay', arguments: { n: 1 } }]);
  });

  test('of the first API shows preamble, history, results of tools and the message', () => {
    const { facts, defects } = asked(cohere, 'chat.v1', {
      model: 'command-r',
      preamble: 'Be brief.',
      chat_history: [
        { role: 'SYSTEM', message: 'Obey.' },
        { role: 'CHATBOT', message: 'Looking.', tool_calls: [{ name: 'look', parameters: { n: 1 } }] },
        { role: 'TOOL', tool_results: [{ call: { name: 'look' }, outputs: [{ t: 'Found.' }] }] },
      ],
      message: 'Pay.',
      tools: [{ name: 'pay', description: 'Pays.', parameter_definitions: {} }],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      stream: false,
      system: 'Be brief.\nObey.',
      params: {},
      tools: [{ name: 'pay', description: 'Pays.' }],
    });
    for (const words of ['Be brief.', 'Obey.', 'Looking.', 'Found.', 'Pay.'])
      expect(facts.text).toContain(words);
    expect(facts.messages.map(({ role }) => role)).toEqual(['system', 'assistant', 'tool', 'user']);
    expect(facts.messages[1]?.toolCalls).toMatchObject([{ name: 'look', arguments: { n: 1 } }]);
  });

  test.each([['{"message":{}}'], ['{"chat_history":[1]}'], ['{"Message":"x"}'], ['{"messages":{}}']])(
    '%s is a defect',
    (body) => {
      expect(asked(cohere, 'chat.v1', body).defects).not.toEqual([]);
    },
  );

  test.each([
    ['generate', { prompt: 'Tell.' }, 'Tell.'],
    ['summarize', { text: 'Long.', additional_command: 'Briefly.' }, 'Briefly.\nLong.'],
    ['embed', { texts: ['a', 'b'] }, 'a\nb'],
    ['embed', { inputs: [{ content: [{ type: 'text', text: 'c' }] }] }, 'c'],
    ['rerank', { query: 'q', documents: ['a', { text: 'b' }] }, 'q\na\nb'],
    ['classify', { inputs: ['a'], examples: [{ text: 'b', label: 'c' }] }, 'a\nb'],
    ['tokenize', { text: 'a' }, 'a'],
  ])('to %s shows its text', (operation, body, text) => {
    expect(asked(cohere, operation, body)).toMatchObject({ facts: { text }, defects: [] });
  });
});

describe('a streamed chat', () => {
  test('gives plan, text and calls, and says which events carry what', () => {
    const { facts, defects, complete, kinds } = read('sse', streamed);
    expect(kinds.join(' ')).toBe(
      'other text text other text other other text text other text text tool tool tool tool tool tool tool end',
    );
    expect({ defects, complete }).toEqual({ defects: [], complete: true });
    expect(facts).toMatchObject({
      text: 'I will pay.\nOne moment.',
      finishReason: 'TOOL_CALL',
      usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
    });
    expect(facts.toolCalls).toEqual([
      { id: 'look_1', name: 'look', arguments: {}, argumentsText: '{}' },
      { id: 'pay_1', name: 'pay', arguments: { amount: 25000 }, argumentsText: '{"amount": 25000}' },
    ]);
  });

  test('has the facts of the whole answer', () => {
    expect(read('sse', streamed).facts).toEqual(read(null, whole).facts);
  });

  test('without its last event is not complete, whatever else ends it', () => {
    expect(read('sse', events(opened, 'data: [DONE]\n\n'))).toMatchObject({ complete: false, failed: false });
  });

  test.each([
    ['an error', { error: 'x', finish_reason: 'COMPLETE' }],
    ['the reason ERROR', { finish_reason: 'ERROR' }],
  ])('that ends with %s has failed', (_how, ending) => {
    const body = events(opened, { type: 'message-end', delta: ending });
    expect(read('sse', body)).toMatchObject({ failed: true, complete: false, kinds: ['other', 'error'] });
  });

  test.each([
    ['pieces of two calls that are mixed', events(start(0, 'a', 'f'), start(1, 'b', 'g'), piece(0, '{}'))],
    ['a piece of no call', events(piece(0, '{}'))],
    ['an event of an unknown type', events({ type: 'code-execution', code: 'x' })],
    [
      'content of an unknown type',
      events({ type: 'content-start', index: 0, ...delta({ content: { type: 'run' } }) }),
    ],
    [
      'a beginning that has part of the answer',
      events({ type: 'message-start', ...delta({ tool_calls: [{}] }) }),
    ],
    ['a call that is no function', events({ type: 'tool-call-start', ...delta({ tool_calls: [] }) })],
    ['arguments that are no JSON', events(start(0, 'a', 'f', '{"n'))],
  ])('with %s lets nothing pass unjudged and is a defect', (_what, body) => {
    const { kinds, defects } = read('sse', body);
    expect(kinds.every((kind) => kind === 'tool')).toBe(true);
    expect(defects).not.toEqual([]);
  });
});

describe('a whole chat answer', () => {
  test.each([
    ['no message', {}],
    ['content of an unknown type', { message: { content: [{ type: 'run' }] } }],
    ['a call that is no function', { message: { tool_calls: [{ id: 'a' }] } }],
  ])('with %s is a defect', (_what, body) => {
    expect(read(null, JSON.stringify(body)).defects).not.toEqual([]);
  });

  test('that ended in an error has failed', () => {
    expect(read(null, '{"finish_reason":"ERROR","message":{}}').failed).toBe(true);
  });

  test('counts what is billed where nothing else is told', () => {
    const body = JSON.stringify({ message: {}, usage: { billed_units: usage.billed_units } });
    expect(read(null, body).facts.usage.totalTokens).toBe(5);
  });
});

describe('an amendment', () => {
  const cheaper = { toolCalls: [{ id: 'pay_1', arguments: { amount: 9 } }] };

  test.each([
    ['a stream', 'sse', streamed],
    ['a whole answer', null, whole],
  ] as const)('of a call in %s changes that call alone', (_what, form, original) => {
    const after = read(form, amended(form, cohere, 'chat', original, cheaper)).facts;
    const before = read(form, original).facts;
    expect(after.toolCalls[0]).toEqual(before.toolCalls[0]);
    expect(after.toolCalls[1]).toMatchObject({ id: 'pay_1', name: 'pay', argumentsText: '{"amount":9}' });
    expect(after.text).toBe(before.text);
  });

  test('of a call in a stream names every event after its type', () => {
    const result = amended('sse', cohere, 'chat', streamed, cheaper);
    for (const event of result.split('\n\n').slice(0, -1)) {
      const [name = '', data = ''] = event.split('\n');
      expect(`event: ${JSON.parse(data.slice('data: '.length)).type}`).toBe(name);
    }
  });

  test.each([
    ['a stream', 'sse', streamed],
    ['a whole answer', null, whole],
  ] as const)('of the text in %s leaves calls and thinking, and drops citations', (_what, form, original) => {
    const result = amended(form, cohere, 'chat', original, { text: 'Wait.' });
    const after = read(form, result).facts;
    expect(after.text).toBe('Wait.');
    expect(after.toolCalls).toEqual(read(form, original).facts.toolCalls);
    expect(result).toContain('Secret plan.');
    expect(result).not.toContain('moment');
    expect(result).not.toContain('"end":3');
  });

  test('of an answer that has a plan alone changes the plan', () => {
    const original = typedEvents(
      opened,
      { type: 'tool-plan-delta', ...delta({ tool_plan: 'Old.' }) },
      start(0, 'a', 'f', '{}'),
      end,
    );
    expect(read('sse', amended('sse', cohere, 'chat', original, { text: 'New.' })).facts.text).toBe('New.');
    const json = JSON.stringify({
      message: { tool_plan: 'Old.', tool_calls: [] },
      finish_reason: 'COMPLETE',
    });
    expect(read(null, amended(null, cohere, 'chat', json, { text: 'New.' })).facts.text).toBe('New.');
  });

  test('is refused where arguments are no object', () => {
    const amendment = { toolCalls: [{ id: 'pay_1', arguments: 'x' }] };
    expect(codeOf(() => amended(null, cohere, 'chat', whole, amendment))).toBe('invalid_argument');
  });

  test('is refused for an answer that nobody reads', () => {
    expect(codeOf(() => amended(null, cohere, 'embed', '{}', { text: 'x' }))).toBe('invalid_argument');
  });
});

describe('what Holdpoint says', () => {
  test.each([
    ['chat', 'sse'],
    ['chat.v1', 'ndjson'],
    ['chat.v1', 'sse'],
    ['generate', 'ndjson'],
  ] as const)('in a stream of %s as %s is read as a failure', (operation, form) => {
    const event = String(cohere.errorEvent(operation, form, 'denied_by_policy', 'No.'));
    expect(readAs(form, cohere, operation, event)).toMatchObject({ failed: true, kinds: ['error'] });
  });

  test('on the API that is OpenAI’s is in its form', () => {
    expect(String(cohere.errorEvent('chat.completions', 'sse', 'held', 'x'))).toMatch(/^data: \{"error":\{/);
    expect(String(cohere.keepAliveEvent('chat.completions', 'sse', 'm'))).toContain('chat.completion.chunk');
  });
});
