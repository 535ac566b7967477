/** What the dialects of WebSockets read: which messages tell the model something, which carry a call. */
import { describe, expect, test } from 'vitest';
import type {
  SocketDialect,
  SocketMessage,
  SocketReader,
} from '../../../../src/provider/realtime/dialect.ts';
import { socketDialectAt } from '../../../../src/provider/realtime/dialects.ts';
import { readTokenRequest } from '../../../../src/provider/realtime/gemini-session.ts';

const message = (value: unknown): SocketMessage => ({
  data: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  binary: false,
});

function dialectAt(path: string): SocketDialect {
  const dialect = socketDialectAt(path);
  if (dialect === null) throw new Error(`Nothing is spoken at ${path}.`);
  return dialect;
}

const mebibyte = 1024 * 1024;
const live = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';

/** Takes a message as sent on, and returns what was read of it. */
function told(reader: SocketReader, value: unknown) {
  const reading = reader.readClient(message(value));
  reading.accept();
  return reading;
}

test.each([
  ['/v1/realtime', 'realtime'],
  ['/openai/v1/realtime', 'realtime'],
  ['/openai/realtime', 'realtime'],
  ['/v1/%72ealtime/', 'realtime'],
  ['/v1/realtime/translations', 'realtime'],
  ['/v1/responses', 'responses'],
  [live, 'live'],
  [`${live}Constrained`, 'live'],
  ['/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent', 'live'],
])('at %s they speak %s', (path, operation) => {
  expect(dialectAt(path).operation).toBe(operation);
});

test.each([
  '/',
  '/v1/live/sessions',
  '/v1/realtime/sessions',
  '/v1/responses/resp_1',
  '/ws/BidiGenerateMusic',
])('at %s nobody knows what is spoken', (path) => expect(socketDialectAt(path)).toBeNull());

describe.each(['/v1/realtime', '/v1/responses', live])('at %s a message that is no UTF-8', (path) => {
  const broken: SocketMessage = {
    data: Buffer.concat([
      Buffer.from('{"type":"input_audio_buffer.append","a":"'),
      Buffer.of(0xff, 0x22, 0x7d),
    ]),
    binary: false,
  };

  test('of the workload is in doubt', () => {
    expect(dialectAt(path).open(path).readClient(broken)).toMatchObject({
      kind: 'content',
      defects: ['a message is not valid UTF-8'],
    });
  });

  test('of the provider never passes', () => {
    const reader = dialectAt(path).open(path);
    const { kind, ends, answer } = reader.readServer(broken);
    expect([kind, ends]).toEqual(['tool', true]);
    expect(reader.reading(answer ?? '').defects).toEqual(['a message is not valid UTF-8']);
  });
});

describe('the Realtime API', () => {
  const open = () => dialectAt('/v1/realtime').open('/v1/realtime?model=gpt-realtime');
  const item = (text: string) => ({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  });

  test('tells the model its settings and what was said since its last answer', () => {
    const reader = open();
    told(reader, {
      type: 'session.update',
      session: {
        instructions: 'Be brief.',
        tools: [{ type: 'function', name: 'pay', description: 'Pays.' }],
        temperature: 0.7,
      },
    });
    told(reader, item('Pay ACME.'));
    const facts = reader.facts();
    expect(facts).toMatchObject({
      model: 'gpt-realtime',
      system: 'Be brief.',
      text: 'Be brief.\nPay ACME.',
      tools: [{ name: 'pay', description: 'Pays.' }],
      params: { temperature: 0.7 },
      messages: [{ role: 'user', text: 'Pay ACME.' }],
    });
    reader.asked(reader.facts());
    expect(reader.facts()).toMatchObject({ system: 'Be brief.', messages: [] });
  });

  test('remembers nothing of a message that was not sent on', () => {
    const reader = open();
    expect(reader.readClient(message(item('a secret'))).facts.text).toBe('a secret');
    expect(reader.facts().text).toBe('');
  });

  test('hears what was spoken, and reads a tool’s result', () => {
    const reader = open();
    reader.readServer(
      message({ type: 'conversation.item.input_audio_transcription.completed', transcript: 'Pay Bob.' }),
    );
    const output = { type: 'function_call_output', call_id: 'c', output: 'Paid.' };
    told(reader, { type: 'conversation.item.create', item: output });
    expect(reader.facts().messages.map(({ text }) => text)).toEqual(['Pay Bob.', 'Paid.']);
  });

  test('keeps no sound and no pictures of what it was told', () => {
    const reader = open();
    const content = [
      { type: 'input_audio', audio: 'QUJD'.repeat(10) },
      { type: 'input_image', image_url: 'data:image/png;base64,QUJD' },
      { type: 'input_text', text: 'Look.' },
    ];
    told(reader, { type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    expect(JSON.stringify(reader.facts())).not.toContain('QUJD');
    expect(reader.facts().text).toBe('Look.');
  });

  test('may be told something by a message of a kind that is not known', () => {
    const reader = open();
    const reading = told(reader, { type: 'conversation.whisper', hint: { words: 'a secret' } });
    expect(reading).toMatchObject({ kind: 'content', changes: true });
    expect(reading.facts.text).toContain('a secret');
  });

  test.each([
    ['input that is no list', { type: 'response.create', response: { input: 'a secret' } }],
    ['input that is one item', { type: 'response.create', response: { input: { content: 'a secret' } } }],
    ['an item of input that is a text', { type: 'response.create', response: { input: ['a secret'] } }],
    ['tools that are no list', { type: 'response.create', response: { tools: { name: 'pay' } } }],
    ['instructions that are no text', { type: 'response.create', response: { instructions: { a: 1 } } }],
    ['an item that is a text', { type: 'conversation.item.create', item: 'a secret' }],
    ['a list of items', { type: 'conversation.item.create', item: [{ content: 'a secret' }] }],
    ['no item', { type: 'conversation.item.create', items: [{ content: 'a secret' }] }],
    ['settings that are a list', { type: 'session.update', session: [{ instructions: 'a secret' }] }],
    ['settings in two places', { type: 'session.update', session: { tools: [] }, instructions: 'a secret' }],
    ['tools in force that are no list', { type: 'session.update', session: { tools: 'pay' } }],
    ['a model that is no text', { type: 'session.update', session: { model: ['other'] } }],
    ['another model than its session’s', { type: 'response.create', response: { model: 'other' } }],
    ['a response that is no object', { type: 'response.create', response: 'now' }],
  ])('with %s is in doubt, and its words are read', (_what, value) => {
    const reading = open().readClient(message(value));
    expect(reading.defects).not.toEqual([]);
    if (JSON.stringify(value).includes('a secret')) expect(reading.facts.text).toContain('a secret');
  });

  test('with more than 16 MiB since its last answer is in doubt', () => {
    const reader = open();
    const half = item('x'.repeat(8 * mebibyte));
    expect(told(reader, half).defects).toEqual([]);
    expect(told(reader, half).defects).toEqual([
      `more than ${16 * mebibyte} characters since the last answer`,
    ]);
  });

  test('is judged by what is in force where an answer leaves a setting out', () => {
    const reader = open();
    const tools = [{ type: 'function', name: 'pay' }];
    told(reader, { type: 'session.update', session: { instructions: 'Be brief.', tools } });
    for (const value of [
      { type: 'response.create', response: { instructions: null, tools: null } },
      { type: 'session.update', session: { instructions: null, tools: null } },
    ])
      expect(told(reader, value).facts).toMatchObject({ system: 'Be brief.', tools: [{ name: 'pay' }] });
  });

  // vLLM's: https://docs.vllm.ai/en/latest/serving/openai_compatible_server
  test('may have its model in the update itself', () => {
    const reader = dialectAt('/v1/realtime').open('/v1/realtime');
    expect(told(reader, { type: 'session.update', model: 'whisper' }).facts.model).toBe('whisper');
    expect(reader.facts().model).toBe('whisper');
  });

  test.each(['input_audio_buffer.append', 'input_audio_buffer.commit', 'response.cancel'])(
    'is told nothing by %s',
    (type) => expect(open().readClient(message({ type, audio: 'AAAA' })).kind).toBe('media'),
  );

  test.each([
    { type: 'response.output_item.added', item: { type: 'function_call', name: 'pay' }, output_index: 0 },
    { type: 'response.function_call_arguments.delta', delta: '{', output_index: 0 },
    { type: 'response.function_call_arguments.done', arguments: '{}', output_index: 0 },
    { type: 'response.mcp_call_arguments.delta', delta: '{', output_index: 0 },
    { type: 'response.something_new.delta', delta: '{', output_index: 0 },
    { type: 'conversation.item.added', item: { type: 'function_call', name: 'pay' } },
    { type: 'conversation.item.done', item: { type: 'function_call', name: 'pay' } },
    { type: 'conversation.item.created', item: { type: 'custom_tool_call', name: 'pay' } },
    { type: 'response.done', response: { id: 'r', output: [{ type: 'function_call', name: 'pay' }] } },
  ])('carries part of a call in $type', (event) => {
    const reader = open();
    reader.readServer(message({ type: 'response.created', response: { id: 'r', output: [] } }));
    expect(reader.readServer(message({ response_id: 'r', ...event }))).toMatchObject({
      kind: 'tool',
      answer: 'r',
    });
  });

  test('passes what it knows to be sound or text, and keeps the end of an answer apart', () => {
    const reader = open();
    const read = (event: object) => reader.readServer(message({ response_id: 'r', ...event }));
    expect(read({ type: 'response.created', response: { id: 'r' } })).toMatchObject({
      kind: 'other',
      ends: false,
    });
    expect(read({ type: 'response.output_audio.delta', delta: 'AAAA' }).kind).toBe('text');
    expect(read({ type: 'response.output_audio_transcript.delta', delta: 'Good ' }).kind).toBe('text');
    expect(read({ type: 'response.text.delta', output_index: 0, delta: 'x' }).kind).toBe('text');
    const done = { type: 'response.done', response: { id: 'r', status: 'cancelled', output: [] } };
    expect(read(done)).toMatchObject({ answer: 'r', ends: true });
    expect(reader.reading('r').facts.text).toContain('Good ');
  });

  test('says what a transcript says at its end, and beside a text in its part', () => {
    const reader = open();
    const read = (event: object) => reader.readServer(message({ response_id: 'r', ...event }));
    read({ type: 'response.output_audio_transcript.done', item_id: 'i', transcript: 'At its end.' });
    const part = { type: 'output_audio', text: '', transcript: 'In its part.' };
    const item = { type: 'message', id: 'i', role: 'assistant', content: [part] };
    read({ type: 'response.output_item.done', output_index: 0, item });
    read({ type: 'response.done', response: { id: 'r', status: 'completed', output: [item] } });
    expect(reader.reading('r').facts.text).toBe('In its part.\nAt its end.');
  });

  // https://github.com/openai/openai-agents-js carries it out as soon as an item says that it is complete.
  test('a call that is complete as it begins must end as the same', () => {
    const reader = open();
    const call = { type: 'function_call', id: 'i', call_id: 'c', name: 'pay', status: 'completed' };
    const event = (step: string, args: string) =>
      message({
        type: `response.output_item.${step}`,
        ...{ response_id: 'r', output_index: 0, item: { ...call, arguments: args } },
      });
    reader.readServer(event('added', ''));
    reader.readServer(event('done', '{"amount":1}'));
    const output = [{ ...call, arguments: '{"amount":1}' }];
    reader.readServer(message({ type: 'response.done', response: { id: 'r', status: 'completed', output } }));
    expect(reader.reading('r').defects).toEqual([
      'a tool call is complete as it begins, and ends as another',
    ]);
  });

  test('a call that the workload put into the conversation itself is no call of the model', () => {
    const reader = open();
    const call = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{"amount":1}' };
    told(reader, { type: 'conversation.item.create', item: call });
    const echo = { type: 'conversation.item.added', item: { id: 'i', ...call } };
    expect(reader.readServer(message(echo))).toMatchObject({ kind: 'other', answer: null });
    const other = { ...echo, item: { ...call, arguments: '{"amount":2}' } };
    expect(reader.readServer(message(other))).toMatchObject({ kind: 'tool', alone: true, ends: true });
  });

  test('of more calls than it remembers, the oldest is one of the model again', () => {
    const reader = open();
    const call = (id: number) => ({ type: 'function_call', call_id: `c${id}`, name: 'pay', arguments: '{}' });
    for (let id = 0; id <= 10_000; id += 1) {
      told(reader, { type: 'conversation.item.create', item: call(id) });
      reader.asked(reader.facts());
    }
    const echo = (id: number) =>
      reader.readServer(message({ type: 'conversation.item.added', item: call(id) }));
    expect(echo(10_000)).toMatchObject({ kind: 'other', answer: null });
    expect(echo(0)).toMatchObject({ kind: 'tool', alone: true });
  });

  test.each([
    ['server', { type: 'mcp_call', id: 'm', name: 'delete', arguments: '{}' }, 'server_label'],
    ['namespace', { type: 'function_call', call_id: 'c', name: 'delete', arguments: '{}' }, 'namespace'],
    ['input', { type: 'custom_tool_call', call_id: 'c', name: 'sh' }, 'input'],
  ])('a call that the workload has is another one with another %s', (_what, call, member) => {
    const reader = open();
    const item = { ...call, [member]: 'a' };
    told(reader, { type: 'conversation.item.create', item });
    const echo = (of: object) =>
      reader.readServer(message({ type: 'conversation.item.added', item: { ...item, ...of } }));
    expect(echo({})).toMatchObject({ kind: 'other', answer: null });
    expect(echo({ [member]: 'b' })).toMatchObject({ kind: 'tool', alone: true });
  });

  test('a call that the conversation has of another server than the response is a defect', () => {
    const reader = open();
    const call = { type: 'mcp_call', id: 'm', name: 'delete', server_label: 'repos', arguments: '{}' };
    const read = (event: object) => reader.readServer(message(event));
    read({ type: 'response.created', response: { id: 'r' } });
    read({ type: 'response.output_item.added', response_id: 'r', output_index: 0, item: call });
    read({ type: 'conversation.item.added', item: { ...call, server_label: 'bank' } });
    read({ type: 'response.output_item.done', response_id: 'r', output_index: 0, item: call });
    read({ type: 'response.done', response: { id: 'r', status: 'completed', output: [call] } });
    expect(reader.reading('r').defects).toEqual(['the conversation has another tool call than the response']);
    const after = read({ type: 'conversation.item.done', item: { ...call, server_label: 'bank' } });
    expect(after).toMatchObject({ kind: 'tool', alone: true });
  });

  const pay = { type: 'function_call', id: 'i', call_id: 'c', name: 'pay', arguments: '{"amount":1}' };

  /** An answer that calls, and that has ended. */
  function called(reader: SocketReader, echo: object): void {
    reader.readServer(message({ type: 'response.created', response: { id: 'r' } }));
    reader.readServer(
      message({ type: 'response.output_item.done', response_id: 'r', output_index: 0, item: pay }),
    );
    reader.readServer(message({ type: 'conversation.item.done', item: { ...pay, ...echo } }));
    const response = { id: 'r', status: 'completed', output: [pay] };
    reader.readServer(message({ type: 'response.done', response }));
  }

  test('a call that the conversation has in another item than the response is a defect', () => {
    const reader = open();
    called(reader, { id: 'other' });
    expect(reader.reading('r').defects).toEqual(['the conversation has another tool call than the response']);
  });

  // https://github.com/pipecat-ai/pipecat takes the name from the first item of a call's id, the arguments from the last event.
  test('a call by the id of an earlier one of another tool is a defect', () => {
    const earlier = { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' };
    for (const [item, defects] of [
      [earlier, ['a tool call has the id of an earlier one of another tool']],
      [{ ...earlier, name: 'pay' }, []],
      [{ ...earlier, call_id: 'other' }, []],
    ] as const) {
      const reader = open();
      told(reader, { type: 'conversation.item.create', item });
      called(reader, {});
      expect(reader.reading('r').defects).toEqual(defects);
    }
  });

  test('nor is one that has no such id, or whose id is forgotten with the oldest', () => {
    const reader = open();
    const mcp = { type: 'mcp_call', name: 'look', arguments: '{}' };
    told(reader, { type: 'conversation.item.create', item: mcp });
    const other = { ...mcp, id: 'm', name: 'pay' };
    const event = { type: 'response.output_item.done', output_index: 0, item: other };
    reader.readServer(message({ type: 'response.created', response: { id: 's' } }));
    reader.readServer(message({ response_id: 's', ...event }));
    expect(reader.reading('s').defects).toEqual([]);

    const call = { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' };
    told(reader, { type: 'conversation.item.create', item: call });
    for (let id = 0; id < 10_000; id += 1) {
      told(reader, { type: 'conversation.item.create', item: { ...call, call_id: `c${id}` } });
      reader.asked(reader.facts());
    }
    called(reader, {});
    expect(reader.reading('r').defects).toEqual([]);
  });

  test('so is one by the id of a call that an answer made and the workload got', () => {
    const reader = open();
    called(reader, {});
    reader.settle('r', true);
    const other = { ...pay, id: 'j', name: 'look' };
    const read = (event: object) => reader.readServer(message({ response_id: 's', ...event }));
    read({ type: 'response.created', response: { id: 's' } });
    read({ type: 'response.output_item.done', output_index: 0, item: other });
    read({ type: 'response.done', response: { id: 's', status: 'completed', output: [other] } });
    expect(reader.reading('s').defects).toEqual(['a tool call has the id of an earlier one of another tool']);
  });

  test('a call that is told again in a message that cannot be read is judged by itself', () => {
    const reader = open();
    called(reader, {});
    const again = `{"type":"conversation.item.done","item":${JSON.stringify(pay)},"a":1,"a":2}`;
    expect(reader.readServer(message(again))).toMatchObject({ kind: 'tool', alone: true, after: [] });
  });

  test('of a call that stood alone nothing is kept once it is over', () => {
    const reader = open();
    const { answer } = reader.readServer(message({ type: 'conversation.item.added', item: pay }));
    const calls = () => reader.reading(answer ?? '').facts.toolCalls.map(({ name }) => name);
    expect(calls()).toEqual(['pay']);
    reader.settle(answer ?? '', false);
    expect(calls()).toEqual([]);
  });

  test('more repetitions of its calls than are compared are a defect of an answer', () => {
    const reader = open();
    reader.readServer(message({ type: 'response.created', response: { id: 'r' } }));
    const done = { type: 'response.output_item.done', response_id: 'r', output_index: 0, item: pay };
    reader.readServer(message(done));
    for (let i = 0; i <= 4_000; i += 1)
      reader.readServer(message({ type: 'conversation.item.done', item: pay }));
    expect(reader.reading('r').defects).toEqual(['the conversation repeats more than 4000 tool calls']);
  });

  test('more words than are kept beside its items are a defect of an answer', () => {
    const reader = open();
    const event = { type: 'response.output_audio_transcript.delta', response_id: 'r', item_id: 'i' };
    for (let i = 0; i < 4; i += 1)
      reader.readServer(message({ ...event, delta: String(i).repeat(mebibyte) }));
    expect(reader.reading('r').defects).toEqual([]);
    reader.readServer(message({ ...event, delta: '.' }));
    expect(reader.reading('r').defects).toEqual([`more than ${4 * mebibyte} characters were spoken`]);
  });

  test.each([
    ['with another id', { id: 'i' }, { id: 'other' }],
    ['without an id, as those of the answer', {}, {}],
  ])('words of an item %s are no repetition of an answer’s', (_what, own, other) => {
    const reader = open();
    const said = (text: string) => ({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text }],
    });
    const response = { id: 'r', status: 'completed', output: [{ ...own, ...said('Not now.') }] };
    reader.readServer(message({ type: 'response.done', response }));
    const event = { type: 'conversation.item.done', item: { ...other, ...said('now') } };
    expect(reader.readServer(message(event))).toMatchObject({ alone: true, after: [] });
  });

  describe('an error that does not say what it is about', () => {
    const error = { type: 'error', error: { message: 'no', event_id: null } };

    test('may refuse a wish, but need not', () => {
      const reader = open();
      told(reader, { type: 'response.create' });
      expect(reader.readServer(message(error))).toMatchObject({ refuses: false, doubts: true });
    });

    test('refuses none while an answer is under way', () => {
      const reader = open();
      told(reader, { type: 'response.create' });
      reader.readServer(message({ type: 'response.created', response: { id: 'r' } }));
      expect(reader.readServer(message(error))).toMatchObject({ refuses: false, doubts: false });
    });
  });

  test('an answer in which a key is written twice has a defect and never passes', () => {
    const reader = open();
    reader.readServer(message({ type: 'response.created', response: { id: 'r' } }));
    const twice = '{"type":"response.output_audio.delta","response_id":"r","delta":"","delta":"x"}';
    expect(reader.readServer(message(twice)).kind).toBe('tool');
    expect(reader.reading('r').defects).not.toEqual([]);
  });
});

describe('the responses API', () => {
  const open = () => dialectAt('/v1/responses').open('/v1/responses');

  test('asks with a whole request each time, in lanes', () => {
    const reader = open();
    const ask = {
      type: 'response.create',
      stream_id: 'a',
      model: 'gpt-5',
      instructions: 'Be brief.',
      input: 'Hi',
    };
    expect(told(reader, ask)).toMatchObject({
      kind: 'ask',
      facts: { model: 'gpt-5', system: 'Be brief.', text: 'Be brief.\nHi' },
    });
    const created = (lane: string) => message({ type: 'response.created', stream_id: lane, response: {} });
    const first = reader.readServer(created('a')).answer;
    const second = reader.readServer(created('b')).answer;
    expect(first).not.toBe(second);
    const delta = { type: 'response.output_text.delta', stream_id: 'a', output_index: 0, delta: 'x' };
    expect(reader.readServer(message(delta))).toMatchObject({ kind: 'text', answer: first });
    const completed = {
      type: 'response.completed',
      stream_id: 'b',
      response: { status: 'completed', output: [] },
    };
    expect(reader.readServer(message(completed))).toMatchObject({ answer: second, ends: true });
  });

  test('steers what answers, a stored prompt by its id where no model is named', () => {
    const reader = open();
    const prompt = { id: 'pmpt_1' };
    told(reader, { type: 'response.create', stream_id: 'a', model: 'gpt-5', input: 'Hi' });
    const steer = { type: 'response.steer', stream_id: 'a', input: 'Go on.' };
    expect(told(reader, steer)).toMatchObject({ kind: 'content', facts: { model: 'gpt-5', stream: true } });
    const ask = { type: 'response.create', stream_id: 'a', prompt };
    expect(told(reader, ask)).toMatchObject({ kind: 'ask', facts: { model: 'pmpt_1', stream: true } });
    expect(told(reader, steer).facts.model).toBe('pmpt_1');
  });

  test('that names no model asks whichever the provider chooses, and not the one before', () => {
    const reader = open();
    told(reader, { type: 'response.create', model: 'gpt-5', input: 'Hi' });
    expect(told(reader, { type: 'response.create', input: 'Hi' }).facts.model).toBe('');
  });

  test('remembers the models of a thousand lanes', () => {
    const reader = open();
    const ask = (lane: number) =>
      told(reader, { type: 'response.create', stream_id: `${lane}`, model: `m${lane}`, input: 'Hi' });
    for (let lane = 0; lane <= 1_000; lane += 1) ask(lane);
    const steered = (lane: number) =>
      reader.readClient(message({ type: 'response.steer', stream_id: `${lane}`, input: 'Go on.' }));
    expect([0, 1, 1_000].map((lane) => steered(lane).facts.model)).toEqual(['', 'm1', 'm1000']);
  });

  test('is in doubt where a message names no type', () => {
    expect(open().readClient(message({ input: 'Hi' })).defects).toEqual(['a message names no type']);
  });

  test('what comes in a lane after an answer of it has ended is another answer', () => {
    const reader = open();
    const created = message({ type: 'response.created', response: {} });
    const first = reader.readServer(created).answer;
    reader.readServer(message({ type: 'response.completed', response: { status: 'completed', output: [] } }));
    expect(reader.readServer(created).answer).not.toBe(first);
  });

  test('an answer in which a key is written twice has a defect and never passes', () => {
    const reader = open();
    reader.readServer(message({ type: 'response.created', response: {} }));
    const twice = '{"type":"response.output_text.delta","output_index":0,"delta":"","delta":"x"}';
    const { kind, answer } = reader.readServer(message(twice));
    expect(kind).toBe('tool');
    expect(reader.reading(answer ?? '').defects).not.toEqual([]);
  });

  const approval = { type: 'mcp_approval_request', id: 'a', name: 'pay', server_label: 's', arguments: '{}' };
  const call = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{}' };

  test.each([
    ['of a kind nobody knows', 'item.told', approval],
    ['about steering', 'response.steer.accepted', call],
    ['about steering, with what waits for a yes', 'response.steer.accepted', approval],
  ])('with a call in an event %s, which is part of no answer, never passes', (_what, type, item) => {
    const reading = open().readServer(message({ type, item }));
    expect(reading).toMatchObject({ kind: 'tool', alone: true, ends: true });
  });

  test('with a call in an event nobody knows, told within an answer, has a defect', () => {
    const reader = open();
    const { answer } = reader.readServer(message({ type: 'response.created', response: {} }));
    expect(reader.readServer(message({ type: 'item.told', item: call }))).toMatchObject({
      kind: 'tool',
      answer,
    });
    expect(reader.reading(answer ?? '').defects).toEqual(['the event "item.told" carries a tool call']);
  });

  test('is told how steering goes without holding anything', () => {
    expect(open().readServer(message({ type: 'response.steer.accepted', id: 'x' })).answer).toBeNull();
  });

  test('an error ends the answer of its lane, and without one refuses what was asked', () => {
    const reader = open();
    const error = message({ type: 'error', status: 400, error: { message: 'no' } });
    expect(reader.readServer(error)).toMatchObject({ refuses: true, answer: null });
    const { answer } = reader.readServer(message({ type: 'response.created', response: {} }));
    expect(reader.readServer(error)).toMatchObject({ answer, ends: true });
  });
});

describe('the Live API', () => {
  const open = () => dialectAt(live).open(live);

  test('reads both spellings of its members', () => {
    const reader = open();
    const parts = [{ text: 'Be brief.' }];
    const tools = [{ function_declarations: [{ name: 'pay' }] }];
    told(reader, { setup: { model: 'models/m', system_instruction: { parts }, tools } });
    const turns = [{ role: 'user', parts: [{ text: 'Pay.' }] }];
    expect(told(reader, { client_content: { turns, turn_complete: true } })).toMatchObject({
      kind: 'ask',
      facts: { model: 'm', system: 'Be brief.', text: 'Be brief.\nPay.', tools: [{ name: 'pay' }] },
    });
  });

  test('tells something with every message that is not sound, though it has no words', () => {
    expect(open().readClient(message({ clientContent: {} }))).toMatchObject({
      kind: 'content',
      changes: false,
    });
  });

  test.each([
    ['characters', [{ text: 'x'.repeat(9 * mebibyte) }], 1],
    ['messages', [{ text: 'x' }], 6_000],
  ])('with too many %s since the last turn is in doubt', (what, parts, count) => {
    const reader = open();
    const half = { clientContent: { turns: Array.from({ length: count }, () => ({ parts })) } };
    expect(told(reader, half).defects).toEqual([]);
    expect(told(reader, half).defects).toEqual([
      expect.stringMatching(`^more than \\d+ ${what} since the last turn$`),
    ]);
  });

  test('is in doubt with sound that is written in both spellings', () => {
    const audio = { data: 'AAAA', mimeType: 'audio/pcm' };
    const both = { realtimeInput: { audio }, realtime_input: { audio } };
    expect(open().readClient(message(both)).defects).not.toEqual([]);
  });

  test('a turn is whole once it has ended', () => {
    const reader = open();
    const parts = [{ text: 'Hm.' }];
    const { answer } = reader.readServer(message({ serverContent: { modelTurn: { parts } } }));
    expect(reader.reading(answer ?? '').complete).toBe(false);
    reader.readServer(message({ serverContent: { turnComplete: true } }));
    expect(reader.reading(answer ?? '').complete).toBe(true);
  });

  test('what is said beside a call is part of what is said', () => {
    const reader = open();
    const toolCall = { functionCalls: [{ id: 'c', name: 'pay', args: {} }] };
    const serverContent = { modelTurn: { parts: [{ text: 'Paying.' }] } };
    const { answer } = reader.readServer(message({ toolCall, serverContent }));
    expect(reader.reading(answer ?? '').facts.text).toBe('Paying.');
  });

  test('what is said and what is spoken of it are too much together', () => {
    const reader = open();
    const words = 'x'.repeat(3 * mebibyte);
    const modelTurn = { parts: [{ text: words }] };
    const { answer } = reader.readServer(message({ serverContent: { modelTurn } }));
    expect(reader.reading(answer ?? '').defects).toEqual([]);
    reader.readServer(message({ serverContent: { outputTranscription: { text: words } } }));
    expect(reader.reading(answer ?? '').defects).toEqual([
      `an answer of more than ${4 * mebibyte} characters`,
    ]);
  });

  test('a call ends an answer, because the model waits for the workload', () => {
    const reader = open();
    const call = { functionCalls: [{ id: 'c', name: 'pay', args: { amount: 1 } }] };
    const reading = reader.readServer(message({ toolCall: call }));
    expect(reading).toMatchObject({ kind: 'tool', ends: true });
    expect(reader.reading(reading.answer ?? '').facts.toolCalls).toEqual([
      { id: 'c', name: 'pay', arguments: { amount: 1 }, argumentsText: '{"amount":1}' },
    ]);
  });

  test('a call within a turn’s parts, or whose arguments come in pieces, never passes', () => {
    const reader = open();
    const parts = [{ functionCall: { name: 'pay', args: {} } }];
    expect(reader.readServer(message({ serverContent: { modelTurn: { parts } } })).kind).toBe('tool');
    const pieces = { functionCalls: [{ id: 'c', name: 'pay', partialArgs: [], willContinue: true }] };
    const reading = reader.readServer(message({ toolCall: pieces }));
    expect(reading).toMatchObject({ kind: 'tool', ends: false });
    expect(reader.reading(reading.answer ?? '').defects).not.toEqual([]);
  });

  // https://ai.google.dev/api/live#BidiGenerateContentServerContent: a turn has the parts that any content has.
  test.each([
    [{ executableCode: { language: 'PYTHON', code: 'print(1)' } }, 'executableCode'],
    [{ executable_code: { language: 'PYTHON', code: 'print(1)' } }, 'executableCode'],
    [{ toolCall: { id: 't', toolType: 'GOOGLE_SEARCH_WEB', args: { queries: ['x'] } } }, 'GOOGLE_SEARCH_WEB'],
    [{ somethingCall: { code: 'print(1)' } }, 'somethingCall'],
  ])('what Google is to run within a turn is a call: %j', (part, name) => {
    const reader = open();
    const parts = [{ text: 'Let me see.' }, part];
    const reading = reader.readServer(message({ serverContent: { modelTurn: { parts } } }));
    expect(reading.kind).toBe('tool');
    const { facts, defects } = reader.reading(reading.answer ?? '');
    expect(defects).toEqual([]);
    expect(facts.toolCalls.map((call) => call.name)).toEqual([name]);
    expect(facts.text).toBe('Let me see.');
  });

  test.each([
    { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
    { inlineData: { data: 'AAAA', mimeType: 'audio/pcm' } },
    { thought: true, text: 'Hm.' },
  ])('what came of it, sound and thoughts call nothing: %j', (part) => {
    const reader = open();
    const reading = reader.readServer(message({ serverContent: { modelTurn: { parts: [part] } } }));
    expect(reading.kind).toBe('text');
    expect(reader.reading(reading.answer ?? '').facts.toolCalls).toEqual([]);
  });

  test('a member in both spellings is a defect', () => {
    const clientContent = { turns: [{ parts: [{ text: 'Hi' }] }] };
    const both = { clientContent, client_content: { turns: [{ parts: [{ text: 'a secret' }] }] } };
    expect(open().readClient(message(both)).defects).not.toEqual([]);
  });

  test.each([
    { tool_call: { function_calls: [{ name: 'pay', args: {} }] } },
    { serverContent: { model_turn: { parts: [{ function_call: { name: 'pay', args: {} } }] } } },
    { somethingNew: [{ functionCall: { name: 'pay', args: {} } }] },
  ])('a call is seen wherever it stands: %j', (event) => {
    expect(open().readServer(message(event)).kind).toBe('tool');
  });

  test.each([
    { toolCall: { functionCalls: [] }, tool_call: { function_calls: [{ name: 'pay', args: {} }] } },
    { toolCall: { functionCalls: [], function_calls: [{ name: 'pay', args: {} }] } },
    { toolCall: { functionCalls: [{ name: 'pay', partial_args: [{ json_path: '$.a', number_value: 1 }] }] } },
    { toolCall: { functionCalls: [{ name: 'pay', args: {}, willContinue: true }] } },
    { serverContent: { model_turn: [{ parts: [{ executable_code: { code: 'x' } }] }] } },
    { serverContent: { modelTurn: { parts: ['pay'] } } },
    { serverContent: { modelTurn: { parts: [{ text: 'Hm.' }] }, model_turn: { parts: [{ text: 'No.' }] } } },
  ])('what cannot be read of a call never passes unjudged: %j', (event) => {
    const reader = open();
    const reading = reader.readServer(message(event));
    expect(reading.kind).toBe('tool');
    expect(reader.reading(reading.answer ?? '').defects).not.toEqual([]);
  });

  test('a call that goes on is no whole answer in either spelling', () => {
    const call = { functionCalls: [{ id: 'c', name: 'pay', partial_args: [], will_continue: true }] };
    expect(open().readServer(message({ toolCall: call })).ends).toBe(false);
  });

  test.each(['models/m', 'projects/p/locations/l/publishers/google/models/m'])(
    'the model %s is called as everywhere else',
    (model) => expect(told(open(), { setup: { model } }).facts.model).toBe('m'),
  );

  // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Tool#LlmRanker
  test('a model that ranks what was found is asked for beside the one that speaks', () => {
    const retrieval = {
      vertexRagStore: { ragRetrievalConfig: { ranking: { llmRanker: { modelName: 'other' } } } },
    };
    const reader = open();
    told(reader, { setup: { model: 'models/m', tools: [{ retrieval }] } });
    const said = told(reader, { clientContent: { turns: [{ parts: [{ text: 'Hi' }] }] } });
    expect(said.facts).toMatchObject({ model: 'm', text: 'Hi', insteads: [{ model: 'other' }] });
  });

  const file = { mimeType: 'text/plain', data: Buffer.from('Pay.').toString('base64') };

  test.each([
    { clientContent: { turns: [{ role: 'user', parts: [{ inlineData: file }] }] } },
    { clientContent: { turns: { role: 'user', parts: { text: 'Pay.' } } } },
    { realtimeInput: { mediaChunks: [file] } },
    { realtime_input: { video: file } },
    { realtimeInput: { somethingNew: { text: 'Pay.' } } },
    { setup: { systemInstruction: [{ text: 'Pay.' }] } },
  ])('words are read wherever they stand: %j', (event) => {
    expect(open().readClient(message(event))).toMatchObject({
      kind: 'content',
      facts: { text: 'Pay.' },
      defects: [],
    });
  });

  test.each(['setup', 'clientContent', 'realtimeInput', 'toolResponse'])(
    'what is no object in `%s` is not sent on',
    (name) => expect(open().readClient(message({ [name]: [{ text: 'Pay.' }] })).defects).not.toEqual([]),
  );

  test('what is written in both spellings is named as what it quotes, which is not sealed', () => {
    const both = { clientContent: { ofErika: 1, of_erika: 2 } };
    expect(open().readClient(message(both)).defects).toEqual(['a message has, in both spellings, "ofErika"']);
  });

  test('the request for a token that is written in both spellings is in doubt', () => {
    const setup = (model: string) => ({ setup: { model } });
    const both = { bidiGenerateContentSetup: setup('m'), bidi_generate_content_setup: setup('other') };
    expect(readTokenRequest(Buffer.from(JSON.stringify(both))).defects).not.toEqual([]);
  });

  test('sound and pictures tell the model nothing that rules read', () => {
    const reader = open();
    const audio = { data: 'AAAA', mimeType: 'audio/pcm' };
    expect(reader.readClient(message({ realtimeInput: { audio } })).kind).toBe('media');
    expect(reader.readClient(message({ realtimeInput: { text: 'Hi' } })).kind).toBe('content');
  });
});
