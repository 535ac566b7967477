/** The `@mistralai/mistralai` SDK through the sidecar. */
import { Mistral } from '@mistralai/mistralai';
import { describe, expect } from 'vitest';
import { type AskOptions, type Family, provesFamily, type Said } from './families.ts';

const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
const frame = { id: 'c1', created: 1, model: 'mistral-large' };
const event = (delta: object, finish: string | null = null, more: object = {}): string => {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ ...frame, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
};
const whole = (message: object): string => {
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }];
  return JSON.stringify({ ...frame, object: 'chat.completion', choices, usage });
};
const calling = (amount: number, args: unknown) => ({
  tool_calls: [
    { id: 'D681PevKs', index: 0, function: { name: 'transfer_funds', arguments: args ?? { amount } } },
  ],
});
const thinking = [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }];
const parameters = { type: 'object', properties: { amount: { type: 'number' } } };
const requestOf = (content: string) => ({
  model: 'mistral-large-latest',
  messages: [{ role: 'user' as const, content }],
  tools: [
    { type: 'function' as const, function: { name: 'transfer_funds', description: 'Pays.', parameters } },
  ],
});

interface Shown {
  readonly content?: unknown;
  readonly toolCalls?:
    | readonly { readonly function: { readonly name: string; readonly arguments: unknown } }[]
    | null
    | undefined;
}

const textOf = (content: unknown): string => (typeof content === 'string' ? content : '');

async function ask(serverURL: string, { stream, prompt, shown }: AskOptions): Promise<Said> {
  const request = requestOf(prompt);
  const { chat } = new Mistral({ serverURL, apiKey: 'none' });
  const parts: Shown[] = [];
  if (stream) {
    for await (const { data } of await chat.stream(request)) {
      for (const { delta } of data.choices) {
        parts.push(delta);
        shown?.(textOf(delta.content));
      }
    }
  } else {
    for (const { message } of (await chat.complete(request)).choices)
      if (message !== undefined) parts.push(message);
  }
  const calls = parts.flatMap(({ toolCalls }) =>
    (toolCalls ?? []).map(({ function: { name, arguments: args } }) => ({
      name,
      args: typeof args === 'string' ? (JSON.parse(args) as unknown) : args,
    })),
  );
  return { text: parts.map(({ content }) => textOf(content)).join(''), calls };
}

const family: Family = {
  protocol: 'mistral',
  ask,
  wholeText: whole({ content: 'One moment.' }),
  wholeTransfer: (amount) => whole({ content: '', ...calling(amount, null) }),
  streamType: 'text/event-stream; charset=utf-8',
  text: [
    event({ role: 'assistant', content: '' }),
    event({ content: thinking }),
    event({ content: 'One ' }),
    event({ content: 'moment.' }),
  ],
  transfer: (amount) => [
    event({ content: '', ...calling(amount, JSON.stringify({ amount, to: 'DE89' })) }, 'tool_calls', {
      usage,
    }),
  ],
  end: ['data: [DONE]\n\n'],
  expectDenied(error) {
    expect(error).toMatchObject({ name: 'SDKError', statusCode: 403 });
    expect(String(error)).toContain('denied_by');
  },
  expectDeniedInBand(outcome) {
    // The SDK checks every event against its schema, and raises what does not fit.
    expect(outcome).toMatchObject({ error: { name: 'ZodError' } });
  },
  embed: (serverURL, text) =>
    new Mistral({ serverURL, apiKey: 'none' }).embeddings.create({ model: 'mistral-embed', inputs: text }),
};

describe('the mistral SDK', () => provesFamily(family));
