/** What the AI SDK's readers for single providers make of the pieces of a streamed tool call, beside what rules see of it. */
import { createDeepSeek } from '@ai-sdk/deepseek';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { answering, events, readStream } from './streams.ts';

type Model = ReturnType<ReturnType<typeof createOpenAI>['chat']>;
const openai = (fetch: typeof globalThis.fetch): Model => createOpenAI({ apiKey: 'none', fetch }).chat('m');
const deepseek = (fetch: typeof globalThis.fetch) => createDeepSeek({ apiKey: 'none', fetch })('m');
const mistral = (fetch: typeof globalThis.fetch) => createMistral({ apiKey: 'none', fetch })('m');
type Reader = (fetch: typeof globalThis.fetch) => Pick<Model, 'doStream'>;

async function callsBy(reader: Reader, stream: string): Promise<readonly string[]> {
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'x' }] }];
  const inputs: string[] = [];
  for await (const part of (await reader(answering(stream)).doStream({ prompt })).stream)
    if (part.type === 'tool-call') inputs.push(part.input);
  return inputs;
}

const chunk = (delta: object, more: object = {}, choice: object = {}) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
  ...more,
});
const piece = (text: string, more: object = {}) => ({ index: 0, function: { arguments: text }, ...more });
const middle = piece(',"note":5');
const calling = (more: object = {}, choice: object = {}) => chunk({ tool_calls: [middle] }, more, choice);
const begun = { index: 0, id: 'a', type: 'function', function: { name: 'pay', arguments: '{"amount":5' } };

/** A call in three pieces, of which some client may miss the second. */
const around = (event: unknown): string =>
  events(
    ...[chunk({ role: 'assistant', content: null, tool_calls: [begun] }), event],
    ...[chunk({ tool_calls: [piece('0000}')] }), chunk({}, {}, { finish_reason: 'tool_calls' })],
    'data: [DONE]\n\n',
  );
const whole = '{"amount":5,"note":50000}';
const withoutMiddle = '{"amount":50000}';

const counted = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 1 };
const token = { token: 'a', logprob: 1, top_logprobs: [] };

describe('a piece that a reader passes over is a defect:', () => {
  test.each([
    ['deepseek', 'of an object of another kind', calling({ object: 'chunk' })],
    ['deepseek', 'with a fingerprint that is no text', calling({ system_fingerprint: 5 })],
    [
      'deepseek',
      'beside a count of its own that is a text',
      calling({ usage: { prompt_cache_hit_tokens: '1' } }),
    ],
    ['deepseek', 'beside a token without its bytes', calling({}, { logprobs: { content: [token] } })],
    [
      'deepseek',
      'beside tokens of thought that are no list',
      calling({}, { logprobs: { reasoning_content: 5 } }),
    ],
    ['mistral', 'beside a usage that does not count all', calling({ usage: { total_tokens: 1 } })],
    [
      'mistral',
      'beside a count of its own that is a text',
      calling({ usage: { ...counted, num_cached_tokens: '1' } }),
    ],
    ['mistral', 'beside details that are none', calling({ usage: { ...counted, prompt_token_details: 5 } })],
    ['mistral', 'of nobody', chunk({ role: null, tool_calls: [middle] })],
  ] as const)('%s, %s', async (name, _what, event) => {
    const stream = around(event);
    expect(await callsBy({ deepseek, mistral }[name], stream)).toEqual([withoutMiddle]);
    const family = protocolOf(name === 'mistral' ? 'mistral' : 'openai');
    const { facts, defects } = readStream(family, 'chat.completions', stream);
    expect(facts.toolCalls.map(({ argumentsText }) => argumentsText)).toEqual([whole]);
    expect(defects).toEqual(['some clients pass over a piece of a tool call']);
  });

  test.each(Object.entries({ openai, deepseek, mistral }))(
    'not so a plain one, %s',
    async (_name, reader) => {
      expect(await callsBy(reader, around(calling({ usage: counted })))).toEqual([whole]);
    },
  );

  test('nor one that counts and spells as documented', () => {
    const spelled = { logprobs: { content: [{ ...token, bytes: null }] } };
    const stream = around(calling({ usage: { ...counted, num_cached_tokens: 0 } }, spelled));
    for (const family of ['openai', 'mistral'] as const)
      expect(readStream(protocolOf(family), 'chat.completions', stream).defects).toEqual([]);
  });
});

describe('a piece that says an empty word, as servers do,', () => {
  const read = (stream: string) => readStream(protocolOf('openai'), 'chat.completions', stream);
  const saying = [
    ['for its role', chunk({ role: '', tool_calls: [middle] })],
    ['for its kind', chunk({ tool_calls: [piece(',"note":5', { type: '' })] })],
  ] as const;

  test.each(saying)('%s is no defect, but rules see the call without it too', async (_what, event) => {
    const stream = around(event);
    for (const reader of [openai, deepseek]) expect(await callsBy(reader, stream)).toEqual([withoutMiddle]);
    const { facts, defects } = read(stream);
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([
      { argumentsText: whole, alsoAs: [{ name: 'pay', arguments: { amount: 50_000 } }] },
    ]);
  });

  test('has no other reading where the call begins with one, which those clients do not have', () => {
    const first = chunk({ role: '', tool_calls: [begun] });
    const { facts } = read(events(first, chunk({ tool_calls: [piece('}')] }), 'data: [DONE]\n\n'));
    expect(facts.toolCalls[0]).not.toHaveProperty('alsoAs');
  });
});
