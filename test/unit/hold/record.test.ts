/** A hold as a leaf: whole where it fits, cut where it would not, never too large to seal. */
import { describe, expect, test } from 'vitest';
import { type HeldRule, type HoldFacts, holdData } from '../../../src/hold/record.ts';
import { openState } from '../../../src/hold/state.ts';
import { canonicalize } from '../../../src/ledger/canonical.ts';
import { leafBytesMax } from '../../../src/ledger/entry.ts';

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
});
