import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const mistral = protocolOf('mistral');
const frame = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'mistral-large' };
const chunk = (delta: object, finish: string | null = null, more: object = {}) => ({
  ...frame,
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
const done = 'data: [DONE]\n\n';
const fn = (name: string, args: unknown) => ({ name, arguments: args });
const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Secret plan.' }], closed: true };
const calls = [
  { id: 'D681PevKs', function: fn('look', '{}'), index: 0 },
  { id: 'Xyz123abc', function: fn('pay', '{"amount": 25000}'), index: 1 },
];
const chat = events(
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: [thinking] }),
  chunk({ content: 'One ' }, null, { p: 'padding' }),
  chunk({ content: [{ type: 'text', text: 'moment.' }] }),
  chunk({ content: [{ type: 'reference', reference_ids: [1] }] }),
  chunk({ content: '', tool_calls: calls }, 'tool_calls', { usage }),
  done,
);

// https://docs.mistral.ai/api/endpoint/beta/connectors
test('what the workload has a connector’s tool do reaches the rules', () => {
  const { facts, defects } = asked(mistral, 'connectors.call', { arguments: { to: 'SECRET' } });
  expect(defects).toEqual([]);
  expect(facts.text).toBe('SECRET');
});

describe('the operation of a path', () => {
  test.each([
    ['POST', '/v1/chat/completions', 'chat.completions'],
    ['POST', '/v1/fim/completions', 'fim.completions'],
    ['POST', '/v1/agents/completions', 'agents.completions'],
    ['POST', '/v1/connectors/c/tools/pay/call', 'connectors.call'],
    ['POST', '/v1/embeddings', 'embeddings'],
    ['POST', '/v1/moderations', 'moderations'],
    ['POST', '/v1/chat/moderations', 'chat.moderations'],
    ['POST', '/v1/classifications', 'classifications'],
    ['POST', '/v1/chat/classifications', 'chat.classifications'],
    ['POST', '/v1/ocr', 'ocr'],
    ['POST', '/v1/audio/transcriptions', 'audio.transcriptions'],
    ['POST', '/v1/audio/speech', 'audio.speech'],
    ['POST', '/v1/batch/jobs', 'batch.jobs'],
    ['POST', '/v1/agents', 'agents'],
    ['PATCH', '/v1/agents/ag_1', 'agents'],
    ['POST', '/v1/conversations', 'conversations'],
    ['POST', '/v1/conversations/conv_1', 'conversations'],
    ['POST', '/v1/conversations/conv_1/restart', 'conversations'],
    ['GET', '/v1/conversations/conv_1/history', 'conversations'],
    ['GET', '/v1/conversations/conv_1/messages', 'conversations'],
    ['GET', '/v1/conversations/conv_1', 'unknown'],
    ['DELETE', '/v1/conversations/conv_1', 'unknown'],
    ['GET', '/v1/models', 'unknown'],
    ['POST', '/v1/client/sessions', 'realtime.sessions'],
    ['POST', '/v1/files', 'files'],
    ['GET', '/v1/files/f_1/content', 'files.content'],
    ['GET', '/v1/files/f_1', 'unknown'],
    ['GET', '/v1/batch/jobs/j_1', 'batch.jobs'],
    ['POST', '/v1/batch/jobs/j_1/cancel', 'batch.jobs'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(mistral.operationOf(method, path)).toBe(operation);
  });

  test('says whether an answer can hold what rules judge', () => {
    const unread = ['embeddings', 'moderations', 'chat.moderations', 'audio.speech', 'files', 'agents'];
    expect(unread.filter((operation) => mistral.readsAnswer(operation))).toEqual([]);
    const read = ['chat.completions', 'fim.completions', 'conversations', 'ocr', 'audio.transcriptions'];
    expect(read.filter((operation) => mistral.readsAnswer(operation))).toEqual(read);
  });
});

describe('a request', () => {
  test('to chat gives the facts that rules read', () => {
    const { facts, defects } = asked(mistral, 'chat.completions', {
      model: 'mistral-large',
      safe_prompt: true,
      random_seed: 7,
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Pay.' }] },
        { role: 'assistant', content: [thinking], tool_calls: [{ id: 'a', function: fn('pay', { n: 1 }) }] },
        { role: 'tool', content: 'Paid.', tool_call_id: 'a', name: 'pay' },
        { role: 'assistant', content: 'So', prefix: true },
      ],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      text: 'Pay.\nSecret plan.\nPaid.\nSo',
      params: { safe_prompt: true, random_seed: 7 },
    });
    expect(facts.messages[1]?.toolCalls).toMatchObject([{ name: 'pay', arguments: { n: 1 } }]);
  });

  test.each([
    ['fim.completions', { model: 'codestral', prompt: 'def f(', suffix: 'return' }, 'def f(\nreturn'],
    ['embeddings', { model: 'm', input: ['a', 'b'] }, 'a\nb'],
    ['moderations', { model: 'm', input: 'bad' }, 'bad'],
    ['audio.speech', { model: 'm', input: 'Say it.' }, 'Say it.'],
    ['ocr', { model: 'm', document: {}, document_annotation_prompt: 'Find it.' }, 'Find it.'],
  ])('to %s shows its text', (operation, body, text) => {
    expect(asked(mistral, operation, body)).toMatchObject({ facts: { text }, defects: [] });
  });

  test('to moderate chats shows the text of every conversation in it', () => {
    const body = { input: [[{ role: 'user', content: 'the secret' }]] };
    expect(asked(mistral, 'chat.moderations', body).facts.text).toContain('the secret');
  });
});

describe('a streamed completion', () => {
  test('gives text without thinking, calls whole, and says which events carry what', () => {
    const { facts, defects, complete, kinds } = readAs('sse', mistral, 'chat.completions', chat);
    expect(kinds).toEqual(['other', 'text', 'text', 'text', 'other', 'tool', 'end']);
    expect({ defects, complete }).toEqual({ defects: [], complete: true });
    expect(facts).toMatchObject({
      text: 'One moment.',
      finishReason: 'tool_calls',
      usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
    });
    expect(facts.toolCalls).toEqual([
      { id: 'D681PevKs', name: 'look', arguments: {}, argumentsText: '{}' },
      { id: 'Xyz123abc', name: 'pay', arguments: { amount: 25000 }, argumentsText: '{"amount": 25000}' },
    ]);
  });

  test('keeps the spelling of arguments that are an object', () => {
    const text = `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"pay","arguments":{"n": 1.0}}}]},"finish_reason":null}]}\n\n`;
    expect(readAs('sse', mistral, 'chat.completions', text).facts.toolCalls).toEqual([
      { id: '#1', name: 'pay', arguments: { n: 1 }, argumentsText: '{"n": 1.0}' },
    ]);
  });

  test('takes content of an unknown kind for a call of that name', () => {
    const text = events(chunk({ content: [{ type: 'run_code', code: 'rm -rf /' }] }), done);
    const { facts, kinds } = readAs('sse', mistral, 'chat.completions', text);
    expect(kinds[0]).toBe('tool');
    expect(facts.toolCalls).toMatchObject([{ name: 'run_code', arguments: { code: 'rm -rf /' } }]);
  });

  test('that ends in an error has failed', () => {
    const error = { object: 'error', message: 'No.', type: 'internal', param: null, code: '3000' };
    const { failed, kinds } = readAs(
      'sse',
      mistral,
      'chat.completions',
      events(chunk({ content: 'a' }), error),
    );
    expect({ failed, kinds }).toEqual({ failed: true, kinds: ['text', 'error'] });
  });

  test('of a delta that says which message it belongs to is still text', () => {
    const text = events(chunk({ content: 'a', index: 0 }));
    expect(readAs('sse', mistral, 'chat.completions', text).kinds).toEqual(['text']);
  });
});

describe('a whole answer', () => {
  const whole = (message: object, more: object = {}) =>
    JSON.stringify({
      model: 'm',
      choices: [{ index: 0, message, finish_reason: 'tool_calls', ...more }],
      usage,
    });

  test('has the facts of the stream', () => {
    const content = [
      thinking,
      { type: 'text', text: 'One moment.' },
      { type: 'reference', reference_ids: [1] },
    ];
    const { facts, defects } = readAs(
      null,
      mistral,
      'chat.completions',
      whole({ content, tool_calls: calls }),
    );
    const streamed = readAs('sse', mistral, 'chat.completions', chat).facts;
    expect(defects).toEqual([]);
    expect(facts).toEqual({ ...streamed, model: 'm' });
  });

  test('keeps text whole that references stand within', () => {
    const content = [
      { type: 'text', text: 'sec' },
      { type: 'reference', reference_ids: [1] },
      { type: 'text', text: 'ret' },
    ];
    expect(readAs(null, mistral, 'chat.completions', whole({ content })).facts.text).toBe('secret');
  });

  test('keeps the spelling of arguments that are an object', () => {
    const text = `{"choices":[{"message":{"tool_calls":[{"function":{"name":"pay","arguments":{"n": 1.0}}}]}}]}`;
    const { facts } = readAs(null, mistral, 'chat.completions', text);
    expect(facts.toolCalls[0]?.argumentsText).toBe('{"n": 1.0}');
  });

  test('takes content of an unknown kind for a call of that name', () => {
    const { facts } = readAs(null, mistral, 'chat.completions', whole({ content: [{ type: 'run', a: 1 }] }));
    expect(facts.toolCalls).toMatchObject([{ name: 'run', arguments: { a: 1 } }]);
  });

  test('of an agent shows all that its several messages say and ask for', () => {
    const messages = [
      { role: 'assistant', content: 'First.', tool_calls: calls },
      { role: 'tool', content: 'Found.' },
      { role: 'assistant', content: 'Last.' },
    ];
    const body = JSON.stringify({ choices: [{ index: 0, messages, finish_reason: 'stop' }] });
    const { facts, defects } = readAs(null, mistral, 'agents.completions', body);
    expect(defects).toEqual([]);
    expect(facts.text).toBe('First.\nFound.\nLast.');
    expect(facts.toolCalls.map(({ name }) => name)).toEqual(['look', 'pay']);
  });

  test.each([
    ['a key twice', '{"choices":[],"choices":[]}'],
    ['no choices', '{"object":"error","message":"x"}'],
  ])('with %s is a defect', (_what, text) => {
    expect(readAs(null, mistral, 'chat.completions', text).defects).not.toEqual([]);
  });

  test('of documents and of speech gives the text that was read out', () => {
    const pages = [
      { index: 0, markdown: '# A' },
      { index: 1, markdown: 'B', footer: 'F' },
    ];
    const ocr = JSON.stringify({ pages, model: 'ocr', document_annotation: '{"x":1}' });
    expect(readAs(null, mistral, 'ocr', ocr).facts.text).toBe('# A\nB\nF\n{"x":1}');
    expect(readAs(null, mistral, 'audio.transcriptions', '{"text":"Hello"}').facts.text).toBe('Hello');
  });

  // @mistralai/mistralai: OCRPageObject.
  test('of documents gives the tables that stand apart, what was noted of pictures, and what a block alone says', () => {
    const page = {
      index: 0,
      markdown: 'A\n[tbl-0.md](tbl-0.md)',
      tables: [{ id: 'tbl-0.md', content: '| B |', format: 'markdown' }, null],
      images: [{ id: 'i', image_annotation: '{"shows":"C"}', image_base64: 'aGk=' }],
      blocks: [
        { type: 'text', content: 'A' },
        { type: 'signature', content: 'D' },
      ],
    };
    const ocr = JSON.stringify({ pages: [page], model: 'ocr' });
    expect(readAs(null, mistral, 'ocr', ocr).facts.text).toBe(
      'A\n[tbl-0.md](tbl-0.md)\n| B |\n{"shows":"C"}\nD',
    );
  });
});

test('a streamed transcription gives its text, whole once it ends', () => {
  const text = events(
    { type: 'transcription.language', audio_language: 'en' },
    { type: 'transcription.text.delta', text: 'Hel' },
    { type: 'transcription.text.delta', text: 'lo' },
    { type: 'transcription.done', model: 'voxtral', text: 'Hello', usage },
  );
  const { facts, kinds, complete, defects } = readAs('sse', mistral, 'audio.transcriptions', text);
  expect(facts).toMatchObject({ text: 'Hello', model: 'voxtral', usage: { totalTokens: 12 } });
  expect({ kinds, complete, defects }).toEqual({
    kinds: ['other', 'text', 'text', 'end'],
    complete: true,
    defects: [],
  });
});

describe('an amendment', () => {
  const cheaper = { toolCalls: [{ id: 'Xyz123abc', arguments: { amount: 9 } }] };

  test('of a call in a stream leaves every other event as it came', () => {
    const text = amended('sse', mistral, 'chat.completions', chat, cheaper);
    const was = chat.split('\n\n');
    expect(text.split('\n\n').filter((event) => !was.includes(event))).toHaveLength(1);
    const { facts } = readAs('sse', mistral, 'chat.completions', text);
    expect(facts.toolCalls.map((call) => call.argumentsText)).toEqual(['{}', '{"amount":9}']);
    expect(facts.text).toBe('One moment.');
  });

  test('of a call that came in pieces leaves one whole call', () => {
    const piece = (args: string, more: object = {}) =>
      chunk({ tool_calls: [{ ...more, function: fn('pay', args) }] });
    const original = events(
      piece('{"amount":', { id: 'a' }),
      piece('25000}', { id: 'a' }),
      chunk({}, 'stop'),
      done,
    );
    const text = amended('sse', mistral, 'chat.completions', original, {
      toolCalls: [{ id: 'a', arguments: { amount: 9 } }],
    });
    expect(readAs('sse', mistral, 'chat.completions', text).facts.toolCalls).toEqual([
      { id: 'a', name: 'pay', arguments: { amount: 9 }, argumentsText: '{"amount":9}' },
    ]);
  });

  test('of the text in a stream leaves thinking and calls', () => {
    const text = amended('sse', mistral, 'chat.completions', chat, { text: 'Wait.' });
    const { facts } = readAs('sse', mistral, 'chat.completions', text);
    expect(facts.text).toBe('Wait.');
    expect(facts.toolCalls).toHaveLength(2);
    expect(text).toContain('Secret plan.');
    expect(text).not.toContain('moment');
  });

  test('of a whole answer keeps the form of its arguments and its content', () => {
    const message = {
      content: [thinking, { type: 'text', text: 'old' }],
      tool_calls: [
        { id: 'a', function: fn('pay', { amount: 25000 }) },
        { id: 'b', function: fn('pay', '{"amount":25000}') },
      ],
    };
    const original = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
    const text = amended(null, mistral, 'chat.completions', original, {
      text: 'new',
      toolCalls: ['a', 'b'].map((id) => ({ id, arguments: { amount: 9 } })),
    });
    expect(JSON.parse(text)).toMatchObject({
      choices: [
        {
          message: {
            content: [thinking, { type: 'text', text: 'new' }],
            tool_calls: [
              { function: { arguments: { amount: 9 } } },
              { function: { arguments: '{"amount":9}' } },
            ],
          },
        },
      ],
    });
  });

  test.each([
    ['content of an unknown kind', { content: [{ type: 'run', a: 1 }] }, '#1'],
    ['several messages', { messages: [{ role: 'assistant', tool_calls: calls }] }, 'D681PevKs'],
  ])('is refused for calls made of %s', (_what, said, id) => {
    const choice = 'messages' in said ? said : { message: said };
    const original = JSON.stringify({ choices: [{ index: 0, ...choice, finish_reason: 'stop' }] });
    const amendment = { toolCalls: [{ id, arguments: {} }] };
    expect(codeOf(() => amended(null, mistral, 'chat.completions', original, amendment))).toBe(
      'invalid_argument',
    );
  });

  test('is refused for an answer that nobody could put together again', () => {
    const text = '{"pages":[{"markdown":"a"}]}';
    expect(codeOf(() => amended(null, mistral, 'ocr', text, { text: 'b' }))).toBe('invalid_argument');
  });
});

describe('what Holdpoint says', () => {
  test('stands in the provider’s envelope', () => {
    expect(JSON.parse(mistral.errorBody('chat.completions', 'denied_by_policy', 403, 'No.'))).toEqual({
      object: 'error',
      message: 'No.',
      type: 'permission_error',
      param: null,
      code: 'denied_by_policy',
    });
  });

  test.each(['chat.completions', 'conversations'])('in a stream of %s is read as a failure', (operation) => {
    const event = String(mistral.errorEvent(operation, 'sse', 'denied_by_policy', 'No.'));
    expect(readAs('sse', mistral, operation, event)).toMatchObject({ failed: true, kinds: ['error'] });
  });

  test('to keep a connection alive says nothing', () => {
    const event = String(mistral.keepAliveEvent('chat.completions', 'sse', 'm'));
    expect(readAs('sse', mistral, 'chat.completions', event)).toMatchObject({
      kinds: ['other'],
      defects: [],
    });
    expect(mistral.keepAliveEvent('conversations', 'sse', 'm')).toBeNull();
  });
});
