/** LangChain's chat models: one way of asking for all providers. */
import { ChatAnthropic } from '@langchain/anthropic';
import { ChatBedrockConverse } from '@langchain/aws';
import type { AIMessageChunk, BaseMessageLike } from '@langchain/core/messages';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatMistralAI } from '@langchain/mistralai';
import { ChatOllama } from '@langchain/ollama';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';
import { awsCredentials, awsRegion, bedrockClientAt, bedrockModel } from './bedrock.ts';
import {
  type Asked,
  type AskOptions,
  type Client,
  functionTool,
  key,
  maxRetriesOf,
  usageOf,
} from './client.ts';

/** As much of a chat model with its tools bound as is used here. */
interface BoundModel {
  invoke(input: BaseMessageLike[], options?: { signal?: AbortSignal }): Promise<AIMessageChunk>;
  stream(
    input: BaseMessageLike[],
    options?: { signal?: AbortSignal },
  ): Promise<AsyncIterable<AIMessageChunk>>;
}

interface Made {
  readonly packageName: string;
  readonly name: string;
  readonly protocol: Client['protocol'];
  readonly model: string;
  readonly http2?: true;
  readonly retries: boolean;
  readonly denial: string;
  /** False where LangChain itself makes up an id for each call. */
  readonly givenIds?: false;
  readonly streamedCalls?: false;
  make(base: string, model: string, options: AskOptions): BoundModel;
}

/** A row of LangChain's. */
export function langchain({ packageName, make, givenIds, ...rest }: Made): Client {
  const read = (message: AIMessageChunk): Asked => askedOf(message, givenIds ?? true);
  return {
    ...rest,
    packages: [packageName, '@langchain/core'],
    async ask(base, prompt, options) {
      const bound = make(base, options.model ?? rest.model, options);
      const given = options.signal === undefined ? {} : { signal: options.signal };
      const input: BaseMessageLike[] = [['user', prompt]];
      if (!options.stream) return read(await bound.invoke(input, given));
      let whole: AIMessageChunk | null = null;
      for await (const chunk of await bound.stream(input, given)) {
        whole = whole === null ? chunk : whole.concat(chunk);
        if (chunk.text !== '' || (chunk.tool_call_chunks ?? []).length > 0) options.onPiece?.(chunk.text);
      }
      if (whole === null) throw new Error('The stream was empty.');
      return read(whole);
    },
  };
}

const usageSchema = z.object({ input_tokens: z.number(), output_tokens: z.number() }).optional();
const finishNames = ['finish_reason', 'stop_reason', 'finishReason', 'stopReason', 'done_reason', 'status'];

function askedOf(message: AIMessageChunk, givenIds: boolean): Asked {
  const calls = (message.tool_calls ?? []).map(({ id = null, name, args }) => ({
    id: givenIds ? id : null,
    name,
    args,
  }));
  const said: Record<string, unknown> = { ...message.additional_kwargs, ...message.response_metadata };
  const finish = finishNames.map((name) => said[name]).find((value) => typeof value === 'string');
  const usage = usageSchema.parse(message.usage_metadata);
  return {
    text: message.text,
    calls,
    finish: typeof finish === 'string' ? finish : null,
    usage: usageOf(usage?.input_tokens, usage?.output_tokens),
  };
}

const openai = {
  packageName: '@langchain/openai',
  protocol: 'openai',
  model: 'gpt-4.1',
  retries: true,
} as const;

export const langchainOpenAi = langchain({
  ...openai,
  name: 'ChatOpenAI',
  denial: 'PermissionDeniedError',
  make: (base, model, { retries }) =>
    new ChatOpenAI({
      model,
      apiKey: key,
      configuration: { baseURL: `${base}/v1` },
      ...maxRetriesOf(retries),
    }).bindTools([functionTool]),
});

export const langchainOpenAiResponses = langchain({
  ...openai,
  name: 'ChatOpenAI, responses',
  denial: 'PermissionDeniedError',
  make: (base, model, { retries }) =>
    new ChatOpenAI({
      model,
      apiKey: key,
      useResponsesApi: true,
      configuration: { baseURL: `${base}/v1` },
      ...maxRetriesOf(retries),
    }).bindTools([functionTool]),
});

export const langchainAnthropic = langchain({
  packageName: '@langchain/anthropic',
  name: 'ChatAnthropic',
  protocol: 'anthropic',
  model: 'claude-opus-5-5',
  retries: true,
  denial: 'PermissionDeniedError',
  make: (base, model, { retries }) =>
    new ChatAnthropic({
      model,
      apiKey: key,
      anthropicApiUrl: base,
      maxTokens: 1_000,
      ...maxRetriesOf(retries),
    }).bindTools([functionTool]),
});

export const langchainGoogle = langchain({
  packageName: '@langchain/google-genai',
  name: 'ChatGoogleGenerativeAI',
  protocol: 'gemini',
  model: 'gemini-2.5-flash',
  retries: true,
  denial: 'GoogleGenerativeAIFetchError',
  make: (base, model, { retries }) =>
    new ChatGoogleGenerativeAI({
      model,
      apiKey: key,
      baseUrl: base,
      ...maxRetriesOf(retries),
    }).bindTools([functionTool]),
});

export const langchainBedrock = langchain({
  packageName: '@langchain/aws',
  name: 'ChatBedrockConverse',
  protocol: 'bedrock',
  model: bedrockModel,
  http2: true,
  retries: true,
  denial: 'AccessDeniedException',
  // An address that is not Amazon's comes with a client of the AWS SDK, as it does for other settings of it.
  make: (base, model, options) =>
    new ChatBedrockConverse({
      model,
      region: awsRegion,
      credentials: awsCredentials,
      client: bedrockClientAt(base, options),
    }).bindTools([functionTool]),
});

export const langchainOllama = langchain({
  packageName: '@langchain/ollama',
  name: 'ChatOllama',
  givenIds: false,
  protocol: 'ollama',
  model: 'llama3.2',
  retries: true,
  denial: 'ResponseError',
  make: (base, model, { retries }) =>
    new ChatOllama({ model, baseUrl: base, ...maxRetriesOf(retries) }).bindTools([functionTool]),
});

export const langchainMistral = langchain({
  packageName: '@langchain/mistralai',
  name: 'ChatMistralAI',
  protocol: 'mistral',
  model: 'mistral-large-latest',
  retries: true,
  denial: 'SDKError',
  make: (base, model, { retries }) =>
    new ChatMistralAI({ model, apiKey: key, serverURL: base, ...maxRetriesOf(retries) }).bindTools([
      functionTool,
    ]),
});
