/** Holds of one rule have the same rules, roles and terms: thousands of them keep one copy. */
import type { HeldRule, HoldFacts } from './record.ts';
import type { HoldTermsFixed } from './terms.ts';

const copiesMax = 1_000;

export interface Shared {
  facts<Facts extends Pick<HoldFacts, 'rules' | 'policyDigest' | 'policyVersion'>>(facts: Facts): Facts;
  terms(terms: HoldTermsFixed): HoldTermsFixed;
}

/** Gives for each value the one that was seen first and says the same. Bounded: then it begins anew. */
export function createShared(): Shared {
  const rulesByText = new Map<string, readonly HeldRule[]>();
  const rolesByText = new Map<string, readonly string[]>();
  const texts = new Map<string, string>();
  const text = (value: string): string => firstOf(texts, value, value);
  return {
    facts: (facts) => ({
      ...facts,
      rules: firstOf(rulesByText, JSON.stringify(facts.rules), facts.rules),
      policyDigest: text(facts.policyDigest),
      policyVersion: text(facts.policyVersion),
    }),
    terms: (terms) => ({
      ...terms,
      roles: firstOf(rolesByText, terms.roles.join(), [...terms.roles]),
      requester: text(terms.requester),
    }),
  };
}

function firstOf<T>(known: Map<string, T>, key: string, value: T): T {
  const first = known.get(key);
  if (first !== undefined) return first;
  if (known.size >= copiesMax) known.clear();
  known.set(key, value);
  return value;
}
