import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { amendAnswer } from '../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { Amendment, OperationName } from '../../../src/provider/protocol.ts';
import { type Served, serve } from './served.ts';
import { events, typedEvents } from './streams.ts';

const openai = protocolOf('openai');
const anthropic = protocolOf('anthropic');
const stream = 'text/event-stream';
let served: Served;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const protocolFor = (operation: OperationName) => (operation === 'messages' ? anthropic : openai);

function amend(operation: OperationName, original: string, streaming: boolean, amendment: Amendment) {
  return amendAnswer(
    protocolFor(operation),
    operation,
    Buffer.from(original),
    streaming ? 'sse' : null,
    amendment,
  );
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof HoldpointError ? error.code : String(error);
  }
  return 'nothing was thrown';
}

const chatJson = `{"id":"c","created":1.0,"big":12345678901234567890,"choices":[{"index":0,"logprobs":{"content":[{"token":"secret"}]},"message":{"role":"assistant","content":"secret","x":1,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\\"n\\": 1.0}"}},{"id":"b","type":"function","function":{"name":"pay","arguments":"{\\"n\\":25000}"}}]},"finish_reason":"tool_calls"}]}`;
const chunk = (delta: object, finish: string | null = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 7,
  model: 'gpt',
  system_fingerprint: 'fp',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const chatStream = events(
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'sec' }),
  chunk({ content: 'ret' }),
  chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] }),
  chunk({ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'pay', arguments: '' } }] }),
  chunk({ tool_calls: [{ index: 1, function: { arguments: '{"n":25000}' } }] }),
  chunk({}, 'tool_calls'),
  { ...chunk({}), choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
  'data: [DONE]\n\n',
);

describe('a chat completion', () => {
  test('streamed keeps text and reasoning where they stood around the amended call', () => {
    const original = events(
      chunk({ role: 'assistant', reasoning_content: 'Hm.' }),
      chunk({ content: 'One ' }),
      chunk({ tool_calls: [{ index: 0, id: 'b', function: { name: 'pay', arguments: '{"n":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '25000}' } }] }),
      chunk({ content: 'moment.' }, 'tool_calls'),
      'data: [DONE]\n\n',
    );
    const amendment = { toolCalls: [{ id: 'b', arguments: { n: 9 } }] };
    const result = amend('chat.completions', original, true, amendment).toString();
    const was = original.split('\n\n');
    const is = result.split('\n\n');
    expect([is[0], is[1], is[4], is[5]]).toEqual([was[0], was[1], was[4], was[5]]);
    expect(result).toContain('{\\"n\\":9}');
    expect(result).not.toContain('25000');
  });

  test('in JSON changes in the named call and its tokens alone; every other field and number keeps its spelling', () => {
    const toolCalls = [{ id: 'b', arguments: { n: 10 } }];
    expect(amend('chat.completions', chatJson, false, { toolCalls }).toString()).toBe(
      chatJson.replace('{\\"n\\":25000}', '{\\"n\\":10}').replace('{"content":[{"token":"secret"}]}', 'null'),
    );
  });

  test('in JSON with a new text does not spell the old one in its log probabilities', () => {
    const amended = amend('chat.completions', chatJson, false, { text: 'fine' }).toString();
    expect(amended).toContain('"content":"fine"');
    expect(amended).not.toContain('secret');
  });

  test('in JSON with a new text keeps an empty list of calls', () => {
    const message = { role: 'assistant', content: 'secret', tool_calls: [] };
    const original = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] });
    const amended = amend('chat.completions', original, false, { text: 'fine' }).toString();
    expect(JSON.parse(amended).choices[0].message).toEqual({ ...message, content: 'fine' });
  });

  test('streamed with a new text has no padding that was measured by the old one', () => {
    const original = events(
      { ...chunk({ role: 'assistant', content: 'secret' }), obfuscation: 'aXb' },
      { ...chunk({}, 'stop'), obfuscation: 'cXd' },
      'data: [DONE]\n\n',
    );
    const amended = amend('chat.completions', original, true, { text: 'fine' }).toString();
    expect(amended).not.toMatch(/obfuscation|aXb|cXd/);
  });

  test('in JSON repairs arguments that did not parse', () => {
    const broken = chatJson.replace('{\\"n\\":25000}', '{\\"n\\":');
    const toolCalls = [{ id: 'b', arguments: { n: 1 } }];
    expect(amend('chat.completions', broken, false, { toolCalls }).toString()).toContain('{\\"n\\":1}');
  });

  test('streamed is read by the SDK with the new text and arguments, and nothing of the old', async () => {
    const amendment = { text: 'fine', toolCalls: [{ id: 'b', arguments: { n: 10 } }] };
    const amended = amend('chat.completions', chatStream, true, amendment);
    served.answerWith(200, stream, amended);
    const answer = await served.openai.chat.completions
      .stream({ model: 'm', messages: [], stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(answer).toMatchObject({
      id: 'c1',
      created: 7,
      model: 'gpt',
      system_fingerprint: 'fp',
      usage: { total_tokens: 3 },
      choices: [
        {
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: 'fine',
            tool_calls: [
              { id: 'a', function: { name: 'f', arguments: '{}' } },
              { id: 'b', function: { name: 'pay', arguments: '{"n":10}' } },
            ],
          },
        },
      ],
    });
    expect(amended.toString()).not.toMatch(/sec|ret|25000/);
    expect(amended.toString().endsWith('data: [DONE]\n\n')).toBe(true);
  });
});

const responseItems = (text: string, n: number) => [
  {
    id: 'm1',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  },
  {
    id: 'f1',
    type: 'function_call',
    call_id: 'b',
    name: 'pay',
    status: 'completed',
    arguments: `{"n":${n}}`,
  },
];
const response = (output: readonly object[], status: string) => ({
  id: 'r1',
  object: 'response',
  created_at: 1,
  status,
  error: null,
  incomplete_details: null,
  model: 'gpt',
  output,
  tools: [],
  parallel_tool_calls: true,
});
const [messageItem = {}, callItem = {}] = responseItems('secret', 25000);
const textAt = { item_id: 'm1', output_index: 0, content_index: 0 };
const callAt = { item_id: 'f1', output_index: 1 };
const part = (text: string) => ({ type: 'output_text', text, annotations: [] });
const responseStream = typedEvents(
  { type: 'response.created', sequence_number: 0, response: response([], 'in_progress') },
  { type: 'response.output_item.added', output_index: 0, item: { ...messageItem, content: [] } },
  { type: 'response.content_part.added', ...textAt, part: part('') },
  { type: 'response.output_text.delta', ...textAt, delta: 'sec', logprobs: [] },
  { type: 'response.output_text.delta', ...textAt, delta: 'ret', logprobs: [] },
  { type: 'response.output_text.done', ...textAt, text: 'secret', logprobs: [] },
  { type: 'response.content_part.done', ...textAt, part: part('secret') },
  { type: 'response.output_item.done', output_index: 0, item: messageItem },
  { type: 'response.output_item.added', output_index: 1, item: { ...callItem, arguments: '' } },
  { type: 'response.function_call_arguments.delta', ...callAt, delta: '{"n":' },
  { type: 'response.function_call_arguments.delta', ...callAt, delta: '25000}' },
  { type: 'response.function_call_arguments.done', ...callAt, arguments: '{"n":25000}' },
  { type: 'response.output_item.done', output_index: 1, item: callItem },
  { type: 'response.completed', response: response(responseItems('secret', 25000), 'completed') },
);

describe('a response', () => {
  const amendment = { text: 'fine', toolCalls: [{ id: 'b', arguments: { n: 10 } }] };

  test('in JSON changes in its text and the named call alone', () => {
    const original = JSON.stringify(response(responseItems('secret', 25000), 'completed'));
    const expected = JSON.stringify(response(responseItems('fine', 10), 'completed'));
    expect(amend('responses', original, false, amendment).toString()).toBe(expected);
  });

  test('streamed is read by the SDK with the new text and arguments, and nothing of the old', async () => {
    const amended = amend('responses', responseStream, true, amendment);
    served.answerWith(200, stream, amended);
    const reading = served.openai.responses.stream({ model: 'm', input: 'x' });
    const deltas: string[] = [];
    reading.on('response.output_text.delta', (event) => deltas.push(event.delta));
    const answer = await reading.finalResponse();
    expect(deltas).toEqual(['fine']);
    expect(answer.output_text).toBe('fine');
    expect(answer.output[1]).toMatchObject({ type: 'function_call', arguments: '{"n":10}' });
    expect(amended.toString()).not.toMatch(/secret|"sec"|25000/);
  });

  test('keeps the arguments of a call the provider has already made', () => {
    const item = { type: 'web_search_call', id: 'w', status: 'completed', action: { query: 'x' } };
    const original = JSON.stringify(response([item], 'completed'));
    const toolCalls = [{ id: 'w', arguments: {} }];
    expect(codeOf(() => amend('responses', original, false, { toolCalls }))).toBe('invalid_argument');
  });
});

const blocks = [
  { type: 'thinking', thinking: 'hm', signature: 'sig' },
  { type: 'text', text: 'sec' },
  { type: 'text', text: 'ret' },
  { type: 'tool_use', id: 'a', name: 'f', input: {} },
  { type: 'tool_use', id: 'b', name: 'pay', input: { n: 25000 } },
];
const messageBody = {
  id: 'msg1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2 },
};
const open = (index: number, content: object) => ({
  type: 'content_block_start',
  index,
  content_block: content,
});
const delta = (index: number, value: object) => ({ type: 'content_block_delta', index, delta: value });
const close = (index: number) => ({ type: 'content_block_stop', index });
const messageStream = typedEvents(
  { type: 'message_start', message: { ...messageBody, content: [], stop_reason: null } },
  open(0, { type: 'thinking', thinking: '', signature: '' }),
  delta(0, { type: 'thinking_delta', thinking: 'hm' }),
  delta(0, { type: 'signature_delta', signature: 'sig' }),
  close(0),
  open(1, { type: 'text', text: '' }),
  delta(1, { type: 'text_delta', text: 'sec' }),
  close(1),
  open(2, { type: 'text', text: '' }),
  delta(2, { type: 'text_delta', text: 'ret' }),
  close(2),
  open(3, { type: 'tool_use', id: 'a', name: 'f', input: {} }),
  close(3),
  open(4, { type: 'tool_use', id: 'b', name: 'pay', input: {} }),
  delta(4, { type: 'input_json_delta', partial_json: '{"n":25' }),
  delta(4, { type: 'input_json_delta', partial_json: '000}' }),
  close(4),
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 2 },
  },
  { type: 'message_stop' },
);

describe('a message', () => {
  const amendment = { text: 'fine', toolCalls: [{ id: 'b', arguments: { n: 10 } }] };
  const expected = [blocks[0], { type: 'text', text: 'fine' }, blocks[3], { ...blocks[4], input: { n: 10 } }];

  test('in JSON has its text in one block and the new input, thinking untouched', () => {
    const original = JSON.stringify({ ...messageBody, content: blocks });
    const amended = amend('messages', original, false, amendment).toString();
    expect(amended).toBe(JSON.stringify({ ...messageBody, content: expected }));
  });

  test('in JSON keeps the numbers of an unamended call as they were spelled', () => {
    const original =
      '{"content":[{"type":"tool_use","id":"a","name":"f","input":{"n":1.0}},{"type":"tool_use","id":"b","name":"g","input":{}}]}';
    const toolCalls = [{ id: 'b', arguments: { x: 1 } }];
    expect(amend('messages', original, false, { toolCalls }).toString()).toContain('{"n":1.0}');
  });

  test('streamed is read by the SDK with the new text and input, and nothing of the old', async () => {
    const amended = amend('messages', messageStream, true, amendment);
    served.answerWith(200, stream, amended);
    const answer = await served.anthropic.messages
      .stream({ model: 'm', max_tokens: 1, messages: [] })
      .finalMessage();
    expect(answer.content).toEqual(expected);
    expect(answer).toMatchObject({ id: 'msg1', stop_reason: 'tool_use', usage: { output_tokens: 2 } });
    expect(amended.toString()).not.toMatch(/"sec"|"ret"|25/);
  });

  test('streamed without a change in a block keeps that block byte for byte', () => {
    const toolCalls = [{ id: 'b', arguments: { n: 10 } }];
    const amended = amend('messages', messageStream, true, { toolCalls }).toString();
    const untouched = messageStream.slice(0, messageStream.indexOf('"index":4'));
    expect(amended.startsWith(untouched.slice(0, untouched.lastIndexOf('event:')))).toBe(true);
  });
});

describe('an amendment that does not fit is refused:', () => {
  const chat = (amendment: Amendment, original = chatJson) =>
    codeOf(() => amend('chat.completions', original, false, amendment));

  test('a call the answer does not have', () => {
    expect(chat({ toolCalls: [{ id: 'zzz', arguments: {} }] })).toBe('invalid_argument');
  });

  test('arguments that are no object', () => {
    expect(chat({ toolCalls: [{ id: 'b', arguments: 'n=1' }] })).toBe('invalid_argument');
  });

  test('one call twice', () => {
    const twice = { id: 'b', arguments: {} };
    expect(chat({ toolCalls: [twice, twice] })).toBe('invalid_argument');
  });

  test('text for an answer that has none', () => {
    expect(chat({ text: 'x' }, '{"choices":[{"message":{"content":null}}]}')).toBe('invalid_argument');
  });

  test('text for an answer of several choices', () => {
    const choice = '{"message":{"content":"a"}}';
    expect(chat({ text: 'x' }, `{"choices":[${choice},${choice}]}`)).toBe('invalid_argument');
  });

  test('an answer that means two things', () => {
    expect(chat({ text: 'x' }, '{"choices":[],"choices":[]}')).toBe('invalid_argument');
  });

  test('a stream that was cut', () => {
    const cut = chatStream.slice(0, -20);
    expect(codeOf(() => amend('chat.completions', cut, true, { text: 'x' }))).toBe('invalid_argument');
  });

  test('an operation that is not understood', () => {
    expect(codeOf(() => amend('unknown', '{}', false, {}))).toBe('invalid_argument');
    expect(codeOf(() => amendAnswer(anthropic, 'unknown', Buffer.from('{}'), null, {}))).toBe(
      'invalid_argument',
    );
  });
});

describe('an amendment that would deliver anything but what was approved is refused', () => {
  const start = (block: object, index: number | string = 0) =>
    `"index":${index},"content_block":${JSON.stringify(block)}`;

  test('where events name their types beside their data alone', () => {
    const call = { type: 'tool_use', id: 'a', name: 'pay', input: { amount: 25000 } };
    const original = `event: content_block_start\ndata: {${start(call)}}\n\ndata: {"type":"message_stop"}\n\n`;
    const toolCalls = [{ id: 'a', arguments: { amount: 1 } }];
    expect(codeOf(() => amend('messages', original, true, { toolCalls }))).toBe('invalid_argument');
  });

  test('where a text would be lost by it', () => {
    const text = `data: {"type":"content_block_start",${start({ type: 'text', text: '' })}}\n\ndata: {"type":"content_block_delta","index":0.0,"delta":{"type":"text_delta","text":"paying"}}\n\n`;
    const block = { type: 'tool_use', id: 'a', name: 'pay', input: { amount: 25000 } };
    const call = `data: {"type":"content_block_start",${start(block, 1)}}\n\n`;
    const original = `${text}${call}data: {"type":"message_stop"}\n\n`;
    const toolCalls = [{ id: 'a', arguments: { amount: 1 } }];
    expect(codeOf(() => amend('messages', original, true, { toolCalls }))).toBe('invalid_argument');
  });
});
