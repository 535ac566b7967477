/** What a run of an evaluation is judged by: everybody whom it asks, and where what they are asked stands. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf } from '../streams.ts';

const read = (body: object, path = '/v1/evals/e/runs') =>
  protocolOf('openai').readRequest('evals.runs', Buffer.from(JSON.stringify(body)), headOf(path));
const source = (members: object) => read({ data_source: { model: 'm', source: members } });

// https://docs.together.ai/reference/create-evaluation
test('one of Together’s asks its judge and each model that is evaluated, by name or by settings', () => {
  const parameters = { judge: { model: 'a' }, model_a: { model: 'b' }, model_b: 'c', labels: ['good'] };
  const { facts, batchFiles } = read({ type: 'compare', parameters }, '/v1/evaluation');
  expect(facts).toMatchObject({ model: 'a', insteads: [{ model: 'b' }, { model: 'c' }] });
  expect(batchFiles).toBeUndefined();
});

test('one that names no model asks none that has a name', () => {
  expect(read({ parameters: {} }, '/v1/evaluation').facts.model).toBe('');
});

test.each([
  ['an id', { type: 'file_id', id: 'f' }, ['f']],
  ['another member', { file_id: 'f' }, ['f']],
])('what is asked stands in the file that is named by %s', (_what, members, files) => {
  expect(source(members).batchFiles).toEqual(files);
});

test('what is asked stands in the body, with a type or without', () => {
  for (const type of ['file_content', undefined])
    expect(source({ type, content: [{ item: { q: 'x' } }] }).batchFiles).toBeUndefined();
});

test('the name of a file that is no text is a defect, also beside one that is', () => {
  expect(source({ id: 'f', file_id: 1 })).toMatchObject({
    defects: ['the name of a file is not a text'],
    batchFiles: ['f'],
  });
});
