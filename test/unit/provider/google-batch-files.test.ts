/** Batches of Google's that are read from files and written to files. */
import { describe, expect, test } from 'vitest';
import { resultsIn } from '../../../src/provider/batches/batch-results.ts';
import { geminiResultLines } from '../../../src/provider/gemini/batch-file.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { asked } from './lines.ts';

const gemini = protocolOf('gemini');
const vertex = protocolOf('vertex');
const file = (...lines: readonly object[]) =>
  Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'));
const answer = { candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, index: 0 }] };

describe('a file of Gemini’s answers', () => {
  test.each([
    ['GET', '/download/v1beta/files/abc:download', 'batches.results'],
    ['GET', '/v1beta/files/abc:download', 'batches.results'],
    ['GET', '/v1beta/files/abc', 'unknown'],
    ['GET', '/v1beta/openai/files/abc/content', 'files.content'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(gemini.operationOf(method, path)).toBe(operation);
  });

  test('has its answers by their keys; what failed has none', () => {
    const lines = resultsIn(
      file(
        { key: 'a', response: answer },
        { key: 'b', response: { embedding: { values: [0.1] } } },
        { key: 'c', error: { code: 429, message: 'no' } },
        { key: 'd' },
        { response: answer },
      ),
      geminiResultLines,
    );
    expect(
      [...lines].map(({ customId, operation, status, defect }) => [customId, operation, status, defect]),
    ).toEqual([
      ['a', 'generate_content', 200, ''],
      ['b', 'embed_content', 200, ''],
      ['c', 'unknown', 0, ''],
      ['d', 'unknown', 0, 'a line of the batch has no answer'],
      ['', 'generate_content', 200, 'a line of the batch has no key'],
    ]);
  });

  test('is told from any other file by its first line, and judged as one', () => {
    const read = (body: Buffer) => gemini.readResponse('batches.results', 200, body).batch;
    expect([...(read(file({ key: 'a', response: answer }))?.() ?? [])]).toHaveLength(1);
    expect(read(file({ response: answer }))).toBeDefined();
    expect(read(Buffer.from('a picture'))).toBeUndefined();
    expect(gemini.streamFormOf('batches.results', 'application/jsonl')).toBeNull();
    expect(gemini.readResponse('batches.results', 206, file(answer)).defects).not.toEqual([]);
  });

  test('is looked into only where it may hold answers', () => {
    expect(gemini.readsAnswer('batches.results')).toBe(false);
    const tells = gemini.readsAnswerBy?.('batches.results');
    expect([tells?.(Buffer.from('{"key"')), tells?.(Buffer.from('\x89PNG'))]).toEqual([true, false]);
    expect(gemini.readsAnswerBy?.('generate_content')).toBeNull();
  });
});

test.each([
  { batch: { inputConfig: { fileName: 'files/abc' } } },
  { batch: { input_config: { file_name: 'files/abc' } } },
])('a batch of Gemini’s says which file it reads', (body) => {
  const { facts } = asked(
    gemini,
    'batch_generate_content',
    body,
    '/v1beta/models/gemini-2.5-pro:batchGenerateContent',
  );
  expect(facts).toMatchObject({ model: 'gemini-2.5-pro', params: { inputFile: 'files/abc' } });
});

describe('a batch prediction job of Vertex AI', () => {
  const jobs = '/v1/projects/p/locations/us-central1/batchPredictionJobs';

  test('is known where it is made', () => {
    expect(vertex.operationOf('POST', jobs)).toBe('batch_prediction_jobs');
    expect(vertex.operationOf('GET', jobs)).toBe('unknown');
    expect(vertex.operationOf('GET', `${jobs}/1`)).toBe('unknown');
    expect(vertex.readsAnswer('batch_prediction_jobs')).toBe(false);
  });

  test.each([
    ['publishers/google/models/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['projects/p/locations/l/endpoints/12', 'endpoints/12'],
    ['gemini-2.5-pro', 'gemini-2.5-pro'],
  ])('has the model %s, and where it reads and writes', (model, named) => {
    const { facts, defects } = asked(
      vertex,
      'batch_prediction_jobs',
      {
        displayName: 'nightly',
        model,
        inputConfig: {
          instancesFormat: 'jsonl',
          gcsSource: { uris: ['gs://in/a.jsonl', 'gs://in/b.jsonl'] },
        },
        output_config: { predictionsFormat: 'bigquery', bigqueryDestination: { outputUri: 'bq://p.d.t' } },
      },
      jobs,
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: named,
      params: { displayName: 'nightly', input: 'gs://in/a.jsonl\ngs://in/b.jsonl', output: 'bq://p.d.t' },
    });
  });
});
