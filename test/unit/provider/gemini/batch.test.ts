import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';

const gemini = protocolOf('gemini');

const answer = (text: string, amount: number) => ({
  candidates: [
    {
      content: { parts: [{ text }, { functionCall: { name: 'pay', args: { amount } } }] },
      finishReason: 'STOP',
    },
  ],
  modelVersion: 'gemini-2.5-flash',
});
const listed = (...responses: readonly object[]) => ({ inlinedResponses: { inlinedResponses: responses } });

function read(body: unknown) {
  return gemini.readResponse('batches.status', 200, Buffer.from(JSON.stringify(body)));
}

describe('a batch that is read back', () => {
  const output = listed(
    { response: answer('one', 1) },
    { error: { code: 3 } },
    { response: answer('two', 2) },
  );

  test('has the texts and calls of all its answers', () => {
    const body = {
      name: 'batches/1',
      metadata: { state: 'BATCH_STATE_SUCCEEDED' },
      done: true,
      response: output,
    };
    expect(read(body)).toMatchObject({
      defects: [],
      complete: true,
      facts: {
        model: 'gemini-2.5-flash',
        text: 'one\ntwo',
        toolCalls: [
          { id: '#1', name: 'pay', arguments: { amount: 1 } },
          { id: '#2', name: 'pay', arguments: { amount: 2 } },
        ],
        finishReason: 'BATCH_STATE_SUCCEEDED',
      },
    });
  });

  test('may have them twice, and is held where the two differ', () => {
    expect(read({ metadata: { output }, response: output })).toMatchObject({
      defects: [],
      facts: { text: 'one\ntwo' },
    });
    expect(read({ metadata: { output }, response: listed({ response: answer('one', 9) }) }).defects).toEqual([
      'the batch has different answers in different places',
    ]);
  });

  test('has none while it runs', () => {
    expect(read({ metadata: { state: 'BATCH_STATE_RUNNING' } })).toMatchObject({
      defects: [],
      facts: { toolCalls: [], finishReason: 'BATCH_STATE_RUNNING' },
    });
  });

  test.each([
    [{ response: { inlinedResponses: { inlinedResponses: {} } } }, '`inlinedResponses` is not a list'],
    [{ response: listed({ response: 'x' }) }, 'an answer of the batch is not an object'],
    [{ response: listed({ response: { candidates: [5] } }) }, 'a candidate is not an object'],
  ])('is held where it cannot be read: %j', (body, defect) => {
    expect(read(body).defects).toEqual([defect]);
  });

  test('is not amended', () => {
    const amend = () => gemini.amendResponse('batches.status', Buffer.from('{}'), null, { text: 'x' });
    expect(amend).toThrow('cannot be amended');
  });
});
