/** Models that read what is said besides the one that a request names first: rules see the request with each of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { requestFacts } from '../policy/support.ts';
import { asked } from './lines.ts';

const policy = loadPolicy('policy.yaml', readFileSync('config/policy.yaml', 'utf8'));
const messages = [{ role: 'user', content: 'Hi' }];
const blocks = [{ role: 'user', content: [{ text: 'Hi' }] }];
const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }];
const model = 'claude-opus-5';
const other = 'acme/other';
const server = 'https://models.acme.example/v1';
const reranked = {
  vectorSearchConfiguration: {
    rerankingConfiguration: { bedrockRerankingConfiguration: { modelConfiguration: { modelArn: other } } },
  },
};
const agent = { foundationModel: model, instruction: 'Be careful.', inputText: 'Hi' };
const atVertex = `/v1/projects/p/locations/l/publishers/google/models/${model}:generateContent`;
const claudeAtVertex = `/v1/projects/p/locations/l/publishers/anthropic/models/${model}:rawPredict`;

function judged(family: ProtocolName, path: string, body: object) {
  const protocol = protocolOf(family);
  const operation = protocol.operationOf('POST', path);
  const { facts, defects } = asked(protocol, operation, body, path);
  expect(defects).toEqual([]);
  const request = { ...requestFacts({ provider: family, operation, path }), ...facts };
  return { facts, ...policy.judge('request', { request }) };
}

// https://ai.google.dev/api/live#AuthToken
const token = (setup: object) => ({ uses: 1, bidiGenerateContentSetup: setup });

const asking: readonly (readonly [what: string, family: ProtocolName, path: string, body: object])[] = [
  [
    'an advisor in what Converse hands on',
    'bedrock',
    `/model/${model}/converse`,
    {
      messages: blocks,
      additionalModelRequestFields: { tools: [{ type: 'advisor_20260301', name: 'advisor', model: other }] },
    },
  ],
  [
    'a fallback in what Converse hands on',
    'bedrock',
    `/model/${model}/converse`,
    { messages: blocks, additionalModelRequestFields: { fallbacks: [{ model: other }] } },
  ],
  [
    'whoever speaks in a session that a token opens',
    'gemini',
    '/v1alpha/auth_tokens',
    token({ model: `models/${other}` }),
  ],
  [
    'a ranker of such a session',
    'gemini',
    '/v1alpha/auth_tokens',
    token({
      model: `models/${model}`,
      tools: { retrieval: { rag: { llmRanker: { modelName: other } } } },
    }),
  ],
  ['whoever a token for any session reaches', 'gemini', '/v1alpha/auth_tokens', { uses: 1 }],
  // https://developers.openai.com/api/reference/resources/realtime
  ['whoever a voice session reaches by itself', 'openai', '/v1/realtime/client_secrets', {}],
  [
    'whoever writes down what a voice session hears',
    'openai',
    '/v1/realtime/client_secrets',
    { session: { model: 'gpt-4o', audio: { input: { transcription: { model: other } } } } },
  ],
  [
    'the same, as it was written before',
    'openai',
    '/v1/realtime/sessions',
    { model: 'gpt-4o', input_audio_transcription: { model: other } },
  ],
  // https://github.com/BerriAI/litellm/issues/31118
  [
    'what LiteLLM writes over the body',
    'openai',
    '/v1/chat/completions',
    { model: 'gpt-4o', messages, extra_body: { model: other } },
  ],
  [
    'what it writes within it',
    'openai',
    '/v1/responses',
    { model: 'gpt-4o', input: 'Hi', extra_body: { tools: [{ type: 'image_generation', model: other }] } },
  ],
  // https://docs.sglang.io/docs/advanced_features/lora
  [
    'an adapter over a model',
    'openai',
    '/v1/chat/completions',
    { model: 'gpt-4o', messages, lora_path: other },
  ],
  ['one of several adapters', 'openai', '/generate', { text: ['Hi', 'Ho'], lora_path: [null, other] }],
  // https://loraexchange.ai/guides/adapters
  [
    'an adapter from anywhere',
    'openai',
    '/generate',
    { inputs: 'Hi', parameters: { adapter_id: other, adapter_source: 'hub' } },
  ],
  // https://docs.together.ai/reference/chat-completions-1
  [
    'a model that looks at what is said',
    'openai',
    '/v1/chat/completions',
    { model: 'gpt-4o', messages, safety_model: other },
  ],
  // https://docs.litellm.ai/docs/proxy/clientside_auth
  [
    'what LiteLLM is told that a name stands for',
    'openai',
    '/v1/chat/completions',
    {
      model: 'gpt-4o',
      messages,
      user_config: { model_list: [{ model_name: 'gpt-4o', litellm_params: { model: other } }] },
    },
  ],
  ...['api_base', 'base_url'].flatMap(
    (name) =>
      [
        ['another server', 'openai', '/v1/chat/completions', { model: 'gpt-4o', messages, [name]: server }],
        [
          'another server to fall back to',
          'openai',
          '/v1/chat/completions',
          { model: 'gpt-4o', messages, fallbacks: [{ model: 'gpt-4o', [name]: server }] },
        ],
        [
          'a server that LiteLLM is told to ask by a name',
          'openai',
          '/v1/chat/completions',
          {
            model: 'gpt-4o',
            messages,
            user_config: {
              model_list: [{ model_name: 'gpt-4o', litellm_params: { model: 'gpt-4o', [name]: server } }],
            },
          },
        ],
      ] as const,
  ),
  // The path names the model, so that no fallback is the first to be asked.
  [
    'a fallback beside a model in a path',
    'bedrock',
    `/model/${model}/invoke`,
    { messages, fallbacks: [{ model: other }] },
  ],
  [
    'a fallback beside a model in a path',
    'vertex',
    claudeAtVertex,
    { messages, fallbacks: [{ model: other }] },
  ],
  [
    'a fallback beside a deployment',
    'azure',
    '/openai/deployments/gpt-5/chat/completions',
    { messages, fallbacks: [other] },
  ],
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeInlineAgent.html
  [
    'an agent at the side of another',
    'bedrock',
    '/agents/s1',
    { ...agent, collaborators: [{ agentName: 'b', foundationModel: other, instruction: 'Look.' }] },
  ],
  [
    'the model of one of an agent’s prompts',
    'bedrock',
    '/agents/s1',
    {
      ...agent,
      promptOverrideConfiguration: {
        promptConfigurations: [{ promptType: 'ORCHESTRATION', foundationModel: other }],
      },
    },
  ],
  [
    'a ranker of an agent’s knowledge',
    'bedrock',
    '/agents/s1',
    { ...agent, knowledgeBases: [{ knowledgeBaseId: 'k', retrievalConfiguration: reranked }] },
  ],
  [
    'a ranker before an answer',
    'bedrock',
    '/retrieveAndGenerate',
    {
      input: { text: 'Who?' },
      retrieveAndGenerateConfiguration: {
        knowledgeBaseConfiguration: { modelArn: model, retrievalConfiguration: reranked },
      },
    },
  ],
  [
    'the second of two that write',
    'bedrock',
    '/retrieveAndGenerate',
    {
      input: { text: 'Who?' },
      retrieveAndGenerateConfiguration: {
        knowledgeBaseConfiguration: { modelArn: model },
        externalSourcesConfiguration: { modelArn: other },
      },
    },
  ],
  [
    'a ranker alone',
    'bedrock',
    '/rerank',
    { rerankingConfiguration: reranked.vectorSearchConfiguration.rerankingConfiguration },
  ],
  ['a model for which a prompt is rewritten', 'bedrock', '/optimize-prompt', { targetModelId: other }],
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_AgenticRetrieveConfiguration.html
  [
    'a model that takes a question apart',
    'bedrock',
    '/agenticRetrieveStream',
    {
      agenticRetrieveConfiguration: {
        foundationModelConfiguration: {
          bedrockFoundationModelConfiguration: { modelConfiguration: { modelArn: other } },
        },
      },
    },
  ],
  // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerationConfig
  [
    'the model that a router is to take',
    'vertex',
    atVertex,
    { contents, generationConfig: { routingConfig: { manualMode: { modelName: other } } } },
  ],
  [
    'a ranker of what was found',
    'vertex',
    atVertex,
    {
      contents,
      tools: [
        {
          retrieval: {
            vertex_rag_store: { rag_retrieval_config: { ranking: { llm_ranker: { model_name: other } } } },
          },
        },
      ],
    },
  ],
  ['an agent beside a model', 'gemini', '/v1beta/interactions', { model, agent: other, input: 'Hi' }],
  ['what an agent is made of', 'gemini', '/v1beta/agents', { id: 'a', base_agent: other }],
  [
    'who is asked on a schedule',
    'gemini',
    '/v1beta/triggers',
    { interaction: { agent: other, input: 'Hi' } },
  ],
  // https://docs.mistral.ai/studio/safety-moderation
  [
    'a guardrail’s model',
    'mistral',
    '/v1/chat/completions',
    { model, messages, guardrails: [{ moderation_llm_v2: { model_name: other } }] },
  ],
  [
    'a guardrail’s model',
    'mistral',
    '/v1/conversations',
    { model, inputs: 'Hi', guardrails: [{ moderation_llm_v2: { model_name: other } }] },
  ],
  // https://lmstudio.ai/docs/app/advanced/speculative-decoding
  ['a model that drafts', 'openai', '/api/v0/chat/completions', { model, messages, draft_model: other }],
  ['a model that drafts', 'openai', '/api/v1/chat', { model, input: 'Hi', draft_model: other }],
];

describe('the allow-list is asked for', () => {
  test.each(asking)('%s: %s %s %j', (_what, family, path, body) => {
    expect(judged(family, path, body)).toMatchObject({
      action: 'hold',
      matches: [{ rule: 'model-not-allowed' }],
    });
  });

  test.each([
    ['bedrock', '/agents/s1', { ...agent, collaborators: [{ agentName: 'b', foundationModel: model }] }],
    [
      'bedrock',
      '/agents/s1',
      { ...agent, sessionState: { promptSessionAttributes: { foundationModel: other } } },
    ],
    [
      'vertex',
      atVertex,
      {
        contents,
        tools: [{ functionDeclarations: [{ name: 'f', parameters: { default: { modelName: other } } }] }],
      },
    ],
    [
      'vertex',
      atVertex,
      {
        contents,
        generationConfig: {
          routingConfig: { manualMode: { modelName: `publishers/google/models/${model}` } },
        },
      },
    ],
    ['gemini', '/v1beta/interactions', { model, input: 'Hi' }],
    [
      'openai',
      '/v1/chat/completions',
      { model: 'gpt-4o', messages, extra_body: { top_k: 1 }, lora_path: null },
    ],
    ['gemini', '/v1alpha/auth_tokens', token({ model: `models/${model}` })],
    [
      'openai',
      '/v1/realtime/client_secrets',
      { session: { model: 'gpt-4o', audio: { input: { transcription: { model: 'whisper-1' } } } } },
    ],
  ] as const)('nobody else by %s %s %j', (family, path, body) => {
    expect(judged(family, path, body).action).toBe('pass');
  });
});

test('what agents at the side of another are told, and may call, counts', () => {
  const collaborators = [
    {
      agentName: 'b',
      foundationModel: model,
      instruction: 'Pay at once.',
      actionGroups: [{ actionGroupName: 'bank', functionSchema: { functions: [{ name: 'pay' }] } }],
    },
  ];
  const { facts } = judged('bedrock', '/agents/s1', { ...agent, collaborators });
  expect(facts.text).toContain('Pay at once.');
  expect(facts.tools.map(({ name }) => name)).toEqual(['pay']);
});

test('what LiteLLM writes over a body is read beside what it had', () => {
  const { facts } = judged('openai', '/v1/chat/completions', {
    model: 'gpt-4o',
    messages,
    extra_body: {
      messages: [{ role: 'user', content: 'Pay.' }],
      tools: [{ type: 'function', function: { name: 'pay' } }],
    },
  });
  expect(facts).toMatchObject({ text: 'Hi', tools: [] });
  expect(facts.insteads).toMatchObject([{ model: 'gpt-4o', text: 'Pay.', tools: [{ name: 'pay' }] }]);
});
