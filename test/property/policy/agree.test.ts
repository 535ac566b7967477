/**
 * The same rules on two implementations of CEL that share no code. Holdpoint's own functions are the one thing
 * they have in common, except re2: there the other side asks the engine itself, with neither a plain search
 * before it nor a memory behind it.
 */
import { readFileSync } from 'node:fs';
import {
  type CelInput,
  CelScalar,
  celEnv,
  celFunc,
  isCelError,
  isCelList,
  isCelMap,
  parse,
  plan,
} from '@bufbuild/cel';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../../src/config/yaml.ts';
import type { Facts } from '../../../src/core/facts.ts';
import { expressionCompiler } from '../../../src/policy/expression.ts';
import { num, texts, words } from '../../../src/policy/functions.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { Variables } from '../../../src/policy/views.ts';
import { facts, request } from './arbitrary.ts';

type Verdict = boolean | 'error';

/** What the other library holds, as the plain value that Holdpoint's functions take. */
function plain(value: unknown): unknown {
  if (isCelList(value)) return [...value].map(plain);
  if (isCelMap(value)) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  return value;
}

/** Facts as the other library takes them: JSON, and bigints for CEL's integers. */
function celInput(value: unknown): CelInput {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint' || value === null) return value;
  if (Array.isArray(value)) return value.map(celInput);
  if (typeof value !== 'object') throw new Error(`no fact is a ${typeof value}`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, celInput(item)]));
}

const { STRING, BOOL, DOUBLE, DYN } = CelScalar;
const env = celEnv({
  funcs: [
    celFunc('re2', [STRING, STRING], BOOL, (text, pattern) => RE2JS.compile(pattern).test(text)),
    celFunc('num', [DYN], DOUBLE, (value) => num(plain(value))),
    celFunc('words', [STRING], STRING, words),
    celFunc('texts', [DYN], STRING, (value) => texts(plain(value))),
  ],
});

function theirs(when: string): (given: Facts) => Verdict {
  const run = plan(env, parse(when));
  return ({ request: asked, response, labels }) => {
    const answered = response && {
      ...response,
      status: BigInt(response.status),
      usage: {
        source: response.usage.source,
        inputTokens: BigInt(response.usage.inputTokens),
        outputTokens: BigInt(response.usage.outputTokens),
        totalTokens: BigInt(response.usage.totalTokens),
      },
    };
    const bindings = {
      request: celInput({
        ...asked,
        tokenIds: BigInt(asked.tokenIds ?? 0),
        unjudgedFiles: asked.unjudgedFiles ?? [],
      }),
      response: celInput(answered ?? null),
      labels: celInput(labels),
    };
    const value = run(bindings);
    return isCelError(value) || typeof value !== 'boolean' ? 'error' : value;
  };
}

function ours(phase: 'request' | 'response', when: string): (given: Facts) => Verdict {
  const expression = expressionCompiler()(phase, when);
  return (given) => {
    try {
      return expression.matches(new Variables(given));
    } catch {
      return 'error';
    }
  };
}

/**
 * Rules look up each of a call's arguments. Where these are a list, the other library answers for an index that is a fraction
 * with an error of its own that no `||` takes up, as CEL's errors are.
 */
function hasFractionForIndex({ response }: Pick<Facts, 'response'>): boolean {
  const lists = (response?.toolCalls ?? []).map((call) => call.arguments).filter(Array.isArray);
  return lists.flat().some((index: unknown) => typeof index === 'number' && !Number.isInteger(index));
}

const file = new URL('../../../config/policy.yaml', import.meta.url);
const { rules } = readYaml('policy.yaml', readFileSync(file, 'utf8'), policySchema, 'policy_invalid');

describe('both implementations of CEL agree', () => {
  it.each(rules.map((rule) => [rule.id, rule] as const))('on %s', (_, rule) => {
    const left = ours(rule.phase, rule.when);
    const right = theirs(rule.when);
    const seen = new Set<Verdict>();
    const any = rule.phase === 'response' ? facts : fc.record({ request, labels: fc.constant([]) });
    fc.assert(
      fc.property(any, (given: Facts) => {
        fc.pre(!hasFractionForIndex(given));
        const verdict = left(given);
        seen.add(verdict);
        expect(right(given)).toBe(verdict);
      }),
      { numRuns: 150 },
    );
    // Agreement over facts that never match would say little.
    expect([...seen]).toEqual(expect.arrayContaining([true, false]));
  });

  it.each([
    'request.stream || num(request.text) > 1.0',
    'response.status >= 400 && response.status != 404',
    'response.usage.totalTokens > 25 && "pii.iban" in labels',
    'response.toolCalls.all(c, c.name == "transfer_funds" ? num(c.arguments.amount) < 10.0 : true)',
    'response.toolCalls.exists_one(c, c.name.startsWith("transfer"))',
    'response.toolCalls.filter(c, c.arguments.amount > 5).size() > 0',
    'response.toolCalls.map(c, c.name).exists(n, n in ["bash", "pay"])',
    '!(request.text == "" || response.text.contains("hello")) && size(response.text) < 20',
  ])('on %s', (when) => {
    const left = ours('response', when);
    const right = theirs(when);
    fc.assert(
      fc.property(facts, (given) => {
        expect(right(given)).toBe(left(given));
      }),
      { numRuns: 100 },
    );
  });
});
