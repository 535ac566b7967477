/** Vercel's gateway as the AI SDK asks it, in the SDK's own form: what the SDK makes of an answer, beside what rules see. */
import { createGateway, generateText } from 'ai';
import { describe, expect, test } from 'vitest';
import { readAs } from '../lines.ts';
import { events } from '../streams.ts';
import {
  answer,
  begun,
  call,
  ended,
  finish,
  model,
  openai,
  paying,
  piece,
  said,
  stream,
  streamedBy,
  tools,
} from './gateway-answers.ts';

describe('a whole answer', () => {
  test('has the text and the calls that the SDK finds in it', async () => {
    const bytes = answer(
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'One ' },
      { type: 'text', text: 'moment.' },
      call('{"amount":25000}'),
    );
    const fetch = async () => new Response(bytes, { headers: { 'content-type': 'application/json' } });
    const result = await generateText({
      model: createGateway({ apiKey: 'none', fetch })('m'),
      prompt: 'Hi',
      tools,
    });
    const { facts, defects } = readAs(null, openai, model, bytes);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      text: result.text,
      finishReason: 'tool-calls',
      usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
    });
    expect(result.toolCalls.map(({ toolName, input }) => [toolName, input])).toEqual(
      facts.toolCalls.map((one) => [one.name, one.arguments]),
    );
  });

  test('says which model answered, and whether none did', () => {
    const named = JSON.stringify({ content: [], response: { modelId: 'acme/large' } });
    expect(readAs(null, openai, model, named).facts.model).toBe('acme/large');
    expect(readAs(null, openai, model, '{"error":{"message":"x"}}')).toMatchObject({
      failed: true,
      defects: [],
    });
  });

  test('without content, with parts that are none, or with a call that is no text has a defect', () => {
    const renamed = call('', { toolName: ['pay', 'look'] });
    for (const bytes of ['{}', answer(...[['x']]), answer(call('', { input: {} }))])
      expect(readAs(null, openai, model, bytes).defects.length).toBe(1);
    expect(readAs(null, openai, model, answer(renamed)).defects).toContain(
      'the name of a tool call is not a text',
    );
  });

  test('takes a part of a kind that nobody knows for a call of that name', () => {
    const { facts } = readAs(null, openai, model, answer({ type: 'custom', kind: 'acme.pay' }));
    expect(facts.toolCalls[0]).toMatchObject({ name: 'custom', arguments: { kind: 'acme.pay' } });
  });
});

test('what is shown beside a text, or came of a call, is no call and no text', () => {
  const parts = [
    { type: 'file', mediaType: 'image/png', data: 'AAAA' },
    { type: 'reasoning-file', mediaType: 'image/png', data: 'AAAA' },
    { type: 'source', sourceType: 'url', id: 's', url: 'https://a.test' },
    { type: 'tool-result', toolCallId: 'c', toolName: 'pay', result: 'Paid.' },
    { type: 'tool-approval-request', approvalId: 'a', toolCallId: 'c' },
  ];
  const whole = readAs(null, openai, model, answer(...parts));
  expect([whole.facts.toolCalls, whole.facts.text, whole.defects]).toEqual([[], '', []]);
  const streamed = readAs('sse', openai, model, stream(...parts, finish));
  expect([streamed.facts.toolCalls, streamed.facts.text, streamed.defects]).toEqual([[], '', []]);
  expect(streamed.kinds).toEqual(['other', 'text', 'text', 'text', 'text', 'tool', 'end']);
});

describe('a stream', () => {
  test('of more texts or calls than are told apart, or of pieces that are none, has a defect', () => {
    const many = Array.from({ length: 1_001 }, (_one, i) => String(i));
    const texts = stream(...many.map((id) => said('x', id)));
    const calls = stream(...many.map((id) => ({ ...begun, id })));
    const odd = [said('x'), piece('{')].map((part) => stream(begun, { ...part, delta: 5 }));
    for (const bytes of [texts, calls, stream(begun, begun), ...odd])
      expect(readAs('sse', openai, model, bytes).defects.length).toBeGreaterThan(0);
  });

  test('has the text and the calls that the SDK finds in it, and says which events carry what', async () => {
    const { facts, defects, complete, kinds } = readAs('sse', openai, model, paying);
    expect({ defects, complete }).toEqual({ defects: [], complete: true });
    expect(kinds).toEqual([
      ...['other', 'other', 'text', 'other'],
      ...['tool', 'tool', 'tool', 'tool', 'tool', 'end'],
    ]);
    expect(await streamedBy(paying)).toEqual({
      text: facts.text,
      calls: facts.toolCalls.map((one) => [one.name, one.arguments]),
      failures: [],
    });
    expect(facts.toolCalls.map(({ argumentsText }) => argumentsText)).toEqual(['{"amount":25000}']);
    expect(facts.usage).toMatchObject({ source: 'provider', inputTokens: 7, outputTokens: 5 });
  });

  test('shows what is thought, which is no text of it, and has a text that is sent whole', () => {
    const thought = [
      { type: 'reasoning-start', id: 'r' },
      { type: 'reasoning-delta', id: 'r', delta: 'Hm.' },
    ];
    const { facts, kinds } = readAs('sse', openai, model, stream(...thought, { type: 'text', text: 'Hi' }));
    expect(kinds).toEqual(['other', 'other', 'text', 'text']);
    expect([facts.text, facts.toolCalls]).toEqual(['Hi', []]);
  });

  test('has a call of which only pieces came, and one as its pieces tell it where they tell another', () => {
    const alone = readAs('sse', openai, model, stream(begun, piece('{"amount":25000}'), ended, finish));
    expect(alone.facts.toolCalls).toMatchObject([{ id: 'c', name: 'pay', arguments: { amount: 25_000 } }]);
    const other = stream(begun, piece('{"amount":25000}'), ended, call('{"amount":5}'), finish);
    expect(readAs('sse', openai, model, other).facts.toolCalls[0]).toMatchObject({
      arguments: { amount: 5 },
      alsoAs: [{ name: 'pay', arguments: { amount: 25_000 } }],
    });
    // Anthropic's models hand nothing over in pieces, which is an empty object in the end.
    const empty = readAs('sse', openai, model, stream(begun, ended, call('{}'), finish));
    expect(empty.facts.toolCalls[0]?.alsoAs).toBeUndefined();
    const named = readAs(
      'sse',
      openai,
      model,
      stream(begun, ended, call('{}', { toolName: 'look' }), finish),
    );
    expect(named.facts.toolCalls[0]).toMatchObject({ name: 'look', alsoAs: [{ name: 'pay' }] });
  });

  test('withholds what the provider sent itself, which has the call in it', () => {
    const raw = { type: 'raw', rawValue: { choices: [{ delta: { tool_calls: [{}] } }] } };
    expect(readAs('sse', openai, model, stream(raw)).kinds).toEqual(['other', 'tool']);
  });

  test('goes on behind `[DONE]`, as the SDK does', async () => {
    const bytes = stream(call('{}')).replace(
      'data: {"type":"tool-call"',
      'data: [DONE]\n\ndata: {"type":"tool-call"',
    );
    expect((await streamedBy(bytes + events(finish))).calls).toEqual([['pay', {}]]);
    expect(readAs('sse', openai, model, bytes).facts.toolCalls.length).toBe(1);
  });

  test('without its end is not complete, with an error has failed', () => {
    expect(readAs('sse', openai, model, stream(said('Hi'))).complete).toBe(false);
    const failed = readAs('sse', openai, model, stream({ type: 'error', error: 'x' }));
    expect([failed.failed, failed.kinds.at(-1)]).toEqual([true, 'error']);
  });
});

test('what Holdpoint says in a stream that has begun is an error to the SDK', async () => {
  const denial = openai.errorEvent(model, 'sse', 'denied_by_policy', 'No.');
  const { failures } = await streamedBy(stream(said('Hi')) + String(denial));
  expect(JSON.stringify(failures)).toContain('denied_by_policy');
});
