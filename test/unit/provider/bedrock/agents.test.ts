/** Bedrock's agents and knowledge bases, in the shapes of Amazon's service model. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked, codeOf, readAs } from '../lines.ts';
import { converseFrames } from './written.ts';

const bedrock = protocolOf('bedrock');
const named = '/agents/A/agentAliases/B/sessions/s1/text';

test.each([
  ['POST', named, 'agents.invoke'],
  ['POST', '/agents/s1', 'agents.invoke'],
  ['POST', '/retrieveAndGenerate', 'retrieve_and_generate'],
  ['POST', '/retrieveAndGenerateStream', 'retrieve_and_generate'],
  ['GET', '/agents/A/agentAliases/B/memories', 'unknown'],
  ['POST', '/model/m/converse', 'converse'],
])('%s %s is %s', (method, path, operation) => {
  expect(bedrock.operationOf(method, path)).toBe(operation);
});

describe('a request', () => {
  test('to an agent has its words and the results that it is handed', () => {
    const { facts, defects } = asked(
      bedrock,
      'agents.invoke',
      {
        inputText: 'Go on.',
        enableTrace: true,
        sessionState: {
          invocationId: 'i1',
          returnControlInvocationResults: [
            { functionResult: { actionGroup: 'crm', responseBody: { TEXT: { body: 'It is gone.' } } } },
          ],
        },
      },
      named,
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ stream: true, params: { enableTrace: true } });
    expect(facts.text).toContain('Go on.');
    expect(facts.text).toContain('It is gone.');
  });

  test('to an inline agent has its model, its instruction and its functions', () => {
    const { facts, defects } = asked(
      bedrock,
      'agents.invoke',
      {
        foundationModel: 'anthropic.claude-opus',
        instruction: 'Be careful.',
        inputText: 'Hi',
        actionGroups: [
          { actionGroupName: 'crm', functionSchema: { functions: [{ name: 'look', description: 'Looks' }] } },
          { actionGroupName: 'api', description: 'Ours' },
        ],
      },
      '/agents/s1',
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'anthropic.claude-opus',
      system: 'Be careful.',
      text: 'Be careful.\nHi',
      tools: [
        { name: 'look', description: 'Looks' },
        { name: 'api', description: 'Ours' },
      ],
    });
  });

  test.each([
    ['/retrieveAndGenerate', false],
    ['/retrieveAndGenerateStream', true],
  ])('to %s has its question and its model', (path, stream) => {
    const config = { type: 'KNOWLEDGE_BASE', knowledgeBaseConfiguration: { modelArn: 'arn:m' } };
    const body = { input: { text: 'Who?' }, retrieveAndGenerateConfiguration: config };
    expect(asked(bedrock, 'retrieve_and_generate', body, path)).toMatchObject({
      facts: { model: 'arn:m', text: 'Who?', stream },
      defects: [],
    });
  });

  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_PromptTemplate.html
  test('to a knowledge base has the prompts that it puts around each step', () => {
    const template = (textPromptTemplate: string) => ({ promptTemplate: { textPromptTemplate } });
    const knowledgeBaseConfiguration = {
      orchestrationConfiguration: template('Ask for $query$.'),
      generationConfiguration: template('Say what $search_results$ has.'),
    };
    const body = {
      input: { text: 'Who?' },
      retrieveAndGenerateConfiguration: { knowledgeBaseConfiguration },
    };
    const { facts } = asked(bedrock, 'retrieve_and_generate', body, '/retrieveAndGenerate');
    expect(facts.system).toBe('Ask for $query$.\nSay what $search_results$ has.');
    expect(facts.text).toBe(`${facts.system}\nWho?`);
  });
});

const chunk = (bytes: Buffer) => ['chunk', { bytes: bytes.toString('base64') }] as const;
const control = (...invocationInputs: readonly object[]) =>
  ['returnControl', { invocationId: 'i1', invocationInputs }] as const;
const read = (...events: readonly (readonly [string, unknown])[]) =>
  readAs('aws-eventstream', bedrock, 'agents.invoke', converseFrames(...events));

describe('an agent’s answer', () => {
  test('has its text, even where a chunk ends within a character', () => {
    const bytes = Buffer.from('Où?');
    const { facts, kinds, defects } = read(chunk(bytes.subarray(0, 2)), chunk(bytes.subarray(2)));
    expect({ kinds, defects, text: facts.text }).toEqual({
      kinds: ['text', 'text'],
      defects: [],
      text: 'Où?',
    });
  });

  test('has a defect where decoders may disagree about its text', () => {
    // Python passes over the dash, and reads SECRET.
    const { kinds, defects } = read(['chunk', { bytes: 'U0-VDUkVU' }]);
    expect([kinds, defects]).toEqual([['tool'], ['the bytes of a chunk are not plain base64']]);
    expect(read(['chunk', {}]).defects).toEqual([]);
  });

  test('has a defect where an invocation is a function and an API', () => {
    const { defects } = read(
      control({
        functionInvocationInput: { actionGroup: 'crm', function: 'look' },
        apiInvocationInput: { actionGroup: 'api', httpMethod: 'DELETE', apiPath: '/customers' },
      }),
    );
    expect(defects).toEqual(['an invocation of an agent is a function and an API']);
  });

  test('has the functions and the APIs that it hands back, by their groups', () => {
    const { facts, kinds, defects } = read(
      control(
        {
          functionInvocationInput: {
            actionGroup: 'crm',
            function: 'pay',
            parameters: [{ name: 'amount', type: 'number', value: '9' }],
          },
        },
        {
          apiInvocationInput: {
            actionGroup: 'api',
            httpMethod: 'DELETE',
            apiPath: '/customers/{id}',
            parameters: [{ name: 'id', type: 'string', value: '7' }],
            requestBody: {
              content: {
                'application/json': { properties: [{ name: 'why', type: 'string', value: 'old' }] },
              },
            },
          },
        },
      ),
    );
    expect({ kinds, defects }).toEqual({ kinds: ['tool'], defects: [] });
    expect(facts.toolCalls.map((call) => [call.name, call.arguments])).toEqual([
      ['crm__pay', { amount: '9' }],
      ['api__DELETE /customers/{id}', { id: '7', why: 'old' }],
    ]);
    // Rules see them by their own names besides.
    expect(facts.toolCalls.map(({ alsoAs = [] }) => alsoAs.map(({ name }) => name))).toEqual([
      ['pay'],
      ['DELETE /customers/{id}'],
    ]);
  });

  test.each([
    [
      'two parameters of one name',
      [
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
      ],
    ],
    ['a parameter without a name', [{ value: '1' }]],
    ['parameters of another shape', {}],
  ])('with %s is a defect', (_what, parameters) => {
    expect(read(control({ functionInvocationInput: { function: 'f', parameters } })).defects).not.toEqual([]);
  });

  test('with an invocation or an event of an unknown kind is a defect', () => {
    expect(read(control({ otherInput: {} })).defects).not.toEqual([]);
    expect(read(['surprise', {}])).toMatchObject({ kinds: ['tool'] });
  });

  test('has traces, which tell of calls and wait like them', () => {
    expect(read(['trace', { trace: {} }], chunk(Buffer.from('Hi')))).toMatchObject({
      kinds: ['tool', 'text'],
      defects: [],
    });
  });

  test('has what Amazon ran itself, where a trace tells of it', () => {
    const trace = (kind: string, invocationInput: object) =>
      ['trace', { agentId: 'A', trace: { [kind]: { invocationInput } } }] as const;
    const parameters = [{ name: 'id', type: 'string', value: '7' }];
    const { facts, kinds, defects } = read(
      trace('orchestrationTrace', {
        invocationType: 'ACTION_GROUP',
        actionGroupInvocationInput: {
          actionGroupName: 'crm',
          function: 'delete_customer',
          parameters,
          executionType: 'LAMBDA',
        },
      }),
      trace('orchestrationTrace', {
        actionGroupInvocationInput: {
          actionGroupName: 'api',
          verb: 'delete',
          apiPath: '/customers/{id}',
          requestBody: { content: { 'application/json': parameters } },
        },
      }),
      trace('orchestrationTrace', { codeInterpreterInvocationInput: { code: 'import os', files: [] } }),
      trace('routingClassifierTrace', {
        agentCollaboratorInvocationInput: { agentCollaboratorName: 'b', input: { text: 'Look.' } },
      }),
      trace('orchestrationTrace', {
        actionGroupInvocationInput: { function: 'pay', parameters, executionType: 'RETURN_CONTROL' },
      }),
      ['trace', { trace: { orchestrationTrace: { rationale: { text: 'So be it.' } } } }],
    );
    expect({ kinds, defects }).toEqual({ kinds: Array.from({ length: 6 }, () => 'tool'), defects: [] });
    expect(facts.toolCalls.map((call) => [call.name, call.arguments])).toEqual([
      ['crm__delete_customer', { id: '7' }],
      ['api__delete /customers/{id}', { id: '7' }],
      ['code_interpreter', { code: 'import os', files: [] }],
      ['agentCollaboratorInvocationInput', { agentCollaboratorName: 'b', input: { text: 'Look.' } }],
    ]);
    expect(facts.toolCalls[0]?.alsoAs?.map(({ name }) => name)).toEqual(['delete_customer']);
  });

  test('that is no stream cannot be read, and is not amended', () => {
    expect(bedrock.readResponse('agents.invoke', 200, Buffer.from('{}')).defects).not.toEqual([]);
    const amend = () =>
      bedrock.amendResponse('agents.invoke', converseFrames(control()), 'aws-eventstream', {});
    expect(codeOf(amend)).toBe('invalid_argument');
  });
});

test('an answer from a knowledge base has its text, whole and streamed', () => {
  const whole = JSON.stringify({ output: { text: 'Ada.' }, citations: [], guardrailAction: 'NONE' });
  expect(readAs(null, bedrock, 'retrieve_and_generate', whole)).toMatchObject({
    facts: { text: 'Ada.', finishReason: 'NONE' },
    defects: [],
  });
  const stream = converseFrames(['output', { text: 'A' }], ['output', { text: 'da.' }], ['citation', {}]);
  expect(readAs('aws-eventstream', bedrock, 'retrieve_and_generate', stream)).toMatchObject({
    facts: { text: 'Ada.' },
    defects: [],
  });
});
