/** Mistral's batches: what their files and jobs carry, line by line. */
import { describe, expect, test } from 'vitest';
import { batchEntriesOf } from '../../../../src/provider/batches/batch-lines.ts';
import { resultsIn } from '../../../../src/provider/batches/batch-results.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import { mistralResultLines, readMistralLine } from '../../../../src/provider/mistral/batches.ts';
import type { BatchRequest, BatchResult } from '../../../../src/provider/protocol.ts';
import { asked, readAs } from '../lines.ts';
import { headOf } from '../streams.ts';

const mistral = protocolOf('mistral');
const file = (...lines: readonly object[]) =>
  Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'));
const readLines = (bytes: Buffer) => [...batchEntriesOf(bytes)].map(readMistralLine);
const plainRequest = ({ customId, operation, request, defect }: BatchRequest) => [
  customId,
  operation,
  request.toString(),
  defect,
];
const plainResult = ({ customId, operation, status, defect }: BatchResult) => [
  customId,
  operation,
  status,
  defect,
];

describe('an input file', () => {
  test.each([
    ['chat.completions', { messages: [{ role: 'user', content: 'Hi' }] }],
    ['conversations', { inputs: 'Hi' }],
    ['ocr', { document: { type: 'document_url', document_url: 'https://a.example/a.pdf' } }],
    ['fim.completions', { prompt: 'def f(' }],
    ['embeddings', { input: ['Hi'] }],
    ['audio.transcriptions', { file_url: 'https://a.example/a.mp3' }],
  ])('tells a request to %s by what it says', (operation, body) => {
    expect([...readLines(file({ custom_id: '0', body }))].map(plainRequest)).toEqual([
      ['0', operation, JSON.stringify(body), ''],
    ]);
  });

  test.each([
    { messages: [], inputs: 'Hi' },
    { input: ['Hi'], prompt: 'def f(' },
    { document: {}, messages: [] },
  ])('has a defect where a line asks for two things, as the job says which counts', (body) => {
    const [line] = readLines(file({ custom_id: '0', body }));
    expect(line?.defect).toBe('a line of the batch asks for two things');
  });

  test('keeps the spelling of numbers', () => {
    const [line] = readLines(Buffer.from('{"custom_id":"0","body":{"input":"x","n":1.0}}'));
    expect(line?.request.toString()).toBe('{"input":"x","n":1.0}');
  });

  test('has a defect where a line has no body, asks for nothing known, or repeats an id', () => {
    const lines = readLines(
      file({ custom_id: 'a' }, { custom_id: 'b', body: { x: 1 } }, { custom_id: 'a', body: { input: '' } }),
    );
    expect([...lines].map(({ defect }) => defect)).toEqual([
      'a line of the batch has no body',
      'a line of the batch asks for nothing known',
      'two lines of the batch have the same custom_id',
    ]);
  });

  test('is read when it is uploaded to be run as a batch', () => {
    const line = JSON.stringify({ custom_id: '0', body: { messages: [] } });
    const form = (purpose: string) =>
      Buffer.from(
        `--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n${line}\r\n--b--\r\n`,
      );
    const head = headOf('/v1/files', 'multipart/form-data; boundary=b');
    const uploaded = (purpose: string) => mistral.readRequest('files', form(purpose), head).batch;
    expect([...(uploaded('batch')?.() ?? [])].map(({ customId }) => customId)).toEqual(['0']);
    expect(uploaded('ocr')).toBeUndefined();
  });
});

const answered = (body: object, id = '0') => ({
  id: 'batch-1',
  custom_id: id,
  response: { status_code: 200, body },
  error: null,
});
const chat = { object: 'chat.completion', choices: [{ index: 0, message: { content: 'Hi' } }] };

describe('an output file', () => {
  test('tells each answer by what it is; a request that failed has none', () => {
    const results = resultsIn(
      file(
        answered(chat, 'a'),
        answered({ object: 'list', data: [] }, 'b'),
        answered({ pages: [] }, 'c'),
        answered({ object: 'conversation.response', outputs: [] }, 'd'),
        { custom_id: 'e', response: null, error: { message: 'no' } },
        { custom_id: 'f' },
      ),
      mistralResultLines,
    );
    expect([...results].map(plainResult)).toEqual([
      ['a', 'chat.completions', 200, ''],
      ['b', 'embeddings', 200, ''],
      ['c', 'ocr', 200, ''],
      ['d', 'conversations', 200, ''],
      ['e', 'unknown', 0, ''],
      ['f', 'unknown', 0, 'a line of the batch has no answer'],
    ]);
  });

  test('is read where a file is fetched, and nothing else is', () => {
    const content = (body: Buffer) => mistral.readResponse('files.content', 200, body).batch;
    expect([...(content(file(answered(chat)))?.() ?? [])]).toHaveLength(1);
    expect(content(file({ text: 'a corpus' }))).toBeUndefined();
    expect(mistral.readResponse('files.content', 206, file(answered(chat))).defects).not.toEqual([]);
  });

  test.each(['openai', 'mistral'] as const)(
    'is judged as one at %s, even where its type says that it streams',
    (family) => {
      expect(protocolOf(family).streamFormOf('files.content', 'application/jsonl')).toBeNull();
    },
  );
});

describe('a job', () => {
  test('has its model, its endpoint and its files', () => {
    const { facts, defects, batch } = asked(mistral, 'batch.jobs', {
      model: 'mistral-small-latest',
      endpoint: '/v1/chat/completions',
      input_files: ['f_1', 'f_2'],
      timeout_hours: 24,
    });
    expect({ defects, batch }).toEqual({ defects: [], batch: undefined });
    expect(facts).toMatchObject({
      model: 'mistral-small-latest',
      params: { endpoint: '/v1/chat/completions', input_files: ['f_1', 'f_2'], requests: 0 },
    });
  });

  test('has the requests that stand in it, each for the model that answers it', () => {
    const { batch } = asked(mistral, 'batch.jobs', {
      model: 'small',
      endpoint: '/v1/chat/completions',
      requests: [
        { custom_id: 'a', body: { messages: [] } },
        { custom_id: 'b', body: { model: 'large', messages: [] } },
      ],
    });
    expect([...(batch?.() ?? [])].map(plainRequest)).toEqual([
      ['a', 'chat.completions', '{"messages":[],"model":"small"}', ''],
      ['b', 'chat.completions', '{"model":"large","messages":[]}', ''],
    ]);
  });

  test('read back has the answers that stand in it', () => {
    const body = JSON.stringify({ id: 'j', model: 'm', status: 'SUCCESS', outputs: [answered(chat)] });
    const reading = readAs(null, mistral, 'batch.jobs', body);
    expect(reading.facts).toMatchObject({ model: 'm', finishReason: 'SUCCESS' });
    expect([...(reading.batch?.() ?? [])].map(plainResult)).toEqual([['0', 'chat.completions', 200, '']]);
  });

  test('in a list has no answers; where one had, that would be held', () => {
    const job = { id: 'j', status: 'SUCCESS' };
    const listed = (jobs: readonly object[]) =>
      readAs(null, mistral, 'batch.jobs', JSON.stringify({ data: jobs })).defects;
    expect(listed([job])).toEqual([]);
    expect(listed([{ ...job, outputs: [answered(chat)] }])).not.toEqual([]);
  });
});
