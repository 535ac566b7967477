/** The answers in a batch's output file: each is judged that a client can take, whatever else its line says. */
import { expect, test } from 'vitest';
import { openai } from '../../../../src/provider/openai/family.ts';

function answersOf(line: object) {
  const file = Buffer.from(JSON.stringify({ custom_id: 'a', ...line }));
  return [...(openai.readResponse('files.content', 200, file).batch?.() ?? [])];
}

const transfer = { name: 'transfer_funds', arguments: '{"amount":20}' };
const message = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: transfer }],
};
const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
const body = { object: 'chat.completion', model: 'gpt-4.1', choices };

test.each([
  ['absent', undefined],
  ['a text', '200'],
  ['null', null],
  ['0', 0],
])('an answer is read as one where its status is %s', (_what, status) => {
  const answers = answersOf({ response: { status_code: status, body } });
  expect(answers).toMatchObject([{ operation: 'chat.completions', status: 200, defect: '' }]);
  const said = answers.map(
    (one) => openai.readResponse(one.operation, one.status, one.response).facts.toolCalls,
  );
  expect(said).toMatchObject([[{ name: 'transfer_funds' }]]);
});

test('an error has the status that its line gives', () => {
  const error = { message: 'No.' };
  expect(answersOf({ response: { status_code: 400, body: { error } } })).toMatchObject([
    { status: 400, defect: '' },
  ]);
});

test('what was never run has no status, and says nothing', () => {
  const error = { code: 'batch_expired', message: 'Late.' };
  expect(answersOf({ response: null, error })).toMatchObject([
    { operation: 'unknown', status: 0, defect: '' },
  ]);
});
