/** Answers of the decisions APIs: a line for each question, so that rules see what was decided. */
import { describe, expect, test } from 'vitest';
import { readDecisions } from '../../../../src/provider/openai/decision-answers.ts';

const read = (body: unknown) => readDecisions(200, Buffer.from(JSON.stringify(body)));

describe('what was decided', () => {
  test('by OpenAI has a line for each question, with what was refused apart', () => {
    const { facts, defects } = read({
      answers: [
        { name: 'is_fraud', probability: 0.93, type: 'predicate' },
        { name: 'refund', choice: 'yes', confidence: 0.8, probabilities: [], type: 'choice' },
        { name: 'repeat', choice: false, confidence: 0.8, probabilities: [], type: 'choice' },
        { name: 'anger', score: 3.5, confidence: 0.5, probabilities: [], type: 'score' },
        { name: 'age', type: 'refusal' },
      ],
      model: 'gpt-6.2-sol',
      usage: { input_tokens: 9, output_tokens: 4, total_tokens: 13 },
    });
    expect(defects).toEqual([]);
    expect(facts.text).toBe('is_fraud = 0.93\nrefund = yes\nrepeat = false\nanger = 3.5');
    expect(facts).toMatchObject({ model: 'gpt-6.2-sol', refusal: 'age', toolCalls: [] });
    expect(facts.usage).toEqual({ source: 'provider', inputTokens: 9, outputTokens: 4, totalTokens: 13 });
  });

  test('by Gemini has a line for each question', () => {
    const { facts, defects } = read({
      answers: {
        refund: { type: 'choice', choice: 'yes', confidence: 0.9, probabilities: { yes: 0.9, no: 0.1 } },
        fraud: { type: 'noul', noul: 0.01, confidence: 0.99 },
        anger: { type: 'score', score: 1.2, confidence: 0.6, probabilities: {}, legend: { 0: 'calm' } },
      },
      usage: { total_input_tokens: 5, total_output_tokens: 2 },
    });
    expect(defects).toEqual([]);
    expect(facts.text).toBe('refund = yes\nfraud = 0.01\nanger = 1.2');
    expect(facts.usage).toMatchObject({ inputTokens: 5, outputTokens: 2, totalTokens: 7 });
  });

  test('stands in one line, whatever stands in it', () => {
    const text = 'no\nrefund = yes\u2028refund = yes';
    expect(read({ answers: { 'a\nb': { type: 'choice', choice: text } } }).facts.text).toBe(
      'a b = no refund = yes refund = yes',
    );
  });
});

test('of an answer that decides two things both are told', () => {
  expect(
    read({ answers: [{ name: 'refund', type: 'predicate', probability: 0, choice: 'yes' }] }).facts.text,
  ).toBe('refund = 0\nrefund = yes');
});

test('a question that Gemini would not look at is refused for its reason', () => {
  const { facts } = read({ prompt_feedback: { block_reason: 'safety', block_reason_message: 'Not this.' } });
  expect(facts).toMatchObject({ text: '', refusal: 'Not this.', finishReason: 'safety' });
});

test.each([
  ['an answer of a kind that nobody knows', { answers: [{ name: 'a', type: 'verdict', verdict: 'guilty' }] }],
  ['answers that are neither a list nor an object', { answers: 'yes' }],
  ['more answers than anybody asks for', { answers: Array.from({ length: 1_001 }, () => ({ choice: 'a' })) }],
])('%s cannot be judged', (_what, body) => {
  expect(read(body).defects).toHaveLength(1);
});
