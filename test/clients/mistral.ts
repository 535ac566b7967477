/** The `@mistralai/mistralai` SDK: chat. */
import { Mistral } from '@mistralai/mistralai';
import { z } from 'zod';
import { type AskedCall, type AskOptions, type Client, functionTool, key, usageOf } from './client.ts';

const defaultModel = 'mistral-large-latest';
const textSchema = z.string().nullish();

export const mistralChat: Client = {
  name: 'chat',
  packages: ['@mistralai/mistralai'],
  protocol: 'mistral',
  model: defaultModel,
  retries: false,
  denial: 'SDKError',
  async ask(base, prompt, options) {
    const { chat } = new Mistral({ serverURL: base, apiKey: key });
    const messages = [{ role: 'user' as const, content: prompt }];
    const request = { model: options.model ?? defaultModel, messages, tools: [functionTool] };
    const given = options.signal === undefined ? {} : { signal: options.signal };
    if (options.stream) return collect(await chat.stream(request, given), options);
    const { choices, usage } = await chat.complete(request, given);
    const [choice] = choices ?? [];
    return {
      text: textSchema.parse(choice?.message?.content) ?? '',
      calls: (choice?.message?.toolCalls ?? []).map(callOf),
      finish: choice?.finishReason ?? null,
      usage: usageOf(usage.promptTokens, usage.completionTokens),
    };
  },
};

type Stream = Awaited<ReturnType<Mistral['chat']['stream']>>;

async function collect(stream: Stream, { onPiece }: AskOptions) {
  let text = '';
  let finish: string | null = null;
  let usage = usageOf(null, null);
  const calls = new Map<number, { id: string; name: string; json: string }>();
  for await (const { data } of stream) {
    const [choice] = data.choices;
    const piece = textSchema.parse(choice?.delta.content) ?? '';
    text += piece;
    if (piece !== '') onPiece?.(piece);
    for (const call of choice?.delta.toolCalls ?? []) {
      const known = calls.get(call.index ?? 0) ?? { id: call.id ?? '', name: '', json: '' };
      const { name, arguments: args } = call.function;
      known.name += name ?? '';
      known.json += typeof args === 'string' ? args : JSON.stringify(args);
      calls.set(call.index ?? 0, known);
      onPiece?.('');
    }
    finish = choice?.finishReason ?? finish;
    if (data.usage !== undefined) usage = usageOf(data.usage.promptTokens, data.usage.completionTokens);
  }
  const parsed = [...calls.values()].map(({ id, name, json }) => ({
    id,
    name,
    args: JSON.parse(json) as unknown,
  }));
  return { text, calls: parsed, finish, usage };
}

function callOf(call: {
  id?: string | undefined;
  function: { name: string; arguments: unknown };
}): AskedCall {
  const { name, arguments: args } = call.function;
  return { id: call.id ?? null, name, args: typeof args === 'string' ? (JSON.parse(args) as unknown) : args };
}
