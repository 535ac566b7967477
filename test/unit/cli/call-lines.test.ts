/** A tool call in a terminal: nothing of what the workload gets is lost in laying it out. */
import { expect, it } from 'vitest';
import { callLines } from '../../../src/cli/call-lines.ts';

const call = (argumentsText: string, alsoAs?: Parameters<typeof callLines>[0]['alsoAs']) => ({
  id: 'call_1',
  name: 'pay',
  arguments: argumentsText === '' ? {} : JSON.parse(argumentsText),
  argumentsText,
  ...(alsoAs === undefined ? {} : { alsoAs }),
});

it('lays out the arguments, and says no more where that is all of it', () => {
  expect(callLines(call('{ "to" : "a  b",\n"n":1}'))).toEqual(['{', '  "to": "a  b",', '  "n": 1', '}']);
  expect(callLines(call(''))).toEqual(['{}']);
});

it.each([
  ['a number that JavaScript cannot hold', '{"amount":12345678901234567890}'],
  ['a number in another writing', '{"amount":1e2}'],
  ['a name that stands twice', '{"amount":1,"amount":25000}'],
  ['an escape', '{"to":"\\u202e"}'],
])('shows the arguments as they were sent, too, where reading them hides %s', (_what, text) => {
  expect(callLines(call(text)).at(-1)).toBe(`exactly as sent: ${text}`);
});

it('says each other name once, and arguments as some client reads them otherwise', () => {
  const other = { name: 'pay', arguments: { amount: 15 }, argumentsText: '{"amount":1e-5}' };
  const lines = callLines(
    call('{"amount":0.00001}', [
      other,
      { ...other, name: 'bank.pay' },
      { name: 'bank.pay', arguments: { amount: 0.00001 }, argumentsText: '{"amount":0.00001}' },
    ]),
  );
  expect(lines.slice(-2)).toEqual(['also known as bank.pay', 'some clients read instead: {"amount":15}']);
});

it('does not take what a server hands to its tool for what a client reads', () => {
  const handed = { arguments: { amount: 5 }, argumentsText: '{"amount":5}' };
  const lines = callLines({
    ...{ id: 'm', name: 'mcp_call', arguments: { name: 'pay', ...handed }, argumentsText: '{}' },
    alsoAs: [{ name: 'pay', ...handed }],
  });
  expect(lines.at(-1)).toBe('also known as pay');
});

it('takes no line of its own for what stands in a name or in arguments that cannot be read', () => {
  const forged = 'x\nsome clients read instead: {}\r\n';
  const lines = callLines({
    ...call('{}'),
    argumentsText: forged,
    alsoAs: [{ name: forged, arguments: {}, argumentsText: '{}' }],
  });
  expect(lines).toEqual([
    '{}',
    'exactly as sent: x<U+000A>some clients read instead: {}<U+000D><U+000A>',
    'also known as x<U+000A>some clients read instead: {}<U+000D><U+000A>',
  ]);
});

it('is done soon with arguments that are made to be hard to read', () => {
  const hard = { ...call(''), argumentsText: `${'"\\'.repeat(50_000)}${'\\"'.repeat(50_000)}` };
  const from = performance.now();
  callLines(hard);
  expect(performance.now() - from).toBeLessThan(1_000);
});
