/** Models that are asked along the way, by a tool or a plugin: rules see the request with each of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../../src/policy/compile.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { OperationName } from '../../../../src/provider/protocol.ts';
import { requestFacts } from '../../policy/support.ts';
import { asked } from '../lines.ts';

const policy = loadPolicy('policy.yaml', readFileSync('config/policy.yaml', 'utf8'));
const messages = [{ role: 'user', content: 'Hi' }];
const other = 'acme/other';

type Family = 'openai' | 'anthropic' | 'mistral';

function judged(family: Family, operation: OperationName, body: object) {
  const { facts, defects } = asked(protocolOf(family), operation, body);
  expect(defects).toEqual([]);
  return policy.judge('request', {
    request: { ...requestFacts({ provider: family, operation }), ...facts },
  });
}

const consulting: readonly (readonly [family: Family, operation: OperationName, own: object])[] = [
  // https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool
  [
    'anthropic',
    'messages',
    { messages, tools: [{ type: 'advisor_20260301', name: 'advisor', model: other }] },
  ],
  ['anthropic', 'agents', { name: 'a', multiagent: { advisor: { type: 'enabled', model: other } } }],
  ['anthropic', 'sessions', { agent: { id: 'a', multiagent: { advisor: { model: other } } } }],
  // https://learn.microsoft.com/javascript/api/@azure/ai-agents/connectedagentdetails
  [
    'openai',
    'assistants',
    { tools: [{ type: 'connected_agent', connected_agent: { id: other, name: 'clerk', description: 'x' } }] },
  ],
  // https://learn.microsoft.com/azure/foundry/agents/how-to/memory-usage
  ['openai', 'memories', { definition: { kind: 'default', chat_model: other } }],
  ['openai', 'memories', { definition: { kind: 'default', embedding_model: other } }],
  ['openai', 'agents', { definition: { tools: [{ type: 'image_generation', model: other }] } }],
  // https://ai.google.dev/gemini-api/docs/custom-agents
  ['openai', 'agents', { id: 'a', agent_config: { model: other } }],
  // https://docs.mistral.ai/agents/handoffs
  ['mistral', 'agents', { name: 'a', handoffs: [other] }],
  // Agents that the agent may start, each by its id, or an advisor by its model.
  ['anthropic', 'agents', { name: 'a', multiagent: { type: 'coordinator', agents: [other] } }],
  ['anthropic', 'agents', { multiagent: { agents: [{ type: 'self' }, { type: 'agent', id: other }] } }],
  ['anthropic', 'agents', { multiagent: { agents: [{ type: 'advisor', model: other }] } }],
  ['anthropic', 'agents', { multiagent: { agents: { adviser: { model: other } } } }],
  ['anthropic', 'agents', { multiagent: { subagents: { predefined_agents: [other] } } }],
  ['anthropic', 'sessions', { agent: { multiagent: { workflows: { predefined_agents: [{ id: other }] } } } }],
  // https://openrouter.ai/docs/guides/features/server-tools
  [
    'openai',
    'chat.completions',
    { messages, tools: [{ type: 'openrouter:advisor', parameters: { model: other } }] },
  ],
  [
    'openai',
    'responses',
    { input: 'Hi', tools: [{ type: 'openrouter:subagent', parameters: { model: other } }] },
  ],
  [
    'openai',
    'chat.completions',
    { messages, tools: [{ type: 'openrouter:fusion', parameters: { analysis_models: ['gpt-5', other] } }] },
  ],
  ['openai', 'chat.completions', { messages, tools: [{ type: 'openrouter:fusion' }] }],
  [
    'openai',
    'chat.completions',
    {
      messages,
      tools: [
        {
          type: 'openrouter:subagent',
          parameters: { tools: [{ type: 'openrouter:image_generation', parameters: { model: other } }] },
        },
      ],
    },
  ],
  [
    'openai',
    'chat.completions',
    { messages, plugins: [{ id: 'fusion', analysis_models: ['gpt-5'], model: other }] },
  ],
  ['openai', 'chat.completions', { messages, plugins: [{ id: 'fusion' }] }],
  // https://console.groq.com/docs/compound
  ['openai', 'chat.completions', { messages, compound_custom: { models: { answering_model: other } } }],
  ['openai', 'chat.completions', { messages, compound_custom: { models: { reasoning_model: other } } }],
  // https://platform.openai.com/docs/api-reference/responses/create
  ['openai', 'responses', { input: 'Hi', tools: [{ type: 'image_generation', model: other }] }],
  ['openai', 'responses', { input: 'Hi', tools: [{ type: 'image_generation', svg: { model: other } }] }],
  ['openai', 'responses', { input: 'Hi', moderation: { model: other } }],
];

describe('a model that is asked along the way', () => {
  test.each(consulting)(
    'is held by the allow-list as if it were asked: %s %s %j',
    (family, operation, own) => {
      const model = family === 'openai' ? 'gpt-5' : 'claude-opus-5';
      expect(judged(family, operation, { model, ...own })).toMatchObject({
        action: 'hold',
        matches: [{ rule: 'model-not-allowed' }],
      });
    },
  );

  test('is held too where a schedule names it', () => {
    const target = { type: 'new_session', input: [], agent: { model: other } };
    expect(judged('openai', 'agents', { name: 'nightly', target })).toMatchObject({
      matches: [{ rule: 'model-not-allowed' }],
    });
  });

  test.each([
    [
      'openai',
      'chat.completions',
      { tools: [{ type: 'openrouter:advisor', parameters: { model: 'gpt-4o' } }] },
    ],
    ['openai', 'chat.completions', { plugins: [{ id: 'fusion', enabled: false }] }],
    ['openai', 'chat.completions', { plugins: [{ id: 'web' }] }],
    [
      'anthropic',
      'messages',
      { tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-5' }] },
    ],
    [
      'openai',
      'chat.completions',
      { tools: [{ type: 'function', function: { name: 'f', parameters: { default: { model: other } } } }] },
    ],
    ['anthropic', 'messages', { tools: [{ name: 'f', input_schema: { default: { model: other } } }] }],
  ] as const)('passes where it is on the list, or is none: %s %s %j', (family, operation, own) => {
    const model = family === 'openai' ? 'gpt-5' : 'claude-opus-5';
    expect(judged(family, operation, { model, messages, ...own }).action).toBe('pass');
  });

  test('does not take the place of the model that answers', () => {
    const tools = [{ type: 'openrouter:advisor', parameters: { model: other } }];
    expect(asked(protocolOf('openai'), 'chat.completions', { messages, tools }).facts).toMatchObject({
      model: '',
      insteads: [{ model: other }],
    });
  });

  test('is one of too many to look at', () => {
    const tools = Array.from({ length: 100 }, (_one, i) => ({
      type: 'openrouter:advisor',
      parameters: { model: `m${i}` },
    }));
    expect(
      asked(protocolOf('openai'), 'chat.completions', { model: 'gpt-5', messages, tools }).defects,
    ).toHaveLength(1);
  });
});
