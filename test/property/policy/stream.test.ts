import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { judgeOf, type RuleSketch } from '../../unit/policy/support.ts';
import { labels, request, response } from './arbitrary.ts';

const onCalls = 'response.toolCalls.exists(c, re2(words(c.name), r"transfer"))';

/** Predicates put together at random: over tool calls, the request, the text, and some that fail. */
const when = fc.letrec<{ bool: string }>((tie) => ({
  bool: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      ...[
        onCalls,
        'response.toolCalls.all(c, c.name == "x")',
        'size(response.toolCalls) > 0',
        'response.toolCalls[0].name == "x"',
      ],
      ...[
        'request.stream',
        'request.model == "gpt-4o"',
        'num(request.text) > 1.0',
        'request.operation != "unknown"',
      ],
      ...[
        'response.text == ""',
        're2(response.text, r"hello")',
        'num(response.text) > 1.0',
        'response.status == 200',
      ],
      ...['"pii.iban" in labels', 'response.refusal != ""', 'true', 'false'],
    ),
    fc
      .tuple(tie('bool'), fc.constantFrom('&&', '||', '=='), tie('bool'))
      .map(([a, operator, b]) => `((${a}) ${operator} (${b}))`),
    fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([c, a, b]) => `((${c}) ? (${a}) : (${b}))`),
    tie('bool').map((inner) => `!(${inner})`),
  ),
})).bool;

const rule: fc.Arbitrary<RuleSketch> = fc.record({
  when,
  action: fc.constantFrom('hold', 'deny', 'flag'),
});

const noCalls = response(fc.constant([]));

describe('when text may stream, no text can make a rule hold or deny', () => {
  it('for any rules, any request and any answer without tool calls', () => {
    let streamed = 0;
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 3 }),
        request,
        fc.array(noCalls, { minLength: 3, maxLength: 3 }),
        labels,
        (rules, asked, answers, found) => {
          const policy = judgeOf(...rules);
          if (!policy.textMayStream({ request: asked, labels: [] })) return;
          streamed += 1;
          for (const answered of answers) {
            const { action } = policy.judge('response', {
              request: asked,
              response: answered,
              labels: found,
            });
            expect(['pass', 'flag']).toContain(action);
          }
        },
      ),
      { numRuns: 1_500 },
    );
    expect(streamed).toBeGreaterThan(100);
  });

  it('for the default policy', () => {
    const file = new URL('../../../config/policy.yaml', import.meta.url);
    const policy = loadPolicy('policy.yaml', readFileSync(file, 'utf8'));
    fc.assert(
      fc.property(request, noCalls, (asked, answered) => {
        expect(policy.textMayStream({ request: asked, labels: [] })).toBe(true);
        expect(policy.judge('response', { request: asked, response: answered, labels: [] }).action).toBe(
          'pass',
        );
      }),
    );
  });
});

describe('rules known to be false without tool calls', () => {
  it('are false without tool calls', () => {
    fc.assert(
      fc.property(rule, request, noCalls, (sketch, asked, answered) => {
        const given = { request: asked, response: answered, labels: [] };
        // Of this spelling nothing is known beforehand, so it is always run.
        const spelled = { ...sketch, when: `(${sketch.when}) ? true : false` };
        expect(judgeOf(sketch).judge('response', given).action).toBe(
          judgeOf(spelled).judge('response', given).action,
        );
      }),
      { numRuns: 500 },
    );
  });
});
