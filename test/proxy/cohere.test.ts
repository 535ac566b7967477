/** The `cohere-ai` SDK through the sidecar, on both of the provider's APIs. */
import { LLMock } from '@copilotkit/aimock';
import { Cohere, CohereClient, CohereClientV2, CohereError } from 'cohere-ai';
import { afterEach, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { type AskOptions, type Family, type Outcome, provesFamily, type Said } from './families.ts';
import { holdTransfers } from './policies.ts';

const settings = (environment: string) => ({ token: 'none', environment, maxRetries: 0 });
const args = (amount: number): string => JSON.stringify({ amount, to: 'DE89' });

function expectDenied(error: unknown): void {
  expect(error).toBeInstanceOf(CohereError);
  expect(error).toBeInstanceOf(Cohere.ForbiddenError);
  expect(error).toMatchObject({ statusCode: 403, body: { code: expect.stringContaining('denied_by') } });
}

/** The SDK raises nothing for an event; it hands on the one that says the answer failed. */
function expectDeniedInBand(outcome: Outcome): void {
  expect(outcome).toMatchObject({ said: { failed: true, calls: [] } });
}

describe('the cohere SDK on the second API', () => {
  const usage = { tokens: { input_tokens: 7, output_tokens: 5 } };
  const event = (type: string, more: object = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const message = (said: object) => ({ delta: { message: said } });
  const content = (text: string) => event('content-delta', { index: 0, ...message({ content: { text } }) });
  const call = (text: string) => ({ function: { arguments: text } });
  const parameters = { type: 'object', properties: { amount: { type: 'number' } } };
  const fn = { name: 'transfer_funds', description: 'Moves money.', parameters };
  const whole = (said: object, reason: string): string =>
    JSON.stringify({ id: 'm1', message: { role: 'assistant', ...said }, finish_reason: reason, usage });

  async function ask(environment: string, { stream, prompt, shown }: AskOptions): Promise<Said> {
    const client = new CohereClientV2(settings(environment));
    const tools = [{ type: 'function' as const, function: fn }];
    const request = { model: 'command-a', messages: [{ role: 'user' as const, content: prompt }], tools };
    if (!stream) {
      const { message: said } = await client.chat(request);
      const text = (said.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');
      const calls = (said.toolCalls ?? []).map((one) => ({
        name: one.function?.name ?? '',
        args: JSON.parse(one.function?.arguments ?? 'null') as unknown,
      }));
      return { text, calls };
    }
    let text = '';
    let failed = false;
    const calls: { name: string; json: string }[] = [];
    for await (const part of await client.chatStream(request)) {
      if (part.type === 'content-delta') {
        const piece = part.delta?.message?.content?.text ?? '';
        text += piece;
        shown?.(piece);
      } else if (part.type === 'tool-call-start') {
        const started = part.delta?.message?.toolCalls?.function;
        calls.push({ name: started?.name ?? '', json: started?.arguments ?? '' });
      } else if (part.type === 'tool-call-delta') {
        const last = calls.at(-1);
        if (last !== undefined) last.json += part.delta?.message?.toolCalls?.function?.arguments ?? '';
      } else if (part.type === 'message-end') failed = part.delta?.finishReason === 'ERROR';
    }
    return {
      text,
      failed,
      calls: calls.map(({ name, json }) => ({ name, args: JSON.parse(json) as unknown })),
    };
  }

  const family: Family = {
    protocol: 'cohere',
    ask,
    wholeText: whole({ content: [{ type: 'text', text: 'One moment.' }] }, 'COMPLETE'),
    wholeTransfer: (amount) =>
      whole(
        {
          tool_plan: 'I pay.',
          tool_calls: [{ id: 't_1', type: 'function', function: { name: fn.name, arguments: args(amount) } }],
        },
        'TOOL_CALL',
      ),
    streamType: 'text/event-stream',
    text: [
      event('message-start', { id: 'm1', ...message({ role: 'assistant', content: [], tool_calls: [] }) }),
      event('tool-plan-delta', message({ tool_plan: 'I pay.' })),
      event('content-start', { index: 0, ...message({ content: { type: 'text', text: '' } }) }),
      content('One '),
      content('moment.'),
      event('content-end', { index: 0 }),
    ],
    transfer: (amount) => [
      event('tool-call-start', {
        index: 0,
        ...message({
          tool_calls: { id: 't_1', type: 'function', function: { name: fn.name, arguments: '' } },
        }),
      }),
      event('tool-call-delta', { index: 0, ...message({ tool_calls: call(args(amount).slice(0, 5)) }) }),
      event('tool-call-delta', { index: 0, ...message({ tool_calls: call(args(amount).slice(5)) }) }),
      event('tool-call-end', { index: 0 }),
    ],
    end: [event('message-end', { delta: { finish_reason: 'TOOL_CALL', usage } })],
    expectDenied,
    expectDeniedInBand,
    embed: (environment, text) =>
      new CohereClientV2(settings(environment)).embed({
        model: 'embed-v4.0',
        inputType: 'search_document',
        embeddingTypes: ['float'],
        texts: [text],
      }),
  };

  provesFamily(family);

  describe('of somebody else’s provider', () => {
    afterEach(endAll);

    test.each([
      ['plain text', 'Tell me about photosynthesis', false],
      ['streamed text', 'Tell me about photosynthesis', true],
      ['a plain call', 'Please transfer 250', false],
      ['a streamed call', 'Please transfer 250', true],
    ])('gets the same of %s as without the sidecar', async (_what, prompt, stream) => {
      const mock = new LLMock({ port: 0, chunkSize: 7 });
      mock.onMessage(/photosynthesis/, { content: 'Plants turn light into sugar — ☀️ → 🌱.' });
      mock.onMessage(/transfer/, { toolCalls: [{ name: 'transfer_funds', arguments: '{"amount":250}' }] });
      await mock.start();
      atEnd(() => mock.stop());
      const upstreams = { cohere: { url: mock.url, protocol: 'cohere' as const, mount: '/' } };
      const { proxyUrl, ada } = await startTestSidecar({ policy: holdTransfers, upstreams });
      const expected = await ask(mock.url, { stream, prompt });
      expect(expected.text + JSON.stringify(expected.calls)).not.toBe('[]');
      expect(await ask(proxyUrl, { stream, prompt })).toEqual(expected);
      expect((await ada.lastDecision()).operation).toBe('chat');
    });
  });
});

describe('the cohere SDK on the first API', () => {
  const meta = { tokens: { input_tokens: 7, output_tokens: 5 } };
  const line = (type: string, more: object = {}): string =>
    `${JSON.stringify({ is_finished: type === 'stream-end', event_type: type, ...more })}\n`;
  const called = (amount: number) => [{ name: 'transfer_funds', parameters: { amount, to: 'DE89' } }];
  const parameterDefinitions = { amount: { type: 'float', description: 'How much.', required: true } };
  let asked = 25_000;

  async function ask(environment: string, { stream, prompt, shown }: AskOptions): Promise<Said> {
    const client = new CohereClient(settings(environment));
    const tools = [{ name: 'transfer_funds', description: 'Moves money.', parameterDefinitions }];
    const request = { model: 'command-r', message: prompt, tools };
    if (!stream) {
      const { text, toolCalls } = await client.chat(request);
      return { text, calls: (toolCalls ?? []).map(({ name, parameters }) => ({ name, args: parameters })) };
    }
    let text = '';
    let failed = false;
    let calls: Said['calls'] = [];
    for await (const part of await client.chatStream(request)) {
      if (part.eventType === 'text-generation') {
        text += part.text;
        shown?.(part.text);
      } else if (part.eventType === 'tool-calls-generation') {
        calls = part.toolCalls.map(({ name, parameters }) => ({ name, args: parameters }));
      } else if (part.eventType === 'stream-end') failed = part.finishReason === 'ERROR';
    }
    return { text, calls, failed };
  }

  const family: Family = {
    protocol: 'cohere',
    ask,
    wholeText: JSON.stringify({ text: 'One moment.', finish_reason: 'COMPLETE', meta }),
    wholeTransfer: (amount) => JSON.stringify({ text: 'I pay.', tool_calls: called(amount), meta }),
    streamType: 'application/stream+json',
    text: [
      line('stream-start', { generation_id: 'g' }),
      line('text-generation', { text: 'One ' }),
      line('text-generation', { text: 'moment.' }),
    ],
    transfer: (amount) => {
      asked = amount;
      return [
        line('tool-calls-chunk', { tool_call_delta: { index: 0, name: 'transfer_funds' } }),
        line('tool-calls-chunk', { tool_call_delta: { index: 0, parameters: args(amount) } }),
        line('tool-calls-generation', { tool_calls: called(amount) }),
      ];
    },
    get end() {
      const response = { text: 'One moment.', tool_calls: called(asked), finish_reason: 'COMPLETE', meta };
      return [line('stream-end', { finish_reason: 'COMPLETE', response })];
    },
    expectDenied,
    expectDeniedInBand,
    embed: (environment, text) =>
      new CohereClient(settings(environment)).embed({
        model: 'embed',
        inputType: 'search_query',
        texts: [text],
      }),
  };

  provesFamily(family);
});
