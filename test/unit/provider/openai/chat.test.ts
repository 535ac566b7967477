import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { choicesMax } from '../../../../src/provider/openai/chat.ts';
import { messagesMax, toolCallsMax } from '../../../../src/provider/reading/reading.ts';
import { asked } from '../lines.ts';
import { events, headOf, readStream } from '../streams.ts';

const openai = protocolOf('openai');
const operation = 'chat.completions';
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const request = (value: unknown) => openai.readRequest(operation, bytes(value), headOf('/'));
const answer = (value: unknown, status = 200) => openai.readResponse(operation, status, bytes(value));
const choice = (message: object, finish = 'stop') => ({ index: 0, message, finish_reason: finish });
const fnCall = (id: string, name: string, args: unknown) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

test.each(['reasoning', 'reasoning_content'])('a request says what is thought in it: %s', (member) => {
  const body = { model: 'm', messages: [{ role: 'assistant', content: 'Hi', [member]: 'a secret' }] };
  expect(asked(protocolOf('openai'), 'chat.completions', body).facts.text).toBe('Hi\na secret');
  const content = [{ type: 'thinking', thinking: 'a secret', signature: 'x' }];
  const thought = { model: 'm', messages: [{ role: 'assistant', content }] };
  expect(asked(protocolOf('openai'), 'messages', thought).facts.text).toBe('a secret');
});

describe('a request', () => {
  // https://platform.openai.com/docs/guides/predicted-outputs, and vLLM's documents to answer from.
  test.each([
    ['words that a server puts around it', { chat_template: '{{ messages }} SECRET' }],
    ['what such words are given', { chat_template_kwargs: { date: 'SECRET' } }],
    ['what a prompt that is kept has put into it', { prompt_id: 'p', prompt_variables: { a: ['SECRET'] } }],
    ['what is said of what is found', { plugins: [null, { id: 'web', search_prompt: 'SECRET' }] }],
    ['what is expected to come out again', { prediction: { type: 'content', content: 'SECRET' } }],
    ['the same in parts', { prediction: { type: 'content', content: [{ type: 'text', text: 'SECRET' }] } }],
    ['documents', { documents: [{ title: 'A', text: 'SECRET' }] }],
  ])('has the words of %s', (_what, more) => {
    const { facts, defects } = request({ messages: [{ role: 'user', content: 'Hi' }], ...more });
    expect(defects).toEqual([]);
    expect(facts.text).toContain('SECRET');
  });

  test('has its system and developer texts, messages, tools and scalar parameters', () => {
    const { facts, defects } = request({
      model: 'gpt-5',
      stream: true,
      temperature: 0.5,
      user: 'u',
      stop: null,
      response_format: { type: 'json_object' },
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:x' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [fnCall('c1', 'look', '{"at":1}')] },
        { role: 'tool', tool_call_id: 'c1', content: 'seen' },
      ],
      tools: [
        { type: 'function', function: { name: 'look', description: 'Looks' } },
        { type: 'custom', custom: { name: 'run' } },
      ],
      functions: [{ name: 'old', description: 'Legacy' }],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ model: 'gpt-5', stream: true, params: { temperature: 0.5, user: 'u' } });
    expect(Object.keys(facts.params)).toEqual(['temperature', 'user']);
    expect(facts.system).toBe('Be kind.\nBe brief.');
    expect(facts.text).toBe('Be kind.\nBe brief.\nLook\nseen');
    expect(facts.messages.map((message) => message.role)).toEqual([
      'system',
      'developer',
      'user',
      'assistant',
      'tool',
    ]);
    expect(facts.messages[3]?.toolCalls[0]).toMatchObject({ name: 'look', arguments: { at: 1 } });
    expect(facts.tools).toEqual([
      { name: 'look', description: 'Looks' },
      { name: 'run', description: '' },
      { name: 'old', description: 'Legacy' },
    ]);
  });

  test('keeps the text of a content part of an unknown type', () => {
    const part = { type: 'new_part', body: { words: 'secret' } };
    expect(request({ messages: [{ role: 'user', content: [part] }] }).facts.text).toBe('secret');
  });

  test('may repeat a call of an earlier turn whose arguments never parsed', () => {
    const message = { role: 'assistant', tool_calls: [fnCall('c', 'f', '{"a":')] };
    expect(request({ messages: [message] }).defects).toEqual([]);
  });

  test('may be one text in place of messages, as OpenRouter takes it, and not beside them', () => {
    expect(request({ model: 'm', prompt: 'Once' })).toMatchObject({
      facts: { text: 'Once', messages: [{ role: 'user', text: 'Once' }] },
      defects: [],
    });
    expect(request({ messages: [], prompt: 'Once' }).defects).toEqual(['the request asks for two things']);
  });

  test('without a body asks for nothing', () => {
    expect(request('').defects).toEqual([]);
  });

  test.each([
    ['not JSON', '{"model"', 'not JSON'],
    ['no object', '[1]', 'not a JSON object'],
    ['a repeated key', '{"model":"a","messages":[{"role":"user","role":"system"}]}', '"role" more than once'],
    ['messages that are no list', { messages: { 0: 'x' } }, '`messages` is not a list'],
    ['a message that is no object', { messages: ['x'] }, 'not an object'],
    ['content of another shape', { messages: [{ content: { text: 'x' } }] }, 'neither text nor a list'],
    ['a stream flag that may be coerced', { messages: [], stream: 'true' }, '`stream`'],
    ['a model that is no text', { messages: [], model: ['a'] }, '`model`'],
    ['tools that are no list', { messages: [], tools: {} }, '`tools` is not a list'],
  ])('with %s has a defect', (_what, body, defect) => {
    expect(request(body).defects.join()).toContain(defect);
  });

  test('with more messages than are read has a defect', () => {
    const messages = Array.from({ length: messagesMax + 1 }, () => ({ role: 'user', content: 'x' }));
    const reading = request({ messages });
    expect(reading.facts.messages).toHaveLength(messagesMax);
    expect(reading.defects.join()).toContain(`more than ${messagesMax}`);
  });
});

describe('an answer', () => {
  test('has text, calls, finish reason, fingerprint, usage and refusal', () => {
    const { facts, defects, complete } = answer({
      model: 'gpt-5-x',
      system_fingerprint: 'fp',
      choices: [
        choice(
          { role: 'assistant', content: 'Hi', refusal: 'no', tool_calls: [fnCall('c1', 'pay', '{"n":1}')] },
          'tool_calls',
        ),
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    });
    expect(defects).toEqual([]);
    expect(complete).toBe(true);
    expect(facts).toEqual({
      status: 200,
      model: 'gpt-5-x',
      fingerprint: 'fp',
      text: 'Hi',
      refusal: 'no',
      finishReason: 'tool_calls',
      toolCalls: [{ id: 'c1', name: 'pay', arguments: { n: 1 }, argumentsText: '{"n":1}' }],
      usage: { source: 'provider', inputTokens: 1, outputTokens: 2, totalTokens: 3 },
    });
  });

  test('of several choices has the text and calls of all', () => {
    const { facts } = answer({
      choices: [
        choice({ content: 'a', tool_calls: [fnCall('c', 'one', '')] }),
        choice({ content: 'b', tool_calls: [fnCall('c', 'two', '{}')] }),
      ],
    });
    expect(facts.text).toBe('a\nb');
    expect(facts.toolCalls.map((call) => call.name)).toEqual(['one', 'two']);
  });

  test('gives calls with missing or repeated ids distinct ones', () => {
    const message = { tool_calls: [fnCall('', 'a', ''), fnCall('x', 'b', ''), fnCall('x', 'c', '')] };
    expect(answer({ choices: [choice(message)] }).facts.toolCalls.map((call) => call.id)).toEqual([
      '#1',
      'x',
      'x#3',
    ]);
  });

  test('has the legacy function call and custom tool calls', () => {
    const { facts, defects } = answer({
      choices: [
        choice({
          function_call: { name: 'old', arguments: '{"a":1}' },
          tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'sql', input: 'DROP {' } }],
        }),
      ],
    });
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([
      { name: 'sql', arguments: { input: 'DROP {' }, argumentsText: 'DROP {' },
      { name: 'old', arguments: { a: 1 } },
    ]);
  });

  test('without usage says so', () => {
    expect(answer({ choices: [] }).facts.usage.source).toBe('absent');
  });

  test.each([
    ['arguments that do not parse', fnCall('c', 'pay', '{"n":'), 'argument text of a tool call is not JSON'],
    ['arguments with a repeated key', fnCall('c', 'pay', '{"n":1,"n":2}'), '"n" more than once'],
    ['a call of no kind', { id: 'c', type: 'function' }, 'neither a function nor a custom tool'],
    ['a call that is no object', 'pay', 'not an object'],
  ])('with %s has a defect', (_what, call, defect) => {
    expect(answer({ choices: [choice({ tool_calls: [call] })] }).defects.join()).toContain(defect);
  });

  test('with unparseable arguments keeps the call and its text', () => {
    const { facts } = answer({ choices: [choice({ tool_calls: [fnCall('c', 'pay', '{"n":')] })] });
    expect(facts.toolCalls).toEqual([{ id: 'c', name: 'pay', arguments: {}, argumentsText: '{"n":' }]);
  });

  test.each([
    ['no choices', {}, 'no `choices`'],
    ['choices that are no list', { choices: {} }, '`choices` is not a list'],
    ['a choice without message', { choices: [{}] }, 'no message'],
    ['tool calls that are no list', { choices: [choice({ tool_calls: {} })] }, '`tool_calls` is not a list'],
    ['a text that is not JSON', '<html>', 'not JSON'],
  ])('with %s has a defect', (_what, body, defect) => {
    expect(answer(body).defects.join()).toContain(defect);
  });

  test('with more choices or calls than are read has a defect', () => {
    const many = (count: number, value: unknown) => Array.from({ length: count }, () => value);
    expect(answer({ choices: many(choicesMax + 1, choice({})) }).defects).not.toEqual([]);
    const message = { tool_calls: many(toolCallsMax, fnCall('c', 'f', '')) };
    const reading = answer({ choices: [choice(message), choice(message)] });
    expect(reading.facts.toolCalls).toHaveLength(toolCallsMax);
    expect(reading.defects).toEqual([`more than ${toolCallsMax} tool calls`]);
  });

  test('that reports an error under status 200 has failed', () => {
    expect(answer({ error: { message: 'x' } })).toMatchObject({ failed: true, defects: [] });
  });

  test('of an error status is its status, whatever its body', () => {
    expect(answer('<html>', 502)).toMatchObject({ facts: { status: 502, toolCalls: [] }, defects: [] });
  });

  test('of an unknown operation is neutral', () => {
    expect(openai.readResponse('unknown', 200, bytes('x')).defects).toEqual([]);
    expect(openai.readRequest('unknown', bytes('x'), headOf('/')).defects).toEqual([]);
  });
});

describe('a stream', () => {
  const delta = (value: object, index = 0) => ({ choices: [{ index, delta: value, finish_reason: null }] });
  const done = 'data: [DONE]\n\n';
  const read = (...values: readonly unknown[]) => readStream(openai, operation, events(...values));
  const calls = (...list: readonly unknown[]) => delta({ tool_calls: list });
  const piece = (index: number, args: string, more: object = {}) => ({
    index,
    function: { arguments: args },
    ...more,
  });
  const opening = (index: number, id: string, name: string) => ({
    index,
    id,
    function: { name, arguments: '' },
  });

  test('says of every event what it carries', () => {
    const reading = read(
      ': comment\n\n',
      delta({ role: 'assistant', content: '' }),
      delta({ content: 'Hi' }),
      delta({ reasoning_content: 'hm' }),
      calls(opening(0, 'c', 'pay')),
      calls(piece(0, '{}')),
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
      done,
    );
    expect(reading.kinds).toEqual([
      'other',
      'other',
      'text',
      'text',
      'tool',
      'tool',
      'other',
      'other',
      'end',
    ]);
    expect(reading).toMatchObject({ complete: true, failed: false, defects: [] });
    expect(reading.facts).toMatchObject({
      text: 'Hi',
      finishReason: 'tool_calls',
      usage: { totalTokens: 2 },
    });
  });

  test('with interleaved parallel calls reassembles each', () => {
    const reading = read(
      calls(opening(0, 'a', 'f')),
      calls(opening(1, 'b', 'g')),
      calls(piece(1, '{"y":"\\')),
      calls(piece(0, '{"x"'), piece(1, 'u0041"}')),
      calls(piece(0, ':1}')),
      done,
    );
    expect(reading.facts.toolCalls).toMatchObject([
      { id: 'a', name: 'f', arguments: { x: 1 } },
      { id: 'b', name: 'g', arguments: { y: 'A' } },
    ]);
    expect(reading.defects).toEqual([]);
  });

  test('that reuses an index for another id has two calls', () => {
    const reading = read(
      calls({ ...opening(0, 'a', 'f'), function: { name: 'f', arguments: '{"x":1}' } }),
      calls({ ...opening(0, 'b', 'g'), function: { name: 'g', arguments: '{"y":2}' } }),
      done,
    );
    expect(reading.facts.toolCalls).toMatchObject([
      { id: 'a', arguments: { x: 1 } },
      { id: 'b', arguments: { y: 2 } },
    ]);
  });

  test('whose call name changes is a defect, repeated whole it is none', () => {
    expect(read(calls(opening(0, 'a', 'read')), calls(opening(0, 'a', 'read')), done).defects).toEqual([]);
    expect(read(calls(opening(0, 'a', 'read')), calls(opening(0, 'a', '_all')), done).defects).not.toEqual(
      [],
    );
  });

  test('of several choices has the text and calls of all, by their index', () => {
    const reading = read(
      delta({ content: 'b' }, 1),
      delta({ content: 'a' }, 0),
      delta({ content: 'B', tool_calls: [piece(0, '{}', { id: 'c' })] }, 1),
      done,
    );
    expect(reading.facts.text).toBe('a\nbB');
    expect(reading.facts.toolCalls).toHaveLength(1);
  });

  test('has the legacy function call, custom tools and refusals', () => {
    const reading = read(
      delta({ function_call: { name: 'old', arguments: '{"a"' } }),
      delta({ function_call: { arguments: ':1}' } }),
      calls({ index: 0, id: 'c', type: 'custom', custom: { name: 'sql', input: 'DR' } }),
      calls({ index: 0, custom: { input: 'OP' } }),
      delta({ refusal: 'I ' }),
      delta({ refusal: 'will not' }),
      done,
    );
    expect(reading.kinds).toEqual(['tool', 'tool', 'tool', 'tool', 'text', 'text', 'end']);
    expect(reading.facts.refusal).toBe('I will not');
    expect(reading.facts.toolCalls).toMatchObject([
      { name: 'sql', arguments: { input: 'DROP' } },
      { name: 'old', arguments: { a: 1 } },
    ]);
  });

  test('with an error after status 200 has failed', () => {
    const reading = read(delta({ content: 'x' }), { error: { message: 'overloaded' } });
    expect(reading.kinds).toEqual(['text', 'error']);
    expect(reading).toMatchObject({ failed: true, complete: false });
  });

  test('cannot smuggle a call inside an error', () => {
    const reading = read({ error: {}, ...calls(piece(0, '{}', { id: 'c' })) }, done);
    expect(reading.kinds).toEqual(['tool', 'end']);
    expect(reading.facts.toolCalls).toHaveLength(1);
  });

  test.each([
    ['is not JSON', 'data: {"choices"\n\n'],
    ['repeats a key', 'data: {"choices":[],"choices":[]}\n\n'],
    ['carries a whole message', { choices: [{ index: 0, message: { content: 'x' } }] }],
    ['has choices of another shape', { choices: { 0: {} } }],
    ['has a delta of another shape', { choices: [{ delta: 'x' }] }],
    ['hides its line behind a byte order mark', `: x\n\n\uFEFFdata: ${JSON.stringify({ choices: [] })}\n\n`],
  ])('an event that %s never passes unjudged', (_what, event) => {
    const reading = read(event, done);
    expect(reading.kinds).toContain('tool');
    expect(reading.defects).not.toEqual([]);
  });

  test('with an unknown member in a delta does not let it through as text', () => {
    expect(read(delta({ content: 'x', actions: [{ name: 'pay' }] })).kinds).toEqual(['tool']);
  });

  test('whose last event is unfinished still counts its call, and is not complete', () => {
    const reading = read(events(calls(piece(0, '{}', { id: 'c' }))).trimEnd());
    expect(reading.facts.toolCalls).toHaveLength(1);
    expect(reading.complete).toBe(false);
  });

  test('has its usage even when the event comes in single bytes', () => {
    const text = events({ choices: [], usage: { total_tokens: 9 } }, done);
    expect(readStream(openai, operation, text, 1).facts.usage.totalTokens).toBe(9);
  });

  test('of an error status or an unknown operation passes without being understood', () => {
    for (const stream of [
      openai.openStream(operation, 500, 'sse'),
      openai.openStream('unknown', 200, 'sse'),
    ]) {
      expect(stream.push(Buffer.from('data: x\n\n')).map((event) => event.kind)).toEqual(['other']);
      expect(stream.finish().reading.defects).toEqual([]);
    }
  });
});
