/** Whatever the rule and whatever came: what is named as true is true, and telling it never fails. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../../src/config/yaml.ts';
import type { Facts } from '../../../src/core/facts.ts';
import { type Expression, expressionCompiler } from '../../../src/policy/expression.ts';
import { valueCharsMax } from '../../../src/policy/part-values.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { partsMax, trueParts } from '../../../src/policy/true-parts.ts';
import { Variables } from '../../../src/policy/views.ts';
import { facts, request } from './arbitrary.ts';

const file = new URL('../../../config/policy.yaml', import.meta.url);
const { rules } = readYaml('policy.yaml', readFileSync(file, 'utf8'), policySchema, 'policy_invalid');

/** How it went: what was named for a match, each of it checked. */
function check(expression: Expression, given: Facts): 'named' | 'bare match' | 'no match' {
  const parts = trueParts(expression, given);
  expect(parts.length).toBeLessThanOrEqual(partsMax);
  for (const { bound, values } of parts) {
    expect(expression.workings.read(bound).value(new Variables(given))).toBe(true);
    for (const { value, path } of values) {
      expect(value.length).toBeLessThanOrEqual(valueCharsMax + 2);
      expect(path).toMatch(/^(?:\/(?:request|response|labels)(?:\/|$)|$)/);
    }
  }
  if (!matches(expression, given)) {
    expect(parts).toEqual([]);
    return 'no match';
  }
  return parts.length > 0 ? 'named' : 'bare match';
}

function matches(expression: Expression, given: Facts): boolean {
  try {
    return expression.matches(new Variables(given));
  } catch {
    return false;
  }
}

describe('what is named of a match', () => {
  it.each(rules.map((rule) => [rule.id, rule] as const))('is true, and something, for %s', (_, rule) => {
    const any = rule.phase === 'response' ? facts : fc.record({ request, labels: fc.constant([]) });
    const expression = expressionCompiler()(rule.phase, rule.when);
    const seen = new Set<string>();
    fc.assert(
      fc.property(any, (given) => {
        seen.add(check(expression, given));
      }),
      { numRuns: 60 },
    );
    expect(seen).not.toContain('bare match');
  });

  it('is true, and something, for rules put together at random', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(condition, facts, (when, given) => {
        seen.add(check(expressionCompiler()('response', when), given));
      }),
      { numRuns: 400 },
    );
    expect([...seen].sort()).toEqual(['named', 'no match']);
  });
});

const atom = (...texts: readonly string[]) => fc.constantFrom(...texts);
const ofCall = atom(
  ...['c.name == "transfer_funds"', 're2(words(c.name), r"\\b(pay|send|delete)\\b")', 'has(c.arguments.to)'],
  ...['num(c.arguments.amount) > 5000.0', 'c.arguments.amount >= 10', 'c.name in ["bash", "pay"]'],
  ...['re2(texts(c.arguments), "(?i)select|drop")', 'c.arguments["to"] != "EUR"', '!(c.id == "x")'],
);
const ofAll = atom(
  ...['response.text.contains("hello")', 'response.text == ""', 're2(response.text, "^.{0,20}$")', 'true'],
  ...['response.status >= 400', 'size(labels) > -1', '"pii.iban" in labels', 'request.stream', 'false'],
  ...['num(request.text) > 1.0', 'labels.exists(l, l.startsWith("pii."))', 'request.model != response.model'],
  ...['(response.status) % 2 == 0', 'response.toolCalls.map(c, c.name).exists(n, n != "")'],
);
/** Random ways of putting conditions together. */
function combined(of: fc.Arbitrary<string>, depthMax: number): fc.Arbitrary<string> {
  if (depthMax === 0) return of;
  const part = combined(of, depthMax - 1);
  const operator = atom('&&', '||');
  return fc.oneof(
    of,
    fc.tuple(part, operator, part).map(([left, with_, right]) => `(${left}) ${with_} (${right})`),
    part.map((negated) => `!(${negated})`),
    fc.tuple(part, part, part).map(([asked, yes, no]) => `(${asked}) ? (${yes}) : (${no})`),
  );
}
const walked = fc
  .tuple(atom('exists', 'all', 'exists_one'), combined(ofCall, 2), atom('response.toolCalls', 'calls'))
  .map(([walk, body, list]) => {
    const over = list === 'calls' ? 'response.toolCalls.filter(d, d.name != "bash")' : list;
    return `${over}.${walk}(c, ${body})`;
  });
const condition = combined(fc.oneof(ofAll, walked), 2);
