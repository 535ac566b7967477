/** What the AI SDK asks Vercel's gateway, in the SDK's own form: what rules see of it. */
import { createGateway, generateText } from 'ai';
import { describe, expect, test } from 'vitest';
import { withGateway } from '../../../../src/provider/asked/gateway.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked } from '../lines.ts';
import { headOf } from '../streams.ts';
import { answer, model, openai, tools } from './gateway-answers.ts';

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
