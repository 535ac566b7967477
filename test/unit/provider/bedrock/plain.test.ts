/** What Bedrock's runtimes do besides models and agents of its own: flows, knowledge, agents in AgentCore, and jobs. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked, codeOf, readAs } from '../lines.ts';
import { converseFrames } from './written.ts';

const bedrock = protocolOf('bedrock');
const arn = encodeURIComponent('arn:aws:bedrock-agentcore:eu-west-1:1:runtime/agent-1');

test.each([
  ['POST', '/flows/F/aliases/A', 'flows.invoke'],
  ['POST', '/flows/F/aliases/A/executions', 'flows.invoke'],
  ['GET', '/flows/F/aliases/A/executions/E', 'unknown'],
  ['GET', '/flows/F/aliases/A/executions/E/events', 'flows.invoke'],
  ['GET', '/flows/arn%3Aaws%3Abedrock%3A%3A1%3Aflow%2FF/aliases/A/executions/E/events', 'flows.invoke'],
  ['POST', '/flows/F/aliases/A/executions/E/stop', 'unknown'],
  ['POST', '/knowledgebases/K/retrieve', 'knowledge.query'],
  ['POST', '/rerank', 'knowledge.query'],
  ['POST', '/generateQuery', 'knowledge.query'],
  ['POST', '/optimize-prompt', 'knowledge.query'],
  ['POST', '/agenticRetrieveStream', 'knowledge.query'],
  ['POST', `/runtimes/${arn}/invocations`, 'runtimes.invoke'],
  ['POST', '/code-interpreters/aws.codeinterpreter.v1/tools/invoke', 'tools.invoke'],
  ['POST', '/browsers/aws.browser.v1/sessions/invoke', 'tools.invoke'],
  ['POST', `/runtimes/${arn}/commands`, 'tools.invoke'],
  ['POST', '/payments/processPayment', 'tools.invoke'],
  ['POST', '/memories/m/events', 'memories'],
  ['POST', '/memories/m/ingest', 'memories'],
  ['POST', '/memories/m/memoryRecords/batchCreate', 'memories'],
  ['POST', '/memories/m/memoryRecords/batchUpdate', 'memories'],
  ['POST', '/memories/m/memoryRecords/batchDelete', 'unknown'],
  ['GET', '/memories/m/events', 'unknown'],
  ['POST', '/memories/m/retrieve', 'knowledge.query'],
  ['POST', '/evaluations/evaluate/Builtin.Helpfulness', 'evaluations'],
  ['POST', `/evaluations/evaluate/${arn}`, 'evaluations'],
  ['POST', '/evaluations/batch-evaluate', 'evaluations'],
  ['POST', '/evaluations/batch-evaluate/e/stop', 'unknown'],
  ['POST', '/recommendations', 'evaluations'],
  ['POST', '/things/evaluate/e', 'unknown'],
  ['POST', '/events', 'unknown'],
  ['POST', '/model-invocation-job', 'model_invocation_job'],
  ['GET', '/model-invocation-job/j', 'unknown'],
  ['GET', '/model-invocation-jobs', 'unknown'],
  ['POST', '/model-customization-jobs', 'model_customization_jobs'],
])('%s %s is %s', (method, path, operation) => {
  expect(bedrock.operationOf(method, path)).toBe(operation);
});

describe('a flow', () => {
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_ListFlowExecutionEvents.html
  test('that was not waited for says later what it came to', () => {
    const flowExecutionEvents = [
      {
        flowOutputEvent: { nodeName: 'out', fields: [{ name: 'document', content: { document: 'Paid.' } }] },
      },
    ];
    const { facts, defects } = readAs(null, bedrock, 'flows.invoke', JSON.stringify({ flowExecutionEvents }));
    expect(defects).toEqual([]);
    expect(facts.text).toContain('Paid.');
  });

  test('is asked with words', () => {
    const inputs = [{ nodeName: 'in', content: { document: 'Say hi to Ada' } }];
    const { facts, defects } = asked(bedrock, 'flows.invoke', { inputs });
    expect([facts.text.includes('Say hi to Ada'), facts.messages.length, defects]).toEqual([true, 1, []]);
  });

  test('answers in frames of words, and calls nothing', () => {
    const { facts, kinds, defects } = readAs(
      'aws-eventstream',
      bedrock,
      'flows.invoke',
      converseFrames(
        ['flowOutputEvent', { nodeName: 'out', content: { document: 'Hi Ada' } }],
        ['flowCompletionEvent', {}],
      ),
    );
    expect([kinds, defects, facts.toolCalls]).toEqual([['text', 'other'], [], []]);
    expect(facts.text).toContain('Hi Ada');
  });
});

test('what a store of knowledge gives back is text that rules read', () => {
  const body = { retrievalResults: [{ content: { text: 'The secret' }, score: 0.5 }] };
  const read = bedrock.readResponse('knowledge.query', 200, Buffer.from(JSON.stringify(body)));
  expect([read.facts.text, read.defects]).toEqual(['The secret', []]);
  expect(codeOf(() => bedrock.amendResponse('knowledge.query', Buffer.from('{}'), null, {}))).toBe(
    'invalid_argument',
  );
});

// https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_Operations.html
test.each([
  ['tools.invoke', { name: 'executeCommand', arguments: { command: 'rm -rf SECRET' } }],
  ['tools.invoke', { command: 'rm -rf SECRET' }],
  ['memories', { payload: [{ conversational: { role: 'USER', content: { text: 'SECRET' } } }] }],
  ['evaluations', { evaluationInput: { sessionSpans: [{ body: 'SECRET' }] } }],
])('%s says what AgentCore is handed', (operation, body) => {
  const { facts, defects } = asked(bedrock, operation, body);
  expect([facts.text.includes('SECRET'), defects]).toEqual([true, []]);
});

test('what a tool in AgentCore printed is text that rules read', () => {
  const result = { content: [{ type: 'text', text: 'The secret' }] };
  const { facts, defects } = readAs(
    'aws-eventstream',
    bedrock,
    'tools.invoke',
    converseFrames(['result', result]),
  );
  expect([facts.text.includes('The secret'), defects]).toEqual([true, []]);
});

describe('an agent in AgentCore', () => {
  const call = { toolCalls: [{ function: { name: 'transfer_funds', arguments: '{"amount":1}' } }] };

  test('is asked with whatever words its payload has', () => {
    expect(asked(bedrock, 'runtimes.invoke', { prompt: 'Pay Ada' }).facts.text).toBe('Pay Ada');
  });

  test.each([
    ['whole', null, JSON.stringify({ result: call })],
    ['streamed', 'sse', `data: ${JSON.stringify({ event: call })}\n\n`],
  ] as const)('has its calls found wherever they stand in its answer, %s', (_how, form, text) => {
    const { facts, defects } = readAs(form, bedrock, 'runtimes.invoke', text);
    expect([facts.toolCalls.map(({ name }) => name), defects]).toEqual([['transfer_funds'], []]);
  });

  test('that answers with something else than JSON cannot be judged', () => {
    const { defects } = readAs(null, bedrock, 'runtimes.invoke', '<tool name="transfer_funds"/>');
    expect(defects).not.toEqual([]);
  });
});

describe('a job', () => {
  const job = (operation: string, body: object) => asked(bedrock, operation, body);

  test('has the model that it is of, and the places that it reads from and writes to', () => {
    const { facts } = job('model_invocation_job', {
      jobName: 'j',
      modelId: 'amazon.nova-pro-v1:0',
      inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://b/in' } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://b/out' } },
    });
    expect(facts.model).toBe('amazon.nova-pro-v1:0');
    expect(facts.params).toMatchObject({ jobName: 'j', input: 's3://b/in', output: 's3://b/out' });
  });

  test('that compares models has all of them', () => {
    const models = ['a', 'b'].map((modelIdentifier) => ({ bedrockModel: { modelIdentifier } }));
    const { facts } = job('evaluation_jobs', { inferenceConfig: { models } });
    expect(facts.model).toBe('a\nb');
  });

  test('that tunes with given answers asks no model', () => {
    const body = { customizationType: 'FINE_TUNING', trainingDataConfig: { s3Uri: 's3://b/in' } };
    expect(job('model_customization_jobs', body).batchFiles).toBeUndefined();
    expect(
      job('model_customization_jobs', { ...body, customizationType: 'DISTILLATION' }).batchFiles,
    ).toEqual(['s3://b/in']);
  });
});
