/** Names under which rules see a call besides its own: its tool's where it runs, and with its namespace. */
import { describe, expect, test } from 'vitest';
import type { ResponseFacts } from '../../../../src/core/facts.ts';
import type { ProtocolName } from '../../../../src/core/protocol-name.ts';
import { expressionCompiler } from '../../../../src/policy/expression.ts';
import { Variables } from '../../../../src/policy/views.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { OperationName } from '../../../../src/provider/protocol.ts';
import { requestFacts } from '../../policy/support.ts';
import { readStream, typedEvents } from '../streams.ts';

const compile = expressionCompiler();
const matches = (when: string, response: ResponseFacts): boolean =>
  compile('response', when).matches(new Variables({ request: requestFacts(), response }));
const names = (facts: ResponseFacts, name: string, path = '/a'): boolean =>
  matches(`response.toolCalls.exists(c, c.name == "${name}" && c.arguments.path == "${path}")`, facts);

function whole(provider: ProtocolName, operation: OperationName, body: object): ResponseFacts {
  const { facts, defects } = protocolOf(provider).readResponse(
    operation,
    200,
    Buffer.from(JSON.stringify(body)),
  );
  expect(defects).toEqual([]);
  return facts;
}

const input = { path: '/a' };
const written = JSON.stringify(input);
const output = (item: object) => ({ status: 'completed', output: [item] });
const onServer = { id: 'm', name: 'delete_repo', server_label: 'git', arguments: written };

describe('rules see a call by the name that its tool has', () => {
  test.each(['mcp_call', 'mcp_tool_call', 'mcp_approval_request', 'a_kind_nobody_knows'])(
    'on the server that OpenAI calls, in %s',
    (type) => {
      const facts = whole('openai', 'responses', output({ ...onServer, type }));
      expect(names(facts, 'delete_repo')).toBe(true);
      expect(names(facts, 'git.delete_repo')).toBe(true);
      // Still what it was to rules that ask for its kind.
      const asKind = `response.toolCalls.exists(c, c.name == "${type}" && c.arguments.name == "delete_repo")`;
      expect(matches(asKind, facts)).toBe(true);
      expect(facts.toolCalls).toHaveLength(1);
    },
  );

  test('in a stream', () => {
    const item = { ...onServer, type: 'mcp_call' };
    const { facts, defects } = readStream(
      protocolOf('openai'),
      'responses',
      typedEvents(
        { type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '' } },
        { type: 'response.mcp_call_arguments.delta', output_index: 0, delta: written },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: output(item) },
      ),
    );
    expect(defects).toEqual([]);
    expect(names(facts, 'delete_repo')).toBe(true);
  });

  test('read back from a conversation', () => {
    const facts = whole('openai', 'conversations.items', { data: [{ ...onServer, type: 'mcp_call' }] });
    expect(names(facts, 'delete_repo')).toBe(true);
  });

  test('in a block of a kind that Anthropic has only since', () => {
    const block = { type: 'remote_tool_use', id: 'a', name: 'delete_repo', server_name: 'git', input };
    const facts = whole('anthropic', 'messages', { content: [block] });
    expect(names(facts, 'delete_repo')).toBe(true);
  });
});

describe('rules see a call with its namespace before its name, and without:', () => {
  const call = { id: 'f', call_id: 'c', name: 'delete', namespace: 'repos' };
  const remote = { type: 'mcp_tool_use', id: 'a', name: 'delete', server_name: 'repos', input };
  const info = { type: 'ephemeral_mcp', server_label: 'repos' };

  test.each<[string, ProtocolName, OperationName, object]>([
    [
      'a function of a namespace of OpenAI’s',
      'openai',
      'responses',
      output({ type: 'function_call', ...call, arguments: written }),
    ],
    ['a tool of a server that Anthropic calls', 'anthropic', 'messages', { content: [remote] }],
    [
      'a tool of a set of Anthropic’s',
      'anthropic',
      'messages',
      { content: [{ type: 'tool_use', id: 'a', name: 'delete', toolset_name: 'repos', input }] },
    ],
    [
      'a tool of a server in a session of Anthropic’s',
      'anthropic',
      'sessions.events',
      { data: [{ type: 'agent.mcp_tool_use', id: 'a', name: 'delete', mcp_server_name: 'repos', input }] },
    ],
    [
      'a tool of a server that Google calls',
      'gemini',
      'interactions',
      {
        steps: [
          { type: 'mcp_server_tool_call', id: 'a', name: 'delete', server_name: 'repos', arguments: input },
        ],
      },
    ],
    [
      'a tool of a server that LM Studio calls',
      'openai',
      'lmstudio.chat',
      { output: [{ type: 'tool_call', tool: 'delete', arguments: input, provider_info: info }] },
    ],
  ])('%s', (_what, provider, operation, body) => {
    const facts = whole(provider, operation, body);
    expect(names(facts, 'delete')).toBe(true);
    expect(names(facts, 'repos.delete')).toBe(true);
    expect(matches('response.toolCalls.exists(c, words(c.name) == "repos / delete")', facts)).toBe(true);
  });

  test('a custom tool of a namespace', () => {
    const facts = whole('openai', 'responses', output({ type: 'custom_tool_call', ...call, input: 'x' }));
    const when = 'response.toolCalls.exists(c, c.name == "repos.delete" && c.arguments.input == "x")';
    expect(matches(when, facts)).toBe(true);
  });

  test('streamed in pieces by Anthropic', () => {
    const { facts, defects } = readStream(
      protocolOf('anthropic'),
      'messages',
      typedEvents(
        { type: 'message_start', message: { model: 'c', content: [] } },
        { type: 'content_block_start', index: 0, content_block: { ...remote, input: {} } },
        { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: written } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_stop' },
      ),
    );
    expect(defects).toEqual([]);
    expect(names(facts, 'repos.delete')).toBe(true);
  });

  test('of which the end of a stream tells another namespace than the item, is a defect', () => {
    const item = { type: 'function_call', ...call, arguments: written };
    const { facts, defects } = readStream(
      protocolOf('openai'),
      'responses',
      typedEvents(
        { type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '' } },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: output({ ...item, namespace: 'bank' }) },
      ),
    );
    expect(defects).toEqual(['the final response differs from what was streamed']);
    expect(names(facts, 'bank.delete')).toBe(true);
  });
});

describe('of whose tool a call is may not change with who is asked:', () => {
  const item = { type: 'function_call', id: 'f', call_id: 'c', name: 'delete', namespace: 'repos' };
  const onBank = { ...onServer, type: 'mcp_call', server_label: 'bank' };

  test.each([
    ['a namespace', { ...item, arguments: '' }, { ...item, namespace: 'bank', arguments: written }],
    ['a server', { ...onServer, type: 'mcp_call', arguments: '' }, onBank],
  ])('%s other than the call began with is a defect', (_what, added, done) => {
    const { defects } = readStream(
      protocolOf('openai'),
      'responses',
      typedEvents(
        { type: 'response.output_item.added', output_index: 0, item: added },
        { type: 'response.output_item.done', output_index: 0, item: done },
        { type: 'response.completed', response: output(done) },
      ),
    );
    expect(defects).toEqual(['the name of a tool call changes during the stream']);
  });

  test('a server other than the end of an interaction says is a defect', () => {
    const step = { type: 'mcp_server_tool_call', id: 'a', name: 'delete', server_name: 'repos' };
    const end = { status: 'completed', steps: [{ ...step, server_name: 'bank', arguments: input }] };
    const events = [
      { event_type: 'step.start', index: 0, step: { ...step, arguments: input } },
      { event_type: 'step.stop', index: 0 },
      { event_type: 'interaction.completed', interaction: end },
    ];
    const { defects } = readStream(
      protocolOf('gemini'),
      'interactions',
      events.map((event) => `event: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
    );
    expect(defects).toEqual(['the stream ends with other tool calls than it had']);
  });

  test('a server other than the end of an answer of LM Studio’s says is a defect', () => {
    const on = (server: string) => ({
      ...{ tool: 'delete', arguments: input },
      provider_info: { type: 'ephemeral_mcp', server_label: server },
    });
    const { defects } = readStream(
      protocolOf('openai'),
      'lmstudio.chat',
      typedEvents(
        { type: 'tool_call.arguments', ...on('repos') },
        { type: 'chat.end', result: { output: [{ type: 'tool_call', ...on('bank') }] } },
      ),
    );
    expect(defects).toEqual(['the stream told other calls than its end']);
  });
});

test('a tool of a server that is called in a block of Anthropic’s is seen under both names where it is read back', () => {
  const block = { type: 'mcp_tool_use', id: 'a', name: 'delete_repo', server_name: 'git', input };
  const facts = whole('openai', 'conversations.items', { data: [block] });
  expect(names(facts, 'delete_repo')).toBe(true);
  expect(names(facts, 'git.delete_repo')).toBe(true);
});

test('arguments of a call of a kind of its own, with a key written twice, are a defect', () => {
  const entry = { type: 'remote.execution', id: 't', name: 'delete_repo' };
  const read = (args: string) =>
    protocolOf('mistral').readResponse(
      'conversations',
      200,
      Buffer.from(JSON.stringify({ outputs: [{ ...entry, arguments: args }], usage: {} })),
    );
  expect(read('{"path":"/a","path":"/b"}').defects).toEqual([
    'the argument text of a tool call has the key "path" more than once',
  ]);
  expect(read('/a').defects).toEqual([]);
});

test('a call without namespace is seen once', () => {
  const facts = whole('openai', 'responses', output({ type: 'function_call', name: 'pay', arguments: '{}' }));
  expect(matches('size(response.toolCalls) == 1', facts)).toBe(true);
  expect(facts.toolCalls[0]).not.toHaveProperty('alsoAs');
});
