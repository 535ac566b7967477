/** What asks Google's models otherwise than by contents: what it is judged by. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf } from '../streams.ts';

const vertex = protocolOf('vertex');
const jobs = '/v1beta1/projects/p/locations/us-central1/tuningJobs';

const read = (body: unknown, operation = 'tuning_jobs', path = jobs) =>
  vertex.readRequest(operation, Buffer.from(JSON.stringify(body)), headOf(path));

test.each([
  ['vertex', 'POST', jobs, 'tuning_jobs'],
  ['vertex', 'POST', `${jobs}:rebaseTunedModel`, 'tuning_jobs'],
  ['vertex', 'POST', `${jobs}:validateReinforcementTuningReward`, 'tuning_jobs'],
  ['vertex', 'GET', jobs, 'unknown'],
  ['vertex', 'POST', `${jobs}/1:cancel`, 'unknown'],
  ['vertex', 'POST', '/v1/projects/p/locations/l:evaluateInstances', 'evaluations'],
  ['vertex', 'POST', '/v1/projects/p/locations/l:evaluateDataset', 'evaluations'],
  ['vertex', 'POST', '/v1beta1/projects/p/locations/l:augmentPrompt', 'knowledge.query'],
  ['vertex', 'POST', '/v1/projects/p/locations/l/endpoints/1:explain', 'predict'],
  ['vertex', 'POST', '/v1/projects/p/locations/l/endpoints/1:directPredict', 'predict'],
  ['vertex', 'POST', '/v1/projects/p/locations/l/endpoints/1:serverStreamingPredict', 'predict'],
  ['vertex', 'POST', '/v1/projects/p/locations/l/endpoints/1:directRawPredict', 'raw_predict'],
  ['vertex', 'POST', '/v1beta1/projects/p/locations/l/evaluationRuns', 'evaluations'],
  ['vertex', 'GET', '/v1beta1/projects/p/locations/l/evaluationRuns', 'unknown'],
  ...['memories', 'memories/1', 'memories:generate', 'memories:ingestEvents', 'memories:retrieve'].map(
    (last) =>
      ['vertex', 'POST', `/v1/projects/p/locations/l/reasoningEngines/1/${last}`, 'memories'] as const,
  ),
  ['vertex', 'GET', '/v1/projects/p/locations/l/reasoningEngines/1/memories', 'unknown'],
  ['vertex', 'POST', '/v1/projects/p/locations/l/reasoningEngines/1/memories:purge', 'unknown'],
  ['gemini', 'POST', '/v1beta/models/aqa:generateAnswer', 'knowledge.query'],
  ['gemini', 'POST', '/v1beta/tunedModels', 'tuning_jobs'],
  ['gemini', 'GET', '/v1beta/tunedModels', 'unknown'],
  ['gemini', 'POST', '/v1beta/tunedModels/x:generateContent', 'generate_content'],
] as const)('at %s, %s %s is %s', (protocol, method, path, operation) => {
  expect(protocolOf(protocol).operationOf(method, path)).toBe(operation);
});

test('the answers of tuning are not waited for: they hold no words', () => {
  expect(vertex.readsAnswer('tuning_jobs')).toBe(false);
});

// https://docs.cloud.google.com/agent-builder/agent-engine/memory-bank/overview
test('what a bank of memories is told is seen by rules, and asks of nobody what is stored', () => {
  const events = [{ content: { role: 'user', parts: [{ text: 'I am Ada' }] } }];
  const { facts, batchFiles } = read({ directContentsSource: { events } }, 'memories', '/memories:generate');
  expect(facts.text).toContain('I am Ada');
  expect(batchFiles).toBeUndefined();
});

test('a run of an evaluation asks what is stored, also where it names no place', () => {
  const run = read({ inferenceConfigs: { a: { model: 'gemini-3-pro' } } }, 'evaluations', '/evaluationRuns');
  expect(run.batchFiles).toEqual(['(not named)']);
  expect(run.facts.model).toBe('gemini-3-pro');
  const inline = read({ metrics: [] }, 'evaluations', '/v1/projects/p/locations/l:evaluateInstances');
  expect(inline.batchFiles).toBeUndefined();
});

describe('a job', () => {
  test('is known by the model that is tuned, what it is told and where it reads', () => {
    const { facts, defects, batchFiles } = read({
      baseModel: 'models/gemini-2.5-flash',
      tunedModelDisplayName: 'mine',
      outputUri: 'gs://out/x',
      supervisedTuningSpec: {
        trainingDatasetUri: 'gs://in/a.jsonl',
        validation_dataset_uri: 'gs://in/b.jsonl',
      },
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'gemini-2.5-flash',
      params: { tunedModelDisplayName: 'mine', input: 'gs://in/a.jsonl\ngs://in/b.jsonl' },
    });
    // The answers stand in the files: nobody is asked.
    expect(batchFiles).toBeUndefined();
  });

  test('that names no model has none, and says nothing when it is made', () => {
    expect(read({ tuningTask: {} })).toMatchObject({ facts: { model: '' }, defects: [] });
    expect(vertex.readResponse('tuning_jobs', 200, Buffer.from('{}')).defects).toEqual([]);
  });

  test('has its examples read', () => {
    const examples = { examples: [{ textInput: 'Who?', output: 'My AKIA key' }] };
    const body = { base_model: 'models/x', tuningTask: { trainingData: { examples } } };
    expect(read(body).facts).toMatchObject({ model: 'x', text: 'models/x\nWho?\nMy AKIA key' });
  });

  test.each([
    [
      'teaches',
      { distillationSpec: { baseTeacherModel: 'gemini-3-pro', promptDatasetUri: 'gs://in/p.jsonl' } },
    ],
    [
      'grades',
      {
        reinforcement_tuning_spec: {
          training_dataset_uri: 'gs://in/p.jsonl',
          singleRewardConfig: {
            autoraterScorer: { autoraterConfig: { autoraterModel: 'publishers/google/models/gemini-3-pro' } },
          },
        },
      },
    ],
  ])('that asks models what stands in storage says where, and which model %s', (_what, spec) => {
    const { facts, batchFiles } = read({ baseModel: 'gemini-2.5-flash', ...spec });
    expect(facts).toMatchObject({ model: 'gemini-2.5-flash', insteads: [{ model: 'gemini-3-pro' }] });
    expect(batchFiles).toEqual(['gs://in/p.jsonl']);
  });

  test('that asks models and names no place reads from one all the same', () => {
    expect(read({ baseModel: 'x', reinforcementTuningSpec: {} }).batchFiles).toEqual(['(not named)']);
  });

  test('that goes on with a tuned model is known by that', () => {
    const preTunedModel = { tunedModelName: 'projects/p/locations/l/models/77@2', checkpointId: '1' };
    expect(read({ preTunedModel }).facts.model).toBe('77@2');
  });

  test('shows the service that its rewards are asked of, which is no place to read from', () => {
    const { facts, batchFiles } = read({
      baseModel: 'x',
      reinforcementTuningSpec: {
        trainingDatasetUri: 'projects/p/locations/l/datasets/9',
        singleRewardConfig: { cloudRunRewardScorer: { cloudRunUri: 'https://evil.example' } },
      },
    });
    expect(facts.text).toContain('https://evil.example');
    expect(batchFiles).toEqual(['projects/p/locations/l/datasets/9']);
  });

  test('that is no object is unreadable', () => {
    expect(read([]).defects).not.toEqual([]);
  });
});

describe('an evaluation', () => {
  const autorater = { autoraterConfig: { autoraterModel: 'publishers/google/models/gemini-3-pro' } };

  test('of what it brings along has its words and its model read, and waits for no file', () => {
    const instance = { prediction: 'A secret', instance: { prompt: 'Say it' } };
    const { facts, defects, batchFiles } = read(
      { pointwiseMetricInput: instance, ...autorater },
      'evaluations',
    );
    expect(defects).toEqual([]);
    expect(facts.model).toBe('gemini-3-pro');
    expect(facts.text).toContain('A secret\nSay it');
    expect(batchFiles).toBeUndefined();
  });

  test('of what stands in storage says where', () => {
    const body = {
      dataset: { gcsSource: { uris: ['gs://in/a.jsonl'] } },
      outputConfig: { gcsDestination: { outputUriPrefix: 'gs://out/' } },
      ...autorater,
    };
    expect(read(body, 'evaluations').batchFiles).toEqual(['gs://in/a.jsonl']);
  });
});

describe('a question that documents ground', () => {
  test('has the model of its path, its words, and the words of its answer', () => {
    const path = '/v1beta/models/aqa:generateAnswer';
    const asked = { contents: [{ parts: [{ text: 'Who pays?' }] }], answerStyle: 'ABSTRACTIVE' };
    expect(read(asked, 'knowledge.query', path).facts).toMatchObject({
      model: 'aqa',
      text: 'Who pays?\nABSTRACTIVE',
    });
    const answer = { answer: { content: { parts: [{ text: 'Nobody.' }] } } };
    const { facts, defects } = vertex.readResponse(
      'knowledge.query',
      200,
      Buffer.from(JSON.stringify(answer)),
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'Nobody.', toolCalls: [] });
    expect(vertex.readsAnswer('knowledge.query')).toBe(true);
  });
});
