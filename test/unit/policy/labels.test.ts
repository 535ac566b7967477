/** `labels` in rules: what the classifiers suspect in what the phase judges. */
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../../src/core/facts.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { call, judgeOf, policyText, requestFacts, responseFacts, thrown } from './support.ts';

const iban = 'DE89 3704 0044 0532 0130 00';
const when = '"pii.iban" in labels';
const onRequest = judgeOf({ when, phase: 'request' });
const onResponse = judgeOf({ when });
const asking = (given: Partial<Facts['request']>): Facts => ({ request: requestFacts(given) });
const answering = (given: Parameters<typeof responseFacts>[0], text = ''): Facts => ({
  request: requestFacts({ text }),
  response: responseFacts(given),
});

describe('a rule on labels', () => {
  it('matches in the request phase on what the model is told', () => {
    expect(onRequest.judge('request', asking({ text: `Is ${iban} ours?` })).action).toBe('hold');
    expect(onRequest.judge('request', asking({ text: 'Is it ours?' })).action).toBe('pass');
  });

  it('matches on what tools were handed earlier in the conversation', () => {
    const messages = [{ role: 'assistant', text: '', toolCalls: [call('pay', { to: iban })] }];
    expect(onRequest.judge('request', asking({ messages })).action).toBe('hold');
  });

  it('matches in the response phase on the answer, and not on the question', () => {
    expect(onResponse.judge('response', answering({ text: `It is ${iban}.` })).action).toBe('hold');
    expect(onResponse.judge('response', answering({ refusal: `Not to ${iban}.` })).action).toBe('hold');
    expect(onResponse.judge('response', answering({ text: 'No.' }, `Is ${iban} ours?`)).action).toBe('pass');
  });

  it('matches on each of several texts, whatever the one before ends with', () => {
    const given = { text: 'no', refusal: iban };
    expect(onResponse.judge('response', answering(given)).action).toBe('hold');
  });

  it.each([
    ['as text', call('pay', { to: [{ account: iban }] }), '"pii.iban" in labels'],
    [
      'behind escapes',
      { ...call('pay', { to: iban }), argumentsText: '{"to":"\\u0044E89 3704 0044 0532 0130 00"}' },
      '"pii.iban" in labels',
    ],
    [
      'behind escapes in a text of arguments that the call has',
      {
        ...call('remote.execution', { arguments: '{"to":"\\u0044E89 3704 0044 0532 0130 00"}' }),
        alsoAs: [
          {
            name: 'pay',
            arguments: { to: iban },
            argumentsText: '{"to":"\\u0044E89 3704 0044 0532 0130 00"}',
          },
        ],
      },
      '"pii.iban" in labels',
    ],
    [
      'behind escapes in the second of such texts',
      {
        ...call('remote.execution', { arguments: '' }),
        alsoAs: [
          call('look', { at: 'it' }),
          { ...call('pay', { to: iban }), argumentsText: '{"to":"\\u0044E89 3704 0044 0532 0130 00"}' },
        ],
      },
      '"pii.iban" in labels',
    ],
    ['as a number', call('pay', { card: 4111111111111111 }), '"pii.card" in labels'],
  ])('matches on what a tool is handed %s', (_, toolCall, asked) => {
    expect(judgeOf({ when: asked }).judge('response', answering({ toolCalls: [toolCall] })).action).toBe(
      'hold',
    );
  });

  it('holds where words came as token ids, which nobody here can spell', () => {
    const { action, matches } = onRequest.judge('request', asking({ tokenIds: 3 }));
    expect(action).toBe('hold');
    expect(matches[0]?.error).toContain('labels cannot be read');
  });

  it('holds where there is more than classifiers take', () => {
    const text = ' '.repeat(8_388_609);
    expect(onRequest.judge('request', asking({ text })).matches[0]?.error).toContain('labels cannot be read');
  });

  it('lets no text stream before all of it was classified, not even where it only flags', () => {
    expect(onResponse.textMayStream(answering({}))).toBe(false);
    expect(judgeOf({ when, action: 'flag' }).textMayStream(answering({}))).toBe(false);
  });
});

describe('fixtures of a rule on labels', () => {
  const load = (tests: string) => loadPolicy('p', policyText(when, { tests }));

  it('are classified as calls are', () => {
    const tests = `[{ name: yes, expect: match, response: { text: "to ${iban}" } }, { name: no, expect: no-match, response: { text: hello } }]`;
    expect(load(tests).hasRules('response')).toBe(true);
  });

  it('may say themselves what is suspected', () => {
    const tests =
      '[{ name: yes, expect: match, labels: [pii.iban] }, { name: no, expect: no-match, labels: [pii.card] }]';
    expect(load(tests).hasRules('response')).toBe(true);
  });

  it('name labels that a classifier gives: a rule on another would never match', () => {
    const tests = '[{ name: yes, expect: match, labels: [pii.ibann] }, { name: no, expect: no-match }]';
    expect(thrown(() => load(tests)).message).toContain('did you mean pii.iban?');
  });
});
