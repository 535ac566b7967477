/** The `ollama` SDK: chat. */
import { type ChatResponse, Ollama } from 'ollama';
import { type Asked, type Client, functionTool, usageOf } from './client.ts';

const defaultModel = 'llama3.2';

export const ollamaChat: Client = {
  name: 'chat',
  packages: ['ollama'],
  protocol: 'ollama',
  model: defaultModel,
  retries: false,
  denial: 'ResponseError',
  async ask(base, prompt, options) {
    const client = new Ollama({ host: base });
    const messages = [{ role: 'user', content: prompt }];
    const request = { model: options.model ?? defaultModel, messages, tools: [functionTool] };
    if (!options.stream) return askedOf([await client.chat(request)]);
    options.signal?.addEventListener('abort', () => client.abort());
    const parts: ChatResponse[] = [];
    for await (const part of await client.chat({ ...request, stream: true })) {
      parts.push(part);
      const { content, tool_calls } = part.message;
      if (content !== '' || tool_calls !== undefined) options.onPiece?.(content);
    }
    return askedOf(parts);
  },
};

function askedOf(parts: readonly ChatResponse[]): Asked {
  const last = parts.at(-1);
  return {
    text: parts.map(({ message }) => message.content).join(''),
    calls: parts.flatMap(({ message }) =>
      (message.tool_calls ?? []).map((call) => ({
        id: null,
        name: call.function.name,
        args: call.function.arguments as unknown,
      })),
    ),
    finish: last?.done_reason ?? null,
    usage: usageOf(last?.prompt_eval_count, last?.eval_count),
  };
}
