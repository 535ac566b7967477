/** Vercel's gateway as the AI SDK asks it, in the SDK's own form: what the SDK makes of an answer, beside what rules see. */
import { createGateway, generateText, jsonSchema, streamText, type ToolSet } from 'ai';
import { describe, expect, test } from 'vitest';
import { withGateway } from '../../../../src/provider/asked/gateway.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from '../lines.ts';
import { answering, events, headOf } from '../streams.ts';

const openai = protocolOf('openai');
const model = 'gateway.model';
const tools: ToolSet = { pay: { inputSchema: jsonSchema({ type: 'object' }) } };
const none = { unified: 'tool-calls', raw: 'tool_calls' };
const usage = { inputTokens: { total: 7 }, outputTokens: { total: 5 } };

const call = (input: string, more: object = {}) => ({
  type: 'tool-call',
  toolCallId: 'c',
  toolName: 'pay',
  input,
  ...more,
});
const answer = (...content: readonly object[]) => JSON.stringify({ content, finishReason: none, usage });
const finish = { type: 'finish', finishReason: none, usage };
const stream = (...parts: readonly object[]) => events({ type: 'stream-start', warnings: [] }, ...parts);
const begun = { type: 'tool-input-start', id: 'c', toolName: 'pay' };
const piece = (delta: string) => ({ type: 'tool-input-delta', id: 'c', delta });
const ended = { type: 'tool-input-end', id: 'c' };
const said = (delta: string, id = 't') => ({ type: 'text-delta', id, delta });
const text = (value: string) => [{ type: 'text-start', id: 't' }, said(value), { type: 'text-end', id: 't' }];

const paying = stream(
  ...text('One moment.'),
  ...[begun, piece('{"amount":'), piece('25000}'), ended, call('{"amount":25000}'), finish],
);

async function streamedBy(bytes: string) {
  const gateway = createGateway({ apiKey: 'none', fetch: answering(bytes) });
  const failures: unknown[] = [];
  const result = streamText({
    ...{ model: gateway('m'), prompt: 'Hi', tools, maxRetries: 0 },
    onError: ({ error }) => {
      failures.push(error);
    },
  });
  const calls = (await result.toolCalls).map(({ toolName, input }) => [toolName, input]);
  return { text: await result.text, calls, failures };
}

describe('the request', () => {
  const sent = async () => {
    const requests: { readonly url: string; readonly headers: Headers; readonly body: string }[] = [];
    const gateway = createGateway({
      apiKey: 'none',
      fetch: async (url, init) => {
        requests.push({ url: String(url), headers: new Headers(init?.headers), body: String(init?.body) });
        return new Response(answer({ type: 'text', text: 'Hi' }), {
          headers: { 'content-type': 'application/json' },
        });
      },
    });
    const image = { type: 'file' as const, data: 'AAAA', mediaType: 'image/png', filename: 'x.png' };
    await generateText({
      model: gateway('acme/large'),
      system: 'Be careful.',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Pay.' }, image] },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'Hm.' },
            { type: 'tool-call', toolCallId: 'c', toolName: 'pay', input: { amount: 5 } },
          ],
        },
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: 'c',
              toolName: 'pay',
              output: { type: 'json', value: { note: 'SECRET' } },
            },
          ],
        },
      ],
      tools,
      temperature: 0.5,
      providerOptions: { gateway: { models: ['acme/other'] } },
    });
    const [request] = requests;
    if (request === undefined) throw new Error('The SDK asked nothing.');
    return request;
  };

  test('has its words, its calls and its tools for rules, and no picture', async () => {
    const { url, body } = await sent();
    const path = new URL(url).pathname;
    expect(openai.operationOf('POST', path)).toBe(model);
    expect(protocolOf('anthropic').operationOf('POST', path)).toBe(model);
    const { facts, defects } = asked(openai, model, body, path);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      system: 'Be careful.',
      text: 'Be careful.\nPay.\nx.png\nHm.\nSECRET',
      params: { temperature: 0.5 },
      tools: [{ name: 'pay' }],
    });
    expect(facts.messages.flatMap(({ toolCalls }) => toolCalls)).toEqual([
      { id: 'c', name: 'pay', arguments: { amount: 5 }, argumentsText: '{"amount":5}' },
    ]);
  });

  test('asks the model of its header field, and those that it may fall back to', async () => {
    const { url, headers, body } = await sent();
    const reading = openai.readRequest(model, Buffer.from(body), headOf(new URL(url).pathname));
    const { facts } = withGateway(reading, [...headers].flat());
    const models = [facts.model, ...(facts.insteads ?? []).map((instead) => instead.model)];
    expect(models).toEqual(['acme/large', 'acme/other']);
  });

  test('names the model that its body names, where that does, and the other besides', () => {
    const reading = asked(openai, model, { model: 'acme/own', prompt: [] });
    const { facts } = withGateway(reading, ['ai-language-model-id', 'acme/large']);
    expect(facts).toMatchObject({ model: 'acme/own', insteads: [{ model: 'acme/large' }] });
  });

  test('with a member in another spelling has a defect', () => {
    expect(asked(openai, model, { Prompt: [] }).defects).toHaveLength(1);
  });

  test('without words, such as of a picture alone, asks that model too', () => {
    const picture = { role: 'user', content: [{ type: 'file', data: 'AAAA', mediaType: 'image/png' }] };
    const reading = asked(openai, model, { prompt: [picture] });
    expect(withGateway(reading, ['ai-language-model-id', 'acme/large']).facts.model).toBe('acme/large');
    expect(withGateway(reading, ['AI-Model-Id', 'acme/large']).facts.model).toBe('acme/large');
  });

  test.each([
    ['/v4/ai/embedding-model', { values: ['SECRET'] }],
    ['/v4/ai/reranking-model', { documents: { type: 'text', values: ['SECRET'] }, query: 'x' }],
    ['/v4/ai/image-model', { prompt: 'SECRET' }],
    ['/v4/ai/video-model', { prompt: 'SECRET' }],
    ['/v4/ai/video-model/start', { prompt: 'SECRET' }],
    ['/v4/ai/speech-model', { text: 'SECRET' }],
    ['/v4/ai/batch/start', { modelId: 'm', requests: [{ id: 'a', options: { prompt: 'SECRET' } }] }],
  ])('to %s has its words for rules', (path, body) => {
    const { facts, defects } = asked(openai, openai.operationOf('POST', path), body, path);
    expect([facts.text.includes('SECRET'), defects]).toEqual([true, []]);
  });
});

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

describe('an amendment', () => {
  const toFive = { toolCalls: [{ id: 'c', arguments: { amount: 5 } }] };

  test('of a call in a stream reaches the SDK in the place of the call', async () => {
    const raw = { type: 'raw', rawValue: '25000' };
    const changed = amended('sse', openai, model, paying + events(raw), toFive);
    expect(changed).not.toContain('25000');
    // Nor do its pieces tell anything else.
    expect(readAs('sse', openai, model, changed).facts.toolCalls[0]?.alsoAs).toBeUndefined();
    expect(await streamedBy(changed)).toMatchObject({ text: 'One moment.', calls: [['pay', { amount: 5 }]] });
  });

  test('takes a call out, and puts a text in the place of another', async () => {
    const without = amended('sse', openai, model, paying, { withheld: ['c'] });
    expect((await streamedBy(without)).calls).toEqual([]);
    const other = amended('sse', openai, model, paying, { text: 'Later.' });
    expect((await streamedBy(other)).text).toBe('Later.');
  });

  test('of a whole answer changes what it names alone', () => {
    const bytes = answer(
      { type: 'text', text: 'One ' },
      { type: 'text', text: 'moment.' },
      call('{"amount":25000}'),
    );
    const { content } = JSON.parse(amended(null, openai, model, bytes, { ...toFive, text: 'Later.' }));
    expect(content).toEqual([
      { type: 'text', text: 'Later.' },
      { type: 'text', text: '' },
      call('{"amount":5}'),
    ]);
    const left = JSON.parse(amended(null, openai, model, bytes, { withheld: ['c'] }));
    expect(left.content.length).toBe(2);
  });

  test('is refused where two calls have one id, of which none can be meant', () => {
    const twice = stream(call('{}'), call('{}'), finish);
    expect(codeOf(() => amended('sse', openai, model, twice, toFive))).toBe('invalid_argument');
  });

  test('is refused of a part that nobody knows, whose input has no place', () => {
    const toolCalls = [{ id: '#1', arguments: { amount: 5 } }];
    expect(codeOf(() => amended(null, openai, model, answer({ type: 'custom' }), { toolCalls }))).toBe(
      'invalid_argument',
    );
  });
});

test('what Holdpoint says in a stream that has begun is an error to the SDK', async () => {
  const denial = openai.errorEvent(model, 'sse', 'denied_by_policy', 'No.');
  const { failures } = await streamedBy(stream(said('Hi')) + String(denial));
  expect(JSON.stringify(failures)).toContain('denied_by_policy');
});
