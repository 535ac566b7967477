/** Workloads that know nothing of Holdpoint: official SDKs, unmodified, told a base URL and nothing else. */
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, jsonSchema, streamText, type ToolSet } from 'ai';
import OpenAI from 'openai';

export interface Asked {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
}

export interface AskOptions {
  readonly stream?: boolean;
  readonly model?: string;
  /** How often the SDK itself may try again; its own default when absent. */
  readonly retries?: number;
}

export interface Workload {
  readonly name: string;
  /** The path below the sidecar that the SDK is pointed at. */
  readonly base: '/v1' | '/anthropic';
  ask(origin: string, prompt: string, options?: AskOptions): Promise<Asked>;
  /** The class its SDK raises for 403, or what to recognise it by. */
  isDenial(error: unknown): boolean;
}

const key = 'sk-the-workloads-own-provider-key';
const parameters = {
  type: 'object' as const,
  properties: { amount: { type: 'number' as const }, currency: { type: 'string' as const } },
};
const functionTool = {
  type: 'function' as const,
  function: { name: 'transfer_funds', description: 'Moves money.', parameters },
};
const retriesOf = (retries: number | undefined) => (retries === undefined ? {} : { maxRetries: retries });
const user = (content: string) => ({ role: 'user' as const, content });

function openaiClient(origin: string, retries: number | undefined): OpenAI {
  return new OpenAI({ baseURL: `${origin}/v1`, apiKey: key, ...retriesOf(retries) });
}

const isOpenAiDenial = (error: unknown): boolean => error instanceof OpenAI.PermissionDeniedError;

const openaiChat: Workload = {
  name: 'openai, chat completions',
  base: '/v1',
  isDenial: isOpenAiDenial,
  ask: async (origin, prompt, { stream = false, model = 'gpt-4.1', retries } = {}) => {
    const client = openaiClient(origin, retries);
    const body = { model, messages: [user(prompt)], tools: [functionTool] };
    const completion = stream
      ? await client.chat.completions.stream(body).finalChatCompletion()
      : await client.chat.completions.create(body);
    const message = completion.choices[0]?.message;
    const calls = (message?.tool_calls ?? []).flatMap((call) =>
      call.type === 'function'
        ? [{ name: call.function.name, args: JSON.parse(call.function.arguments) as unknown }]
        : [],
    );
    return { text: message?.content ?? '', calls };
  },
};

const openaiResponses: Workload = {
  name: 'openai, responses',
  base: '/v1',
  isDenial: isOpenAiDenial,
  ask: async (origin, prompt, { stream = false, model = 'gpt-4.1', retries } = {}) => {
    const client = openaiClient(origin, retries);
    const { function: fn } = functionTool;
    const body = { model, input: prompt, tools: [{ type: 'function' as const, strict: false, ...fn }] };
    const response = stream
      ? await client.responses.stream(body).finalResponse()
      : await client.responses.create(body);
    const calls = response.output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, args: JSON.parse(item.arguments) as unknown }] : [],
    );
    return { text: response.output_text ?? '', calls };
  },
};

const anthropic: Workload = {
  name: '@anthropic-ai/sdk, messages',
  base: '/anthropic',
  isDenial: (error) => error instanceof Anthropic.PermissionDeniedError,
  ask: async (origin, prompt, { stream = false, model = 'claude-opus-5-5', retries } = {}) => {
    const client = new Anthropic({ baseURL: origin, apiKey: key, ...retriesOf(retries) });
    const { name, description } = functionTool.function;
    const tools = [{ name, description, input_schema: parameters }];
    const body = { model, max_tokens: 100, messages: [user(prompt)], tools };
    const message = stream
      ? await client.messages.stream(body).finalMessage()
      : await client.messages.create(body);
    const text = message.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');
    const calls = message.content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, args: block.input }] : [],
    );
    return { text, calls };
  },
};

/** LangChain wraps what the SDK raised; the status is what it keeps. */
const hasStatus403 = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'status' in error && error.status === 403;

const langchain: Workload = {
  name: '@langchain/openai',
  base: '/v1',
  isDenial: hasStatus403,
  ask: async (origin, prompt, { stream = false, model = 'gpt-4.1', retries } = {}) => {
    const configuration = { baseURL: `${origin}/v1` };
    const chat = new ChatOpenAI({ model, apiKey: key, configuration, ...retriesOf(retries) });
    const bound = chat.bindTools([functionTool]);
    if (!stream) {
      const message = await bound.invoke(prompt);
      const calls = (message.tool_calls ?? []).map(({ name, args }) => ({ name, args }));
      return { text: message.text, calls };
    }
    const chunks = await bound.stream(prompt);
    let whole: Awaited<ReturnType<typeof bound.invoke>> | null = null;
    for await (const chunk of chunks) whole = whole === null ? chunk : whole.concat(chunk);
    const calls = (whole?.tool_calls ?? []).map(({ name, args }) => ({ name, args }));
    return { text: whole?.text ?? '', calls };
  },
};

const aiTools: ToolSet = {
  transfer_funds: {
    description: 'Moves money.',
    inputSchema: jsonSchema<Record<string, unknown>>(parameters),
  },
};

function aiSdk(api: 'chat' | 'responses'): Workload {
  return {
    name: `ai with @ai-sdk/openai, ${api}`,
    base: '/v1',
    isDenial: (error) =>
      typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 403,
    ask: async (origin, prompt, { stream = false, model = 'gpt-4.1', retries } = {}) => {
      const provider = createOpenAI({ baseURL: `${origin}/v1`, apiKey: key });
      const common = { model: provider[api](model), prompt, tools: aiTools, ...retriesOf(retries) };
      const calls = (found: readonly { toolName: string; input: unknown }[]) =>
        found.map(({ toolName, input }) => ({ name: toolName, args: input }));
      if (!stream) {
        const result = await generateText(common);
        return { text: result.text, calls: calls(result.toolCalls) };
      }
      let failure: unknown = null;
      const result = streamText({
        ...common,
        onError: ({ error }) => {
          failure = error;
        },
      });
      await result.consumeStream();
      if (failure !== null) throw failure;
      return { text: await result.text, calls: calls(await result.toolCalls) };
    },
  };
}

export const workloads: readonly Workload[] = [
  openaiChat,
  openaiResponses,
  anthropic,
  langchain,
  aiSdk('chat'),
  aiSdk('responses'),
];
