import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf, readStream, type TypedEvent, typedEvents } from '../streams.ts';

const openai = protocolOf('openai');
const operation = 'responses';
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const request = (value: unknown) => openai.readRequest(operation, bytes(value), headOf('/'));
const answer = (value: unknown) => openai.readResponse(operation, 200, bytes(value));
const message = (text: string) => ({
  type: 'message',
  id: 'm',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const fnCall = (args: string, name = 'pay') => ({
  type: 'function_call',
  id: 'fc',
  call_id: 'c1',
  name,
  arguments: args,
  status: 'completed',
});

describe('a request', () => {
  test('with a string as input has one user message', () => {
    const { facts, defects } = request({ model: 'm', instructions: 'Be kind.', input: 'Hi', store: false });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ system: 'Be kind.', text: 'Be kind.\nHi', params: { store: false } });
    expect(facts.messages).toEqual([{ role: 'user', text: 'Hi', toolCalls: [] }]);
  });

  test('with items as input has messages, calls and their results', () => {
    const { facts, defects } = request({
      input: [
        { role: 'developer', content: 'Be brief.' },
        {
          type: 'message',
          role: 'user',
          content: [{ type: 'input_text', text: 'Pay' }, { type: 'input_image' }],
        },
        fnCall('{"n":1}'),
        { type: 'function_call_output', call_id: 'c1', output: 'paid' },
        { type: 'shell_call_output', output: [{ stdout: 'listed', stderr: '' }] },
        { type: 'item_reference', id: 'm' },
      ],
      tools: [{ type: 'function', name: 'pay', description: 'Pays' }, { type: 'web_search' }],
    });
    expect(defects).toEqual([]);
    expect(facts.system).toBe('Be brief.');
    expect(facts.text).toBe('Be brief.\nPay\npaid\nlisted');
    expect(facts.messages[2]?.toolCalls).toMatchObject([{ id: 'c1', name: 'pay', arguments: { n: 1 } }]);
    expect(facts.tools.map((tool) => tool.name)).toEqual(['pay', 'web_search']);
  });

  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server
  test('has the words that vLLM puts before its input', () => {
    const earlier = [
      { role: 'user', content: 'Hi' },
      { author: { role: 'user' }, content: 'SECRET' },
    ];
    expect(request({ previous_input_messages: earlier, input: 'x' }).facts.text).toContain('SECRET');
  });

  test('gives the variables of a stored prompt as text', () => {
    expect(request({ prompt: { id: 'p', variables: { who: 'Ada' } } }).facts.text).toBe('Ada');
  });

  test.each([
    ['input of another shape', { input: { role: 'user' } }, '`input` is not a list'],
    ['an item that is no object', { input: [7] }, 'not an object'],
    ['a repeated key', '{"input":"a","input":"b"}', '"input" more than once'],
  ])('with %s has a defect', (_what, body, defect) => {
    expect(request(body).defects.join()).toContain(defect);
  });
});

// https://developers.openai.com/api/reference/resources/responses: every kind of input item.
describe('an item of a request that is no message', () => {
  const textOf = (...input: readonly object[]) =>
    openai.readRequest(
      operation,
      Buffer.from(JSON.stringify({ model: 'm', input })),
      headOf('/v1/responses'),
    );

  test.each([
    [
      'a message between agents',
      { type: 'agent_message', content: [{ type: 'input_text', text: 'SECRET' }] },
    ],
    ['an item of a kind nobody knows', { type: 'briefing', body: { note: 'SECRET' } }],
    ['what a remote tool answered', { type: 'mcp_call', name: 'x', arguments: '{}', output: 'SECRET' }],
    ['why it failed', { type: 'mcp_call', name: 'x', arguments: '{}', error: 'SECRET' }],
    [
      'what code printed',
      { type: 'code_interpreter_call', code: '', outputs: [{ type: 'logs', logs: 'SECRET' }] },
    ],
    ['what was found in files', { type: 'file_search_call', queries: [], results: [{ text: 'SECRET' }] }],
    ['what a program came to', { type: 'program_output', call_id: 'p', result: 'SECRET' }],
    ['what a shell printed', { type: 'shell_call_output', call_id: 's', output: [{ stdout: 'SECRET' }] }],
    ['what a patch came to', { type: 'apply_patch_call_output', call_id: 'a', output: 'SECRET' }],
    [
      'what a function returned',
      { type: 'function_call_output', call_id: 'f', output: [{ type: 'input_text', text: 'SECRET' }] },
    ],
    [
      'tools that were found',
      { type: 'tool_search_output', tools: [{ type: 'function', name: 'x', description: 'SECRET' }] },
    ],
  ])('has its text read by rules: %s', (_what, item) => {
    const { facts, defects } = textOf(item);
    expect(defects).toEqual([]);
    expect(facts.text.split('\n')).toContain('SECRET');
  });

  test.each([
    ['a picture that was made', { type: 'image_generation_call', id: 'i', result: 'iVBORw0KGgo' }],
    ['what the provider sealed', { type: 'agent_message', id: 'i', content: [], encrypted_content: 'gAAAA' }],
  ])('has none where it says nothing: %s', (_what, item) => {
    expect(textOf(item).facts.text).toBe('');
  });

  test('offers its tools', () => {
    const tool = (name: string) => ({ type: 'function', name, parameters: {} });
    const { facts } = openai.readRequest(
      operation,
      Buffer.from(
        JSON.stringify({
          tools: [{ type: 'namespace', name: 'bank', description: 'Money.', tools: [tool('pay')] }],
          input: [
            { type: 'additional_tools', role: 'developer', tools: [tool('wire')] },
            { type: 'tool_search_output', tools: [tool('refund')] },
            { type: 'mcp_list_tools', server_label: 's', tools: [{ name: 'donate', input_schema: {} }] },
          ],
        }),
      ),
      headOf('/v1/responses'),
    );
    expect(facts.tools.map(({ name }) => name)).toEqual(['bank', 'pay', 'wire', 'refund', 'donate']);
  });

  test.each([
    ['/v1/responses', 'responses'],
    ['/v1/chat/completions', 'chat.completions'],
    ['/v1/realtime/client_secrets', 'realtime.sessions'],
  ] as const)('offers a server and those of its tools that it names: %s', (path, asked) => {
    const server = { type: 'mcp', server_label: 'git', server_url: 'https://git.example/mcp' };
    for (const allowed of [['delete_repo'], { tool_names: ['delete_repo'], read_only: false }]) {
      const body = { tools: [{ ...server, allowed_tools: allowed }] };
      const { facts, defects } = openai.readRequest(asked, Buffer.from(JSON.stringify(body)), headOf(path));
      expect(defects).toEqual([]);
      expect(facts.tools).toEqual([
        { name: 'mcp', description: 'git\nhttps://git.example/mcp' },
        { name: 'delete_repo', description: 'git' },
      ]);
    }
  });
});

describe('an answer', () => {
  test('has text, calls, state and usage', () => {
    const { facts, defects } = answer({
      model: 'm',
      status: 'completed',
      output: [{ type: 'reasoning', id: 'r', summary: [] }, message('Hi'), fnCall('{"n":1}')],
      usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'Hi', finishReason: 'completed', usage: { inputTokens: 1 } });
    expect(facts.toolCalls).toEqual([
      { id: 'c1', name: 'pay', arguments: { n: 1 }, argumentsText: '{"n":1}' },
    ]);
  });

  test('shows built-in calls under their type, with their own members', () => {
    const { facts } = answer({
      status: 'completed',
      output: [
        { type: 'local_shell_call', id: 'i', call_id: 'c', status: 'x', action: { command: ['rm'] } },
        { type: 'mcp_call', id: 'm', name: 'pay', server_label: 's', arguments: '{"n":1}' },
        { type: 'custom_tool_call', call_id: 'k', name: 'sql', input: 'DROP' },
        { type: 'something_new', id: 'n', act: 1 },
      ],
    });
    expect(facts.toolCalls).toMatchObject([
      { id: 'c', name: 'local_shell_call', arguments: { action: { command: ['rm'] } } },
      { id: 'm', name: 'mcp_call', arguments: { name: 'pay', arguments: { n: 1 } } },
      { id: 'k', name: 'sql', arguments: { input: 'DROP' } },
      { id: 'n', name: 'something_new', arguments: { act: 1 } },
    ]);
  });

  test('has its refusal and why it is incomplete', () => {
    const content = [{ type: 'refusal', refusal: 'no' }];
    const { facts } = answer({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'message', content }],
    });
    expect(facts).toMatchObject({ refusal: 'no', finishReason: 'max_output_tokens' });
  });

  test.each([
    ['no output', {}, 'no `output`'],
    ['an item that is no object', { output: ['x'] }, 'not an object'],
    ['arguments that do not parse', { output: [fnCall('{')] }, 'is not JSON'],
    ['mcp arguments that do not parse', { output: [{ type: 'mcp_call', arguments: '{' }] }, 'is not JSON'],
  ])('with %s has a defect', (_what, body, defect) => {
    expect(answer(body).defects.join()).toContain(defect);
  });
});

describe('a stream', () => {
  const created = { type: 'response.created', response: { status: 'in_progress', output: [] } };
  const completed = (...output: readonly unknown[]) => ({
    type: 'response.completed',
    response: { model: 'm', status: 'completed', output },
  });
  const at = { item_id: 'x', output_index: 0 };
  const added = (item: object) => ({ type: 'response.output_item.added', output_index: 0, item });
  const itemDone = (item: object) => ({ type: 'response.output_item.done', output_index: 0, item });
  const argsDelta = (delta: string) => ({ type: 'response.function_call_arguments.delta', ...at, delta });
  const argsDone = (args: string) => ({
    type: 'response.function_call_arguments.done',
    ...at,
    arguments: args,
  });
  const textDelta = (delta: string) => ({
    type: 'response.output_text.delta',
    ...at,
    content_index: 0,
    delta,
  });
  const read = (...values: readonly TypedEvent[]) => readStream(openai, operation, typedEvents(...values));

  test('of text streams as text and ends with the repeated text', () => {
    const reading = read(
      created,
      added({ type: 'message', content: [] }),
      textDelta('H'),
      textDelta('i'),
      itemDone(message('Hi')),
      completed(message('Hi')),
    );
    expect(reading.kinds).toEqual(['other', 'other', 'text', 'text', 'text', 'end']);
    expect(reading).toMatchObject({
      complete: true,
      defects: [],
      facts: { text: 'Hi', finishReason: 'completed' },
    });
  });

  test('of a call never shows any part of it as anything else, the final response included', () => {
    const reading = read(
      added(fnCall('')),
      argsDelta('{"n"'),
      argsDelta(':1}'),
      argsDone('{"n":1}'),
      itemDone(fnCall('{"n":1}')),
      completed(fnCall('{"n":1}')),
    );
    expect(reading.kinds).toEqual(['tool', 'tool', 'tool', 'tool', 'tool', 'tool']);
    expect(reading).toMatchObject({ complete: true, defects: [] });
    expect(reading.facts.toolCalls).toMatchObject([{ id: 'c1', arguments: { n: 1 } }]);
  });

  test('that only ends with the whole response has its text and calls', () => {
    const reading = read(completed(message('Hi'), fnCall('{}')));
    expect(reading.facts).toMatchObject({ text: 'Hi', toolCalls: [{ name: 'pay' }] });
    expect(reading.defects).toEqual([]);
  });

  test('cut after the deltas still has what they said', () => {
    const reading = read(added(fnCall('')), argsDelta('{"n":1}'));
    expect(reading.facts.toolCalls).toMatchObject([{ name: 'pay', arguments: { n: 1 } }]);
    expect(reading.complete).toBe(false);
  });

  test.each([
    ['deltas other than the item', [added(fnCall('')), argsDelta('{"n":1}'), itemDone(fnCall('{"n":9}'))]],
    ['deltas other than their end', [added(fnCall('')), argsDelta('{"n":1}'), argsDone('{"n":9}')]],
    ['a final call other than the streamed', [itemDone(fnCall('{"n":1}')), completed(fnCall('{"n":9}'))]],
    [
      'a final call that was never streamed',
      [itemDone(message('Hi')), completed(message('Hi'), fnCall('{}'))],
    ],
    ['another final text', [itemDone(message('Hi')), completed(message('Ho'))]],
    ['a name that changes', [added(fnCall('', 'read')), itemDone(fnCall('{}', 'pay'))]],
    ['an item that is replaced', [itemDone(fnCall('{}')), itemDone(fnCall('{"n":1}'))]],
    ['a call in its first event', [{ ...completed(fnCall('{}')), type: 'response.created' }]],
    [
      'arguments of a call that its item names otherwise',
      [added(fnCall('')), { ...argsDone('{}'), name: 'delete' }, itemDone(fnCall('{}'))],
    ],
    [
      'arguments of another call than its item',
      [{ ...argsDone('{}'), call_id: 'c2' }, itemDone(fnCall('{}'))],
    ],
    ['arguments that are of no item', [argsDelta('{}'), argsDone('{}'), completed()]],
    ['deltas of no item', [{ type: 'response.output_text.delta', delta: 'x' }]],
  ])('with %s has a defect', (_what, values) => {
    expect(read(...values).defects).not.toEqual([]);
  });

  test('with a call that its arguments alone tell, has it by its name', () => {
    const { facts } = read({ ...argsDone('{"n":1}'), name: 'pay', call_id: 'c1' }, completed());
    expect(facts.toolCalls).toMatchObject([{ id: 'c1', alsoAs: [{ name: 'pay', arguments: { n: 1 } }] }]);
  });

  test('may tell a call by its name and id beside its arguments', () => {
    const told = { ...argsDone('{}'), name: 'pay', call_id: 'c1' };
    expect(read(added(fnCall('')), told, itemDone(fnCall('{}')), completed(fnCall('{}'))).defects).toEqual(
      [],
    );
  });

  // https://tanstack.com/ai puts the pieces of a call together by the item's id, most clients by its place.
  test.each([
    ['of another item than their place', 'b', 'a'],
    ['of the same item in two places', 'a', 'a'],
    ['of one item in two places, which is none of them', 'x', 'x'],
  ])('with arguments %s has a defect', (_what, first, second) => {
    const calls = ['a', 'b'].map((id) => ({ ...fnCall('{}'), id, call_id: `call_${id}` }));
    const reading = read(
      ...calls.map((item, index) => ({ ...added({ ...item, arguments: '' }), output_index: index })),
      { ...argsDone('{}'), item_id: first, output_index: 0 },
      { ...argsDone('{}'), item_id: second, output_index: 1 },
      ...calls.map((item, index) => ({ ...itemDone(item), output_index: index })),
      completed(...calls),
    );
    expect(reading.defects).toEqual(['the events of an output item name another call than the item']);
  });

  test('may name its items by ids that change from event to event', () => {
    const ids = [
      added(fnCall('')),
      { ...argsDelta('{}'), item_id: 'y' },
      { ...argsDone('{}'), item_id: 'z' },
    ];
    expect(read(...ids, itemDone(fnCall('{}')), completed(fnCall('{}'))).defects).toEqual([]);
  });

  test('says what a part of a message says as it begins or ends', () => {
    const part = (step: string, of: object) => ({
      type: `response.content_part.${step}`,
      ...at,
      content_index: 0,
      part: of,
    });
    const { facts } = read(
      part('added', { type: 'output_text', text: 'One.' }),
      part('done', { type: 'output_text', text: 'Hi' }),
      part('done', { type: 'refusal', refusal: 'Two.' }),
      part('done', { type: 'output_text', text: '', transcript: 'Three.' }),
      part('done', { type: 'reasoning_text', text: 'Hm.' }),
      itemDone(message('Hi')),
      completed(message('Hi')),
    );
    expect(facts.text).toBe('Hi\nOne.\nTwo.\nThree.');
  });

  test('with a final call other than the streamed one has both', () => {
    const reading = read(itemDone(fnCall('{"n":1}')), completed(fnCall('{"n":9}')));
    expect(reading.facts.toolCalls.map((call) => call.argumentsText)).toEqual(['{"n":1}', '{"n":9}']);
  });

  test('may repeat a built-in call without its results, but not with another request', () => {
    const call = (command: string, more: object = {}) => ({
      type: 'local_shell_call',
      id: 'l',
      call_id: 'c',
      action: { command },
      ...more,
    });
    expect(read(itemDone(call('ls', { output: 'x' })), completed(call('ls'))).defects).toEqual([]);
    expect(read(itemDone(call('ls')), completed(call('rm'))).defects).not.toEqual([]);
  });

  // openai: ResponseShellCallCommandAddedEvent and its neighbours.
  const shell = (...commands: readonly string[]) => ({
    type: 'shell_call',
    id: 's',
    call_id: 'c',
    action: { commands },
  });
  const command = (step: string, of: object, index = 0) => ({
    type: `response.shell_call_command.${step}`,
    ...{ output_index: 0, command_index: index },
    ...of,
  });

  test('of a shell’s commands in pieces has what its item has', () => {
    const reading = read(
      added(shell()),
      command('added', { command: 'l' }),
      command('delta', { delta: 's' }),
      command('done', { command: 'ls' }),
      command('added', { command: '' }, 1),
      command('delta', { delta: 'pwd' }, 1),
      itemDone(shell('ls', 'pwd')),
      completed(shell('ls', 'pwd')),
    );
    expect(reading).toMatchObject({ complete: true, defects: [], facts: { text: '' } });
    expect(reading.facts.toolCalls.map((call) => call.arguments)).toEqual([
      { action: { commands: ['ls', 'pwd'] } },
    ]);
  });

  test('cut after pieces of a shell’s commands still has them', () => {
    const { facts } = read(
      added(shell()),
      command('delta', { delta: 'ls' }),
      command('done', { command: 'pwd' }, 1),
    );
    expect(facts.toolCalls).toMatchObject([
      { name: 'shell_call', arguments: { action: { commands: ['ls', 'pwd'] } } },
    ]);
  });

  test.each([
    ['than their item', [command('delta', { delta: 'rm' }), itemDone(shell('ls'))]],
    ['than their end', [command('delta', { delta: 'rm' }), command('done', { command: 'ls' })]],
    ['than the item before them', [itemDone(shell('ls')), command('done', { command: 'rm' })]],
    ['in another place', [command('done', { command: 'ls' }, 1), itemDone(shell('ls'))]],
  ])('has a defect where pieces tell other commands %s', (_what, events) => {
    expect(read(added(shell()), ...events).defects).not.toEqual([]);
  });

  test('has a defect where a shell’s command is of no item', () => {
    expect(read(command('done', { command: 'rm' }), completed()).defects).toEqual([
      'a tool call is in no output item',
    ]);
  });

  // openai: ResponseCodeInterpreterCallCodeDeltaEvent; the second is in no SDK, and OpenAI sends it.
  const interpreter = (code?: string | null) => ({ type: 'code_interpreter_call', id: 'i', code });
  const patch = (diff: string) => ({ type: 'apply_patch_call', id: 'i', operation: { path: 'a', diff } });
  const built = [
    ['code', 'response.code_interpreter_call_code', interpreter],
    ['diff', 'response.apply_patch_call_operation_diff', patch],
  ] as const;

  describe.each(built)('of %s in pieces', (member, subject, item) => {
    const delta = { type: `${subject}.delta`, ...at, delta: 'rm' };
    const done = { type: `${subject}.done`, ...at, [member]: 'rm' };

    test('has what its item has', () => {
      const reading = read(added(item('')), delta, done, itemDone(item('rm')), completed(item('rm')));
      expect(reading).toMatchObject({ complete: true, defects: [] });
      expect(reading.facts.text).toBe('');
      expect(reading.facts.toolCalls).toHaveLength(1);
    });

    test('cut after them still has them', () => {
      const { facts } = read(added(item('')), delta);
      const { type, id: _id, ...own } = item('rm');
      expect(facts.toolCalls).toMatchObject([{ name: type, arguments: own }]);
    });

    test.each([
      ['than their item', [added(item('')), delta, itemDone(item('ls'))]],
      ['than their end', [added(item('')), delta, { ...done, [member]: 'ls' }]],
      ['behind what it began with', [added(item('ls')), delta]],
      ['than it began with', [added(item('ls')), itemDone(item('rm'))]],
    ])('has a defect where they tell another %s', (_what, events) => {
      expect(read(...events).defects).not.toEqual([]);
    });
  });

  const code = (delta: string) => ({ type: 'response.code_interpreter_call_code.delta', ...at, delta });

  test.each([[null], [undefined]])('has the code in pieces where its item ends with %j', (none) => {
    const bare = interpreter(none);
    const whole = read(added(interpreter('')), code('r'), code('m'), itemDone(bare), completed(bare));
    expect(whole.defects).toEqual([]);
    expect(whole.facts.toolCalls).toMatchObject([{ arguments: { code: 'rm' } }]);
  });

  test('that goes on from its middle does not take the end of the code for all of it', () => {
    const { defects } = read({ ...code('m'), sequence_number: 9 }, itemDone(interpreter(null)));
    expect(defects).not.toEqual([]);
  });

  test('has what is spoken beside its items, and what comes in pieces that nobody knows', () => {
    const piece = (subject: string, delta: string) => ({ type: `response.${subject}.delta`, delta });
    const reading = read(
      ...[piece('audio.transcript', 'Good '), piece('audio', 'c291bmQ='), piece('audio.transcript', 'day')],
      ...[piece('panel', 'One'), piece('panel.reasoning', 'Hm'), piece('audio.transcript', '.')],
      completed(),
    );
    expect(reading.facts.text).toBe('Good day.\nOne');
    expect(reading.defects).toEqual([]);
  });

  test('has the texts of two messages as they stand, and not as one besides', () => {
    const second = { ...textDelta('you'), output_index: 1 };
    const reading = read(
      ...[textDelta('Hi'), itemDone(message('Hi'))],
      ...[second, { ...itemDone(message('you')), output_index: 1 }, completed(message('Hi'), message('you'))],
    );
    expect([reading.facts.text, reading.defects]).toEqual(['Hi\nyou', []]);
  });

  test('has what is spoken once where an item says it too', () => {
    const spoken = { type: 'response.audio.transcript.delta', delta: 'Hi' };
    expect(read(spoken, itemDone(message('Hi')), completed(message('Hi'))).facts.text).toBe('Hi');
  });

  test('of events nobody knows yet does not pass them unjudged', () => {
    expect(
      read({ type: 'response.teleport.delta' }, { type: 'response.shell_call_command.delta' }).kinds,
    ).toEqual(['tool', 'tool']);
  });

  test('has a defect where one of those carries an item or a response', () => {
    for (const carried of [{ item: fnCall('{}') }, { response: { output: [fnCall('{}')] } }])
      expect(read({ type: 'response.teleport.done', ...carried }).defects).not.toEqual([]);
  });

  test('that failed says so', () => {
    const failure = { status: 'failed', error: { code: 'x', message: 'y' }, output: [] };
    expect(read({ ...created, type: 'response.failed', response: failure })).toMatchObject({
      kinds: ['error'],
      failed: true,
    });
    expect(read({ type: 'error', message: 'x' })).toMatchObject({
      kinds: ['error'],
      failed: true,
    });
  });

  test('that is incomplete ends', () => {
    const response = { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: [] };
    const reading = read({ type: 'response.incomplete', response });
    expect(reading).toMatchObject({
      kinds: ['end'],
      complete: true,
      facts: { finishReason: 'content_filter' },
    });
  });
});
