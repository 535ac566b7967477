/** Which file of requests a call runs, in each family's words. */
import { describe, expect, it } from 'vitest';
import { gemini } from '../../../src/provider/gemini/family.ts';
import { mistral } from '../../../src/provider/mistral/family.ts';
import { azure } from '../../../src/provider/openai/azure.ts';
import { openai } from '../../../src/provider/openai/family.ts';
import type { Protocol } from '../../../src/provider/protocol.ts';
import { vertex } from '../../../src/provider/vertex/family.ts';

const json = 'application/json';
const read = (protocol: Protocol, path: string, body: unknown, contentType = json) =>
  protocol.readRequest(
    protocol.operationOf('POST', path),
    Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    { path, contentType },
  );

const project = '/v1/projects/p/locations/l';

describe('the files that a request runs', () => {
  it.each<[string, Protocol, string, unknown, readonly string[]]>([
    ['OpenAI', openai, '/v1/batches', { input_file_id: 'file-1', endpoint: '/v1/responses' }, ['file-1']],
    ['an Azure deployment', azure, '/openai/deployments/d/batches', { input_file_id: 'file-1' }, ['file-1']],
    ['Azure', azure, '/openai/v1/batches', { input_file_id: 'file-1' }, ['file-1']],
    [
      'Azure, from a storage of the customer’s',
      azure,
      '/openai/batches',
      { input_file_id: null, input_blob: 'https://a.blob.core.windows.net/in/b.jsonl' },
      ['https://a.blob.core.windows.net/in/b.jsonl'],
    ],
    ['a server that takes another spelling', openai, '/v1/batches', { inputFileId: 'file-1' }, ['file-1']],
    ['Mistral', mistral, '/v1/batch/jobs', { input_files: ['a', 'b'], model: 'm' }, ['a', 'b']],
    [
      'Mistral, beside requests of its own',
      mistral,
      '/v1/batch/jobs',
      { input_files: ['a'], requests: [{ custom_id: '1', body: { messages: [] } }] },
      ['a'],
    ],
    [
      'Gemini',
      gemini,
      '/v1beta/models/m:batchGenerateContent',
      { batch: { input_config: { file_name: 'files/1' } } },
      ['files/1'],
    ],
    [
      'Gemini, to embed',
      gemini,
      '/v1beta/models/m:asyncBatchEmbedContent',
      { batch: { inputConfig: { fileName: 'files/1' } } },
      ['files/1'],
    ],
    ['Gemini as OpenAI', gemini, '/v1beta/openai/batches', { input_file_id: 'files/1' }, ['files/1']],
    [
      'Vertex AI',
      vertex,
      `${project}/batchPredictionJobs`,
      { inputConfig: { instancesFormat: 'jsonl', gcsSource: { uris: ['gs://b/1', 'gs://b/2'] } } },
      ['gs://b/1', 'gs://b/2'],
    ],
  ])('of %s', (_name, protocol, path, body, files) => {
    const { batchFiles, defects } = read(protocol, path, body);
    expect(batchFiles).toEqual(files);
    expect(defects).toEqual([]);
  });

  it.each<[string, Protocol, string, unknown]>([
    ['an answer that is asked for', openai, '/v1/responses', { model: 'm', input_file_id: 'file-1' }],
    ['a prompt', gemini, '/v1beta/models/m:generateContent', { contents: [], inputFile: 'files/1' }],
    ['a job with its requests in it', mistral, '/v1/batch/jobs', { requests: [] }],
  ])('are none of %s', (_name, protocol, path, body) => {
    expect(read(protocol, path, body).batchFiles ?? []).toEqual([]);
  });

  it('are in a form too, where a server takes one', () => {
    const form = '--b\r\nContent-Disposition: form-data; name="input_file_id"\r\n\r\nfile-1\r\n--b--\r\n';
    expect(read(openai, '/v1/batches', form, 'multipart/form-data; boundary=b').batchFiles).toEqual([
      'file-1',
    ]);
  });

  it('are two where two are named, whichever of them the server takes', () => {
    const body = { input_file_id: 'file-1', input_blob: 'https://b.example/2' };
    expect(read(azure, '/openai/batches', body).batchFiles).toEqual(['file-1', 'https://b.example/2']);
  });

  it.each([[['file-1']], [{ id: 'file-1' }], [7]])('are not guessed from %j', (file) => {
    const { batchFiles, defects } = read(openai, '/v1/batches', { input_file_id: file });
    expect(batchFiles).toEqual([]);
    expect(defects).toEqual(['`input_file_id` is not a text']);
  });

  it('are not taken from a body that names its file twice', () => {
    const { defects } = read(openai, '/v1/batches', '{"input_file_id":"file-1","input_file_id":"file-2"}');
    expect(defects).not.toEqual([]);
  });
});

describe('the id of an uploaded file', () => {
  const idIn = (protocol: Protocol, answer: string) => protocol.fileIdIn?.('files', Buffer.from(answer));

  it.each([openai, azure, mistral, gemini])('is read from the answer: $name', (protocol) => {
    expect(idIn(protocol, '{"id":"file-1","object":"file","purpose":"batch"}')).toBe('file-1');
  });

  it.each(['{"id":"file-1","id":"file-2"}', '{"id":7}', '{}', '[]', '', 'file-1'])(
    'is none in %j',
    (answer) => {
      expect(idIn(openai, answer)).toBe('');
    },
  );

  it('is none in the answer of another operation', () => {
    expect(openai.fileIdIn?.('batches', Buffer.from('{"id":"batch-1"}'))).toBe('');
  });
});
