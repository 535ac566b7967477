/** Anthropic's managed agents, in the shapes of the official SDK's types. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked, codeOf, readAs } from '../lines.ts';

const anthropic = protocolOf('anthropic');
const words = (text: string) => [{ type: 'text', text }];

test.each([
  ['POST', '/v1/agents', 'agents'],
  ['POST', '/v1/agents/agent_1', 'agents'],
  ['POST', '/v1/agents/agent_1/archive', 'unknown'],
  ['GET', '/v1/agents/agent_1', 'unknown'],
  ['POST', '/v1/sessions', 'sessions'],
  ['POST', '/v1/sessions/sesn_1', 'sessions'],
  ['POST', '/v1/sessions/sesn_1/archive', 'unknown'],
  ['POST', '/v1/sessions/sesn_1/events', 'sessions.events'],
  ['GET', '/v1/sessions/sesn_1/events', 'sessions.events'],
  ['GET', '/v1/sessions/sesn_1/threads/sthr_1/events', 'sessions.events'],
  ['GET', '/v1/sessions/sesn_1/events/stream', 'sessions.stream'],
  ['GET', '/v1/sessions/sesn_1/threads/sthr_1/stream', 'sessions.stream'],
  ['POST', '/v1/deployments', 'deployments'],
  ['POST', '/v1/dreams', 'dreams'],
  ['POST', '/v1/sessions/sesn_1/resources', 'sessions'],
  ['GET', '/v1/events', 'unknown'],
])('%s %s is %s', (method, path, operation) => {
  expect(anthropic.operationOf(method, path)).toBe(operation);
});

describe('a request', () => {
  test.each(['claude-opus-4-5', { id: 'claude-opus-4-5', effort: 'high' }])(
    'that makes an agent of %j has its model, its instructions and its tools',
    (model) => {
      const { facts, defects } = asked(anthropic, 'agents', {
        model,
        name: 'clerk',
        system: 'Be careful.',
        tools: [
          { type: 'agent_toolset_20260401' },
          { type: 'custom', name: 'pay', description: 'Pays', input_schema: {} },
        ],
        mcp_servers: [{ type: 'url', name: 'crm', url: 'https://crm.example/mcp' }],
      });
      expect(defects).toEqual([]);
      expect(facts).toMatchObject({
        model: 'claude-opus-4-5',
        system: 'Be careful.',
        params: { name: 'clerk' },
      });
      expect(facts.tools).toEqual([
        { name: 'agent_toolset_20260401', description: '' },
        { name: 'pay', description: 'Pays' },
        { name: 'crm', description: 'https://crm.example/mcp' },
      ]);
    },
  );

  test('that opens a session has what it changes of its agent, and its first messages', () => {
    const { facts, defects } = asked(anthropic, 'sessions', {
      agent: { type: 'agent_with_overrides', id: 'agent_1', model: 'claude-opus-4-5', system: 'Be quick.' },
      environment_id: 'env_1',
      initial_events: [
        { type: 'user.message', content: words('Hi') },
        { type: 'user.define_outcome', description: 'A report', rubric: { type: 'text', content: 'Short' } },
      ],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ model: 'claude-opus-4-5', system: 'Be quick.' });
    expect(facts.text).toBe('Be quick.\nHi\nA report\nShort');
  });

  test.each([
    { resources: [{ type: 'memory_store', memory_store_id: 'm', instructions: 'Trust it.' }] },
    { type: 'memory_store', memory_store_id: 'm', instructions: 'Trust it.' },
  ])('that gives a session a store of memories has what its agent is told of it: %j', (body) => {
    const { facts, defects } = asked(anthropic, 'sessions', body);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ system: 'Trust it.', text: 'Trust it.' });
  });

  test.each(['agent_1', { type: 'agent', id: 'agent_1', version: 2 }])(
    'of an agent by its id alone names that: %j',
    (agent) => {
      expect(asked(anthropic, 'sessions', { agent, environment_id: 'e' }).facts.model).toBe('agent_1');
    },
  );

  test('that sends events has their words, and how many calls they confirm', () => {
    const { facts, defects } = asked(anthropic, 'sessions.events', {
      events: [
        { type: 'user.message', content: words('Go on.') },
        { type: 'user.custom_tool_result', custom_tool_use_id: 'a', content: words('Paid.') },
        { type: 'user.tool_confirmation', tool_use_id: 'b', result: 'allow' },
        { type: 'user.tool_confirmation', tool_use_id: 'c', result: 'deny', deny_message: 'No.' },
        { type: 'system.message', content: words('Be brief.') },
      ],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      system: 'Be brief.',
      text: 'Be brief.\nGo on.\nPaid.\nNo.',
      params: { confirms: 1 },
    });
    expect(facts.messages.map(({ role }) => role)).toEqual(['user', 'tool', 'tool', 'tool', 'system']);
  });

  test.each([{ events: {} }, { events: ['x'] }, { model: 7 }])('of another shape is a defect: %j', (body) => {
    expect(asked(anthropic, 'sessions.events', body).defects).not.toEqual([]);
  });
});

const log = (...data: readonly object[]) =>
  readAs(null, anthropic, 'sessions.events', JSON.stringify({ data, next_page: null }));
const use = (type: string, id: string) => ({ type, id, name: 'pay', input: { amount: 9 } });

describe('a session’s log', () => {
  test('has its text, its usage and why it stopped', () => {
    const { facts, defects } = log(
      { type: 'user.message', id: 'u', content: words('Hi') },
      { type: 'agent.message', id: 'm', content: words('Hello') },
      {
        type: 'span.model_request_end',
        id: 's',
        model_usage: {
          input_tokens: 3,
          output_tokens: 2,
          cache_creation_input_tokens: 1,
          cache_read_input_tokens: 4,
        },
      },
      {
        type: 'session.status_idle',
        id: 'i',
        stop_reason: { type: 'refusal' },
        stop_details: { type: 'refusal', category: null, explanation: 'Not that.' },
      },
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      text: 'Hello',
      finishReason: 'refusal',
      refusal: 'Not that.',
      usage: { source: 'provider', inputTokens: 8, outputTokens: 2, totalTokens: 10 },
    });
  });

  test.each(['agent.tool_use', 'agent.custom_tool_use', 'agent.mcp_tool_use'])(
    'has the calls that wait for an answer: %s',
    (type) => {
      expect(log(use(type, 'e1')).facts.toolCalls).toEqual([
        { id: 'e1', name: 'pay', arguments: { amount: 9 }, argumentsText: '{"amount":9}' },
      ]);
    },
  );

  test.each([
    ['agent.tool_use', { type: 'agent.tool_result', tool_use_id: 'e1' }],
    ['agent.mcp_tool_use', { type: 'agent.mcp_tool_result', mcp_tool_use_id: 'e1' }],
  ])('shows no call again that the provider ran: %s', (type, result) => {
    expect(log(use(type, 'e1'), result, use(type, 'e2')).facts.toolCalls.map(({ id }) => id)).toEqual(['e2']);
  });

  test.each([
    ['agent.custom_tool_use', { type: 'user.custom_tool_result', custom_tool_use_id: 'e1' }],
    ['agent.tool_use', { type: 'user.tool_confirmation', tool_use_id: 'e1', result: 'allow' }],
    ['agent.mcp_tool_use', { type: 'user.tool_confirmation', tool_use_id: 'e1', result: 'deny' }],
    ['agent.tool_use', { type: 'user.message', tool_use_id: 'e1' }],
  ])('shows a call that the workload answered, which it may never have seen: %s', (type, answer) => {
    expect(log(use(type, 'e1'), answer).facts.toolCalls.map(({ id }) => id)).toEqual(['e1']);
  });

  test.each([
    { type: 'agent.custom_tool_use', name: 'pay', input: { amount: 9 } },
    { type: 'agent.next_year', name: 'pay', input: { amount: 9 } },
  ])('shows a call without an id, whatever else is answered: %j', (call) => {
    const result = { type: 'agent.tool_result' };
    expect(log(call, result).facts.toolCalls).toMatchObject([{ name: 'pay' }]);
  });

  test('whose call has no input is a defect, and so is an entry that is no event', () => {
    expect(log({ type: 'agent.tool_use', id: 'e', name: 'pay' }).defects).not.toEqual([]);
    expect(readAs(null, anthropic, 'sessions.events', '{"data":["x"]}').defects).not.toEqual([]);
  });

  test('is not amended', () => {
    const amend = () => anthropic.amendResponse('sessions.events', Buffer.from('{"data":[]}'), null, {});
    expect(codeOf(amend)).toBe('invalid_argument');
  });
});

test('a page of the log has the calls of kinds that nobody knows', () => {
  const next = { type: 'agent.next_year', id: 'e', name: 'pay', input: { amount: 1 } };
  expect(log(next).facts.toolCalls).toMatchObject([{ name: 'pay', arguments: { amount: 1 } }]);
});

describe('a segment of the stream', () => {
  const event = (type: string, members: object = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, id: `id of ${type}`, ...members })}\n\n`;
  const say = (text: string, id = 'm') => event('agent.message', { id, content: words(text) });
  const delta = (text: string) =>
    event('event_delta', {
      event_id: 'm',
      delta: { type: 'content_delta', content: { type: 'text', text } },
    });
  const begun = event('event_start', { event: { type: 'agent.message', id: 'm' } });

  function read(...events: readonly string[]) {
    const stream = anthropic.segmentsOf?.('sessions.stream')?.(200);
    if (stream === undefined) throw new Error('such a stream is read in segments');
    stream.push(Buffer.from(events.join('')));
    const ends: boolean[] = [];
    for (let next = stream.next(); next !== null; next = stream.next()) ends.push(next.ends);
    return { ends, within: stream.within(), ...stream.cut() };
  }

  test('ends with a call, and has the text that was said before it', () => {
    const call = event('agent.mcp_tool_use', { name: 'pay', input: { amount: 1 } });
    const { ends, facts } = read(say('Paying.'), call);
    expect(ends).toEqual([false, true]);
    expect(facts).toMatchObject({ text: 'Paying.', toolCalls: [{ name: 'pay', arguments: { amount: 1 } }] });
  });

  test.each([
    'session.status_idle',
    'session.thread_status_idle',
    'session.status_terminated',
    'session.deleted',
  ])('ends with %s', (type) => expect(read(say('Bye.'), event(type)).ends).toEqual([false, true]));

  test('is within a message that was previewed and is not whole', () => {
    expect(read(begun, delta('Good ')).within).toBe('text');
    expect(read(begun, delta('Good '), delta('day.'), say('Good day.')).within).toBeNull();
  });

  test('has the text of a preview once', () => {
    expect(read(begun, delta('Good '), delta('day.'), say('Good day.')).facts.text).toBe('Good day.');
    expect(read(begun, delta('Good '), delta('da')).facts.text).toBe('Good da');
  });

  test('is not kept open by a preview whose request to the model ended', () => {
    expect(read(begun, delta('Good '), event('span.model_request_end')).within).toBeNull();
  });

  test('that an error ends has failed', () => {
    expect(read(event('error', { error: { type: 'overloaded_error' } }))).toMatchObject({
      ends: [true],
      failed: true,
    });
  });

  test('ends with an event that nobody knows, which is judged by its name where it has one', () => {
    const { ends, facts } = read(event('agent.next_year', { name: 'pay', input: { amount: 1 } }));
    expect(ends).toEqual([true]);
    expect(facts.toolCalls).toMatchObject([{ name: 'pay', arguments: { amount: 1 } }]);
    expect(read(event('agent.next_year')).facts.toolCalls).toEqual([]);
  });

  test('has a call that only its event’s name tells of', () => {
    const bytes = 'event: agent.custom_tool_use\ndata: {"id":"e","name":"pay","input":{"amount":1}}\n\n';
    const { ends, facts } = read(bytes);
    expect(ends).toEqual([true]);
    expect(facts.toolCalls).toMatchObject([{ id: 'e', name: 'pay', arguments: { amount: 1 } }]);
  });

  test.each([
    event('event_start', { event: { type: 'agent.tool_use', id: 'm', name: 'pay', input: { amount: 1 } } }),
    event('event_delta', {
      event_id: 'm',
      delta: { type: 'content_delta', content: { type: 'tool_use', name: 'pay', input: { amount: 1 } } },
    }),
  ])('ends with a preview of a call: %j', (preview) => {
    const { ends, facts } = read(preview);
    expect(ends).toEqual([true]);
    expect(facts.toolCalls).toMatchObject([{ name: 'pay', arguments: { amount: 1 } }]);
  });

  test.each([
    ['that is no JSON', 'event: agent.message\ndata: {\n\n'],
    [
      'whose name says a call and whose type does not',
      'event: agent.tool_use\ndata: {"type":"agent.message"}\n\n',
    ],
  ])('ends with an event %s, which is a defect', (_what, bytes) => {
    const { ends, defects } = read(bytes);
    expect(ends).toEqual([true]);
    expect(defects).not.toEqual([]);
  });
});

test('no other operation is read in segments', () => {
  expect(anthropic.segmentsOf?.('sessions.events')).toBeNull();
  expect(anthropic.segmentsOf?.('messages')).toBeNull();
});
