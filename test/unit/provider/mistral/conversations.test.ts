import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from '../lines.ts';
import { typedEvents } from '../streams.ts';

const mistral = protocolOf('mistral');
const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Secret plan.' }] };
const text = (place: number, content: unknown) => ({
  type: 'message.output.delta',
  output_index: place,
  id: `msg_${place}`,
  model: 'mistral-medium',
  role: 'assistant',
  content,
});
const piece = (place: number, id: string, args: string) => ({
  type: 'function.call.delta',
  output_index: place,
  id: `fc_${place}`,
  name: 'pay',
  tool_call_id: id,
  arguments: args,
});
const search = { output_index: 0, id: 'tool_0', name: 'web_search' };
const streamed = typedEvents(
  { type: 'conversation.response.started', conversation_id: 'conv_1' },
  { type: 'tool.execution.started', ...search, arguments: '{"query":' },
  { type: 'tool.execution.delta', ...search, arguments: '"x"}' },
  { type: 'tool.execution.done', ...search, arguments: '', info: { hits: 1 } },
  text(1, thinking),
  text(1, 'One '),
  text(1, { type: 'text', text: 'moment.' }),
  text(1, { type: 'tool_reference', tool: 'web_search', title: 'A page' }),
  piece(2, 'call_2', '{"amount":'),
  piece(2, 'call_2', '25000}'),
  { type: 'conversation.response.done', usage },
);
const outputs = [
  { type: 'tool.execution', id: 'tool_0', name: 'web_search', arguments: '{"query":"x"}', info: { hits: 1 } },
  {
    type: 'message.output',
    id: 'msg_1',
    model: 'mistral-medium',
    content: [
      thinking,
      { type: 'text', text: 'One moment.' },
      { type: 'tool_reference', tool: 'web_search', title: 'A page' },
    ],
  },
  { type: 'function.call', id: 'fc_2', tool_call_id: 'call_2', name: 'pay', arguments: '{"amount":25000}' },
];
const whole = JSON.stringify({ object: 'conversation.response', conversation_id: 'conv_1', outputs, usage });
const read = (form: 'sse' | null, body: string) => readAs(form, mistral, 'conversations', body);

describe('a request', () => {
  test('shows instructions, entries and results of tools', () => {
    const { facts, defects } = asked(mistral, 'conversations', {
      model: 'm',
      stream: true,
      instructions: 'Be brief.',
      completion_args: { temperature: 0.2 },
      inputs: [
        { type: 'message.input', role: 'user', content: [{ type: 'text', text: 'Pay.' }] },
        { type: 'function.call', tool_call_id: 'a', name: 'pay', arguments: '{"n":1}' },
        { type: 'function.result', tool_call_id: 'a', result: 'Paid.' },
        { role: 'user', content: 'Thanks.' },
      ],
      tools: [{ type: 'web_search' }, { type: 'function', function: { name: 'pay', description: 'Pays.' } }],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      stream: true,
      system: 'Be brief.',
      text: 'Be brief.\nPay.\nPaid.\nThanks.',
      params: { temperature: 0.2 },
      tools: [{ name: 'web_search' }, { name: 'pay', description: 'Pays.' }],
    });
    expect(facts.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user']);
    expect(facts.messages[1]?.toolCalls).toMatchObject([{ name: 'pay', arguments: { n: 1 } }]);
  });

  // https://docs.mistral.ai/capabilities/connectors/conversations
  test('offers connectors, and those of their tools that it allows by name', () => {
    const connector = { type: 'connector', connector_id: 'bank', tool_configuration: { include: ['pay'] } };
    expect(asked(mistral, 'conversations', { inputs: 'Hi', tools: [connector] }).facts.tools).toEqual([
      { name: 'connector', description: 'bank' },
      { name: 'pay', description: 'bank' },
    ]);
  });

  test('shows what is expected to come out again', () => {
    const settings = { prediction: { type: 'content', content: 'a secret' } };
    const body = { inputs: 'Hi', completion_args: settings };
    expect(asked(mistral, 'conversations', body).facts.text).toBe('Hi\na secret');
  });

  test('may be a text', () => {
    expect(asked(mistral, 'conversations', { inputs: 'Hi' }).facts.text).toBe('Hi');
  });

  test('that makes an agent shows its instructions', () => {
    const { facts } = asked(mistral, 'agents', { model: 'm', name: 'a', instructions: 'Obey.' });
    expect(facts).toMatchObject({ model: 'm', system: 'Obey.', text: 'Obey.' });
  });

  test.each([['{"inputs":{}}'], ['{"inputs":[1]}'], ['[]']])('%s is a defect', (body) => {
    expect(asked(mistral, 'conversations', body).defects).not.toEqual([]);
  });
});

describe('a stream', () => {
  test('gives text, the calls of both sides, and says which events carry what', () => {
    const { facts, defects, complete, kinds } = read('sse', streamed);
    expect(kinds).toEqual([
      ...['other', 'tool', 'tool', 'tool', 'text', 'text', 'text', 'text', 'tool', 'tool', 'end'],
    ]);
    expect({ defects, complete }).toEqual({ defects: [], complete: true });
    expect(facts).toMatchObject({ model: 'mistral-medium', usage: { totalTokens: 12 } });
    expect(facts.toolCalls).toMatchObject([
      { id: 'tool_0', name: 'web_search', arguments: { query: 'x' } },
      { id: 'call_2', name: 'pay', arguments: { amount: 25000 } },
    ]);
  });

  test('has the facts of the whole answer', () => {
    expect(read('sse', streamed).facts).toEqual(read(null, whole).facts);
  });

  test('keeps text whole that references stand within', () => {
    const body = typedEvents(
      text(0, 'sec'),
      text(0, { type: 'tool_reference', title: 'A page' }),
      text(0, 'ret'),
    );
    expect(read('sse', body).facts.text).toBe('secret\nA page');
  });

  // https://github.com/mistralai/client-python: `extra/run` joins what has one output_index.
  test.each([
    ['its input from another', [piece(0, 'a', ''), { ...piece(0, 'b', '{"amount":1}'), name: 'look' }]],
    ['its input’s end', [piece(0, 'a', '{"amount":1'), { ...piece(0, 'b', '{}'), name: 'look' }]],
    ['pieces at two places', [piece(0, 'a', '{"amount":'), piece(1, 'a', '1}')]],
    [
      'its input from a tool of the provider’s',
      [piece(0, 'a', ''), { type: 'tool.execution.started', ...search, arguments: '{"amount":1}' }],
    ],
    [
      'its input behind one of the provider’s',
      [{ type: 'tool.execution.started', ...search, arguments: '' }, piece(0, 'a', '{"amount":1}')],
    ],
  ])('with a call that may have %s has a defect', (_what, pieces) => {
    const done = { type: 'conversation.response.done', usage };
    const { defects } = read('sse', typedEvents(...pieces, done));
    expect(defects).toContain('pieces of one tool call may belong to another');
  });

  test.each([
    ['`[DONE]`', 'data: [DONE]\n\n'],
    ['the last event', typedEvents({ type: 'conversation.response.done', usage })],
  ])('with a piece of a call behind %s has a defect', (_what, end) => {
    const [begins, rest] = [piece(0, 'a', '{"amount":50000'), piece(0, 'a', 'e-4}')].map((one) =>
      typedEvents(one),
    );
    expect(read('sse', `${begins}${end}${rest}`).defects).toEqual([
      'some clients pass over a piece of a tool call',
    ]);
  });

  test.each(['0', null, true, 0.5, -1])('with a call at the place %j has a defect', (place) => {
    const body = typedEvents({ ...piece(0, 'a', '{}'), output_index: place });
    expect(read('sse', body).defects).toEqual(['the place of a tool call is not a count']);
  });

  test('may have tools of the provider’s at one place, which no client runs', () => {
    const both = ['t', 'u'].map((id) => ({ type: 'tool.execution.started', ...search, id, arguments: '' }));
    expect(read('sse', typedEvents(...both)).defects).toEqual([]);
  });

  test('may leave the places of whole calls out', () => {
    const pieces = ['a', 'b'].map((id) => ({ ...piece(0, id, '{}'), output_index: undefined }));
    const done = { type: 'conversation.response.done', usage };
    const { defects, facts } = read('sse', typedEvents(...pieces, done));
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toHaveLength(2);
  });

  test('takes a handover to another agent for a call', () => {
    const at = { output_index: 0, id: 'h' };
    const body = typedEvents(
      { type: 'agent.handoff.started', ...at, previous_agent_id: 'a' },
      { type: 'agent.handoff.done', ...at, next_agent_id: 'b' },
    );
    expect(read('sse', body).facts.toolCalls).toMatchObject([
      { name: 'agent.handoff', arguments: { previous_agent_id: 'a', next_agent_id: 'b' } },
    ]);
  });

  test.each([
    ['repeats', '{"query":"x"}', 0],
    ['contradicts', '{"query":"y"}', 1],
  ])('that %s arguments at the end of a call counts them once', (_what, again, defectCount) => {
    const started = { type: 'tool.execution.started', ...search, arguments: '{"query":"x"}' };
    const { facts, defects } = read(
      'sse',
      typedEvents(started, { type: 'tool.execution.done', ...search, arguments: again }),
    );
    expect(facts.toolCalls).toMatchObject([{ arguments: { query: 'x' } }]);
    expect(defects).toHaveLength(defectCount);
  });

  test('that says it failed has failed', () => {
    const body = typedEvents({ type: 'conversation.response.error', message: 'x', code: 1 });
    expect(read('sse', body)).toMatchObject({ failed: true, complete: false, kinds: ['error'] });
  });

  test.each([
    ['an event of an unknown type', typedEvents({ type: 'memory.write', what: 'x' })],
    ['a name that changes', typedEvents(piece(0, 'a', '{}'), { ...piece(0, 'a', ''), name: 'look' })],
    ['arguments that are no JSON', typedEvents(piece(0, 'a', '{"n'))],
  ])('with %s lets nothing pass unjudged and is a defect', (_what, body) => {
    const { kinds, defects } = read('sse', body);
    expect(kinds.every((kind) => kind === 'tool')).toBe(true);
    expect(defects).not.toEqual([]);
  });

  test('takes content of an unknown kind for a call of that name', () => {
    const { kinds, facts } = read('sse', typedEvents(text(0, { type: 'run', a: 1 })));
    expect(kinds).toEqual(['tool']);
    expect(facts.toolCalls).toMatchObject([{ name: 'run', arguments: { a: 1 } }]);
  });
});

describe('a whole answer', () => {
  test.each(['entries', 'messages'])('read back as %s shows what was called', (name) => {
    const body = JSON.stringify({ object: 'conversation.history', conversation_id: 'c', [name]: outputs });
    expect(read(null, body).facts.toolCalls.map((call) => call.name)).toEqual(['web_search', 'pay']);
  });

  test('of an entry of an unknown type is a call of that name', () => {
    const body = JSON.stringify({ outputs: [{ type: 'memory.write', what: 'x' }] });
    expect(read(null, body).facts.toolCalls).toMatchObject([
      { name: 'memory.write', arguments: { what: 'x' } },
    ]);
  });

  test('keeps the spelling of arguments that are an object', () => {
    const body = '{"outputs":[{"type":"function.call","name":"pay","arguments":{"n": 1.0}}]}';
    expect(read(null, body).facts.toolCalls[0]?.argumentsText).toBe('{"n": 1.0}');
  });

  test('without outputs is a defect', () => {
    expect(read(null, '{"object":"conversation.response"}').defects).not.toEqual([]);
  });
});

describe('an amendment', () => {
  const cheaper = { toolCalls: [{ id: 'call_2', arguments: { amount: 9 } }] };

  test.each([
    ['a stream', 'sse', streamed],
    ['a whole answer', null, whole],
  ] as const)('of a call in %s changes that call alone', (_what, form, original) => {
    const after = read(form, amended(form, mistral, 'conversations', original, cheaper));
    const before = read(form, original);
    expect(after.facts.text).toBe(before.facts.text);
    expect(after.facts.toolCalls[0]).toEqual(before.facts.toolCalls[0]);
    expect(after.facts.toolCalls[1]).toMatchObject({ id: 'call_2', name: 'pay', arguments: { amount: 9 } });
  });

  test.each([
    ['a stream', 'sse', streamed],
    ['a whole answer', null, whole],
  ] as const)('of the text in %s leaves calls and thinking', (_what, form, original) => {
    const result = amended(form, mistral, 'conversations', original, { text: 'Wait.' });
    const after = read(form, result);
    expect(after.facts.text).toBe('Wait.');
    expect(after.facts.toolCalls).toEqual(read(form, original).facts.toolCalls);
    expect(result).toContain('Secret plan.');
    expect(result).not.toContain('moment');
  });

  test.each([
    ['a stream', 'sse', streamed],
    ['a whole answer', null, whole],
  ] as const)('is refused for what the provider did itself, in %s', (_what, form, original) => {
    const amendment = { toolCalls: [{ id: 'tool_0', arguments: {} }] };
    expect(codeOf(() => amended(form, mistral, 'conversations', original, amendment))).toBe(
      'invalid_argument',
    );
  });

  test('is refused for what was said before', () => {
    const history = JSON.stringify({ entries: outputs });
    expect(codeOf(() => amended(null, mistral, 'conversations', history, cheaper))).toBe('invalid_argument');
  });
});
