import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoProvider, startDemoProvider } from '../../../src/demo/provider.ts';

let provider: DemoProvider;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  provider = await startDemoProvider({ port: 0 });
  openai = new OpenAI({ apiKey: 'none', baseURL: `${provider.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: 'none', baseURL: provider.url, maxRetries: 0 });
});
afterAll(() => provider.close());

const prompt = 'Please transfer 25,000 EUR to DE89370400440532013000 today.';
const parameters = {
  type: 'object' as const,
  properties: { amount: { type: 'number' }, currency: { type: 'string' }, to: { type: 'string' } },
};
const transferArguments = { amount: 25000, currency: 'EUR', to: 'DE89370400440532013000' };
const tools = [
  { type: 'function' as const, function: { name: 'delete_records', parameters: {} } },
  { type: 'function' as const, function: { name: 'transfer_funds', parameters } },
];
const user = (content: string) => ({ role: 'user' as const, content });

test('a chat prompt about money calls the transfer tool with the amount of the prompt', async () => {
  const answer = await openai.chat.completions.create({ model: 'm', messages: [user(prompt)], tools });
  const call = answer.choices[0]?.message.tool_calls?.[0];
  expect(call?.type).toBe('function');
  expect(call?.type === 'function' && call.function.name).toBe('transfer_funds');
  expect(JSON.parse(call?.type === 'function' ? call.function.arguments : '')).toEqual(transferArguments);
  expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
});

test('a prompt about deleting calls the delete tool', async () => {
  const messages = [user('Delete all customer records')];
  const answer = await openai.chat.completions.create({ model: 'm', messages, tools });
  const call = answer.choices[0]?.message.tool_calls?.[0];
  expect(call?.type === 'function' && call.function.name).toBe('delete_records');
});

test('a prompt that fits no tool gets a text that names its topic', async () => {
  const messages = [user('Tell me about photosynthesis')];
  const answer = await openai.chat.completions.create({ model: 'm', messages, tools });
  expect(answer.choices[0]?.message.content).toContain('photosynthesis');
  expect(answer.choices[0]?.finish_reason).toBe('stop');
});

test('a tool result is summed up, not answered with another call', async () => {
  const call = { id: 'c', type: 'function' as const, function: { name: 'transfer_funds', arguments: '{}' } };
  const answer = await openai.chat.completions.create({
    model: 'm',
    messages: [
      user(prompt),
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'ok' },
    ],
    tools,
  });
  expect(answer.choices[0]?.message.tool_calls).toBeUndefined();
  expect(answer.choices[0]?.message.content).toContain('Done');
});

test('a chat stream carries the call in several chunks and its usage last', async () => {
  const stream = openai.chat.completions.stream({
    model: 'm',
    messages: [user(prompt)],
    tools,
    stream_options: { include_usage: true },
  });
  let chunks = 0;
  for await (const _chunk of stream) chunks += 1;
  const answer = await stream.finalChatCompletion();
  const call = answer.choices[0]?.message.tool_calls?.[0];
  expect(chunks).toBeGreaterThan(4);
  expect(JSON.parse(call?.type === 'function' ? call.function.arguments : '')).toEqual(transferArguments);
  expect(answer.usage?.total_tokens).toBeGreaterThan(0);
});

test('a response calls the transfer tool, whole and streamed alike', async () => {
  const responseTools = [{ type: 'function' as const, name: 'transfer_funds', parameters, strict: false }];
  const whole = await openai.responses.create({ model: 'm', input: prompt, tools: responseTools });
  const streamed = await openai.responses
    .stream({ model: 'm', input: prompt, tools: responseTools })
    .finalResponse();
  for (const answer of [whole, streamed]) {
    const item = answer.output[0];
    expect(item?.type === 'function_call' && JSON.parse(item.arguments)).toEqual(transferArguments);
  }
});

test('a response without a fitting tool is text, whole and streamed alike', async () => {
  const request = { model: 'm', input: 'Explain tides' };
  const whole = await openai.responses.create(request);
  const streamed = await openai.responses.stream(request).finalResponse();
  expect(whole.output_text).toContain('tides');
  expect(streamed.output_text).toBe(whole.output_text);
});

test('a message calls the transfer tool, whole and streamed alike', async () => {
  const request = {
    model: 'm',
    max_tokens: 100,
    messages: [user(prompt)],
    tools: [{ name: 'transfer_funds', input_schema: parameters }],
  };
  const whole = await anthropic.messages.create(request);
  const streamed = await anthropic.messages.stream(request).finalMessage();
  for (const answer of [whole, streamed]) {
    const block = answer.content[0];
    expect(block?.type === 'tool_use' && block.input).toEqual(transferArguments);
    expect(answer.stop_reason).toBe('tool_use');
  }
});

test('a message without tools is text, streamed in pieces', async () => {
  const stream = anthropic.messages.stream({
    model: 'm',
    max_tokens: 9,
    messages: [user('Describe granite')],
  });
  const parts: string[] = [];
  stream.on('text', (part) => parts.push(part));
  expect(await stream.finalText()).toContain('granite');
  expect(parts.length).toBeGreaterThan(2);
});

test('model calls are counted, other reads are not', async () => {
  const before = provider.calls();
  const ids = [];
  for await (const model of openai.models.list()) ids.push(model.id);
  await openai.chat.completions.create({ model: 'm', messages: [user('hello')] });
  expect(ids).toContain('demo-model');
  expect(provider.calls()).toBe(before + 1);
});

test('a body that is not JSON is refused and not counted', async () => {
  const before = provider.calls();
  const answer = await fetch(`${provider.url}/v1/chat/completions`, { method: 'POST', body: '{' });
  expect(answer.status).toBe(400);
  expect(provider.calls()).toBe(before);
});

test('an unknown route is not found', async () => {
  expect((await fetch(`${provider.url}/v1/nothing`)).status).toBe(404);
});
