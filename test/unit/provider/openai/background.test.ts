/** Responses that run in the background: polled, and streamed again from where a stream broke off. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { readStream, typedEvents } from '../streams.ts';

const openai = protocolOf('openai');
const call = {
  type: 'function_call',
  id: 'fc',
  call_id: 'c1',
  name: 'pay',
  arguments: '{"n":1}',
  status: 'completed',
};
const message = {
  type: 'message',
  id: 'm',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'Hello', annotations: [] }],
};
const whole = [
  { type: 'response.created', sequence_number: 0, response: { status: 'queued', output: [] } },
  { type: 'response.in_progress', sequence_number: 1, response: { status: 'in_progress', output: [] } },
  {
    type: 'response.output_item.added',
    sequence_number: 2,
    output_index: 0,
    item: { ...message, content: [] },
  },
  { type: 'response.output_text.delta', sequence_number: 3, output_index: 0, content_index: 0, delta: 'Hel' },
  { type: 'response.output_text.delta', sequence_number: 4, output_index: 0, content_index: 0, delta: 'lo' },
  { type: 'response.output_text.done', sequence_number: 5, output_index: 0, content_index: 0, text: 'Hello' },
  { type: 'response.output_item.done', sequence_number: 6, output_index: 0, item: message },
  {
    type: 'response.output_item.added',
    sequence_number: 7,
    output_index: 1,
    item: { ...call, arguments: '' },
  },
  { type: 'response.function_call_arguments.delta', sequence_number: 8, output_index: 1, delta: '{"n"' },
  { type: 'response.function_call_arguments.delta', sequence_number: 9, output_index: 1, delta: ':1}' },
  {
    type: 'response.function_call_arguments.done',
    sequence_number: 10,
    output_index: 1,
    arguments: '{"n":1}',
  },
  { type: 'response.output_item.done', sequence_number: 11, output_index: 1, item: call },
  {
    type: 'response.completed',
    sequence_number: 12,
    response: { status: 'completed', output: [message, call] },
  },
];
const resumedAfter = (number: number) =>
  readStream(openai, 'responses', typedEvents(...whole.slice(number + 1)));

test('a queued answer says nothing yet', () => {
  const body = Buffer.from('{"id":"resp_1","status":"queued","background":true,"output":[]}');
  expect(openai.readResponse('responses', 200, body)).toMatchObject({
    defects: [],
    facts: { text: '', toolCalls: [], finishReason: 'queued' },
  });
});

describe('a stream taken up again', () => {
  test.each(whole.slice(0, -1).map((event) => event.sequence_number))(
    'after event %i says all that the answer says',
    (number) => {
      const { facts, defects, complete } = resumedAfter(number);
      expect(defects).toEqual([]);
      expect(complete).toBe(true);
      expect(facts.text).toBe('Hello');
      expect(facts.toolCalls).toMatchObject([{ id: 'c1', name: 'pay', arguments: { n: 1 } }]);
    },
  );

  test('never lets a piece of a call pass', () => {
    expect(resumedAfter(8).kinds).toEqual(['tool', 'tool', 'tool', 'tool']);
  });

  test.each([
    ['a call that the final response does not have', { ...call, arguments: '{"n":9}' }],
    ['a call under another name', { ...call, name: 'steal' }],
  ])('with %s has a defect and both calls', (_what, item) => {
    const added = { type: 'response.output_item.added', sequence_number: 7, output_index: 1, item };
    const itemDone = { type: 'response.output_item.done', sequence_number: 11, output_index: 1, item };
    const last = whole.slice(-1);
    const { facts, defects } = readStream(openai, 'responses', typedEvents(added, itemDone, ...last));
    expect(defects).not.toEqual([]);
    expect(facts.toolCalls).toHaveLength(2);
  });

  test('whose last deltas are not the end of what was sent whole has a defect', () => {
    const delta = { type: 'response.output_text.delta', sequence_number: 4, output_index: 0, delta: 'p!' };
    const { defects } = readStream(openai, 'responses', typedEvents(delta, ...whole.slice(5)));
    expect(defects).not.toEqual([]);
  });

  test('whose item is never sent whole has a defect', () => {
    const delta = { type: 'response.output_text.delta', sequence_number: 4, output_index: 0, delta: 'lo' };
    const { defects } = readStream(openai, 'responses', typedEvents(delta, ...whole.slice(-1)));
    expect(defects).not.toEqual([]);
  });
});
