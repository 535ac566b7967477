import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadPolicy, testPolicy } from '../../../src/policy/compile.ts';
import { call, facts, requestFacts } from './support.ts';

const text = readFileSync(new URL('../../../config/policy.yaml', import.meta.url), 'utf8');
const policy = loadPolicy('config/policy.yaml', text);

const rulesMatched = (name: string, args: unknown = {}) =>
  policy.judge('response', facts({ toolCalls: [call(name, args)] })).matches.map((match) => match.rule);

describe('the default policy', () => {
  it('holds its own fixtures', () => {
    const results = testPolicy('config/policy.yaml', text);
    expect(results.length).toBeGreaterThan(100);
    expect(results.filter((result) => !result.passed)).toEqual([]);
  });

  it('gives every rule a false friend: more than one fixture that must not match', () => {
    const spared = new Map<string, number>();
    for (const { rule, expected } of testPolicy('config/policy.yaml', text)) {
      spared.set(rule, (spared.get(rule) ?? 0) + (expected === 'no-match' ? 1 : 0));
    }
    expect([...spared].filter(([, count]) => count < 2)).toEqual([]);
  });

  it('lets the text of an ordinary answer stream', () => {
    expect(policy.textMayStream({ request: requestFacts({ text: 'hello' }), labels: [] })).toBe(true);
  });

  it('passes what is to be embedded as token ids', () => {
    const given = { operation: 'embeddings', model: 'text-embedding-3-small', tokenIds: 3 };
    expect(policy.judge('request', facts({}, given)).action).toBe('pass');
  });

  it('holds a prompt of token ids that is to be continued, since nobody can read it', () => {
    const given = facts({}, { operation: 'completions', tokenIds: 3 });
    expect(policy.judge('request', given).action).toBe('hold');
  });

  it('passes an ordinary exchange', () => {
    const given = facts(
      { text: 'I could transfer funds, delete tables or deploy.' },
      { text: 'What can you do?' },
    );
    expect(policy.judge('request', given).action).toBe('pass');
    expect(policy.judge('response', given).action).toBe('pass');
  });

  it.each([
    'get_weather',
    'searchDocuments',
    'list_orders',
    'calculator',
    'web_search',
    'read_file',
    'get_current_time',
  ])('passes a call of %s', (name) => {
    expect(rulesMatched(name, { query: 'paris', limit: 3 })).toEqual([]);
  });

  it('passes what it does not understand, such as the list of models', () => {
    const given = facts({}, { operation: 'unknown', method: 'GET', path: '/v1/models', model: '' });
    expect(policy.judge('request', given).action).toBe('pass');
  });

  it('holds a transfer above the limit under two rules', () => {
    const judged = policy.judge(
      'response',
      facts({ toolCalls: [call('transfer_funds', { amount: 25_000 })] }),
    );
    expect(judged.matches.map((match) => [match.rule, match.hold.approvals])).toEqual([
      ['large-transfer', 1],
      ['moves-money', 1],
    ]);
  });

  it('only flags a suspected credential', () => {
    const given = facts({}, { text: 'use AKIAIOSFODNN7EXAMPLE' });
    expect(policy.judge('request', given)).toMatchObject({
      action: 'flag',
      matches: [{ rule: 'secret-in-prompt' }],
    });
  });

  it('sees a statement however its JSON was written', () => {
    const args: unknown = JSON.parse('{"q":"\\u0044ROP\\tTABLE users"}');
    expect(rulesMatched('query', args)).toEqual(['deletes-data']);
  });

  it('judges a plain 1 KB exchange in microseconds', () => {
    const given = facts(
      { text: 'All is well. '.repeat(80) },
      { text: 'How is the sky today, my dear? '.repeat(33) },
    );
    const rounds = 2_000;
    const microsecondsPer = (run: () => void): number => {
      let best = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const startMs = performance.now();
        for (let round = 0; round < rounds; round += 1) run();
        best = Math.min(best, ((performance.now() - startMs) * 1000) / rounds);
      }
      return best;
    };
    // Several times what a quiet machine needs, so that only a change of kind fails here.
    expect(microsecondsPer(() => policy.judge('request', given))).toBeLessThan(40);
    expect(microsecondsPer(() => policy.judge('response', given))).toBeLessThan(5);
  });
});
