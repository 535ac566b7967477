/**
 * A draft policy tried rule by rule on facts that were rebuilt from a record. A record does not have every fact: a rule
 * that reads one it lacks is not tried, so that nothing is said of it that nobody knows. Pure.
 */
import type { Facts } from '../core/facts.ts';
import { loadingRules } from './compile.ts';
import { type CompiledRule, strictestMatch } from './evaluate.ts';
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
   * Tries every rule of a phase, in the order of the file, each when it is asked for. `lacking` names facts that the
   * record does not have, such as `request.subject`.
   */
  attempt(phase: Phase, facts: Facts, lacking: ReadonlySet<string>): Iterable<Attempt>;
}

export interface Attempt {
  readonly rule: DraftRule;
  readonly tried: Tried;
}

/**
 * Opens a draft. Rejects with `policy_invalid` where it would not load.
 * @param pause awaited after each of its fixtures; what it rejects with ends the opening
 */
export async function openDraft(
  file: string,
  text: string,
  rulers: readonly string[] | undefined,
  pause: () => Promise<void>,
): Promise<Draft> {
  const { version, digest, rules } = await inSteps(loadingRules(file, text, rulers), pause);
  const drafts = rules.map((compiled) => {
    const { rule: id, title, action } = compiled.match;
    return { rule: { id, title, phase: compiled.phase, action }, compiled };
  });
  return {
    version,
    digest,
    rules: drafts.map(({ rule }) => rule),
    attempt: function* (phase, facts, lacking) {
      const readings = readingsOf(facts).map((reading) => new Variables(reading));
      for (const { rule, compiled } of drafts)
        if (rule.phase === phase) yield { rule, tried: tryRule(compiled, readings, lacking) };
    },
  };
}

async function inSteps<T>(steps: Generator<void, T, void>, pause: () => Promise<void>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    await pause();
    step = steps.next();
  }
  return step.value;
}

/** As a policy in force judges by the rule. One that fails is counted apart, and shown with the decision. */
function tryRule(rule: CompiledRule, readings: readonly Variables[], lacking: ReadonlySet<string>): Tried {
  if (readsOneOf(rule.expression, lacking)) return 'unknown';
  const match = strictestMatch(rule, readings);
  if (match === undefined) return 'no-match';
  return match.error === undefined ? 'match' : 'failed';
}
