import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked } from '../lines.ts';

const mistral = protocolOf('mistral');

// @mistralai/mistralai: CreatePromptRequest, CreateSkillRequest, JudgeDatasetRecordRequest, WorkflowScheduleRequest.
describe('what is kept for a model', () => {
  test.each([
    ['prompts', { name: 'a', definition: { content: 'SECRET' } }],
    ['skills', { name: 'a', definition: { assets: { 'a.md': { textContent: 'SECRET' } } } }],
    ['judges', { messages: [{ role: 'user', content: 'SECRET' }] }],
    ['datasets', { payload: { messages: [{ role: 'user', content: 'SECRET' }] } }],
    ['workflows', { schedule: { input: { to: 'SECRET' } } }],
    ['libraries', { name: 'a', description: 'SECRET' }],
    ['connectors', { name: 'a', description: 'SECRET' }],
    ['connectors', { system_prompt: 'SECRET' }],
  ])('reaches the rules: %s', (operation, body) => {
    const { facts, defects } = asked(mistral, operation, body);
    expect(defects).toEqual([]);
    expect(facts.text).toContain('SECRET');
  });

  // @mistralai/mistralai: CreateConnectorRequest.
  test('has the server of a connector as what it offers, and none of the keys that it takes', () => {
    const { facts } = asked(mistral, 'connectors', {
      name: 'bank',
      description: 'Pays.',
      server: 'https://bank.example/mcp?apiKey=SECRET',
      headers: { 'X-Key': 'SECRET' },
      auth_data: { client_id: 'c', client_secret: 'SECRET' },
      system_prompt: 'Pay at once.',
    });
    expect(facts).toMatchObject({
      system: 'Pay at once.',
      tools: [{ name: 'bank', description: 'https://bank.example/mcp?apiKey=[removed]' }],
    });
    expect(JSON.stringify(facts)).not.toContain('SECRET');
    expect(asked(mistral, 'connectors', { system_prompt: 'Wait.' }).facts.tools).toEqual([]);
  });

  test.each([
    { name: 'a', model_name: 'mistral-large', instructions: 'Judge.' },
    { judge_definition: { name: 'a', model_name: 'mistral-large', instructions: 'Judge.' } },
  ])('says which model judges: %j', (body) => {
    expect(asked(mistral, 'judges', body).facts.model).toBe('mistral-large');
  });

  test.each([
    { input: { b64payload: 'U0VDUkVU', encoding_options: ['encrypted'] } },
    { schedule: { input: { b64payload: 'U0VDUkVU' } } },
  ])('is not taken for words where it is encoded: %j', (body) => {
    expect(asked(mistral, 'workflows', body).defects).toEqual(['what a workflow is run with is encoded']);
  });
});

test.each([
  ['POST', '/v2/prompts', 'prompts'],
  ['PATCH', '/v2/prompts/p_1', 'prompts'],
  ['POST', '/v2/prompts/p_1/versions', 'prompts'],
  ['PATCH', '/v2/prompts/p_1/versions/2', 'prompts'],
  ['GET', '/v2/prompts/p_1', 'unknown'],
  ['POST', '/v2/skills', 'skills'],
  ['POST', '/v2/skills/s_1/versions', 'skills'],
  ['POST', '/v1/observability/judges', 'judges'],
  ['PUT', '/v1/observability/judges/j_1', 'judges'],
  ['POST', '/v1/observability/judges/j_1/live-judging', 'judges'],
  ['POST', '/v1/observability/dataset-records/r_1/live-judging', 'judges'],
  ['POST', '/v1/observability/chat-completion-events/e_1/live-judging', 'judges'],
  ['POST', '/v1/observability/datasets/d_1/records', 'datasets'],
  ['PUT', '/v1/observability/dataset-records/r_1/payload', 'datasets'],
  ['POST', '/v1/workflows/w_1/execute', 'workflows'],
  ['POST', '/v1/workflows/registrations/r_1/execute', 'workflows'],
  ['POST', '/v1/workflows/schedules', 'workflows'],
  ['PATCH', '/v1/workflows/schedules/s_1', 'workflows'],
  ['POST', '/v1/workflows/executions/e_1/signals', 'workflows'],
  ['POST', '/v1/workflows/executions/e_1/reset', 'workflows'],
  ['POST', '/v1/workflows/schedules/s_1/trigger', 'workflows'],
  ['POST', '/v1/workflows/executions/e_1/cancel', 'unknown'],
  ['POST', '/v1/libraries', 'libraries'],
  ['PUT', '/v1/libraries/l_1', 'libraries'],
  ['POST', '/v1/libraries/l_1/documents', 'libraries'],
  ['GET', '/v1/libraries/l_1', 'unknown'],
  ['POST', '/v1/connectors', 'connectors'],
  ['PATCH', '/v1/connectors/c_1', 'connectors'],
  ['POST', '/v1/connectors/c_1/tools/t/call', 'connectors.call'],
  ['POST', '/v1/connectors/c_1/user/credentials', 'unknown'],
])('%s %s is %s', (method, path, operation) => {
  expect(mistral.operationOf(method, path)).toBe(operation);
});
