/**
 * Answers with a member in another case than its API's, which clients written in Go or on Json.NET take for that member:
 * https://pkg.go.dev/encoding/json#Unmarshal.
 */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { socketDialectAt } from '../../../../src/provider/realtime/dialects.ts';
import { lines, readAs } from '../lines.ts';
import { events, readStream, typedEvents } from '../streams.ts';

const pay = { id: 'c', type: 'function', function: { name: 'pay', arguments: '{"Name":1}' } };
const message = (own: object) => ({ choices: [{ index: 0, message: { content: 'Hi', ...own } }] });
const delta = (own: object) => ({ choices: [{ index: 0, delta: { content: 'Hi', ...own } }] });
const parts = (...list: object[]) => ({
  candidates: [{ index: 0, content: { parts: list }, finishReason: 'STOP' }],
});

describe('a whole answer is in doubt', () => {
  test.each([
    ['openai', 'chat.completions', message({ Tool_Calls: [pay] })],
    ['openai', 'chat.completions', message({ tool_callſ: [pay] })],
    ['openai', 'chat.completions', { ...message({}), Choices: message({ tool_calls: [pay] }).choices }],
    ['openai', 'chat.completions', message({ tool_calls: [{ ...pay, Function: { name: 'wire' } }] })],
    [
      'openai',
      'responses',
      { output: [], Output: [{ type: 'function_call', name: 'pay', arguments: '{}' }] },
    ],
    [
      'anthropic',
      'messages',
      { content: [], Content: [{ type: 'tool_use', id: 'c', name: 'pay', input: {} }] },
    ],
    [
      'anthropic',
      'messages',
      { content: [{ type: 'text', text: 'Hi', Type: 'tool_use', name: 'pay', input: {} }] },
    ],
    ['ollama', 'chat', { message: { content: 'Hi', Tool_calls: [pay] }, done: true }],
    ['mistral', 'chat.completions', message({ Tool_Calls: [pay] })],
    ['gemini', 'generate_content', parts({ text: 'Hi', FunctionCall: { name: 'pay', args: {} } })],
    ['gemini', 'generate_content', parts({ functionCall: { name: 'look', Name: 'pay', args: {} } })],
  ] as const)('of %s, %s: %j', (family, operation, body) => {
    const { defects } = readAs(null, protocolOf(family), operation, JSON.stringify(body));
    expect(defects.join()).toContain('may be read as');
  });
});

describe('a stream passes no event that is', () => {
  test('of chat completions', () => {
    const stream = events(
      delta({}),
      delta({ Content: 'a secret' }),
      delta({ Tool_Calls: [pay] }),
      'data: [DONE]\n\n',
    );
    const { kinds, defects } = readStream(protocolOf('openai'), 'chat.completions', stream);
    expect(kinds).toEqual(['text', 'tool', 'tool', 'end']);
    expect(defects.join()).toContain('may be read as');
  });

  test('of messages', () => {
    const Content_Block = { type: 'tool_use', id: 'c', name: 'pay', input: {} };
    const stream = typedEvents({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'text', text: '' },
      Content_Block,
    });
    expect(readStream(protocolOf('anthropic'), 'messages', stream).kinds).toEqual(['tool']);
  });

  test('of lines', () => {
    const line = lines({ message: { content: 'Hi', Tool_calls: [pay] }, done: false });
    expect(readAs('ndjson', protocolOf('ollama'), 'chat', line)).toMatchObject({
      kinds: ['tool'],
      defects: [expect.stringContaining('may be read as')],
    });
  });
});

describe.each(['/v1/realtime', '/v1/responses'])('on a connection to %s', (path) => {
  const reader = () => {
    const dialect = socketDialectAt(path);
    if (dialect === null) throw new Error('Nothing is spoken there.');
    return dialect.open(path);
  };
  const said = (value: object) => ({ data: Buffer.from(JSON.stringify(value)), binary: false });
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a secret' }] };

  test('a message of two types is sound to nobody', () => {
    const append = { type: 'input_audio_buffer.append', audio: '', Type: 'conversation.item.create', item };
    const { defects } = reader().readClient(said(append));
    expect(defects.join()).toContain('may be read as');
  });

  test('an event of two types never passes', () => {
    const call = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{}' };
    const event = { type: 'session.updated', Type: 'response.output_item.done', Item: call };
    expect(reader().readServer(said(event))).toMatchObject({ kind: 'tool' });
  });
});

test.each([
  ['openai', 'chat.completions', message({ tool_calls: [pay] })],
  [
    'openai',
    'responses',
    {
      output: [{ type: 'mcp_call', name: 'x', arguments: '{"Type":1}', output: '{"Name":2}' }],
      tools: [{ parameters: { Name: 1 } }],
    },
  ],
  [
    'anthropic',
    'messages',
    { content: [{ type: 'tool_use', id: 'c', name: 'x', input: { Name: 'Ada', Text: '' } }] },
  ],
  ['gemini', 'generate_content', parts({ functionCall: { name: 'x', args: { Name: 'Ada' } } })],
] as const)('what a tool of %s is handed has its own names: %s', (family, operation, body) => {
  expect(readAs(null, protocolOf(family), operation, JSON.stringify(body)).defects).toEqual([]);
});
