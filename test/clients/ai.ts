/** The AI SDK: `generateText` and `streamText` with each of its provider packages. */
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createAzure } from '@ai-sdk/azure';
import { createCohere } from '@ai-sdk/cohere';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createGoogleVertex } from '@ai-sdk/google-vertex';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, type LanguageModel, streamText, type ToolSet } from 'ai';
import { awsCredentials, awsRegion, bedrockModel } from './bedrock.ts';
import { type Client, key, maxRetriesOf, parameters, toolDescription, toolName, usageOf } from './client.ts';

interface Made {
  readonly packageName: string;
  readonly name: string;
  readonly protocol: Client['protocol'];
  readonly model: string;
  make(base: string, model: string): LanguageModel;
}

const tools: ToolSet = {
  [toolName]: { description: toolDescription, inputSchema: jsonSchema<Record<string, unknown>>(parameters) },
};

const callsOf = (found: readonly { toolCallId: string; toolName: string; input: unknown }[]) =>
  found.map((call) => ({ id: call.toolCallId, name: call.toolName, args: call.input }));

function ai({ packageName, make, ...rest }: Made): Client {
  return {
    ...rest,
    packages: ['ai', packageName],
    retries: true,
    denial: 'AI_APICallError',
    async ask(base, prompt, options) {
      const { signal: abortSignal, onPiece } = options;
      const common = {
        model: make(base, options.model ?? rest.model),
        prompt,
        tools,
        ...maxRetriesOf(options.retries),
        ...(abortSignal === undefined ? {} : { abortSignal }),
      };
      if (!options.stream) {
        const { text, toolCalls, finishReason, usage } = await generateText(common);
        return {
          text,
          calls: callsOf(toolCalls),
          finish: finishReason,
          usage: usageOf(usage.inputTokens, usage.outputTokens),
        };
      }
      // The SDK tells its users of a failure here and nowhere else.
      let failure: { readonly error: unknown } | null = null;
      const result = streamText({
        ...common,
        onError: ({ error }) => {
          failure ??= { error };
        },
        onChunk: ({ chunk }) => {
          if (chunk.type === 'text-delta') onPiece?.(chunk.text);
          else if (chunk.type.startsWith('tool-')) onPiece?.('');
        },
      });
      await result.consumeStream();
      if (failure !== null) throw (failure as { readonly error: unknown }).error;
      abortSignal?.throwIfAborted();
      const usage = await result.usage;
      return {
        text: await result.text,
        calls: callsOf(await result.toolCalls),
        finish: await result.finishReason,
        usage: usageOf(usage.inputTokens, usage.outputTokens),
      };
    },
  };
}

const openai = { packageName: '@ai-sdk/openai', protocol: 'openai', model: 'gpt-4.1' } as const;
const openaiAt = (base: string) => createOpenAI({ baseURL: `${base}/v1`, apiKey: key });

export const aiOpenAiChat = ai({
  ...openai,
  name: 'chat',
  make: (base, model) => openaiAt(base).chat(model),
});

export const aiOpenAiResponses = ai({
  ...openai,
  name: 'responses',
  make: (base, model) => openaiAt(base).responses(model),
});

export const aiOpenAiCompatible = ai({
  packageName: '@ai-sdk/openai-compatible',
  name: 'chat',
  protocol: 'openai',
  model: 'gpt-4.1',
  make: (base, model) =>
    createOpenAICompatible({ name: 'provider', baseURL: `${base}/v1`, apiKey: key, includeUsage: true })(
      model,
    ),
});

const azure = { packageName: '@ai-sdk/azure', protocol: 'azure', model: 'gpt-4.1' } as const;

export const aiAzureChat = ai({
  ...azure,
  name: 'chat at a deployment',
  make: (base, model) =>
    createAzure({ baseURL: `${base}/openai`, apiKey: key, useDeploymentBasedUrls: true }).chat(model),
});

export const aiAzureResponses = ai({
  ...azure,
  name: 'responses',
  make: (base, model) => createAzure({ baseURL: `${base}/openai/v1`, apiKey: key })(model),
});

export const aiAnthropic = ai({
  packageName: '@ai-sdk/anthropic',
  name: 'messages',
  protocol: 'anthropic',
  model: 'claude-opus-5-5',
  make: (base, model) => createAnthropic({ baseURL: `${base}/v1`, apiKey: key })(model),
});

export const aiGoogle = ai({
  packageName: '@ai-sdk/google',
  name: 'generateContent',
  protocol: 'gemini',
  model: 'gemini-2.5-flash',
  make: (base, model) => createGoogleGenerativeAI({ baseURL: `${base}/v1beta`, apiKey: key })(model),
});

export const aiVertex = ai({
  packageName: '@ai-sdk/google-vertex',
  name: 'generateContent, express mode',
  protocol: 'vertex',
  model: 'gemini-2.5-flash',
  // With a key and without a project, as Vertex AI itself offers it: no token server is asked.
  make: (base, model) => createGoogleVertex({ apiKey: key, baseURL: `${base}/v1/publishers/google` })(model),
});

export const aiBedrock = ai({
  packageName: '@ai-sdk/amazon-bedrock',
  name: 'Converse',
  protocol: 'bedrock',
  model: bedrockModel,
  // It sends no invocation's id: the token of a role's session is what its retries are told by.
  make: (base, model) =>
    createAmazonBedrock({ baseURL: base, region: awsRegion, ...awsCredentials, sessionToken: 'of-a-role' })(
      model,
    ),
});

export const aiMistral = ai({
  packageName: '@ai-sdk/mistral',
  name: 'chat',
  protocol: 'mistral',
  model: 'mistral-large-latest',
  make: (base, model) => createMistral({ baseURL: `${base}/v1`, apiKey: key })(model),
});

export const aiCohere = ai({
  packageName: '@ai-sdk/cohere',
  name: 'chat v2',
  protocol: 'cohere',
  model: 'command-a-03-2025',
  make: (base, model) => createCohere({ baseURL: `${base}/v2`, apiKey: key })(model),
});
