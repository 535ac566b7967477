/** Pieces of a call that are no texts, which JavaScript makes texts of; pieces after a call's end; items that say two things. */

import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createCohere } from '@ai-sdk/cohere';
import Anthropic from '@anthropic-ai/sdk';
import { ChatOpenAI } from '@langchain/openai';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import {
  blockStop,
  callDelta,
  callStart,
  converseFrames,
  messageStart,
  messageStop,
  readAll,
} from './bedrock/written.ts';
import { answering, events, readStream, type TypedEvent, typedEvents } from './streams.ts';

const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'x' }] }];
describe('a message of Anthropic', () => {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const block = { type: 'tool_use', id: 'a', name: 'pay', input: {} };
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'c', content: [], usage };
  const opening: readonly TypedEvent[] = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
  ];
  const over: TypedEvent = { type: 'content_block_stop', index: 0 };
  const ending: readonly TypedEvent[] = [
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ];
  const piece = (json: unknown): TypedEvent => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json: json },
  });
  const read = (stream: string) => readStream(protocolOf('anthropic'), 'messages', stream);

  test('with a piece that is a number, which the SDK writes as a text, is a defect', async () => {
    const stream = typedEvents(...opening, piece('{"amount":5'), piece(5000), piece('}'), over, ...ending);
    const client = new Anthropic({ apiKey: 'none', fetch: answering(stream) });
    const asked = { model: 'c', max_tokens: 9, messages: [{ role: 'user' as const, content: 'x' }] };
    const { content } = await client.messages.stream(asked).finalMessage();
    expect(content).toMatchObject([{ name: 'pay', input: { amount: 55_000 } }]);
    const { facts, defects } = read(stream);
    expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 5 } }]);
    expect(defects).toEqual(['a piece of a tool call is not a text']);
  });

  test('whose block goes on after its end, where the AI SDK takes the call up, is a defect', async () => {
    const stream = typedEvents(...opening, piece('{"path":"/'), over, piece('tmp/x"}'), ...ending);
    const model = createAnthropic({ apiKey: 'none', fetch: answering(stream) })('c');
    const inputs: string[] = [];
    for await (const part of (await model.doStream({ prompt })).stream)
      if (part.type === 'tool-call') inputs.push(part.input);
    expect(inputs).toEqual(['{"path":"/']);
    const { facts, defects } = read(stream);
    expect(facts.toolCalls).toMatchObject([{ arguments: { path: '/tmp/x' } }]);
    expect(defects).toEqual(['a content block goes on after its end']);
  });
});

describe('a chat of Cohere', () => {
  const called = (type: string, fn: object) => ({
    type,
    index: 0,
    delta: { message: { tool_calls: { id: 'a', type: 'function', function: fn } } },
  });
  const start = (input: string) => called('tool-call-start', { name: 'pay', arguments: input });
  const piece = (input: unknown) => called('tool-call-delta', { arguments: input });
  const over = { type: 'tool-call-end', index: 0 };
  const usage = { tokens: { input_tokens: 1, output_tokens: 1 } };
  const end = { type: 'message-end', delta: { finish_reason: 'TOOL_CALL', usage } };

  test.each([
    [
      'is no text, which the AI SDK drops',
      piece(5000),
      piece('}'),
      over,
      'a piece of arguments is not a text',
    ],
    [
      'comes after its end, where the AI SDK takes it up',
      piece('}'),
      over,
      piece(' '),
      'a tool call goes on after its end',
    ],
  ])('with a piece of a call that %s, is a defect', async (_what, one, two, three, defect) => {
    const stream = events(start('{"amount":5'), one, two, three, end);
    const model = createCohere({ apiKey: 'none', fetch: answering(stream) })('command');
    const inputs: string[] = [];
    for await (const part of (await model.doStream({ prompt })).stream)
      if (part.type === 'tool-call') inputs.push(part.input);
    expect(inputs).toEqual(['{"amount":5}']);
    expect(readStream(protocolOf('cohere'), 'chat', stream).defects).toEqual([defect]);
  });

  test('whose calls overlap, of which clients keep the last alone, is a defect', () => {
    const stream = events(start('{}'), { ...start('{}'), index: 1 }, over, end);
    const { defects } = readStream(protocolOf('cohere'), 'chat', stream);
    expect(defects).toEqual(['a tool call begins before the one before it has ended']);
  });
});

test('a block of Converse that goes on after its end, where the AI SDK takes the call up, is a defect', async () => {
  const stream = converseFrames(
    messageStart,
    callStart(0, 'a', 'remove'),
    callDelta(0, '{"path":"/'),
    blockStop(0),
    callDelta(0, 'tmp/x"}'),
    messageStop('tool_use'),
  );
  const type = { 'content-type': 'application/vnd.amazon.eventstream' };
  const fetch = async () => new Response(new Uint8Array(stream), { headers: type });
  const model = createAmazonBedrock({ region: 'r', apiKey: 'none', fetch })('anthropic.c');
  const inputs: string[] = [];
  for await (const part of (await model.doStream({ prompt })).stream)
    if (part.type === 'tool-call') inputs.push(part.input);
  expect(inputs).toEqual(['{"path":"/']);
  expect(readAll('converse', stream).facts.toolCalls).toMatchObject([{ arguments: { path: '/tmp/x' } }]);
  expect(readAll('converse', stream).defects).toEqual(['a content block goes on after its end']);
});

test('arguments that are a list with the text in it, which JSON.parse takes for the text, are a defect', () => {
  const input = '{"amount":50000}';
  // What every program does with the arguments; TypeScript would not let it say so of a list.
  const parse: (text: never) => unknown = JSON.parse;
  const given: unknown = [input];
  expect(Reflect.apply(parse, null, [given])).toEqual({ amount: 50_000 });
  const call = { id: 'a', type: 'function', function: { name: 'pay', arguments: given } };
  const body = { choices: [{ index: 0, message: { role: 'assistant', tool_calls: [call] } }] };
  const answer = protocolOf('openai').readResponse(
    'chat.completions',
    200,
    Buffer.from(JSON.stringify(body)),
  );
  expect(answer.defects).toEqual(['the arguments of a tool call are neither a text nor an object']);
});

describe('a response of OpenAI', () => {
  const item = (input: string, more: object = {}) => ({
    type: 'function_call',
    id: 'i',
    call_id: 'a',
    name: 'pay',
    arguments: input,
    ...more,
  });
  const at = { item_id: 'i', output_index: 0 };
  const added = (input: string): TypedEvent => ({
    type: 'response.output_item.added',
    output_index: 0,
    item: item(input),
  });
  const done = (input: string): TypedEvent => ({
    type: 'response.output_item.done',
    output_index: 0,
    item: item(input),
  });
  const delta = (text: unknown): TypedEvent => ({
    type: 'response.function_call_arguments.delta',
    ...at,
    delta: text,
  });
  const response = (output: readonly object[]) => ({ id: 'r', object: 'response', model: 'm', output });
  const created: TypedEvent = { type: 'response.created', response: response([]) };
  const completed = (input: string): TypedEvent => ({
    type: 'response.completed',
    response: { ...response([item(input)]), status: 'completed' },
  });
  const read = (stream: string) => readStream(protocolOf('openai'), 'responses', stream);

  async function byLangChain(stream: string): Promise<unknown> {
    const model = new ChatOpenAI({
      apiKey: 'none',
      model: 'm',
      useResponsesApi: true,
      configuration: { fetch: answering(stream) },
    });
    let whole = null;
    for await (const chunk of await model.stream('x')) whole = whole === null ? chunk : whole.concat(chunk);
    return whole?.tool_calls?.map(({ name, args }) => ({ name, args }));
  }

  test('whose call is streamed as documented has no defect', async () => {
    const input = '{"amount":5}';
    const stream = typedEvents(
      created,
      added(''),
      delta('{"amount":'),
      delta('5}'),
      done(input),
      completed(input),
    );
    expect(await byLangChain(stream)).toEqual([{ name: 'pay', args: { amount: 5 } }]);
    expect(read(stream).defects).toEqual([]);
  });

  test('whose call begins with other input than it ends with, where LangChain takes the first, has a defect', async () => {
    const input = '{"amount":5}';
    const stream = typedEvents(created, added('{"amount":50000}'), done(input), completed(input));
    expect(await byLangChain(stream)).toEqual([{ name: 'pay', args: { amount: 50_000 } }]);
    const { facts, defects } = read(stream);
    expect(facts.toolCalls).toMatchObject([{ arguments: { amount: 5 } }]);
    expect(defects).toEqual(['an output item begins with other input than it ends with']);
  });

  test('whose call begins with its input and goes on in deltas has a defect', () => {
    const input = '{"amount":5}';
    const stream = typedEvents(created, added(input), delta(input), done(input), completed(input));
    expect(read(stream).defects).toEqual(['an output item that began with its input goes on in deltas']);
  });

  test('whose item begins twice has a defect', () => {
    const stream = typedEvents(created, added(''), added(''), done('{}'), completed('{}'));
    expect(read(stream).defects).toEqual(['an output item begins twice']);
  });

  test('with a delta that is a number, which the SDK writes as a text, has a defect', async () => {
    const input = '{"amount":5}';
    const stream = typedEvents(
      created,
      added(''),
      delta('{"amount":5'),
      delta(5000),
      delta('}'),
      done(input),
      completed(input),
    );
    const client = new OpenAI({ apiKey: 'none', fetch: answering(stream) });
    let snapshot = '';
    const streaming = client.responses.stream({ model: 'm', input: 'x' });
    streaming.on('response.function_call_arguments.delta', (event) => {
      ({ snapshot } = event);
    });
    await streaming.finalResponse();
    expect(snapshot).toBe('{"amount":55000}');
    expect(read(stream).defects).toEqual(['a piece of an output item is not a text']);
  });

  test('with a delta in an event named as those of a thread, which the SDK wraps, has a defect', async () => {
    const input = '{"amount":5,"note":50000}';
    const wrapped = `event: thread.run\n${events(delta(',"note":5'))}`;
    const stream =
      typedEvents(created, added(''), delta('{"amount":5')) +
      wrapped +
      typedEvents(delta('0000}'), done(input), completed(input));
    expect(await byLangChain(stream)).toEqual([{ name: 'pay', args: { amount: 50_000 } }]);
    expect(read(stream).defects).toEqual(['some clients pass over a piece of a tool call']);
  });

  test('with a call behind `[DONE]`, where the SDK stops, has a defect', () => {
    const stream = `${typedEvents(created)}data: [DONE]\n\n${typedEvents(added(''), done('{}'), completed('{}'))}`;
    expect(read(stream).defects).toEqual(['some clients pass over a piece of a tool call']);
  });
});
