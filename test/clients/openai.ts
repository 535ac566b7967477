/** The `openai` SDK: chat completions, at Anthropic's API too, and responses, and its client for Azure. */
import OpenAI, { AzureOpenAI } from 'openai';
import { type AskOptions, type Client, functionTool, key, maxRetriesOf, usageOf } from './client.ts';

const common = {
  packages: ['openai'],
  protocol: 'openai',
  model: 'gpt-4.1',
  retries: true,
  denial: 'PermissionDeniedError',
} as const;

function clientAt(base: string, { retries }: AskOptions): OpenAI {
  return new OpenAI({ baseURL: `${base}/v1`, apiKey: key, ...maxRetriesOf(retries) });
}

function chatOf(clientOf: (base: string, options: AskOptions) => OpenAI): Client['ask'] {
  return async (base, prompt, options) => {
    const { model = common.model, signal = null } = options;
    const { completions } = clientOf(base, options).chat;
    const body = { model, messages: [{ role: 'user' as const, content: prompt }], tools: [functionTool] };
    const streaming = { ...body, stream_options: { include_usage: true } };
    const completion = options.stream
      ? await completions
          .stream(streaming, { signal })
          .on('chunk', ({ choices: [choice] }) => {
            const { content, tool_calls } = choice?.delta ?? {};
            if (content || tool_calls !== undefined) options.onPiece?.(content ?? '');
          })
          .finalChatCompletion()
      : await completions.create(body, { signal });
    const [choice] = completion.choices;
    const calls = (choice?.message.tool_calls ?? []).flatMap((call) =>
      call.type === 'function'
        ? [{ id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) as unknown }]
        : [],
    );
    return {
      text: choice?.message.content ?? '',
      calls,
      finish: choice?.finish_reason ?? null,
      usage: usageOf(completion.usage?.prompt_tokens, completion.usage?.completion_tokens),
    };
  };
}

export const openaiChat: Client = { ...common, name: 'chat completions', ask: chatOf(clientAt) };

/** https://platform.claude.com/docs/en/api/openai-sdk: the same, where Anthropic answers. */
export const openaiAtAnthropic: Client = {
  ...common,
  name: 'chat completions, at Anthropic’s API',
  protocol: 'anthropic',
  ask: chatOf(clientAt),
};

export const openaiAzure: Client = {
  ...common,
  name: 'AzureOpenAI, chat completions',
  protocol: 'azure',
  ask: chatOf(
    (base, { retries }) =>
      new AzureOpenAI({ endpoint: base, apiKey: key, apiVersion: '2024-10-21', ...maxRetriesOf(retries) }),
  ),
};

export const openaiResponses: Client = {
  ...common,
  name: 'responses',
  async ask(base, prompt, options) {
    const { model = common.model, signal = null } = options;
    const { responses } = clientAt(base, options);
    const tools = [{ type: 'function' as const, strict: false, ...functionTool.function }];
    const body = { model, input: prompt, tools };
    const response = options.stream
      ? await responses
          .stream(body, { signal })
          .on('response.output_text.delta', ({ delta }) => options.onPiece?.(delta))
          .on('response.function_call_arguments.delta', () => options.onPiece?.(''))
          .finalResponse()
      : await responses.create(body, { signal });
    const calls = response.output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ id: item.call_id, name: item.name, args: JSON.parse(item.arguments) as unknown }]
        : [],
    );
    return {
      text: response.output_text ?? '',
      calls,
      finish: response.status ?? null,
      usage: usageOf(response.usage?.input_tokens, response.usage?.output_tokens),
    };
  },
};
