/** The `cohere-ai` SDK: chat, version 2 of the API. */
import { type Cohere, CohereClientV2 } from 'cohere-ai';
import {
  type Asked,
  type AskOptions,
  type Client,
  functionTool,
  key,
  maxRetriesOf,
  usageOf,
} from './client.ts';

const defaultModel = 'command-a-03-2025';

export const cohereChat: Client = {
  name: 'chat v2',
  packages: ['cohere-ai'],
  protocol: 'cohere',
  model: defaultModel,
  retries: true,
  denial: 'ForbiddenError',
  async ask(base, prompt, options) {
    const client = new CohereClientV2({ token: key, environment: base, ...maxRetriesOf(options.retries) });
    const request = {
      model: options.model ?? defaultModel,
      messages: [{ role: 'user' as const, content: prompt }],
      tools: [functionTool],
    };
    const given = {
      ...maxRetriesOf(options.retries),
      ...(options.signal === undefined ? {} : { abortSignal: options.signal }),
    };
    if (options.stream) return collect(await client.chatStream(request, given), options);
    const { message, finishReason, usage } = await client.chat(request, given);
    return {
      text: (message.content ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(''),
      calls: (message.toolCalls ?? []).map((call) => ({
        id: call.id,
        name: call.function?.name ?? '',
        args: JSON.parse(call.function?.arguments ?? 'null') as unknown,
      })),
      finish: finishReason,
      usage: usageOf(usage?.tokens?.inputTokens, usage?.tokens?.outputTokens),
    };
  },
};

async function collect(
  stream: AsyncIterable<Cohere.V2ChatStreamResponse>,
  { onPiece }: AskOptions,
): Promise<Asked> {
  let text = '';
  let finish: string | null = null;
  let usage: Asked['usage'] = null;
  const calls: { id: string | null; name: string; json: string }[] = [];
  for await (const event of stream) {
    if (event.type === 'content-delta') {
      const piece = event.delta?.message?.content?.text ?? '';
      text += piece;
      onPiece?.(piece);
    } else if (event.type === 'tool-call-start') {
      const call = event.delta?.message?.toolCalls;
      calls.push({
        id: call?.id ?? null,
        name: call?.function?.name ?? '',
        json: call?.function?.arguments ?? '',
      });
      onPiece?.('');
    } else if (event.type === 'tool-call-delta') {
      const call = calls.at(-1);
      if (call !== undefined) call.json += event.delta?.message?.toolCalls?.function?.arguments ?? '';
    } else if (event.type === 'message-end') {
      finish = event.delta?.finishReason ?? null;
      const tokens = event.delta?.usage?.tokens;
      usage = usageOf(tokens?.inputTokens, tokens?.outputTokens);
    }
  }
  const parsed = calls.map(({ id, name, json }) => ({ id, name, args: JSON.parse(json) as unknown }));
  return { text, calls: parsed, finish, usage };
}
