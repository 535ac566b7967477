/** Answers that tell again, in lists and objects of other shapes, what a model asked for. */
import { describe, expect, test } from 'vitest';
import { amendAnswer } from '../../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended } from '../lines.ts';
import { events, readStream } from '../streams.ts';

const openai = protocolOf('openai');
const read = (operation: string, body: unknown) =>
  openai.readResponse(operation, 200, Buffer.from(JSON.stringify(body)));
const functionCall = (args = '{"n":1}') => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'pay', arguments: args },
});
const run = (members: object) => ({ id: 'run_1', object: 'thread.run', model: 'gpt-4.1', ...members });
const offered = [{ type: 'function', function: { name: 'pay', parameters: {} } }];
const waiting = (...calls: readonly object[]) =>
  run({
    status: 'requires_action',
    required_action: { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: calls } },
    tools: offered,
  });

describe('a run', () => {
  test('that requires an action makes tool calls', () => {
    const { facts, defects } = read('threads.runs', waiting(functionCall()));
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ model: 'gpt-4.1', finishReason: 'requires_action' });
    expect(facts.toolCalls).toEqual([
      { id: 'call_1', name: 'pay', arguments: { n: 1 }, argumentsText: '{"n":1}' },
    ]);
  });

  test('waits for what it requires, whatever is said of an answer to it', () => {
    const call = functionCall();
    const answered = { ...call, function: { ...call.function, output: '' } };
    const item = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{"n":1}' };
    const output = { type: 'function_call_output', call_id: 'c', output: 'done' };
    expect(read('threads.runs', waiting(answered)).facts.toolCalls).toHaveLength(1);
    const session = { required_actions: [item], items: [output] };
    expect(read('agents.sessions', session).facts.toolCalls).toHaveLength(1);
  });

  test('makes no call by offering tools', () => {
    const { facts } = read('threads.runs', run({ status: 'queued', tools: offered, tool_choice: 'auto' }));
    expect(facts.toolCalls).toEqual([]);
  });

  test('with arguments that do not parse has a defect', () => {
    expect(read('threads.runs', waiting(functionCall('{'))).defects).not.toEqual([]);
  });

  test('in a list of runs is found', () => {
    const { facts } = read('threads.runs', { object: 'list', data: [run({}), waiting(functionCall())] });
    expect(facts.toolCalls).toHaveLength(1);
  });

  test('takes a reviewer’s arguments, and keeps everything else', () => {
    const original = Buffer.from(
      '{"a":1.0,"required_action":{"submit_tool_outputs":{"tool_calls":[{"id":"c","type":"function","function":{"name":"pay","arguments":"{}"}}]}}}',
    );
    const amended = amendAnswer(openai, 'threads.runs', original, null, {
      toolCalls: [{ id: 'c', arguments: { n: 2 } }],
    });
    expect(amended.toString()).toBe(original.toString().replace('"{}"', '"{\\"n\\":2}"'));
  });

  test('has no text that could be amended', () => {
    const original = Buffer.from(JSON.stringify(waiting(functionCall())));
    expect(() => amendAnswer(openai, 'threads.runs', original, null, { text: 'x' })).toThrow('amended');
  });
});

describe('steps of a run', () => {
  const steps = (...calls: readonly object[]) => ({
    object: 'list',
    data: [{ id: 'step_1', step_details: { type: 'tool_calls', tool_calls: calls } }],
  });

  test('show calls that wait', () => {
    expect(read('threads.runs.steps', steps(functionCall())).facts.toolCalls).toMatchObject([
      { name: 'pay' },
    ]);
  });

  test('show a call that was answered: the workload may have answered what it never saw', () => {
    const answered = {
      id: 'c',
      type: 'function',
      function: { name: 'pay', arguments: '{}', output: 'done' },
    };
    expect(read('threads.runs.steps', steps(answered)).facts.toolCalls).toMatchObject([{ name: 'pay' }]);
  });

  test('show what the provider ran, named after its type', () => {
    const code = { id: 'c', type: 'code_interpreter', code_interpreter: { input: '1+1', outputs: [] } };
    expect(read('threads.runs.steps', steps(code)).facts.toolCalls).toMatchObject([
      { name: 'code_interpreter', arguments: { input: '1+1' } },
    ]);
  });

  test('take a call of an unknown type or without arguments for a call', () => {
    const { facts } = read(
      'threads.runs.steps',
      steps({ type: 'teleport', to: 'x' }, { function: { name: 'go' } }),
    );
    expect(facts.toolCalls.map((call) => call.name)).toEqual(['teleport', 'go']);
  });
});

describe('items of a conversation', () => {
  const call = { type: 'function_call', id: 'fc', call_id: 'c1', name: 'pay', arguments: '{"n":1}' };
  const message = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] };

  test('show texts and calls that wait', () => {
    const { facts, defects } = read('conversations.items', { data: [message, call] });
    expect(defects).toEqual([]);
    expect(facts.text).toBe('Hi');
    expect(facts.toolCalls).toMatchObject([{ id: 'c1', name: 'pay', arguments: { n: 1 } }]);
  });

  test('show a call beside an output for it: the workload may have sent that without having seen the call', () => {
    const output = { type: 'function_call_output', call_id: 'c1', output: 'done' };
    for (const operation of ['responses.input_items', 'conversations.items'])
      expect(read(operation, { data: [output, call] }).facts.toolCalls).toMatchObject([{ name: 'pay' }]);
  });

  // https://developers.openai.com/api/docs/guides/tools-programmatic-tool-calling: code, and what it called.
  test('show code that calls tools, and not who called', () => {
    const program = {
      id: 'p',
      type: 'program',
      call_id: 'p1',
      code: 'await tools.pay({})',
      fingerprint: 'f',
    };
    const caller = { type: 'program', caller_id: 'p1' };
    const output = { type: 'function_call_output', call_id: 'c1', output: 'done', caller };
    const { facts, defects } = read('conversations.items', { data: [program, { ...call, caller }, output] });
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([
      { id: 'p1', name: 'program', arguments: { code: 'await tools.pay({})' } },
      { id: 'c1', name: 'pay' },
    ]);
  });

  test('show code beside what came of it', () => {
    const program = { id: 'p', type: 'program', call_id: 'p1', code: '1', fingerprint: 'f' };
    const output = { id: 'o', type: 'program_output', call_id: 'p1', result: '1', status: 'completed' };
    expect(read('conversations.items', { data: [program, output] }).facts.toolCalls).toMatchObject([
      { id: 'p1', name: 'program' },
    ]);
  });

  test('show a call as Anthropic writes one by the tool’s own name', () => {
    const use = { type: 'tool_use', id: 't', name: 'pay', input: { n: 1 } };
    const { facts } = read('served.any', { content: [use] });
    expect(facts.toolCalls).toMatchObject([{ id: 't', name: 'pay', arguments: { n: 1 } }]);
    const amendment = { toolCalls: [{ id: 't', arguments: { n: 2 } }] };
    const text = amended(null, openai, 'served.any', JSON.stringify({ content: [use] }), amendment);
    expect(JSON.parse(text)).toEqual({ content: [{ ...use, input: { n: 2 } }] });
  });

  test('take a new kind of call for a call', () => {
    const item = { type: 'teleport_call', id: 't', to: 'x' };
    expect(read('conversations.items', { data: [item] }).facts.toolCalls).toMatchObject([
      { name: 'teleport_call', arguments: { to: 'x' } },
    ]);
  });
});

test('stored completions in a list are judged like the answer', () => {
  const legacy = { message: { content: null, function_call: { name: 'old', arguments: '{}' } } };
  const chat = { message: { content: 'Hi', tool_calls: [functionCall()] } };
  const { facts } = read('chat.completions.list', { data: [{ choices: [chat] }, { choices: [legacy] }] });
  expect(facts.toolCalls.map((one) => one.name)).toEqual(['pay', 'old']);
  expect(facts.text).toBe('Hi');
});

test('an answer without a body says nothing, one that is no JSON has a defect', () => {
  expect(openai.readResponse('agents.sessions', 202, Buffer.alloc(0)).defects).toEqual([]);
  expect(openai.readResponse('agents.sessions', 200, Buffer.from('<html>')).defects).not.toEqual([]);
});

const named = (...values: readonly (readonly [string, unknown])[]) =>
  `${values.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join('')}event: done\ndata: [DONE]\n\n`;
const stepDelta = (args: string, members: object = {}) =>
  [
    'thread.run.step.delta',
    {
      id: 'step_1',
      delta: {
        step_details: {
          type: 'tool_calls',
          tool_calls: [{ index: 0, type: 'function', ...members, function: { arguments: args } }],
        },
      },
    },
  ] as const;
const stepOpened = [
  'thread.run.step.delta',
  {
    id: 'step_1',
    delta: {
      step_details: {
        type: 'tool_calls',
        tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'pay', arguments: '' } }],
      },
    },
  },
] as const;
const text = (value: string) =>
  [
    'thread.message.delta',
    { id: 'msg_1', delta: { content: [{ index: 0, type: 'text', text: { value } }] } },
  ] as const;

describe('a streamed run', () => {
  test('with a name that is no text has a defect', () => {
    const renamed = { function: { name: ['delete'], arguments: '{}' } };
    const [name, delta] = stepDelta('{}');
    const step = { type: 'tool_calls', tool_calls: [{ index: 0, type: 'function', ...renamed }] };
    const stream = named(stepOpened, [name, { ...delta, delta: { step_details: step } }]);
    expect(readStream(openai, 'threads.runs', stream).defects).toEqual([
      'the name of a tool call is not a text',
    ]);
  });

  test('has its text, which passes while it comes', () => {
    const read = readStream(
      openai,
      'threads.runs',
      named(
        ['thread.run.created', run({ status: 'queued' })],
        ['thread.message.created', { id: 'msg_1', content: [] }],
        text('Hel'),
        text('lo'),
        [
          'thread.message.completed',
          {
            id: 'msg_1',
            content: [{ type: 'text', text: { value: 'Hello', annotations: [{ text: '[1]' }] } }],
          },
        ],
        [
          'thread.run.completed',
          run({ status: 'completed', usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }),
        ],
      ),
    );
    expect(read.kinds).toEqual(['other', 'other', 'text', 'text', 'text', 'other', 'end']);
    expect(read.defects).toEqual([]);
    expect(read.facts).toMatchObject({ text: 'Hello', finishReason: 'completed', usage: { totalTokens: 3 } });
  });

  test('withholds a call from its first delta on, and knows it once however often it is told', () => {
    const read = readStream(
      openai,
      'threads.runs',
      named(stepOpened, stepDelta('{"n"'), stepDelta(':1}'), [
        'thread.run.requires_action',
        waiting(functionCall()),
      ]),
    );
    expect(read.kinds).toEqual(['tool', 'tool', 'tool', 'tool', 'end']);
    expect(read.defects).toEqual([]);
    expect(read.facts.toolCalls).toEqual([
      { id: 'call_1', name: 'pay', arguments: { n: 1 }, argumentsText: '{"n":1}' },
    ]);
  });

  test('has the call even where only its deltas came', () => {
    const { facts } = readStream(openai, 'threads.runs', named(stepOpened, stepDelta('{"n":2}')));
    expect(facts.toolCalls).toMatchObject([{ id: 'call_1', name: 'pay', arguments: { n: 2 } }]);
  });

  test('that tells a call in two ways has a defect and both calls', () => {
    const { facts, defects } = readStream(
      openai,
      'threads.runs',
      named(stepOpened, stepDelta('{"n":1}'), [
        'thread.run.requires_action',
        waiting(functionCall('{"n":9}')),
      ]),
    );
    expect(defects).not.toEqual([]);
    expect(facts.toolCalls.map((call) => call.argumentsText).sort()).toEqual(['{"n":1}', '{"n":9}']);
  });

  test('withholds an event nobody knows, and a call in the place of a message', () => {
    const hidden = {
      id: 'm',
      content: [{ type: 'text', text: { value: 'x' }, tool_calls: [functionCall()] }],
    };
    const { kinds, facts } = readStream(
      openai,
      'threads.runs',
      named(['thread.surprise', {}], ['thread.message.completed', hidden]),
    );
    expect(kinds).toEqual(['tool', 'tool', 'end']);
    expect(facts.toolCalls).toMatchObject([{ name: 'pay' }]);
  });

  test('that fails has failed, and one without its last event is not complete', () => {
    const failed = readStream(
      openai,
      'threads.runs',
      named(['thread.run.failed', run({ status: 'failed' })]),
    );
    expect(failed).toMatchObject({ failed: true, kinds: ['error', 'end'] });
    expect(
      readStream(openai, 'threads.runs', events('event: thread.run.created\ndata: {}\n\n')).complete,
    ).toBe(false);
  });
});

describe('a stream of an agent’s session', () => {
  test('lets text pass and withholds what asks for a tool', () => {
    const item = { type: 'function_call', id: 'i', call_id: 'c', name: 'pay', arguments: '{"n":1}' };
    const { kinds, facts, complete } = readStream(
      openai,
      'agents.sessions',
      events(
        { type: 'agent.session.in_progress' },
        { type: 'agent.session.turn.output_text.delta', delta: 'Hi' },
        { type: 'agent.session.turn.item.added', item: { ...item, arguments: '' } },
        { type: 'agent.session.turn.item.done', item },
        { type: 'agent.output.command_execution_output.delta', delta: 'rm' },
      ),
    );
    expect(kinds).toEqual(['other', 'text', 'tool', 'tool', 'tool']);
    expect(facts).toMatchObject({ text: 'Hi', toolCalls: [{ id: 'c', arguments: { n: 1 } }] });
    expect(complete).toBe(true);
  });
});
