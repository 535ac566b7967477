import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { events, headOf, readStream, type TypedEvent, typedEvents } from '../streams.ts';

const anthropic = protocolOf('anthropic');
const operation = 'messages';
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const request = (value: unknown) => anthropic.readRequest(operation, bytes(value), headOf('/'));
const answer = (value: unknown, status = 200) => anthropic.readResponse(operation, status, bytes(value));
const toolUse = (input: unknown, type = 'tool_use') => ({ type, id: 't1', name: 'pay', input });

describe('a request', () => {
  test('has its system blocks, messages with calls and results, tools and scalar parameters', () => {
    const { facts, defects } = request({
      model: 'claude',
      max_tokens: 10,
      system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: 'Pay' },
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm' }, toolUse({ n: 1 })] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'paid' }] },
            { type: 'document', title: 'Deed', source: { type: 'text', data: 'signed' } },
            { type: 'image', source: { type: 'base64', data: 'AAAA' } },
          ],
        },
      ],
      tools: [
        { name: 'pay', description: 'Pays' },
        { type: 'bash_20250124', name: 'bash' },
      ],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ system: 'Be kind.', params: { max_tokens: 10 } });
    expect(facts.text).toBe('Be kind.\nPay\nhm\npaid\nDeed\nsigned');
    expect(facts.messages[1]?.toolCalls).toMatchObject([{ id: 't1', name: 'pay', arguments: { n: 1 } }]);
    expect(facts.tools.map((tool) => tool.name)).toEqual(['pay', 'bash']);
  });

  // https://platform.claude.com/docs/en/build-with-claude/compaction
  test('says how the model is to sum up what was said before', () => {
    const edits = [
      { type: 'clear_tool_uses_20250919' },
      { type: 'compact_20260112', instructions: 'Be short.' },
    ];
    const { facts } = request({ system: 'Be kind.', messages: [], context_management: { edits } });
    expect(facts).toMatchObject({ system: 'Be kind.\nBe short.', text: 'Be kind.\nBe short.' });
  });

  // https://platform.claude.com/docs/en/agents-and-tools/tool-use: tools that are added on the way, and servers with theirs.
  test('has the tools that its messages add, and the servers whose tools the model may call', () => {
    const { facts, defects } = request({
      mcp_servers: [{ type: 'url', name: 'bank', url: 'https://bank.example/mcp' }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'tool_addition', tool: { type: 'tool_definition', definition: { name: 'pay' } } },
            { type: 'tool_addition', tool: { type: 'tool_reference', name: 'wire' } },
            { type: 'tool_addition', tool: { type: 'mcp_tool_reference', server_name: 's', name: 'refund' } },
            { type: 'tool_addition', tool: { type: 'mcp_toolset_reference', server_name: 'shop' } },
          ],
        },
        { role: 'assistant', content: [{ type: 'mcp_tool_listing', tools: [{ name: 'donate' }] }] },
      ],
    });
    expect(defects).toEqual([]);
    expect(facts.tools.map(({ name }) => name)).toEqual(['bank', 'pay', 'wire', 'refund', 'shop', 'donate']);
  });

  test('has the tools that its sets and servers name, but for those that are switched off', () => {
    const { facts, defects } = request({
      messages: [],
      mcp_servers: [
        { type: 'url', name: 'bank', url: 'https://bank.example/mcp' },
        {
          type: 'url',
          name: 'shop',
          url: 'https://s.example',
          tool_configuration: { allowed_tools: ['order'] },
        },
      ],
      tools: [
        {
          type: 'mcp_toolset',
          mcp_server_name: 'bank',
          configs: { pay: { enabled: true }, wire: { enabled: false } },
        },
        { type: 'mcp_toolset', mcp_server_name: 'bank', tools: [{ name: 'refund' }] },
        { type: 'agent_toolset_20260401', configs: [{ name: 'bash' }, { name: 'web', enabled: false }] },
      ],
    });
    expect(defects).toEqual([]);
    const sets = ['mcp_toolset', 'pay', 'mcp_toolset', 'refund', 'agent_toolset_20260401', 'bash'];
    expect(facts.tools.map(({ name }) => name)).toEqual([...sets, 'bank', 'shop', 'order']);
  });

  test('may give the system as a string', () => {
    expect(request({ system: 'Be kind.', messages: [] }).facts.system).toBe('Be kind.');
  });

  test.each([
    ['a system of another shape', { system: { text: 'x' }, messages: [] }, '`system`'],
    ['content of another shape', { messages: [{ role: 'user', content: { text: 'x' } }] }, 'content'],
    ['messages that are no list', { messages: 'x' }, '`messages` is not a list'],
    ['a repeated key', '{"messages":[],"system":"a","system":"b"}', '"system" more than once'],
  ])('with %s has a defect', (_what, body, defect) => {
    expect(request(body).defects.join()).toContain(defect);
  });
});

describe('an answer', () => {
  test('has text, calls of every kind, stop reason and usage with cached tokens', () => {
    const { facts, defects } = answer({
      model: 'claude',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 's' },
        { type: 'text', text: 'Hi' },
        toolUse({ n: 1 }),
        { ...toolUse({ q: 'x' }, 'server_tool_use'), id: 't2', name: 'web_search' },
        { type: 'web_search_tool_result', tool_use_id: 't2', content: [] },
        { ...toolUse({}, 'mcp_tool_use'), id: 't3' },
        { type: 'teleport', id: 't4', where: 'home' },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 1, cache_read_input_tokens: 10, output_tokens: 2 },
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'Hi', finishReason: 'tool_use' });
    expect(facts.usage).toEqual({ source: 'provider', inputTokens: 11, outputTokens: 2, totalTokens: 13 });
    expect(facts.toolCalls).toMatchObject([
      { id: 't1', name: 'pay', arguments: { n: 1 }, argumentsText: '{"n":1}' },
      { id: 't2', name: 'web_search', arguments: { q: 'x' } },
      { id: 't3', arguments: {} },
      { id: 't4', name: 'teleport', arguments: { where: 'home' } },
    ]);
  });

  test('has the summary of what was said before, which the AI SDK shows as text', () => {
    const content = [
      { type: 'compaction', content: 'A sum' },
      { type: 'text', text: 'Hi' },
      { type: 'compaction', content: null },
    ];
    expect(answer({ content }).facts.text).toBe('A sum\nHi');
  });

  test('has why it was refused', () => {
    const details = { type: 'refusal', explanation: 'no' };
    expect(answer({ content: [], stop_reason: 'refusal', stop_details: details }).facts).toMatchObject({
      finishReason: 'refusal',
      refusal: 'no',
    });
  });

  test.each([
    ['no content', { model: 'x' }, 'no `content`'],
    ['content of another shape', { content: 'x' }, '`content` is not a list'],
    ['a block that is no object', { content: ['x'] }, 'not an object'],
    ['input that is no object', { content: [toolUse('{"n":1}')] }, 'input of a tool call is not an object'],
    [
      'a repeated key in an input',
      '{"content":[{"type":"tool_use","input":{"n":1,"n":2}}]}',
      '"n" more than once',
    ],
  ])('with %s has a defect', (_what, body, defect) => {
    expect(answer(body).defects.join()).toContain(defect);
  });

  test('of an error status is its status, whatever its body', () => {
    expect(answer('<html>', 529)).toMatchObject({ facts: { status: 529 }, defects: [], complete: true });
  });
});

describe('a stream', () => {
  const start = {
    type: 'message_start',
    message: { model: 'claude', content: [], usage: { input_tokens: 5, output_tokens: 1 } },
  };
  const open = (index: number, block: object) => ({
    type: 'content_block_start',
    index,
    content_block: block,
  });
  const delta = (index: number, value: object) => ({ type: 'content_block_delta', index, delta: value });
  const json = (index: number, text: string) =>
    delta(index, { type: 'input_json_delta', partial_json: text });
  const close = (index: number) => ({ type: 'content_block_stop', index });
  const end = (reason: string) => ({
    type: 'message_delta',
    delta: { stop_reason: reason },
    usage: { output_tokens: 7 },
  });
  const stop = { type: 'message_stop' };
  const read = (...values: readonly TypedEvent[]) => readStream(anthropic, operation, typedEvents(...values));

  test('says of every event what it carries', () => {
    const reading = read(
      start,
      { type: 'ping' },
      open(0, { type: 'thinking', thinking: '' }),
      delta(0, { type: 'thinking_delta', thinking: 'hm' }),
      close(0),
      open(1, { type: 'text', text: '' }),
      delta(1, { type: 'text_delta', text: 'Hi' }),
      close(1),
      open(2, toolUse({})),
      json(2, '{"n":"\\u00'),
      json(2, 'e9"}'),
      close(2),
      end('tool_use'),
      stop,
    );
    expect(reading.kinds).toEqual(
      'other other other text other other text other tool tool tool other other end'.split(' '),
    );
    expect(reading).toMatchObject({ complete: true, failed: false, defects: [] });
    expect(reading.facts).toMatchObject({
      text: 'Hi',
      finishReason: 'tool_use',
      usage: { inputTokens: 5, outputTokens: 7 },
      toolCalls: [{ id: 't1', name: 'pay', arguments: { n: 'é' } }],
    });
  });

  // https://platform.claude.com/docs/en/build-with-claude/compaction; one without words has not come about.
  test('has the summary of what was said before, which the AI SDK shows as text', () => {
    const { facts, defects } = read(
      ...[start, open(0, { type: 'compaction', content: 'A' })],
      ...[delta(0, { type: 'compaction_delta', content: ' sum' }), close(0)],
      ...[open(1, { type: 'compaction', content: null })],
      ...[delta(1, { type: 'compaction_delta', content: null }), close(1), stop],
    );
    expect(facts.text).toBe('A sum');
    expect(defects).toEqual([]);
  });

  test('of a call without input has empty arguments', () => {
    expect(read(start, open(0, toolUse({})), close(0), stop).facts.toolCalls).toMatchObject([
      { arguments: {}, argumentsText: '{}' },
    ]);
  });

  test.each([
    ['input that is cut', [open(0, toolUse({})), json(0, '{"n":')]],
    ['input both whole and in pieces', [open(0, toolUse({ n: 1 })), json(0, '{"n":2}')]],
    ['blocks out of order', [open(1, toolUse({}))]],
    ['input for a text block', [open(0, { type: 'text', text: '' }), json(0, '{"n":2}')]],
    ['a delta of no block', [delta(0, { type: 'text_delta', text: 'x' })]],
    ['two messages', [start, start, open(0, toolUse({}))]],
  ])('with %s has a defect and does not pass unjudged', (_what, values) => {
    const reading = read(...values);
    expect(reading.defects).not.toEqual([]);
    expect(reading.kinds).toContain('tool');
  });

  test('that opens with its whole message has the calls in it', () => {
    const message = { content: [toolUse({ n: 1 })], stop_reason: 'tool_use' };
    const reading = read({ type: 'message_start', message }, stop);
    expect(reading.kinds).toEqual(['tool', 'end']);
    expect(reading).toMatchObject({ defects: [], facts: { finishReason: 'tool_use' } });
    expect(reading.facts.toolCalls).toMatchObject([{ id: 't1', arguments: { n: 1 } }]);
  });

  test('with a call in an event of no type that is known cannot be judged, and so holds', () => {
    const unnamed = `data: ${JSON.stringify({ content_block: toolUse({}) })}\n\n`;
    const { kinds, defects } = readStream(anthropic, operation, unnamed + events({ type: 'message_stop' }));
    expect([kinds, defects]).toEqual([['tool', 'end'], ['an event of the stream has an unknown type']]);
  });

  test('of events nobody knows yet does not pass them unjudged', () => {
    expect(read({ type: 'teleport' }).kinds).toEqual(['tool']);
  });

  test('with an error after status 200 has failed', () => {
    const reading = read(start, { type: 'error', error: { type: 'overloaded_error' } });
    expect(reading).toMatchObject({ kinds: ['other', 'error'], failed: true, complete: false });
  });

  test('cannot smuggle a call under the name of a ping', () => {
    const hidden = `event: ping\ndata: ${JSON.stringify(open(0, toolUse({ n: 1 })))}\n\n`;
    const reading = readStream(anthropic, operation, hidden);
    expect(reading.kinds).toEqual(['tool']);
    expect(reading.facts.toolCalls).toHaveLength(1);
  });

  const streamed = (json: string, block = toolUse({})) =>
    read(
      start,
      open(0, block),
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: json } },
      { type: 'content_block_stop', index: 0 },
      stop,
    );

  // Older SDKs for JavaScript lost the exponent's letter and what stands behind it.
  test.each([
    ['{"amount":5e0000}', [{ amount: 5000 }]],
    ['{"rate":1e-5,"note":"1e-5"}', [{ rate: 15, note: '1e-5' }]],
    ['{"all":[2.5E+10,-3e2]}', [{ all: [2.51, -3] }]],
    ['{"same":1e0,"also":0e5}', []],
    ['{"a":"\\"5e3","b2e":[5]}', []],
  ])('with the input %s is judged as every SDK reads it, and is no defect', (json, others) => {
    const { facts, defects } = streamed(json);
    expect(defects).toEqual([]);
    expect(facts.toolCalls[0]?.arguments).toEqual(JSON.parse(json));
    expect((facts.toolCalls[0]?.alsoAs ?? []).map((other) => other.arguments)).toEqual(others);
  });

  test('has no other reading where that reader fails, or where the input is no JSON', () => {
    expect(streamed('{"a":0e-1}').facts.toolCalls[0]).not.toHaveProperty('alsoAs');
    expect(streamed('{"a":1e5').defects).toEqual(['the argument text of a tool call is not JSON']);
  });

  test('has no other reading that is nested deeper than anybody may walk', () => {
    const { facts, defects } = streamed(`{"n":1e5,"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    expect(defects).toEqual(['the argument text of a tool call is nested deeper than 128']);
    expect(facts.toolCalls[0]).not.toHaveProperty('alsoAs');
  });

  test('has what a block of an unknown type is handed in pieces', () => {
    const { facts, defects } = streamed('{"n":1}', toolUse({}, 'remote_tool_use'));
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([
      { name: 'remote_tool_use', arguments: { input: { n: 1 } }, alsoAs: [{ arguments: { n: 1 } }] },
    ]);
  });
});
