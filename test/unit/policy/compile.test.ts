import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { loadPolicy, testPolicy } from '../../../src/policy/compile.ts';
import { policyText, thrown } from './support.ts';

const good = 'response.text == "yes"';
const refusal = (when: string, more: Record<string, string> = {}) =>
  thrown(() => testPolicy('policy.yaml', policyText(when, more))).message;

describe('loadPolicy', () => {
  it('gives a policy with the version, the text and the digest of its bytes', () => {
    const text = policyText(good);
    expect(loadPolicy('policy.yaml', text)).toMatchObject({
      version: '2026-11-22',
      source: text,
      digest: createHash('sha256').update(text).digest('hex'),
    });
  });

  it('refuses a policy whose rule does not hold its own fixtures, naming rule, fixture and line', () => {
    const error = thrown(() => loadPolicy('policy.yaml', policyText('response.text == "no"')));
    expect(error).toBeInstanceOf(HoldpointError);
    expect(error).toMatchObject({ code: 'policy_invalid' });
    expect(error.message).toMatch(
      /^policy\.yaml:8:\d+ rules\[0\]\.tests\[0\]: rule a-rule, test "yes": expected match, got no-match$/m,
    );
    expect(error.message).toContain('test "no": expected no-match, got match');
  });

  it('refuses a fixture on which the rule fails, and says how it failed', () => {
    const when = 'num(response.text) > 1.0';
    const tests =
      '[{ name: a, expect: match, response: { text: "5" } }, { name: b, expect: no-match, response: { text: "0,5" } }]';
    expect(thrown(() => loadPolicy('policy.yaml', policyText(when, { tests }))).message).toContain(
      'test "b": expected no-match, got error: num() takes a number or a plain decimal text, not "0,5"',
    );
  });

  it('accepts a fixture that expects the rule to fail', () => {
    const tests =
      '[{ name: a, expect: match, response: { text: "5" } }, { name: b, expect: no-match, response: { text: "0" } }, { name: c, expect: error, response: { text: "x" } }]';
    expect(loadPolicy('p', policyText('num(response.text) > 1.0', { tests })).hasRules('response')).toBe(
      true,
    );
  });

  it('accepts a policy without rules', () => {
    expect(loadPolicy('p', 'version: "1"\nrules: []\n').hasRules('request')).toBe(false);
  });

  it('names every rule that does not compile', () => {
    const second = policyText('response.nothing == ""', { id: 'b-rule' }).split('\n').slice(2).join('\n');
    const message = thrown(() => loadPolicy('p', `${policyText('request.')}${second}`)).message;
    expect(message).toContain('rule a-rule:');
    expect(message).toContain('rule b-rule:');
  });
});

describe('testPolicy', () => {
  it('tells of every fixture how it went', () => {
    expect(testPolicy('p', policyText('response.text == "no"'))).toEqual([
      {
        rule: 'a-rule',
        fixture: 'yes',
        expected: 'match',
        actual: 'no-match',
        passed: false,
        message: 'expected match, got no-match',
      },
      {
        rule: 'a-rule',
        fixture: 'no',
        expected: 'no-match',
        actual: 'match',
        passed: false,
        message: 'expected no-match, got match',
      },
    ]);
  });

  it('fills a fixture up: the text from its messages, the argument text from the arguments', () => {
    const when =
      'request.text == "be brief\\nhello" && response.toolCalls.exists(c, c.argumentsText == "{\\"a\\":1}") && response.usage.totalTokens == 0';
    const tests =
      '[{ name: a, expect: match, request: { system: be brief, messages: [{ text: hello }] }, response: { toolCalls: [{ arguments: { a: 1 } }] } }, { name: b, expect: no-match }]';
    expect(testPolicy('p', policyText(when, { tests })).map((result) => result.passed)).toEqual([true, true]);
  });
});

describe('a rule is refused when it is loaded', () => {
  it.each([
    ['a fact that does not exist', 'request.modle == "x"', 'No such key: modle'],
    ['a variable that does not exist', 'answer.text == "x"', 'Unknown variable: answer'],
    ['a comparison of different types', 'response.status == "200"', 'no such overload: int == string'],
    ['an expression that is neither true nor false', 'size(response.text)', 'gives int, not true or false'],
    ['an expression of unknown type', 'response.toolCalls[0].arguments.ok', 'gives dyn, not true or false'],
    ['broken syntax', 'request.text ==', 'Unexpected token'],
    ['matches()', 'response.text.matches("(a+)+$")', 'use re2(text, pattern)'],
    ['double()', 'double(response.text) > 1.0', 'use num(x)'],
    ['int()', 'int(response.text) > 1', 'use num(x)'],
    ['a function that is not offered', 'response.text.split(",").size() > 1', 'split() is not available'],
    ['a pattern that is not a literal', 're2(response.text, request.text)', 'as a literal text'],
    ['a pattern put together', 're2(response.text, "a" + "b")', 'as a literal text'],
    ['a pattern that RE2 does not know', 're2(response.text, r"(?=x)")', 'a pattern that re2 refuses'],
    [
      'three walks inside each other',
      'labels.all(a, labels.all(b, labels.all(c, a + b + c != "")))',
      'deeper than 2',
    ],
    [
      'a variable named as a fact',
      'labels.exists(response, response == "x")',
      'give the variable another name',
    ],
    [
      'a divisor that may be 0',
      'num(response.text) / num(request.text) > 0.5',
      'divides by something that may be 0',
    ],
    ['a division by 0', 'num(response.text) / 0.0 > 0.5', 'divides by something that may be 0'],
    ['more parts than the bound', `response.text in [${'"a",'.repeat(600)}"b"]`, 'maxListElements'],
    [
      'a tree over the bound',
      Array.from({ length: 200 }, () => 'response.text == ""').join(' || '),
      'more than 500 parts',
    ],
  ])('for %s', (_, when, expected) => {
    expect(refusal(when)).toMatch(new RegExp(expected.replaceAll(/[().]/g, '\\$&'), 'i'));
  });

  it('for reading the response in phase request', () => {
    const tests = '[{ name: a, expect: match }, { name: b, expect: no-match }]';
    expect(refusal(good, { phase: 'request', tests })).toContain('reads response.text in phase request');
    const whole = refusal('texts(response) == "x"', { phase: 'request', tests });
    expect(whole).toContain('reads response.* in phase request');
  });

  it('and the message shows the place with a caret', () => {
    expect(refusal('request.text == "" && response.text.matches("x")')).toBe(
      [
        'policy.yaml:6:11 rules[0].when: rule a-rule: matches() can take exponential time; use re2(text, pattern)',
        '',
        '>    1 | request.text == "" && response.text.matches("x")',
        '                                            ^',
      ].join('\n'),
    );
  });

  it('and of a long line it shows the part around the caret', () => {
    const when = `request.text == "${'a'.repeat(500)}" && response.text.matches("x")`;
    const [, , line = '', below = ''] = refusal(when).split('\n');
    expect(line.length).toBeLessThan(120);
    expect(line.slice(below.length - 1)).toBe('.matches("x")');
  });

  it('but walks one after the other and two deep are allowed', () => {
    const when =
      'response.toolCalls.filter(c, c.name != "").map(c, c.name).exists(n, labels.exists(l, l == n))';
    expect(() => testPolicy('p', policyText(when))).not.toThrow();
  });
});
