/**
 * A draft policy tried rule by rule on facts that were rebuilt from a record. A record does not have every fact: a rule
 * that reads one it lacks is not tried, so that nothing is said of it that nobody knows. Pure.
 */
import type { Facts } from '../core/facts.ts';
import { loadRules } from './compile.ts';
import type { CompiledRule } from './evaluate.ts';
import { readsOneOf } from './expression.ts';
import type { Action, Phase } from './policy.ts';
import { readingsOf, Variables } from './views.ts';

/** `failed`: the rule could not be decided on these facts, and would therefore hold. */
export type Tried = 'match' | 'no-match' | 'failed' | 'unknown';

export interface DraftRule {
  readonly id: string;
  readonly title: string;
  readonly phase: Phase;
  readonly action: Action;
}

export interface Draft {
  readonly version: string;
  /** SHA-256 of the text, lower-case hex. */
  readonly digest: string;
  /** In the order of the file. */
  readonly rules: readonly DraftRule[];
  /**
   * Tries every rule of a phase, in the order of the file. `lacking` names facts that the record does not have, such
   * as `request.subject`.
   */
  attempt(phase: Phase, facts: Facts, lacking: ReadonlySet<string>): readonly Attempt[];
}

export interface Attempt {
  readonly rule: DraftRule;
  readonly tried: Tried;
}

/** Opens a draft. Throws `policy_invalid` where it would not load. */
export function openDraft(file: string, text: string, rulers?: readonly string[]): Draft {
  const { version, digest, rules } = loadRules(file, text, rulers);
  const drafts = rules.map((compiled) => {
    const { rule: id, title, action } = compiled.match;
    return { rule: { id, title, phase: compiled.phase, action }, compiled };
  });
  return {
    version,
    digest,
    rules: drafts.map(({ rule }) => rule),
    attempt: (phase, facts, lacking) => {
      const readings = readingsOf(facts).map((reading) => new Variables(reading));
      return drafts
        .filter(({ rule }) => rule.phase === phase)
        .map(({ rule, compiled }) => ({ rule, tried: tryRule(compiled, readings, lacking) }));
    },
  };
}

function tryRule(
  { expression }: CompiledRule,
  readings: readonly Variables[],
  lacking: ReadonlySet<string>,
): Tried {
  if (readsOneOf(expression, lacking)) return 'unknown';
  try {
    return readings.some((variables) => expression.matches(variables)) ? 'match' : 'no-match';
  } catch {
    // A rule that cannot be decided holds; the caller counts it apart, and shows on which decision.
    return 'failed';
  }
}
