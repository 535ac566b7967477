/** Lines of batches, each as the bytes it would have been alone. */
import { describe, expect, test } from 'vitest';
import * as anthropic from '../../../../src/provider/anthropic/batches.ts';
import { batchEntriesOf, batchLinesMax } from '../../../../src/provider/batches/batch-lines.ts';
import { resultsIn } from '../../../../src/provider/batches/batch-results.ts';
import * as openai from '../../../../src/provider/openai/batches.ts';

const file = (...lines: readonly (object | string)[]) =>
  Buffer.from(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
const line = (id: string, body: object, url = '/v1/chat/completions') => ({
  custom_id: id,
  method: 'POST',
  url,
  body,
});

const readLines = (bytes: Buffer) => [...batchEntriesOf(bytes)].map(openai.readBatchLine);

describe('OpenAI’s requests', () => {
  test('have their id, their operation and their body', () => {
    const lines = [
      ...readLines(file(line('a', { model: 'm' }), line('b', { input: 'x' }, '/v1/embeddings'))),
    ];
    expect(lines.map(({ request, ...rest }) => ({ ...rest, request: request.toString() }))).toEqual([
      {
        customId: 'a',
        operation: 'chat.completions',
        path: '/v1/chat/completions',
        request: '{"model":"m"}',
        defect: '',
      },
      {
        customId: 'b',
        operation: 'embeddings',
        path: '/v1/embeddings',
        request: '{"input":"x"}',
        defect: '',
      },
    ]);
  });

  test('keep the spelling of their numbers', () => {
    const text = '{"custom_id":"a","url":"/v1/responses","body":{"x":12345678901234567890,"y":1.0}}';
    const [first] = [...readLines(file(text))];
    expect(first?.request.toString()).toBe('{"x":12345678901234567890,"y":1.0}');
  });

  test('may stand in lines of either kind, with empty ones between', () => {
    const bytes = Buffer.from(`\r\n${JSON.stringify(line('a', {}))}\r\n\n${JSON.stringify(line('b', {}))}`);
    expect([...readLines(bytes)].map(({ customId, defect }) => [customId, defect])).toEqual([
      ['a', ''],
      ['b', ''],
    ]);
  });

  test.each([
    ['no JSON', file('{'), 'not JSON'],
    ['a list', file('[]'), 'not a JSON object'],
    ['a repeated key', file('{"custom_id":"a","body":{"m":1,"m":2}}'), 'more than once'],
    ['no id', file({ body: {} }), 'no custom_id'],
    ['no body', file({ custom_id: 'a' }), 'no body'],
    ['other bytes than UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'UTF-8'],
  ])('with %s have a defect', (_what, bytes, defect) => {
    expect([...readLines(bytes)].map((one) => one.defect).join()).toContain(defect);
  });

  test('of one id have a defect, because their answers could not be told apart', () => {
    const defects = [...readLines(file(line('a', {}), line('a', {})))].map((one) => one.defect);
    expect(defects).toEqual(['', expect.stringContaining('same custom_id')]);
  });

  test('are handed out up to a bound, and a last one says that there are more', () => {
    const bytes = Buffer.from('{}\n'.repeat(batchLinesMax + 10));
    let count = 0;
    let last = '';
    for (const { defect } of readLines(bytes)) {
      count += 1;
      last = defect;
    }
    expect(count).toBe(batchLinesMax + 1);
    expect(last).toContain('more than');
  });
});

test('OpenAI’s answers have their id, status and body; a failed request has none', () => {
  const body = { choices: [] };
  const lines = resultsIn(
    file(
      { custom_id: 'a', response: { status_code: 200, body }, error: null },
      { custom_id: 'b', response: null, error: { code: 'batch_expired' } },
      { custom_id: 'c' },
    ),
    openai.openaiResultLines,
  );
  expect([...lines].map(({ response, ...rest }) => ({ ...rest, response: response.toString() }))).toEqual([
    { customId: 'a', operation: 'chat.completions', status: 200, response: '{"choices":[]}', defect: '' },
    { customId: 'b', operation: 'unknown', status: 0, response: '', defect: '' },
    {
      customId: 'c',
      operation: 'unknown',
      status: 0,
      response: '',
      defect: 'a line of the batch has no answer',
    },
  ]);
});

describe('Anthropic’s batch', () => {
  test('has its requests, each with its id', () => {
    const body = Buffer.from('{"requests":[{"custom_id":"a","params":{"model":"m","top_p":1.0}}]}');
    expect(
      [...anthropic.readBatchLines(body)].map(({ customId, request }) => [customId, request.toString()]),
    ).toEqual([['a', '{"model":"m","top_p":1.0}']]);
  });

  test.each(['{', '[]', '{}', '{"requests":{}}'])('that reads %s has a defect and no request', (text) => {
    const lines = [...anthropic.readBatchLines(Buffer.from(text))];
    expect(lines).toHaveLength(1);
    expect(lines[0]?.defect).not.toBe('');
  });

  test('has its answers, each with its id; what expired has none', () => {
    const lines = anthropic.readBatchResults(
      file(
        { custom_id: 'a', result: { type: 'succeeded', message: { content: [] } } },
        { custom_id: 'b', result: { type: 'expired' } },
        { custom_id: 'c', result: { type: 'surprise' } },
      ),
    );
    expect(
      [...lines].map(({ customId, status, response, defect }) => [
        customId,
        status,
        response.toString(),
        defect,
      ]),
    ).toEqual([
      ['a', 200, '{"content":[]}', ''],
      ['b', 0, '', ''],
      ['c', 0, '', 'a line of the batch has no answer'],
    ]);
  });
});
