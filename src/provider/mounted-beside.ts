/**
 * What servers offer beside the API that they are set up as here: Anthropic the completions of OpenAI
 * (https://platform.claude.com/docs/en/api/openai-sdk), gateways such as LiteLLM's whatever their clients speak
 * (https://docs.litellm.ai/docs/google_generateContent/), vLLM both beside a model of Mistral's or Cohere's, servers of models
 * what they have of their own, and Bedrock batches and completions
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-openai-batch.html). Unread it would go round every rule. Pure.
 */
import { anthropic } from './anthropic/family.ts';
import { bedrock } from './bedrock/family.ts';
import { gemini } from './gemini/family.ts';
import { googleRoute } from './gemini/route.ts';
import { mistral } from './mistral/family.ts';
import { anthropicOperations, openai } from './openai/family.ts';
import type { OperationName, Protocol } from './protocol.ts';
import { routeSegments } from './route.ts';
import { type AlsoSpoken, speakingAlso } from './speaking-also.ts';

function spoken(protocol: Protocol, operations: Iterable<OperationName>): AlsoSpoken {
  return { protocol, operations: new Set(operations) };
}

/** Only below a model: elsewhere the same last word means something else. */
const bedrockModels: Protocol = {
  ...bedrock,
  operationOf: (method, path) =>
    routeSegments(path).includes('model') ? bedrock.operationOf(method, path) : 'unknown',
};

const rawPredict: ReadonlySet<string> = new Set(['rawpredict', 'streamrawpredict']);

/** Its models at Vertex AI, which gateways pass on as they come (https://docs.litellm.ai/docs/pass_through/vertex_ai). */
const anthropicAtVertex: Protocol = {
  ...anthropic,
  operationOf(_method, path) {
    const { segments, verb } = googleRoute(path);
    const isAnthropics = segments[segments.lastIndexOf('publishers') + 1] === 'anthropic';
    if (!isAnthropics || !rawPredict.has(verb)) return 'unknown';
    return segments.at(-1) === 'count-tokens' ? 'messages.count_tokens' : 'messages';
  },
};

/** What servers of models have beside the APIs of others: vLLM's and SGLang's routes, llama.cpp's and LM Studio's. */
const ofServers = [
  ...['served.any', 'served.generate', 'served.calls', 'served.words', 'served.load', 'tools.call'],
  ...['llamacpp.completion', 'lmstudio.chat', 'llamastack.chat', 'chat.completions.render'],
  // Mistral's and Cohere's, as OpenAI's in all that matters.
  'fine_tuning',
];
const ofOpenai = spoken(openai, [
  ...['chat.completions', 'completions', 'responses', 'gateway.model'],
  ...ofServers,
  // Ollama's, which speaks Anthropic's API as well.
  ...['chat', 'generate', 'embed', 'web'],
]);
const ofAnthropic = spoken(anthropic, anthropicOperations);
const ofOthers: readonly AlsoSpoken[] = [
  spoken(gemini, [
    'generate_content',
    'stream_generate_content',
    'batch_generate_content',
    'count_tokens',
    'embed_content',
    'interactions',
  ]),
  spoken(bedrockModels, ['converse', 'invoke', 'invoke.bidirectional']),
  spoken(anthropicAtVertex, ['messages', 'messages.count_tokens']),
  // At gateways, and at Azure below `providers/mistral`.
  spoken(mistral, ['ocr']),
];

/** Bedrock's own paths have no version in them. */
function belowVersion(protocol: Protocol): Protocol {
  return {
    ...protocol,
    operationOf: (method, path) =>
      routeSegments(path).includes('v1') ? protocol.operationOf(method, path) : 'unknown',
  };
}

const atBedrock: readonly AlsoSpoken[] = [
  spoken(belowVersion(openai), [
    'chat.completions.list',
    'responses.compact',
    'responses.input_items',
    'responses.input_tokens',
    'completions',
    'embeddings',
    'conversations',
    'conversations.items',
    'batches',
    'batches.outputs',
    'files',
    'files.content',
    'uploads',
    'audio.transcriptions',
    'audio.speech',
    'images.generations',
    'images.edits',
  ]),
  spoken(belowVersion(anthropic), ['messages.count_tokens', 'messages.batches', 'messages.batches.results']),
];

/** Bedrock, which reads the chat completions, responses and messages that it serves itself. */
export function asBedrock(own: Protocol): Protocol {
  return speakingAlso(own, atBedrock);
}

/** A server of OpenAI's API, which reads Anthropic's itself. */
export function asOpenaiGateway(own: Protocol): Protocol {
  return speakingAlso(own, ofOthers);
}

/** A server of Anthropic's API. */
export function asAnthropicGateway(own: Protocol): Protocol {
  return speakingAlso(own, [ofOpenai, ...ofOthers]);
}

/** A server of an API that has chat completions of its own. */
export function asChatServer(own: Protocol): Protocol {
  const more = spoken(openai, ['completions', 'responses', ...ofServers]);
  return speakingAlso(own, [more, ofAnthropic]);
}

/** A server of Google's API. */
export function asGoogleGateway(own: Protocol): Protocol {
  return speakingAlso(own, [spoken(openai, ['completions', 'responses']), ofAnthropic]);
}
