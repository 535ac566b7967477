/** The `@anthropic-ai/sdk`: messages. */
import Anthropic from '@anthropic-ai/sdk';
import { type Client, key, maxRetriesOf, parameters, toolDescription, toolName, usageOf } from './client.ts';

const defaultModel = 'claude-opus-5-5';

export const anthropicMessages: Client = {
  name: 'messages',
  packages: ['@anthropic-ai/sdk'],
  protocol: 'anthropic',
  model: defaultModel,
  retries: true,
  denial: 'PermissionDeniedError',
  async ask(base, prompt, options) {
    const { model = defaultModel, signal = null, retries } = options;
    const { messages } = new Anthropic({ baseURL: base, apiKey: key, ...maxRetriesOf(retries) });
    const tools = [{ name: toolName, description: toolDescription, input_schema: parameters }];
    const body = { model, max_tokens: 1_000, messages: [{ role: 'user' as const, content: prompt }], tools };
    const message = options.stream
      ? await messages
          .stream(body, { signal })
          .on('text', (delta) => options.onPiece?.(delta))
          .on('inputJson', () => options.onPiece?.(''))
          .finalMessage()
      : await messages.create(body, { signal });
    const calls = message.content.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, args: block.input }] : [],
    );
    return {
      text: message.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
      calls,
      finish: message.stop_reason,
      usage: usageOf(message.usage.input_tokens, message.usage.output_tokens),
    };
  },
};
