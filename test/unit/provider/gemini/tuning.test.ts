/** Jobs that tune Google's models: what they are judged by. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf } from '../streams.ts';

const vertex = protocolOf('vertex');
const jobs = '/v1beta1/projects/p/locations/us-central1/tuningJobs';

const read = (body: unknown) =>
  vertex.readRequest('tuning_jobs', Buffer.from(JSON.stringify(body)), headOf(jobs));

test.each([
  ['vertex', 'POST', jobs, 'tuning_jobs'],
  ['vertex', 'POST', `${jobs}:rebaseTunedModel`, 'tuning_jobs'],
  ['vertex', 'POST', `${jobs}:validateReinforcementTuningReward`, 'tuning_jobs'],
  ['vertex', 'GET', jobs, 'unknown'],
  ['vertex', 'POST', `${jobs}/1:cancel`, 'unknown'],
  ['gemini', 'POST', '/v1beta/tunedModels', 'tuning_jobs'],
  ['gemini', 'GET', '/v1beta/tunedModels', 'unknown'],
  ['gemini', 'POST', '/v1beta/tunedModels/x:generateContent', 'generate_content'],
] as const)('at %s, %s %s is %s', (protocol, method, path, operation) => {
  expect(protocolOf(protocol).operationOf(method, path)).toBe(operation);
});

test('their answers are not waited for: they hold no call', () => {
  expect(vertex.readsAnswer('tuning_jobs')).toBe(false);
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
