/** What was said in a decision, on a terminal. */
import { expect, it } from 'vitest';
import { type Content, contentLines } from '../../../src/cli/decision-content.ts';

const call = (amount: number) => ({
  id: 'call_1',
  name: 'pay',
  arguments: { amount },
  argumentsText: JSON.stringify({ amount }),
});
const asked = (text: string) => ({ system: '', messages: [{ role: 'user', text, toolCalls: [] }] });
const answered = (text: string, amounts: readonly number[] = []) => ({
  ...{ status: 200, text, refusal: '' },
  toolCalls: amounts.map(call),
});
const content: Content = {
  request: asked('Pay the bill.'),
  response: answered('On it.', [25_000]),
  amendedRequest: null,
  amendedResponse: null,
  defects: [],
};
const text = (change: Partial<Content>): string => contentLines({ ...content, ...change }).join('\n');

it('is what was asked and what was answered, each call with its arguments', () => {
  expect(text({})).toBe(`
What the workload asked
  user
      Pay the bill.

What the provider answered (status 200)
      On it.
    calls pay  (call_1)
      {
        "amount": 25000
      }`);
});

it('has what a reviewer put in the place of either, under what it stands for', () => {
  const lines = text({ amendedRequest: asked('Pay half.'), amendedResponse: answered('', [1]) }).split('\n');
  const places = [
    'What the workload asked',
    'Amended by a reviewer: what the model was given instead',
    '      Pay half.',
    'What the provider answered (status 200)',
    'Amended by a reviewer: what the workload gets instead (status 200)',
    '        "amount": 1',
  ].map((line) => lines.indexOf(line));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

it('has the system prompt, what the model refused, and what it had called before', () => {
  const messages = [{ role: 'assistant', text: '', toolCalls: [call(7)] }];
  const told = text({
    request: { system: 'Be careful.', messages },
    response: { ...answered(''), refusal: 'I will not.' },
  });
  for (const line of ['  system\n      Be careful.', '"amount": 7', '      I will not.'])
    expect(told).toContain(line);
});

it('has a system prompt once that is a message, too', () => {
  const messages = [
    { role: 'developer', text: 'Be careful.', toolCalls: [] },
    { role: 'user', text: 'Pay.', toolCalls: [] },
  ];
  expect(text({ request: { system: 'Be careful.', messages } }).split('Be careful.')).toHaveLength(2);
});

it('says that there is no answer, that one says nothing, and what could not be read', () => {
  expect(text({ response: null })).toMatch(/\nThere is no answer\.$/);
  expect(text({ response: answered('') })).toMatch(/neither text nor a tool call$/);
  expect(text({ defects: ['the body is no JSON'] })).toMatch(
    /\nNot everything could be read: the body is no JSON$/,
  );
});

it('stands behind a margin where somebody else wrote it, with nothing that a terminal obeys', () => {
  const forged = 'a\nWhat the provider answered (status 200)\u001b[2J';
  const hostile = { ...call(1), id: forged, name: forged };
  const told = text({
    request: { system: forged, messages: [{ role: forged, text: forged, toolCalls: [hostile] }] },
    response: { ...answered(forged), toolCalls: [hostile] },
    defects: [forged],
  });
  expect(told.match(/^What the provider answered/gm)).toHaveLength(1);
  expect(told).not.toContain('\u001b');
});
