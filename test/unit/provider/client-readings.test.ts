/** What official clients make of bytes that the standard reads otherwise, beside what rules see of them. */
import { createServer } from 'node:http';
import { zstdCompressSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import { ChatOpenAI } from '@langchain/openai';
import { CohereClientV2 } from 'cohere-ai';
import OpenAI from 'openai';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeContent } from '../../../src/core/content-coding.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { answering, events, readStream, type TypedEvent, typedEvents } from './streams.ts';

afterAll(endAll);

test('a call in a comment, which cohere-ai makes, is not passed unjudged', async () => {
  const started = {
    type: 'tool-call-start',
    index: 0,
    delta: {
      message: { tool_calls: { id: 'a', type: 'function', function: { name: 'pay', arguments: '{}' } } },
    },
  };
  const end = { type: 'message-end', delta: { finish_reason: 'COMPLETE' } };
  const stream = `: data: ${JSON.stringify(started)}\n\ndata: ${JSON.stringify(end)}\n\n`;

  const client = new CohereClientV2({ token: 'none', fetch: answering(stream) });
  const seen: string[] = [];
  for await (const event of await client.chatStream({ model: 'command', messages: [] }))
    seen.push(event.type);
  expect(seen).toContain('tool-call-start');

  const { kinds, defects } = readStream(protocolOf('cohere'), 'chat', stream);
  expect(kinds[0]).toBe('tool');
  expect(defects).toEqual(['a line that is no data has data within it']);
});

test('what a response says that its items say, which the OpenAI SDK believes, is read', async () => {
  const said = (text: string) => ({ type: 'message', content: [{ type: 'output_text', text }] });
  const body = { output: [said('Hi')], output_text: 'SECRET' };
  const client = new OpenAI({ apiKey: 'none', fetch: async () => Response.json(body) });
  expect((await client.responses.create({ model: 'm', input: 'x' })).output_text).toBe('SECRET');

  const read = (answer: object) =>
    protocolOf('openai').readResponse('responses', 200, Buffer.from(JSON.stringify(answer))).facts.text;
  expect(read(body)).toBe('Hi\nSECRET');
  expect(read({ output: [said('Hi'), said('there')], output_text: 'Hithere' })).toBe('Hi\nthere');
});

const anthropicOpening: readonly TypedEvent[] = [
  {
    type: 'message_start',
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'c',
      content: [],
      usage: { input_tokens: 1 },
    },
  },
  {
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id: 'a', name: 'pay', input: {} },
  },
];
const anthropicEnd: readonly TypedEvent[] = [
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } },
  { type: 'message_stop' },
];
const inputPiece = (json: string): TypedEvent => ({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'input_json_delta', partial_json: json },
});

test.each([
  ['without a name', ''],
  ['named ping', 'event: ping\n'],
])('a piece of a call %s, which the Anthropic SDK drops, is a defect', async (_name, name) => {
  const dropped = `${name}data: ${JSON.stringify(inputPiece('5,"note":'))}\n\n`;
  const stream =
    typedEvents(...anthropicOpening, inputPiece('{"amount":')) +
    dropped +
    typedEvents(inputPiece('50000}'), ...anthropicEnd);

  const client = new Anthropic({ apiKey: 'none', fetch: answering(stream) });
  const asked = { model: 'c', max_tokens: 9, messages: [{ role: 'user' as const, content: 'x' }] };
  const { content } = await client.messages.stream(asked).finalMessage();
  expect(content).toMatchObject([{ name: 'pay', input: { amount: 50_000 } }]);

  const { facts, defects } = readStream(protocolOf('anthropic'), 'messages', stream);
  expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 5, note: 50_000 } }]);
  expect(defects).toEqual(['an event of the stream has another name than its data']);
});

test('a call whose end the Anthropic SDK waits for, with the input that it began with, is a defect', async () => {
  const [, ...withoutStop] = anthropicEnd;
  const stream = typedEvents(...anthropicOpening, inputPiece('{"amount":5}'), ...withoutStop);

  const client = new Anthropic({ apiKey: 'none', fetch: answering(stream) });
  const asked = { model: 'c', max_tokens: 9, messages: [{ role: 'user' as const, content: 'x' }] };
  const { content } = await client.messages.stream(asked).finalMessage();
  expect(content).toMatchObject([{ name: 'pay', input: {} }]);

  const { facts, defects } = readStream(protocolOf('anthropic'), 'messages', stream);
  expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 5 } }]);
  expect(defects).toEqual(['a tool call in pieces has no end']);
});

test('a piece of a call behind the end of the message, where programs stop that read event by event, is a defect', () => {
  const end = { type: 'message_stop' };
  const stream = typedEvents(...anthropicOpening, inputPiece('{"amount":50000'), end, inputPiece('e-4}'));
  const { facts, defects } = readStream(protocolOf('anthropic'), 'messages', stream);
  expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 5 } }]);
  expect(defects).toContain('some clients pass over a piece of a tool call');
});

test.each([
  ['`[DONE]`', 'data: [DONE]\n\n'],
  ['an event with that word in it', 'data: {"type":"debug","prompt":"[DONE]"}\n\n'],
])('a piece of a call behind %s, where cohere-ai stops, is a defect', async (_what, end) => {
  const call = (type: string, tool: object) => ({ type, index: 0, delta: { message: { tool_calls: tool } } });
  const given = (text: string) => call('tool-call-delta', { function: { arguments: text } });
  const begins = { id: 'a', type: 'function', function: { name: 'pay', arguments: '' } };
  const stream = events(
    ...[call('tool-call-start', begins), given('{"amount":50000'), end, given('e-4}')],
    ...[
      { type: 'tool-call-end', index: 0 },
      { type: 'message-end', delta: { finish_reason: 'TOOL_CALL' } },
    ],
  );

  const client = new CohereClientV2({ token: 'none', fetch: answering(stream) });
  let input = '';
  for await (const event of await client.chatStream({ model: 'command', messages: [] }))
    if (event.type === 'tool-call-delta') input += event.delta?.message?.toolCalls?.function?.arguments ?? '';
  expect(input).toBe('{"amount":50000');

  const { facts, defects } = readStream(protocolOf('cohere'), 'chat', stream);
  expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 5 } }]);
  expect(defects).toEqual(['some clients pass over a piece of a tool call']);
});

test('a stream without any names says the same to all who read it', () => {
  const values = [...anthropicOpening, inputPiece('{}'), { type: 'ping' }, ...anthropicEnd];
  const stream = values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('');
  expect(readStream(protocolOf('anthropic'), 'messages', stream).defects).toEqual([]);
});

describe('a responses stream that says of an item behind its end', () => {
  const call = (input: string) => ({
    ...{ id: 'fc', type: 'function_call', call_id: 'c', name: 'pay', arguments: input, status: 'completed' },
  });
  const at = { item_id: 'fc', output_index: 0 };
  const about = (type: string, more: object): TypedEvent => ({ type: `response.${type}`, ...at, ...more });
  const opened = [
    about('output_item.added', { item: call('') }),
    about('output_item.done', { item: call('{"amount":5}') }),
  ];
  const ended: TypedEvent = {
    type: 'response.completed',
    response: { id: 'r', model: 'm', status: 'completed', output: [call('{"amount":5}')] },
  };
  const read = (stream: string) => readStream(protocolOf('openai'), 'responses', stream);

  test('other arguments in a delta, which LangChain goes by, has a defect', async () => {
    const late = about('function_call_arguments.delta', { delta: '{"amount":50000}' });
    const stream = typedEvents(...opened, late, ended);
    const configuration = { fetch: answering(stream) };
    const model = new ChatOpenAI({ apiKey: 'none', model: 'm', useResponsesApi: true, configuration });
    let whole = null;
    for await (const chunk of await model.stream('x')) whole = whole === null ? chunk : whole.concat(chunk);
    expect(whole?.tool_calls).toMatchObject([{ name: 'pay', args: { amount: 50_000 } }]);

    const { facts, defects } = read(stream);
    expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 5 } }]);
    expect(defects).toContain('an output item goes on after its end');
  });

  test.each([
    ['other arguments, whole', about('function_call_arguments.done', { arguments: '{"amount":50000}' })],
    ['more of a text', about('output_text.delta', { content_index: 0, delta: 'secret' })],
  ])('%s, has a defect', (_what, late) => {
    const differs = 'the deltas of an output item differ from the item sent whole';
    expect(read(typedEvents(...opened, late, ended)).defects).toContain(differs);
  });

  test('the same arguments, whole, has none', () => {
    const late = about('function_call_arguments.done', { arguments: '{"amount":5}' });
    expect(read(typedEvents(...opened, late, ended)).defects).toEqual([]);
  });

  test('more, when the response has ended, has a defect', () => {
    const [begins] = opened;
    const late = about('function_call_arguments.delta', { delta: '}' });
    const first = about('function_call_arguments.delta', { delta: '{"amount":5' });
    const events = begins === undefined ? [] : [begins, first, ended, late];
    expect(read(typedEvents(...events)).defects).toEqual(['an output item goes on after its end']);
  });
});

test('an answer in two contents, of which fetch reads the first, is not read', async () => {
  const delta = (call: object) => ({
    choices: [{ index: 0, delta: { role: 'assistant', tool_calls: [call] } }],
  });
  const begins = {
    index: 0,
    id: 'a',
    type: 'function',
    function: { name: 'remove', arguments: '{"path":"/' },
  };
  const rest = { index: 0, function: { arguments: 'tmp/x"}' } };
  const stop = { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
  const contents = [events(delta(begins)), events(delta(rest), stop, 'data: [DONE]\n\n')];
  const body = Buffer.concat(contents.map((text) => zstdCompressSync(text)));
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'zstd' }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const configuration = { baseURL: `http://127.0.0.1:${port}/v1` };
  const model = new ChatOpenAI({ apiKey: 'none', model: 'm', configuration });
  let whole = null;
  for await (const chunk of await model.stream('x')) whole = whole === null ? chunk : whole.concat(chunk);
  expect(whole?.tool_calls).toMatchObject([{ name: 'remove', args: { path: '/' } }]);

  expect(() => decodeContent('zstd', body, 1_000_000)).toThrow('bytes behind the end of the content');
});
