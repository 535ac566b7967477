/** Each fact that rules read is the call's own under its own name: one read as another lets pass what a rule should hold. */
import { expect, it } from 'vitest';
import { call, facts, judgeOf } from './support.ts';

const asked = [
  ...['provider', 'operation', 'method', 'path', 'model', 'system', 'text'],
  ...['workload', 'subject', 'purpose', 'session'],
] as const;
const answered = ['model', 'fingerprint', 'text', 'finishReason', 'refusal'] as const;

const named = <Name extends string>(root: string, names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, `the ${root}.${name}`]));

const usage = { source: 'provider', inputTokens: 3, outputTokens: 5, totalTokens: 9 } as const;
const given = facts(
  {
    ...named('response', answered),
    usage,
    toolCalls: [{ ...call('pay', { to: 'x' }), id: 'call_7', argumentsText: '{ "to": "x" }' }],
  },
  { ...named('request', asked), tokenIds: 0 },
);

it.each([
  ...asked.map((name) => `request.${name} == "the request.${name}"`),
  ...answered.map((name) => `response.${name} == "the response.${name}"`),
  'response.usage.source == "provider"',
  'response.usage.inputTokens == 3',
  'response.usage.outputTokens == 5',
  'response.usage.totalTokens == 9',
  'response.toolCalls[0].id == "call_7"',
  'response.toolCalls[0].name == "pay"',
  `response.toolCalls[0].argumentsText == '{ "to": "x" }'`,
])('%s', (when) => {
  const { action, matches } = judgeOf({ when }).judge('response', given);
  expect([action, matches[0]?.error]).toEqual(['hold', undefined]);
});
