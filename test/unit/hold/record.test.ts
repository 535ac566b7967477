/** A hold as a leaf: whole where it fits, cut where it would not, never too large to seal. */
import { describe, expect, test } from 'vitest';
import type { ResponseFacts } from '../../../src/core/facts.ts';
import { type HeldRule, type HoldFacts, heldRules, holdData } from '../../../src/hold/record.ts';
import { openState } from '../../../src/hold/state.ts';
import { canonicalize } from '../../../src/ledger/canonical.ts';
import { leafBytesMax } from '../../../src/ledger/entry.ts';
import { listItemsMax } from '../../../src/policy/bounds.ts';
import { call, facts, judgeOf } from '../policy/support.ts';

const secret = 'Erika Mustermann';

const terms = {
  approvals: 1,
  roles: ['reviewer'],
  notRequester: true,
  requester: 'w',
  digest: 'a'.repeat(64),
  expiresAtMs: 1,
};

function factsWith(rules: readonly HeldRule[]): HoldFacts {
  return {
    decision: 3,
    phase: 'response',
    rules,
    policyDigest: 'b'.repeat(64),
    policyVersion: '1',
    openedAtMs: 0,
    retryKey: 'c'.repeat(64),
    response: 4,
    passedBytes: 0,
  };
}

function rule(id: string, when: string): HeldRule {
  return { id, title: 'A title', when, severity: 'high', error: '' };
}

describe('the rules in a hold’s leaf', () => {
  test('are whole when they fit', () => {
    const rules = [rule('one', 'x'.repeat(8_000)), rule('two', 'true')];
    expect(holdData(factsWith(rules), openState(terms))).toMatchObject({ rules });
  });

  test('are cut and marked when all of a policy’s longest rules match at once', () => {
    const rules = Array.from({ length: 256 }, (_, i) => rule(`rule-${i}`, '漢'.repeat(8_192)));
    const data = holdData(factsWith(rules), openState(terms));
    expect(Buffer.byteLength(canonicalize(data))).toBeLessThan(leafBytesMax - 2_048);
    expect(data['rules']).toHaveLength(32);
    expect(data['rules']).toMatchObject([
      { id: 'rule-0', when: `${'漢'.repeat(300)}…` },
      ...Array.from({ length: 31 }, () => ({})),
    ]);
  });

  test.each<[string, string, Partial<ResponseFacts>]>([
    [
      'the name of a tool whose arguments are too many',
      'response.toolCalls.exists(c, c.arguments.a == 1)',
      { toolCalls: [call(secret, { a: Array.from({ length: listItemsMax + 1 }, () => 1) })] },
    ],
    [
      'a text that is no number',
      'response.toolCalls.exists(c, num(c.arguments.a) > 1.0)',
      { toolCalls: [call('pay', { a: secret })] },
    ],
    ['a key that is missing', 'request.params[response.text] == 1', { text: secret }],
    [
      'a text that is no map',
      'response.toolCalls.exists(c, has(c.arguments.a))',
      { toolCalls: [call('pay', secret)] },
    ],
  ])('say that one failed without what it failed on: %s', (_, when, response) => {
    const rules = heldRules(judgeOf({ when }).judge('response', facts(response)).matches);
    expect(rules).toMatchObject([{ error: expect.stringMatching(/./) }]);
    expect(JSON.stringify(rules)).not.toContain(secret);
  });
});
