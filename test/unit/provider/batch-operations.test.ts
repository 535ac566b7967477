/**
 * Every operation that has a provider run many requests, or that gives their answers back, and what happens with it:
 * `lines` are judged one by one; `words` are judged in the body that has them; `unjudged` names files that nobody here
 * has seen, which the policies that come with Holdpoint hold. What an operation's row does not say is a gap.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { requestFacts } from '../policy/support.ts';

const mark = 'the words of the request';
const chat = { model: 'm', messages: [{ role: 'user', content: mark }] };
const contents = { contents: [{ role: 'user', parts: [{ text: mark }] }] };
const jsonl = (...lines: readonly unknown[]): string => lines.map((line) => JSON.stringify(line)).join('\n');
const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat };

interface Form {
  readonly purpose: string;
  readonly file: string;
}

interface Row {
  readonly api: string;
  readonly family: ProtocolName;
  readonly path: string;
  readonly body: object | Form;
  readonly method?: string;
  readonly happens: 'lines' | 'words' | readonly string[];
}

const upload = (file: string): Form => ({ purpose: 'batch', file });
const vertexPlace = '/v1/projects/p/locations/l';
const s3 = (s3Uri: string) => ({ s3InputDataConfig: { s3Uri } });

const asked: readonly Row[] = [
  {
    api: 'OpenAI: a batch file',
    family: 'openai',
    path: '/v1/files',
    body: upload(jsonl(line)),
    happens: 'lines',
  },
  {
    api: 'OpenAI: a batch of a file',
    family: 'openai',
    path: '/v1/batches',
    body: { input_file_id: 'f', endpoint: '/v1/responses' },
    happens: ['f'],
  },
  {
    api: 'OpenAI: a run of an evaluation over a file',
    family: 'openai',
    path: '/v1/evals/e/runs',
    body: { data_source: { type: 'completions', model: 'm', source: { type: 'file_id', id: 'f' } } },
    happens: ['f'],
  },
  ...['stored_completions', 'responses'].map(
    (type): Row => ({
      api: `OpenAI: a run of an evaluation over ${type}`,
      family: 'openai',
      path: '/v1/evals/e/runs',
      body: { data_source: { type: 'completions', model: 'm', source: { type, created_after: 1 } } },
      happens: ['(not named)'],
    }),
  ),
  {
    api: 'Together: an evaluation',
    family: 'openai',
    path: '/v1/evaluation',
    body: { type: 'score', parameters: { judge: { model: 'm' }, input_data_file_path: 'f' } },
    happens: ['f'],
  },
  {
    api: 'OpenAI: a run of an evaluation over what it brings along',
    family: 'openai',
    path: '/v1/evals/e/runs',
    body: { data_source: { source: { type: 'file_content', content: [{ item: { question: mark } }] } } },
    happens: 'words',
  },
  {
    api: 'OpenAI: fine-tuning by reinforcement',
    family: 'openai',
    path: '/v1/fine_tuning/jobs',
    body: { training_file: 'f', validation_file: 'g', method: { type: 'reinforcement' } },
    happens: ['f', 'g'],
  },
  {
    api: 'Fireworks: the same, going on with another job',
    family: 'openai',
    path: '/v1/accounts/a/reinforcementFineTuningJobs',
    body: { sourceJob: 'j', outputModel: 'm' },
    happens: ['(not named)'],
  },
  {
    api: 'Fireworks: an evaluation',
    family: 'openai',
    path: '/v1/accounts/a/evaluationJobs',
    body: { inputDataset: 'd', evaluator: 'v' },
    happens: ['d'],
  },
  {
    api: 'Fireworks: tuning by reinforcement, with an evaluation',
    family: 'openai',
    path: '/v1/accounts/a/reinforcementFineTuningJobs',
    body: { dataset: 'd', evaluationDataset: 'e', evaluator: 'accounts/a/evaluators/v' },
    happens: ['d', 'e'],
  },
  {
    api: 'OpenAI: the grader of such a job',
    family: 'openai',
    path: '/v1/fine_tuning/jobs',
    body: { method: { type: 'supervised', supervised: { grader: { input: [{ content: mark }] } } } },
    happens: 'words',
  },
  {
    api: 'OpenAI: running a grader',
    family: 'openai',
    path: '/v1/fine_tuning/alpha/graders/run',
    body: { grader: { type: 'score_model', input: [{ content: mark }] }, model_sample: 'x' },
    happens: 'words',
  },
  {
    api: 'Azure: a batch file',
    family: 'azure',
    path: '/openai/files',
    body: upload(jsonl(line)),
    happens: 'lines',
  },
  {
    api: 'Azure: a batch of a blob',
    family: 'azure',
    path: '/openai/batches',
    body: { input_blob: 'https://b' },
    happens: ['https://b'],
  },
  {
    api: 'xAI: requests added to a batch',
    family: 'openai',
    path: '/v1/batches/b/requests',
    body: { batch_requests: [{ batch_request_id: 'a', batch_request: { chat_get_completion: chat } }] },
    happens: 'lines',
  },
  {
    api: 'xAI: requests in the form of responses, without an id',
    family: 'openai',
    path: '/v1/batches/b/requests',
    body: { batch_requests: [{ batch_request: { responses: { model: 'm', input: mark } } }] },
    happens: 'lines',
  },
  {
    api: 'xAI: a batch of a file',
    family: 'openai',
    path: '/v1/batches',
    body: { name: 'b', input_file_id: 'f' },
    happens: ['f'],
  },
  {
    api: 'OpenRouter: a batch that brings its requests along',
    family: 'openai',
    path: '/api/v1/batches',
    body: {
      endpoint: '/v1/chat/completions',
      model: 'm',
      requests: [{ custom_id: 'a', body: { messages: chat.messages } }],
    },
    happens: 'lines',
  },
  {
    api: 'Fireworks: a batch of a data set',
    family: 'openai',
    path: '/v1/accounts/a/batchInferenceJobs',
    body: { model: 'm', inputDatasetId: 'd' },
    happens: ['d'],
  },
  ...(['anthropic', 'openai'] as const).map(
    (family): Row => ({
      api: `Anthropic's batches at a server of the family ${family}`,
      family,
      path: '/v1/messages/batches',
      body: { requests: [{ custom_id: 'a', params: { ...chat, max_tokens: 1 } }] },
      happens: 'lines',
    }),
  ),
  {
    api: 'Mistral: a batch file',
    family: 'mistral',
    path: '/v1/files',
    body: upload(jsonl({ custom_id: 'a', body: chat })),
    happens: 'lines',
  },
  {
    api: 'Mistral: a job of files',
    family: 'mistral',
    path: '/v1/batch/jobs',
    body: { model: 'm', input_files: ['f'] },
    happens: ['f'],
  },
  {
    api: 'Mistral: a job that brings its requests along',
    family: 'mistral',
    path: '/v1/batch/jobs',
    body: { model: 'm', requests: [{ custom_id: 'a', body: chat }] },
    happens: 'lines',
  },
  {
    api: 'Cohere: a batch of a data set',
    family: 'cohere',
    path: '/v2/batches',
    body: { input_dataset_id: 'd' },
    happens: ['d'],
  },
  {
    api: 'Cohere: a data set to embed',
    family: 'cohere',
    path: '/v1/embed-jobs',
    body: { dataset_id: 'd' },
    happens: ['d'],
  },
  {
    api: 'Gemini: a batch that brings its requests along',
    family: 'gemini',
    path: '/v1beta/models/m:batchGenerateContent',
    body: { batch: { inputConfig: { requests: { requests: [{ request: contents }] } } } },
    happens: 'words',
  },
  {
    api: 'Gemini: a batch of a file',
    family: 'gemini',
    path: '/v1beta/models/m:batchGenerateContent',
    body: { batch: { inputConfig: { fileName: 'files/f' } } },
    happens: ['files/f'],
  },
  {
    api: 'Gemini: a batch that is changed',
    family: 'gemini',
    method: 'PATCH',
    path: '/v1beta/batches/b:updateGenerateContentBatch',
    body: { model: 'models/m', inputConfig: { requests: { requests: [{ request: contents }] } } },
    happens: 'words',
  },
  {
    api: 'Gemini: a batch that is changed to another file',
    family: 'gemini',
    method: 'PATCH',
    path: '/v1beta/batches/b:updateGenerateContentBatch',
    body: { input_config: { file_name: 'files/f' } },
    happens: ['files/f'],
  },
  {
    api: 'Gemini: a batch to embed that is changed to another file',
    family: 'gemini',
    method: 'PATCH',
    path: '/v1beta/batches/b:updateEmbedContentBatch',
    body: { inputConfig: { fileName: 'files/f' } },
    happens: ['files/f'],
  },
  {
    api: 'Gemini: a batch to embed a file',
    family: 'gemini',
    path: '/v1beta/models/m:asyncBatchEmbedContent',
    body: { batch: { inputConfig: { fileName: 'files/f' } } },
    happens: ['files/f'],
  },
  {
    api: 'Gemini, as OpenAI: a batch of a file',
    family: 'gemini',
    path: '/v1beta/openai/batches',
    body: { input_file_id: 'files/f' },
    happens: ['files/f'],
  },
  {
    api: 'Vertex AI: a job in Cloud Storage',
    family: 'vertex',
    path: `${vertexPlace}/batchPredictionJobs`,
    body: { model: 'publishers/google/models/m', inputConfig: { gcsSource: { uris: ['gs://b/f'] } } },
    happens: ['gs://b/f'],
  },
  {
    api: 'Vertex AI: a job in BigQuery',
    family: 'vertex',
    path: `${vertexPlace}/batchPredictionJobs`,
    body: { inputConfig: { bigquerySource: { inputUri: 'bq://p.d.t' } } },
    happens: ['bq://p.d.t'],
  },
  {
    api: 'Vertex AI: tuning by reinforcement',
    family: 'vertex',
    path: `${vertexPlace}/tuningJobs`,
    body: { baseModel: 'm', reinforcementTuningSpec: { trainingDatasetUri: 'gs://b/f' } },
    happens: ['gs://b/f'],
  },
  {
    api: 'Vertex AI: tuning by a model that teaches',
    family: 'vertex',
    path: `${vertexPlace}/tuningJobs`,
    body: { baseModel: 'm', distillationSpec: { promptDatasetUri: 'gs://b/f' } },
    happens: ['gs://b/f'],
  },
  {
    api: 'Vertex AI: an evaluation in Cloud Storage',
    family: 'vertex',
    path: `${vertexPlace}:evaluateDataset`,
    body: { dataset: { gcsSource: { uris: ['gs://b/f'] } } },
    happens: ['gs://b/f'],
  },
  {
    api: 'Vertex AI: an agent that is asked later',
    family: 'vertex',
    path: `${vertexPlace}/reasoningEngines/1:asyncQuery`,
    body: { inputGcsUri: 'gs://b/f', outputGcsUri: 'gs://b/o' },
    happens: ['gs://b/f'],
  },
  {
    api: 'Bedrock: a job that invokes a model',
    family: 'bedrock',
    path: '/model-invocation-job',
    body: {
      modelId: 'm',
      inputDataConfig: s3('s3://b/f'),
      outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://b/o' } },
    },
    happens: ['s3://b/f'],
  },
  {
    api: 'Bedrock: a job that evaluates models',
    family: 'bedrock',
    path: '/evaluation-jobs',
    body: {
      evaluationConfig: {
        automated: {
          datasetMetricConfigs: [{ dataset: { name: 'd', datasetLocation: { s3Uri: 's3://b/f' } } }],
        },
      },
      inferenceConfig: { models: [{ bedrockModel: { modelIdentifier: 'm' } }] },
    },
    happens: ['s3://b/f'],
  },
  {
    api: 'Bedrock: a job that evaluates models on Amazon’s own data',
    family: 'bedrock',
    path: '/evaluation-jobs',
    body: {
      evaluationConfig: { automated: { datasetMetricConfigs: [{ dataset: { name: 'Builtin.Bold' } }] } },
    },
    happens: ['(not named)'],
  },
  {
    api: 'Bedrock: tuning by reinforcement',
    family: 'bedrock',
    path: '/model-customization-jobs',
    body: { customizationType: 'REINFORCEMENT_FINE_TUNING', trainingDataConfig: { s3Uri: 's3://b/f' } },
    happens: ['s3://b/f'],
  },
  {
    api: 'Bedrock: a job that improves prompts',
    family: 'bedrock',
    path: '/advanced-prompt-optimization-jobs',
    body: { inputConfig: { s3Uri: 's3://b/f' }, outputConfig: { s3Uri: 's3://b/o' } },
    happens: ['s3://b/f'],
  },
  {
    api: 'Bedrock: a model that is asked and answers later',
    family: 'bedrock',
    path: '/async-invoke',
    body: { modelId: 'm', modelInput: { prompt: mark } },
    happens: 'words',
  },
];

function read({ family, method = 'POST', path, body }: Row) {
  const protocol = protocolOf(family);
  const operation = protocol.operationOf(method, path);
  if (!('file' in body)) {
    const reading = protocol.readRequest(operation, Buffer.from(JSON.stringify(body)), {
      path,
      contentType: 'application/json',
    });
    return { protocol, operation, reading };
  }
  const { purpose, file } = body as Form;
  const part = (name: string, more: string, content: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
  const form = `${part('purpose', '', purpose)}${part('file', '; filename="f.jsonl"', file)}--b--\r\n`;
  const head = { path, contentType: 'multipart/form-data; boundary=b' };
  return { protocol, operation, reading: protocol.readRequest(operation, Buffer.from(form), head) };
}

const policies = ['config/policy.yaml', 'k8s/config/policy.yaml'].map((file) =>
  loadPolicy(file, readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')),
);

describe('requests that a provider runs later', () => {
  test.each(asked.filter(({ happens }) => happens === 'lines'))('$api: every line is judged', (row) => {
    const { protocol, reading } = read(row);
    expect([reading.defects, reading.batchFiles ?? []]).toEqual([[], []]);
    const [only, second] = [...(reading.batch?.() ?? [])];
    expect(only?.defect).toBe('');
    expect(second).toBeUndefined();
    const head = { path: only?.path ?? '', contentType: 'application/json' };
    const alone = protocol.readRequest(only?.operation ?? '', only?.request ?? Buffer.alloc(0), head);
    expect([alone.defects, alone.facts.text, alone.facts.model]).toEqual([[], mark, 'm']);
  });

  test.each(asked.filter(({ happens }) => happens === 'words'))('$api: all words are judged', (row) => {
    const { reading } = read(row);
    expect([reading.defects, reading.batchFiles ?? []]).toEqual([[], []]);
    expect(reading.facts.text).toContain(mark);
  });

  test.each(asked.filter(({ happens }) => typeof happens !== 'string'))(
    '$api: is known to run what nobody saw, and held by both policies',
    (row) => {
      const { operation, reading } = read(row);
      expect([reading.defects, reading.batchFiles]).toEqual([[], row.happens]);
      const told = { operation, model: '', unjudgedFiles: reading.batchFiles ?? [] };
      for (const policy of policies) {
        const facts = requestFacts({ ...reading.facts, provider: row.family, ...told });
        const { action, matches } = policy.judge('request', { request: facts, labels: [] });
        expect([action, matches.map(({ rule }) => rule)]).toEqual(['hold', ['unjudged-batch']]);
      }
    },
  );
});

const call = {
  id: 'call_1',
  type: 'function',
  function: { name: 'transfer_funds', arguments: '{"amount":1}' },
};
const choices = [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] } }];
const chatAnswer = { object: 'chat.completion', choices: [{ ...choices[0], finish_reason: 'tool_calls' }] };
const message = {
  type: 'message',
  role: 'assistant',
  content: [{ type: 'tool_use', id: 't', name: 'transfer_funds', input: { amount: 1 } }],
  stop_reason: 'tool_use',
  usage: {},
};
const content = {
  candidates: [
    {
      content: { role: 'model', parts: [{ functionCall: { name: 'transfer_funds', args: { amount: 1 } } }] },
    },
  ],
};
const outputLine = { custom_id: 'a', response: { status_code: 200, body: chatAnswer }, error: null };
const inlined = { inlinedResponses: { inlinedResponses: [{ response: content }] } };

interface Answer {
  readonly api: string;
  readonly family: ProtocolName;
  readonly path: string;
  readonly body: unknown;
}

const answered: readonly Answer[] = [
  { api: 'OpenAI: an output file', family: 'openai', path: '/v1/files/f/content', body: jsonl(outputLine) },
  { api: 'Azure: an output file', family: 'azure', path: '/openai/files/f/content', body: jsonl(outputLine) },
  {
    api: 'OpenAI: the items of an evaluation’s run',
    family: 'openai',
    path: '/v1/evals/e/runs/r/output_items',
    body: { data: [{ sample: { output: [{ role: 'assistant', tool_calls: [call] }] } }] },
  },
  {
    api: 'xAI: a completion that was asked for before',
    family: 'openai',
    path: '/v1/chat/deferred-completion/r',
    body: chatAnswer,
  },
  {
    api: 'xAI: a page of results',
    family: 'openai',
    path: '/v1/batches/b/results',
    body: {
      results: [{ batch_request_id: 'a', batch_result: { response: { chat_get_completion: chatAnswer } } }],
      pagination_token: null,
    },
  },
  {
    api: 'xAI: one result',
    family: 'openai',
    path: '/v1/batches/b/results/a',
    body: { batch_request_id: 'a', batch_result: { response: { chat_get_completion: chatAnswer } } },
  },
  {
    api: 'OpenRouter: a page of results',
    family: 'openai',
    path: '/api/v1/batches/b/results',
    body: { data: [outputLine] },
  },
  {
    api: 'OpenRouter: a batch with its results',
    family: 'openai',
    path: '/api/v1/batches/b',
    body: { results: [outputLine] },
  },
  {
    api: 'a gateway: results as lines',
    family: 'openai',
    path: '/v1/batches/b/results',
    body: jsonl(outputLine, { ...outputLine, custom_id: 'b' }),
  },
  {
    api: 'a gateway: one result as a line',
    family: 'openai',
    path: '/v1/batches/b/results',
    body: jsonl(outputLine),
  },
  {
    api: 'a gateway: results in a shape that nobody knows',
    family: 'openai',
    path: '/v1/batches/b/results',
    body: { items: [{ answer: { tool_calls: [call] } }] },
  },
  ...(['anthropic', 'openai'] as const).map(
    (family): Answer => ({
      api: `Anthropic's results at a server of the family ${family}`,
      family,
      path: '/v1/messages/batches/b/results',
      body: jsonl({ custom_id: 'a', result: { type: 'succeeded', message } }),
    }),
  ),
  {
    api: 'Anthropic: an answer beside the word that there is none',
    family: 'anthropic',
    path: '/v1/messages/batches/b/results',
    body: jsonl({ custom_id: 'a', result: { type: 'errored', message } }),
  },
  { api: 'Mistral: an output file', family: 'mistral', path: '/v1/files/f/content', body: jsonl(outputLine) },
  {
    api: 'Mistral: a job with its answers',
    family: 'mistral',
    path: '/v1/batch/jobs/j',
    body: { outputs: [outputLine] },
  },
  {
    api: 'Gemini: a batch with its answers',
    family: 'gemini',
    path: '/v1beta/batches/b',
    body: { response: inlined },
  },
  {
    api: 'Gemini: a list of batches',
    family: 'gemini',
    path: '/v1beta/batches',
    body: { operations: [{ response: inlined }] },
  },
  {
    api: 'Gemini: an output file',
    family: 'gemini',
    path: '/download/v1beta/files/f:download',
    body: jsonl({ key: 'a', response: content }),
  },
];

/** Names of all calls in an answer, itself and its lines; the defects, where there are any. */
function callsIn({ family, path, body }: Answer): readonly string[] {
  const protocol = protocolOf(family);
  const operation = protocol.operationOf('GET', path);
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const mayHold = protocol.readsAnswer(operation) || (protocol.readsAnswerBy?.(operation)?.(bytes) ?? false);
  if (!mayHold) return ['not read'];
  const reading = protocol.readResponse(operation, 200, bytes);
  const lines = [...(reading.batch?.() ?? [])].flatMap((one) => {
    const alone = protocol.readResponse(one.operation, one.status, one.response);
    return [one.defect, ...alone.defects, ...alone.facts.toolCalls.map(({ name }) => name)];
  });
  const said = [...reading.defects, ...reading.facts.toolCalls.map(({ name }) => name), ...lines];
  return [...new Set(said.filter((one) => one !== ''))];
}

describe('answers that are given back later', () => {
  test.each(answered)('$api: its calls are judged', (answer) => {
    expect(callsIn(answer)).toEqual(['transfer_funds']);
  });

  test.each([
    [
      'OpenAI: a batch',
      '/v1/batches/b',
      { id: 'b', object: 'batch', status: 'completed', output_file_id: 'f' },
    ],
    ['xAI: a batch', '/v1/batches/b', { batch_id: 'b', state: { num_requests: 1 } }],
    ['xAI: a page without results', '/v1/batches/b/results', { results: [], pagination_token: null }],
    [
      'xAI: a result that failed',
      '/v1/batches/b/results',
      { results: [{ batch_request_id: 'a', batch_result: { error: { code: 3 } } }] },
    ],
    [
      'xAI: a picture',
      '/v1/batches/b/results',
      {
        results: [{ batch_request_id: 'a', batch_result: { response: { image_generation: { data: [] } } } }],
      },
    ],
  ])('%s: has nothing to judge', (_api, path, body) => {
    expect(callsIn({ api: '', family: 'openai', path, body })).toEqual([]);
  });

  test.each([
    [
      'an answer of no kind that is known',
      { batch_request_id: 'a', batch_result: { response: { thought: {} } } },
    ],
    [
      'two answers in one',
      {
        batch_request_id: 'a',
        batch_result: { response: { responses: {}, chat_get_completion: chatAnswer } },
      },
    ],
    ['none', { batch_request_id: 'a' }],
  ])('a result that is %s cannot be judged, and so holds', (_what, result) => {
    const found = callsIn({
      api: '',
      family: 'openai',
      path: '/v1/batches/b/results',
      body: { results: [result] },
    });
    expect(found).not.toEqual([]);
    expect(found).not.toContain('transfer_funds');
  });
});

describe('a request within a batch is refused', () => {
  const add = (...requests: readonly unknown[]) =>
    read({
      api: '',
      family: 'openai',
      path: '/v1/batches/b/requests',
      body: { batch_requests: requests },
      happens: 'lines',
    });
  const one = { batch_request: { chat_get_completion: chat } };

  test.each([
    ['that asks for nothing known', [{ batch_request: { something_new: chat } }]],
    ['that asks for two things', [{ batch_request: { responses: {}, chat_get_completion: chat } }]],
    ['in a spelling that may be read beside', [{ ...one, batchRequest: { chatGetCompletion: chat } }]],
    [
      'whose id is that of another',
      [
        { ...one, batch_request_id: 'a' },
        { ...one, batch_request_id: 'a' },
      ],
    ],
    ['that is no object', ['x']],
  ])('%s', (_what, requests) => {
    const { reading } = add(...requests);
    expect([...(reading.batch?.() ?? [])].some(({ defect }) => defect !== '')).toBe(true);
  });

  test('when the whole list is spelt so that it may be read beside', () => {
    const body = { batchRequests: [one] };
    const { reading } = read({
      api: '',
      family: 'openai',
      path: '/v1/batches/b/requests',
      body,
      happens: 'lines',
    });
    expect(reading.defects).not.toEqual([]);
  });

  test.each([
    [
      'names another model than its batch',
      {
        batch: {
          inputConfig: { requests: { requests: [{ request: { ...contents, model: 'models/other' } }] } },
        },
      },
    ],
    [
      'belongs to a batch that names another',
      { batch: { model: 'models/other', inputConfig: { requests: { requests: [{ request: contents }] } } } },
    ],
  ])('of Gemini that %s', (_what, body) => {
    const { reading } = read({
      api: '',
      family: 'gemini',
      path: '/v1beta/models/m:batchGenerateContent',
      body,
      happens: 'words',
    });
    expect(reading.defects).toEqual(['two models are named']);
  });

  test.each([
    ['without a place and a shape', { custom_id: 'a', body: { ask: 1 } }],
    ['of a place nobody knows', { custom_id: 'a', url: '/v1/something', body: chat }],
    [
      'that lists what it asks for',
      { custom_id: 'a', method: 'GET', url: '/v1/chat/completions', body: chat },
    ],
  ])('of a file, %s', (_what, entry) => {
    const { reading } = read({
      api: '',
      family: 'openai',
      path: '/v1/files',
      body: upload(jsonl(entry)),
      happens: 'lines',
    });
    expect([...(reading.batch?.() ?? [])].map(({ defect }) => defect)).toEqual([
      'a line of the batch asks for nothing known',
    ]);
  });

  // Some servers run every line as the batch says, whatever place the line names.
  test.each([
    { custom_id: 'a', body: { ...chat, prompt: 'x' } },
    { custom_id: 'a', url: '/v1/chat/completions', body: { ...chat, inputs: 'x' } },
    { custom_id: 'a', url: '/v1/responses', body: { input: 'x', messages: [] } },
    { custom_id: 'a', url: '/v1/completions', body: { prompt: 'x', input: 'y' } },
  ])('of a file, that asks for two things', (entry) => {
    const { reading } = read({
      api: '',
      family: 'openai',
      path: '/v1/files',
      body: upload(jsonl(entry)),
      happens: 'lines',
    });
    expect([...(reading.batch?.() ?? [])].map(({ defect }) => defect)).toEqual([
      'a line of the batch asks for two things',
    ]);
  });

  test.each([
    { custom_id: 'a', url: '/v1/completions', body: chat },
    { custom_id: 'a', url: '/v1/chat/completions', body: { input: 'x' } },
  ])('of a file, that asks for something else than its place says', (entry) => {
    const { reading } = read({
      api: '',
      family: 'openai',
      path: '/v1/files',
      body: upload(jsonl(entry)),
      happens: 'lines',
    });
    expect([...(reading.batch?.() ?? [])].map(({ defect }) => defect)).toEqual([
      'a line of the batch asks for something else than its place says',
    ]);
  });

  test('and not one whose stored prompt stands beside its input', () => {
    const body = { input: 'x', prompt: { id: 'p' } };
    const { reading } = read({
      api: '',
      family: 'openai',
      path: '/v1/files',
      body: upload(jsonl({ custom_id: 'a', url: '/v1/responses', body })),
      happens: 'lines',
    });
    expect([...(reading.batch?.() ?? [])].map(({ defect }) => defect)).toEqual(['']);
  });
});
